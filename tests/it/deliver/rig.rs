//! A worker that delivers to a transfer, each with its file, and the binary over both.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::{Done, Filegen};
use crate::support::running::until;
use serde_json::Value;
use std::fs;

/// The transfer: a local spool, and a target folder that nothing else writes to.
const TRANSFER: &str = r#"transfer: sales
collect:
  directory: handover
  pattern: "**"
  poll: 50ms
  stable_for: 0s
  archive: archive
  error: error
broker: { local: spool }
deliver:
  to: { directory: target }
  name: "{{ folder }}{{ name }}"
  on_exists: replace
state: { url: "sqlite:ledger.db" }
policies: { initial_backoff: 10ms, max_backoff: 50ms }
"#;

/// Two files and the manifest, in their order.
pub const NAMES: [&str; 3] = ["loan0_20261121.txt", "loan1_20261121.csv", "LoanWorker_20261121.manifest.json"];

pub struct Rig {
    pub filegen: Filegen,
}

impl Rig {
    /// With the usual files.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With pieces of the transfer's file replaced.
    pub fn with(changes: &[(&str, &str)]) -> Self {
        let rig = Self { filegen: Filegen::with_loans(95) };
        let more = "deliver: sales\n\
                    policies: { lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms,\
                    \x20 initial_backoff: 20ms, max_backoff: 100ms }\n";
        rig.filegen.write("worker.yaml", &(rig.filegen.read("worker.yaml") + more));
        rig.change(changes);
        rig
    }

    /// Writes the transfer's file anew.
    pub fn change(&self, changes: &[(&str, &str)]) {
        let mut text = TRANSFER.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "no `{from}` in the file");
            text = text.replace(from, to);
        }
        self.filegen.write("t.yaml", &text);
    }

    /// Replaces a piece of the worker's file.
    pub fn change_worker(&self, from: &str, to: &str) {
        let text = self.filegen.read("worker.yaml");
        assert!(text.contains(from), "no `{from}` in the file");
        self.filegen.write("worker.yaml", &text.replace(from, to));
    }

    /// `filegen run` of the usual day.
    pub fn run(&self) -> Done {
        self.filegen.run("run -c worker.yaml --date 2026-11-21").exits(0)
    }

    /// A daemon with both files.
    pub fn daemon(&self) -> Daemon {
        self.daemon_with("")
    }

    /// A daemon with failure points.
    pub fn daemon_with(&self, failpoints: &str) -> Daemon {
        let mut command = self.filegen.command("daemon -c worker.yaml -c t.yaml --health-port 0");
        Daemon::of(command.env("FAILPOINTS", failpoints))
    }

    /// The names at the target.
    pub fn target(&self) -> Vec<String> {
        self.names("target")
    }

    /// The names of a folder, without what is being made there.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.filegen.path(folder)) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    /// Waits until all is at the target, and each as it was published.
    pub fn arrives(&self) {
        let mut all = NAMES.map(str::to_owned).to_vec();
        all.sort();
        until("the files at the target", || (self.target() == all).then_some(()));
        self.is_as_published(&NAMES);
    }

    /// Sees that files at the target are as they were published, and that those are still there.
    #[track_caller]
    pub fn is_as_published(&self, names: &[&str]) {
        for name in names {
            let published = fs::read(self.filegen.path("out").join(name)).unwrap();
            assert!(fs::read(self.filegen.path("target").join(name)).unwrap() == published, "{name}");
        }
    }

    /// What the store has of the usual day: state and reason of each, in its order.
    pub fn deliveries(&self) -> Vec<Value> {
        let status = self.filegen.run("status -c worker.yaml --output json").exits(0).json();
        status["workers"][0]["runs"][0]["deliveries"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until the deliveries of the usual day are in these states.
    pub fn stand(&self, states: &[&str]) -> Vec<Value> {
        until(&format!("{states:?}"), || {
            let all = self.deliveries();
            let are: Vec<_> = all.iter().map(|one| one["state"].as_str().unwrap_or_default().to_owned()).collect();
            (are == states).then_some(all)
        })
    }

    /// How often the delivering side wrote each name: each version is delivered once.
    pub fn delivered_once(&self) {
        let ledger = rusqlite::Connection::open(self.filegen.path("ledger.db")).unwrap();
        let twice = "SELECT count(*) FROM (SELECT id FROM TransferStep WHERE state = 'delivered' GROUP BY id HAVING count(*) > 1)";
        assert_eq!(ledger.query_row(twice, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "delivered twice");
        let sent =
            "SELECT count(*) FROM (SELECT id FROM TransferStep WHERE state = 'sent' GROUP BY id HAVING count(*) > 1)";
        assert_eq!(ledger.query_row(sent, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "sent twice");
    }

    /// The names in the order in which they got their place at the target.
    pub fn order(&self) -> Vec<String> {
        let ledger = rusqlite::Connection::open(self.filegen.path("ledger.db")).unwrap();
        let steps = "SELECT f.path FROM TransferStep s JOIN TransferFile f ON f.id = s.id AND f.side = 'deliver'
                     WHERE s.state = 'delivered' ORDER BY s.number";
        let mut query = ledger.prepare(steps).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// SIGTERM; its log.
pub fn end(daemon: Daemon) -> String {
    stop([daemon]).remove(0)
}
