//! `filegen daemon` as a real process, what is asked of it, and worker files for it.

use super::filegen::Filegen;
use super::http::Http;
use super::kafka::Topic;
use super::running::Running;
use filegen::core::ports::leases::LeaseRecord;
use rustix::process::Signal;
use std::process::Command;

/// One daemon and its HTTP door.
pub struct Daemon {
    pub running: Running,
    pub http: Http,
}

impl Daemon {
    /// Started, and listening.
    pub fn start(filegen: &Filegen) -> Self {
        Self::of(&mut filegen.command("daemon -c worker.yaml --health-port 0"))
    }

    /// A command that starts one, started, and listening.
    pub fn of(command: &mut Command) -> Self {
        let mut running = Running::start(command);
        let line = running.wait_for("status page are served");
        let port = line.rsplit("port=").next().and_then(|port| port.trim().parse().ok());
        Self { running, http: Http::at(port.unwrap_or_else(|| panic!("no port in {line}"))) }
    }

    /// Whether it is the one that took this lease: an instance is a host and a process.
    pub fn took(&self, lease: &LeaseRecord) -> bool {
        lease.instance.as_str().ends_with(&format!(":{}", self.running.id()))
    }

    /// Status code and body of a page.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(path);
        (answer.code, answer.body)
    }
}

/// Sees that a page of metrics has all that alerts and dashboard rely on whose first label is one of these, but for those of a prefix.
#[track_caller]
pub fn has_metrics(shown: &str, labels: &[&str], but: Option<&str>) {
    let listed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/metrics.txt")).unwrap();
    for line in listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [name, kind, label] = line.split(' ').take(3).collect::<Vec<_>>()[..] else { panic!("{line}") };
        if labels.contains(&label) && !but.is_some_and(|start| name.starts_with(start)) {
            assert!(shown.contains(&format!("# TYPE {name} {kind}\n")), "{name} {kind} in\n{shown}");
        }
    }
}

/// Sees that each metric of a page with this label stands on the dashboard or in an alert: `deploy/metrics.txt` lists those that do.
#[track_caller]
pub fn all_are_watched(shown: &str, label: &str) {
    let listed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/metrics.txt")).unwrap();
    let is_listed = |name: &str| listed.lines().any(|line| line.split(' ').next() == Some(name));
    for line in shown.lines().filter(|line| !line.starts_with('#') && line.contains(&format!("{label}=\""))) {
        let name = line.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(is_listed(name) || is_listed(family), "{name} is on no dashboard and in no alert");
    }
}

/// SIGTERM to all of them at once; each ends with 0. Their logs.
pub fn stop(daemons: impl IntoIterator<Item = Daemon>) -> Vec<String> {
    let daemons: Vec<Daemon> = daemons.into_iter().collect();
    for daemon in &daemons {
        daemon.running.signal(Signal::TERM);
    }
    daemons.into_iter().map(|daemon| daemon.running.finish().exits(0).stderr).collect()
}

/// The sections of a worker file that listens and announces.
pub fn topics(trigger: &Topic, completion: &Topic) -> String {
    format!(
        "trigger: {{ kafka: {{ brokers: '{}', topic: {}, properties: {{ session.timeout.ms: '6000' }} }} }}\n\
         completion: {{ kafka: {{ brokers: '{}', topic: {} }} }}\n",
        trigger.brokers, trigger.name, completion.brokers, completion.name
    )
}

/// A worker whose lease is missed soon, and yet not lost on a busy disk: a call to the state store has an eighth of it.
pub fn worker(rows: u64) -> Filegen {
    let filegen = Filegen::with_loans(rows);
    let quick = "policies: { lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }\n";
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + quick));
    filegen
}

/// Gives a worker a trigger and a completion topic.
pub fn listening(filegen: &Filegen, trigger: &Topic, completion: &Topic) {
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + &topics(trigger, completion)));
}
