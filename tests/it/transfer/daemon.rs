//! A transfer in the daemon: watched, polled, stopped, shown; and several at once.

use super::rig::{Rig, bytes};
use crate::support::daemon::{Daemon, stop};
use crate::support::running::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

fn daemon(rig: &Rig) -> Daemon {
    Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"))
}

/// Waits until so many files are in the archive.
fn archived(rig: &Rig, count: usize) -> BTreeMap<String, Vec<u8>> {
    until("the archive", || Some(rig.shelf("archive")).filter(|there| there.len() == count));
    rig.shelf("archive")
}

#[test]
fn files_are_served_as_they_come_and_told_of() {
    // A poll that no test outlives: word of the file system alone makes it look.
    let rig = Rig::with(&[("  stable_for: 0s", "  poll: 1h\n  stable_for: 0s"), ("max_size: 1MiB", "max_size: 50kB")]);
    rig.drop_in("first", b"1");
    let daemon = daemon(&rig);
    archived(&rig, 1);
    rig.drop_in("second", &bytes(20_000, 1));
    archived(&rig, 2);
    fs::create_dir(rig.filegen.path("in/later")).unwrap();
    rig.drop_in("trigger", b"3");
    archived(&rig, 3);
    rig.drop_in("later/large", &bytes(60_000, 2));
    until("the refused file", || rig.shelf("error").contains_key("later/large.error").then_some(()));
    let page = until("the page", || {
        let page: Value = serde_json::from_str(&daemon.get("/status").1).unwrap();
        let transfer = page["transfers"][0].clone();
        (transfer["failed"] == 1 && transfer["delivered"] == 3).then_some(transfer)
    });
    assert_eq!((&page["transfer"], &page["state"]), (&"sales".into(), &"moving".into()), "{page}");
    let html = daemon.get("/").1;
    assert!(html.contains("transfer, moving") && html.contains("max_size"), "{html}");
    assert_eq!(daemon.get("/health/live").0, 200);
    until("readiness", || (daemon.get("/health/ready").0 == 200).then_some(()));
    let metrics = daemon.get("/metrics").1;
    for (name, labels, value) in [
        ("files_processed_total", &["side=\"deliver\"", "outcome=\"done\""][..], " 3"),
        ("files_processed_total", &["side=\"collect\"", "outcome=\"failed\""], " 1"),
        ("bytes_written_total", &[], " 20002"),
        ("transfer_errors_total", &["kind=\"refused\""], " 1"),
        ("transfer_seconds_count", &[], " 3"),
        ("files_waiting", &[], ""),
    ] {
        let is_it = |line: &&str| {
            line.starts_with(&format!("{name}{{"))
                && line.contains("transfer=\"sales\"")
                && labels.iter().all(|label| line.contains(label))
                && line.ends_with(value)
        };
        assert!(metrics.lines().any(|line| is_it(&line)), "{name} {labels:?}\n{metrics}");
    }
    let log = stop([daemon]).remove(0);
    for told in ["file is delivered", "source is dealt with", "file failed and is set aside"] {
        assert!(log.contains(told), "{told}: {log}");
    }
}

#[test]
fn a_folder_that_is_away_is_told_and_waited_for() {
    let rig = Rig::with(&[("  stable_for: 0s", "  poll: 20ms\n  stable_for: 0s")]);
    fs::remove_dir(rig.filegen.path("in")).unwrap();
    let daemon = daemon(&rig);
    until("not ready", || daemon.get("/health/ready").1.contains("is not there").then_some(()));
    assert_eq!(daemon.get("/health/live").0, 200);
    fs::create_dir(rig.filegen.path("in")).unwrap();
    rig.drop_in("a", b"1");
    archived(&rig, 1);
    stop([daemon]);
}

#[test]
fn a_stopped_daemon_gives_up_at_the_next_chunk_and_another_goes_on_there() {
    let rig = Rig::new();
    rig.drop_in("a", &bytes(400_000, 3));
    let mut command = rig.filegen.command("daemon -c t.yaml --health-port 0 -vv");
    let mut slow = Daemon::of(command.env("FAILPOINTS", "transfer.written=sleep(30)"));
    slow.running.wait_for("side=deliver");
    stop([slow]);
    assert!(rig.files("target").keys().all(|name| name.contains(".filegen-")), "{:?}", rig.names("target"));
    let told = rig.transfer("run").exits(0).stderr;
    assert!(told.contains("`a` goes on behind"), "{told}");
    assert!(rig.files("target")["a"] == bytes(400_000, 3));
}

#[test]
fn several_instances_share_a_folder_and_a_ledger() {
    let rig = Rig::with(&[("  stable_for: 0s", "  poll: 50ms\n  stable_for: 0s")]);
    let daemons = [daemon(&rig), daemon(&rig)];
    let mut all = BTreeMap::new();
    for number in 0..40_u64 {
        let (path, content) = (format!("f{number}"), bytes(usize::try_from(number * 700).unwrap(), number));
        rig.drop_in(&path, &content);
        all.insert(path, content);
    }
    let there = archived(&rig, 40);
    assert!(rig.names("error").is_empty(), "{:?}", rig.names("error"));
    assert!(there == all && rig.files("target") == all);
    let logs = stop(daemons);
    let delivered: usize = logs.iter().map(|log| log.matches("file is delivered").count()).sum();
    assert_eq!(delivered, 40, "each once");
    let ledger = rusqlite::Connection::open(rig.filegen.path("ledger.db")).unwrap();
    let twice =
        "SELECT count(*) FROM (SELECT id FROM TransferStep WHERE state = 'delivered' GROUP BY id HAVING count(*) > 1)";
    assert_eq!(ledger.query_row(twice, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}
