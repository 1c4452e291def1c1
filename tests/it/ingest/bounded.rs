//! Large events that cannot be rows: little memory, private files, and a list that shows their beginning.

use super::{FILE, letters, with_events};
use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::ports::free_port;
use rustix::process::Signal;
use std::os::unix::fs::PermissionsExt;

fn mode(filegen: &Filegen, name: &str) -> u32 {
    std::fs::metadata(filegen.path(name)).unwrap().permissions().mode() & 0o777
}

/// A command with so much address space, in MiB.
fn within(filegen: &Filegen, mebibytes: u32, command: &str) -> std::process::Output {
    let script = format!("ulimit -d {} && exec \"$@\"", mebibytes * 1024);
    let wanted = filegen.command(command);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script, "sh"]).arg(wanted.get_program()).args(wanted.get_args());
    shell.current_dir(wanted.get_current_dir().expect("a folder"));
    for (name, value) in wanted.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.output().unwrap()
}

#[test]
fn large_events_that_cannot_be_rows_take_little_memory() {
    let fat = "x".repeat(1_000_000);
    let event = |at: usize| format!(r#"{{"type":"Unknown","id":"e{at}","more":"{fat}"}}"#);
    let events: Vec<String> = (0..60).map(event).collect();
    let filegen = with_events(&events.iter().map(String::as_str).collect::<Vec<_>>());
    for command in [
        "ingest run -c events.yaml",
        "dlq list -c events.yaml",
        "dlq list -c events.yaml --output json",
        "dlq stats -c events.yaml",
        "dlq plan -c events.yaml --out plan.json",
        "dlq apply plan.json -c events.yaml --reason again --max-failures 1000",
    ] {
        let done = within(&filegen, 192, command);
        let code = done.status.code();
        assert!(code == Some(0) || code == Some(4), "{command}: {code:?} {}", String::from_utf8_lossy(&done.stderr));
    }
    let all = letters(&filegen, "");
    assert_eq!(all.len(), 60);
    let first = &all[0];
    assert!(first["payload"].as_str().unwrap().len() <= 4096 && first["payloadBytes"].as_u64() > Some(1_000_000));
    for name in ["orders.db", "plan.json"] {
        assert_eq!(mode(&filegen, name), 0o600, "{name}");
    }
}

#[test]
fn a_daemon_tells_of_weak_connections_of_an_ingest() {
    let filegen = Filegen::empty();
    let source = format!("{{ kafka: {{ brokers: 'kafka.example:{}', topic: t, group: g }} }}", free_port());
    let queue = "dead_letters: { url: 'redis://redis.example' }\n";
    filegen.write("events.yaml", &(FILE.replace("{ file: events.jsonl }", &source) + queue));
    let mut daemon = Daemon::of(&mut filegen.command("daemon -c events.yaml --health-port 0"));
    daemon.running.wait_for("redis.example:6379 is not encrypted");
    let metrics = daemon.get("/metrics").1;
    for peer in ["kafka", "redis"] {
        let line = format!("filegen_insecure_connections{{ingest=\"orders\",peer=\"{peer}\"}} 1");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}
