//! A daemon whose output nobody reads any more.

use crate::support::daemon::worker;
use crate::support::running::until;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// A process that does not outlive its test.
struct Mortal(Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_daemon_whose_reader_has_gone_goes_on_and_obeys_sigterm() {
    let filegen = worker(30);
    let mut command = filegen.command("daemon -c worker.yaml --health-port 0 -v");
    let mut daemon = Mortal(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut first = String::new();
    // As `| head -1` does: one line, and the pipes are closed.
    drop(daemon.0.stdout.take());
    BufReader::new(daemon.0.stderr.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("service starting"), "{first}");

    let own = format!(":{}", daemon.0.id());
    until("the daemon's lease", || {
        let status = filegen.run("status -c worker.yaml --output json").json();
        let lease = &status["workers"][0]["lease"];
        (lease["state"] == "held" && lease["holder"].as_str().is_some_and(|holder| holder.ends_with(&own)))
            .then_some(())
    });
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    let status = filegen.run("status -c worker.yaml --output json").json();
    let (run, lease) = (&status["workers"][0]["runs"][0], &status["workers"][0]["lease"]);
    assert_eq!(
        (run["status"].as_str(), run["token"].as_u64()),
        (Some("published"), lease["token"].as_u64()),
        "{status}"
    );
    assert!(lease["holder"].as_str().unwrap().ends_with(&own), "the daemon has made it: {status}");

    kill_process(Pid::from_child(&daemon.0), Signal::TERM).unwrap();
    let ended = until("the daemon's end", || daemon.0.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0), "{ended}");
    let lease = filegen.run("status -c worker.yaml --output json").json()["workers"][0]["lease"].clone();
    assert_eq!(lease["state"], "released", "{lease}");
}
