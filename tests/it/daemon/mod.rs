//! `filegen daemon` as real processes: who leads, what a trigger makes, what is shown.

mod cut_off;
mod deliveries;
pub mod fleet;
pub mod killed;
mod office;
mod on_mongo;
mod rolling;
mod sent;
mod shown;
mod silent;
mod steady;
mod triggered;
mod unasked;

use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::running::Running;
use filegen::core::ports::leases::LeaseRecord;
use rustix::process::Signal;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

/// One daemon and its HTTP port.
pub struct Daemon {
    pub running: Running,
    port: u16,
}

impl Daemon {
    /// Started, and listening.
    fn start(filegen: &Filegen) -> Self {
        Self::of(&mut filegen.command("daemon -c worker.yaml --health-port 0"))
    }

    /// A command that starts one, started, and listening.
    fn of(command: &mut Command) -> Self {
        let mut running = Running::start(command);
        let line = running.wait_for("status page are served");
        let port = line.rsplit("port=").next().and_then(|port| port.trim().parse().ok());
        Self { running, port: port.unwrap_or_else(|| panic!("no port in {line}")) }
    }

    /// Whether it is the one that took this lease: an instance is a host and a process.
    pub fn took(&self, lease: &LeaseRecord) -> bool {
        lease.instance.as_str().ends_with(&format!(":{}", self.running.id()))
    }

    /// Status code and body of a page.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (code.unwrap_or_else(|| panic!("{head}")), body.to_owned())
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
fn worker(rows: u64) -> Filegen {
    let filegen = Filegen::with_loans(rows);
    let quick = "policies: { lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }\n";
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + quick));
    filegen
}

/// Gives a worker a trigger and a completion topic.
fn listening(filegen: &Filegen, trigger: &Topic, completion: &Topic) {
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + &topics(trigger, completion)));
}
