//! Due times that bring files to a transfer of the same daemon, which moves them on.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::running::until;
use std::collections::BTreeSet;
use std::fs;

const SCHEDULER: &str = "scheduler: intake
roots: [data]
sources: sources.yaml
api: { port: 0, listen: 127.0.0.1 }
page: { port: 0, listen: 127.0.0.1 }
defaults: { stable_for: 10ms }
policies: { lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }
";

const SOURCES: &str = "- { name: Loans, path: data/in, pattern: '**/*.csv', cronExpression: '* * * * * ?', action: { transfer: sales } }\n";

const TRANSFER: &str = "transfer: sales
collect: { directory: inbox, pattern: '**/*.csv', poll: 50ms, stable_for: 0s, archive: archive, error: error, source: api }
broker: { local: spool }
deliver: { to: { directory: target }, name: '{{ folder }}{{ name }}' }
state: { url: 'sqlite:transfer.db' }
";

const FILES: &str = "-c intake.yaml -c sales.yaml";

fn rig() -> Filegen {
    let filegen = Filegen::empty();
    for (name, text) in [("intake.yaml", SCHEDULER), ("sources.yaml", SOURCES), ("sales.yaml", TRANSFER)] {
        filegen.write(name, text);
    }
    fs::create_dir_all(filegen.path("data/in/deep")).unwrap();
    fs::create_dir(filegen.path("inbox")).unwrap();
    filegen.write("data/in/a.csv", "1");
    filegen.write("data/in/deep/b.csv", "2");
    filegen.write("data/in/c.txt", "3");
    filegen
}

fn daemon(filegen: &Filegen, failpoints: &str) -> Daemon {
    Daemon::of(filegen.command(&format!("daemon {FILES} --health-port 0")).env("FAILPOINTS", failpoints))
}

/// What the archive holds. A file that was brought again behind a kill, and had arrived by then, lies there twice.
fn archived(filegen: &Filegen) -> BTreeSet<String> {
    let mut contents = BTreeSet::new();
    let mut folders = vec![filegen.path("archive")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { folders.push(path) } else { contents.extend(fs::read_to_string(path)) }
        }
    }
    contents
}

#[test]
fn new_files_arrive_once_wherever_the_process_dies_and_their_sources_stay() {
    // Before a file is brought, behind it, and once the ledger has it.
    for point in ["discover.read=return", "discover.brought=return", "discover.told=1*off->return", ""] {
        let filegen = rig();
        if !point.is_empty() {
            let done = daemon(&filegen, point).running.finish();
            assert_eq!(done.code, None, "it was not killed at {point}:\n{}", done.stderr);
        }
        let running = daemon(&filegen, "");
        let arrived = |name: &str, content: &str| {
            until(name, || (fs::read_to_string(filegen.path(name)).ok()? == content).then_some(()));
        };
        arrived("target/a.csv", "1");
        arrived("target/deep/b.csv", "2");
        until("both in the archive", || archived(&filegen).iter().eq(["1", "2"]).then_some(()));
        // A later look brings what is new, and nothing else.
        filegen.write("data/in/late.csv", "4");
        arrived("target/late.csv", "4");
        until("all in the archive", || archived(&filegen).iter().eq(["1", "2", "4"]).then_some(()));
        assert!(filegen.has("data/in/a.csv") && filegen.has("data/in/c.txt"), "{point}");
        let list = filegen.run("transfer list -c sales.yaml --output json").exits(0).json();
        assert_eq!(list["files"].as_array().unwrap().len(), 3, "{point}: {list}");
        stop([running]);
    }
}

#[test]
fn a_data_source_may_name_a_transfer_that_collects_and_no_other() {
    let filegen = rig();
    let taken = filegen.run(&format!("datasource import {FILES} sources.yaml --output json")).exits(0);
    assert!(taken.stdout.contains("Loans"), "{}", taken.stdout);
    let refused = filegen.run("datasource import -c intake.yaml sources.yaml");
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("sales") && refused.stderr.contains("action"), "{}", refused.stderr);
    let text = filegen.read("sales.yaml");
    let delivers: Vec<&str> = text.lines().filter(|line| !line.starts_with("collect")).collect();
    filegen.write("sales.yaml", &format!("{}\n", delivers.join("\n")));
    let refused = filegen.run(&format!("datasource import {FILES} sources.yaml"));
    assert!(refused.code != Some(0) && refused.stderr.contains("sales"), "{}", refused.stderr);
}
