//! One leads, the others stand by.

use crate::support::daemon::{Daemon, worker};
use crate::support::filegen::Filegen;
use crate::support::mongo::Database;
use rustix::process::Signal;

#[test]
fn a_run_that_waits_for_the_leader_is_made_by_it() {
    let filegen = worker(30);
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    let done = filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    assert!(
        done.stderr.contains("was made by") && done.stderr.contains("while this command waited"),
        "{}",
        done.stderr
    );
    assert!(daemon.get("/status").1.contains("\"outbox\":0"), "no topic is named, so no event waits for one");
    let alone = worker(30);
    alone.publish();
    for name in ["loan0_20261121.txt", "loan1_20261121.csv"] {
        assert_eq!(filegen.read(&format!("out/{name}")), alone.read(&format!("out/{name}")));
    }
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
}

#[test]
fn a_leader_that_is_told_to_stop_gives_the_lease_to_who_stands_by_and_exits_0() {
    let filegen = worker(30);
    let mut first = Daemon::start(&filegen);
    first.running.wait_for("leadership acquired");
    let mut second = Daemon::start(&filegen);
    second.running.wait_for("waiting for the lease");
    first.running.signal(Signal::TERM);
    first.running.finish().exits(0);
    second.running.wait_for("leadership acquired");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
}

#[test]
fn who_stands_by_need_not_wait_for_its_next_poll_when_the_lease_is_given_back() {
    // So long that a test which waits for one of them fails.
    let slow = "policies: { lease_ttl: 30m, lease_heartbeat_interval: 10m, takeover_polling_interval: 10m }\n";
    let (embedded, shared) = (Filegen::with_loans(1), Filegen::with_loans(1));
    let database = Database::new();
    embedded.write("worker.yaml", &(embedded.read("worker.yaml") + slow));
    shared
        .write("worker.yaml", &format!("{}state: {{ url: '{}' }}\n{slow}", shared.read("worker.yaml"), database.url()));
    for filegen in [embedded, shared] {
        let mut first = Daemon::start(&filegen);
        first.running.wait_for("leadership acquired");
        let mut second = Daemon::start(&filegen);
        second.running.wait_for("waiting for the lease");
        first.running.signal(Signal::TERM);
        second.running.wait_for("leadership acquired");
        first.running.finish().exits(0);
    }
}

#[test]
fn a_killed_leader_is_replaced_and_a_frozen_one_writes_nothing_more() {
    let filegen = worker(30);
    let mut first = Daemon::start(&filegen);
    first.running.wait_for("leadership acquired");
    let mut second = Daemon::start(&filegen);
    second.running.wait_for("waiting for the lease");
    first.running.signal(Signal::KILL);
    second.running.wait_for("leadership acquired");
    let mut third = Daemon::start(&filegen);
    third.running.wait_for("waiting for the lease");
    second.running.freeze(&filegen.path("out/.filegen/state.db"));
    third.running.wait_for("leadership acquired");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    second.running.signal(Signal::CONT);
    second.running.wait_for("leadership lost");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
}

#[test]
fn a_run_that_fails_is_told_and_leaves_the_lease_and_the_other_runs_alone() {
    let filegen = worker(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    let waiting = filegen.start("run -c worker.yaml --date 2026-11-21");
    daemon.running.wait_for("run failed");
    waiting.signal(Signal::TERM);
    waiting.finish().exits(143);
    filegen.sql("UPDATE loans SET Customer = 'a b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-22").exits(0);
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    assert_eq!(status["workers"][0]["lease"]["token"], 1, "{status}");
    assert_eq!(status["workers"][0]["runs"][1]["status"], "failed", "{status}");
}

#[test]
fn a_worker_is_served_once_in_a_process() {
    let filegen = worker(1);
    filegen.write("again.yaml", &filegen.read("worker.yaml"));
    let done = filegen.run("daemon -c worker.yaml -c again.yaml --health-port 0").exits(3);
    assert!(done.stderr.contains("worker.yaml and in again.yaml"), "{}", done.stderr);
    assert!(filegen.run("daemon").exits(2).stderr.contains("-c FILE"));
}
