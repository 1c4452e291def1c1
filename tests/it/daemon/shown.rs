//! What a daemon shows: health, metrics, the status page, log lines.

use crate::support::daemon::{Daemon, has_metrics, worker};
use crate::support::filegen::Filegen;
use crate::support::running::{PATIENCE, until};
use rusqlite::TransactionBehavior;
use rustix::process::Signal;
use serde_json::{Value, json};

#[test]
fn the_log_tells_a_run_in_order_each_line_with_its_place() {
    let filegen = worker(30);
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    daemon.running.wait_for("run published");
    daemon.running.signal(Signal::TERM);
    let log = daemon.running.finish().exits(0).stderr;
    let mut rest = log.as_str();
    for message in [
        "service starting",
        "leadership acquired",
        "total rows and pages",
        "progress updated",
        "file finalized",
        "run published",
        "leadership given back",
        "service stopped",
    ] {
        let at =
            rest.find(&format!("msg=\"{message}\"")).unwrap_or_else(|| panic!("no {message} in its order:\n{log}"));
        rest = &rest[at..];
    }
    assert!(log.contains("no trigger: a run begins only when"), "{log}");
    assert_eq!(log.matches("progress updated").count(), 1, "three pages, and no minute: {log}");
    let line = log.lines().find(|line| line.contains("progress updated")).unwrap();
    for field in ["worker=LoanWorker", "instance=", "token=1", "run=LoanWorker:2026-11-21", "page="] {
        assert!(line.contains(field), "{field} in {line}");
    }
}

#[test]
fn health_tells_what_is_down() {
    let filegen = worker(30);
    let mut daemon = Daemon::start(&filegen);
    let ready = |daemon: &Daemon| {
        let (code, body) = daemon.get("/health/ready");
        (code, serde_json::from_str::<Value>(&body).unwrap())
    };
    let up = until("a ready worker", || Some(ready(&daemon)).filter(|(code, _)| *code == 200)).1;
    assert_eq!(up["workers"]["LoanWorker"]["source"]["state"], "up", "{up}");
    assert_eq!(daemon.get("/health/live"), (200, r#"{"state":"live","wrong":{}}"#.to_owned()));
    assert_eq!(daemon.get("/nothing").0, 404);
    let refused = daemon.http.post_lines("/status", &[json!({ "state": "stopped" }), json!({})]);
    assert_eq!((refused.code, refused.header("allow")), (405, "GET,HEAD"), "pages are only read: {refused:?}");
    assert_eq!(daemon.http.get("/status").json()["workers"][0]["workerId"], "LoanWorker");

    std::fs::rename(filegen.path("loans.db"), filegen.path("away.db")).unwrap();
    daemon.running.wait_for("dependency is down");
    let (code, down) = ready(&daemon);
    assert_eq!(code, 503, "{down}");
    assert_eq!(down["workers"]["LoanWorker"]["source"]["state"], "down", "{down}");
    assert!(down["workers"]["LoanWorker"]["source"]["lastError"].as_str().unwrap().contains("loans.db"), "{down}");
    assert_eq!(daemon.get("/health/live").0, 200, "a source that is away is no reason to start over");
}

#[test]
fn page_and_json_show_runs_holder_and_what_went_wrong() {
    let filegen = worker(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    let waiting = filegen.start("run -c worker.yaml --date 2026-11-21");
    daemon.running.wait_for("run failed");
    waiting.signal(Signal::TERM);
    let (code, page) = daemon.get("/");
    assert!(code == 200 && page.starts_with("<!doctype html>"), "{page}");
    assert!(page.contains("LoanWorker") && page.contains("leading") && page.contains("failed"), "{page}");
    assert!(page.contains("row with key 23"), "{page}");
    let status: Value = serde_json::from_str(&daemon.get("/status").1).unwrap();
    assert_eq!(status["workers"][0]["role"], "leading", "{status}");
    assert_eq!(status["workers"][0]["runs"][0]["status"], "failed", "{status}");
}

#[test]
fn a_command_that_waits_for_a_daemon_ends_with_its_failure_or_says_who_made_the_files() {
    let filegen = worker(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    let (one, other) = ("run -c worker.yaml --date 2026-11-21", "run -c worker.yaml --date 2026-11-22");
    let who = format!(":{}", daemon.running.id());
    let failed = filegen.run(one).exits(7).stderr;
    assert!(failed.contains(&format!("{who} tried this run and failed")), "{failed}");
    assert!(failed.contains("row with key 23") && failed.contains("; it tries again at 2"), "{failed}");
    let at_once = filegen.run(one).exits(7).stderr;
    assert!(at_once.contains("row with key 23"), "it is put off, and nothing is waited for: {at_once}");
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    assert!(status["workers"][0]["runs"][0]["nextTryAt"].is_string(), "{status}");
    let page = daemon.get("/").1;
    assert!(page.contains("next try at 2"), "{page}");

    // What was asked for a day ago is left to a person, and nobody waits for it.
    let state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    let ago = "UPDATE runs SET requestedAt = '2026-01-02T00:00:00Z', nextTryAt = '2026-01-02T01:00:00Z'";
    state.execute(ago, []).unwrap();
    let left = filegen.run(one).exits(7).stderr;
    assert!(left.contains("row with key 23") && left.contains("does not try again by itself"), "{left}");
    assert!(left.contains("run this again"), "{left}");
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    assert!(status["workers"][0]["runs"][0]["nextTryAt"].is_null(), "{status}");

    filegen.sql("UPDATE loans SET Customer = 'a' WHERE LoanId = 23");
    let made = filegen.run(other).exits(0).stderr;
    assert!(made.contains(&format!("{who}, ")) && made.contains(" ago, while this command waited"), "{made}");
    let again = filegen.run(other).exits(0).stderr;
    assert!(again.contains("is already published, made by") && again.contains(&who), "{again}");
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
    // Without a holder that puts it off, the command makes the run itself.
    filegen.run(one).exits(0);
}

#[test]
fn every_metric_that_alerts_and_dashboard_rely_on_is_there() {
    let filegen = worker(30);
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    daemon.running.wait_for("run published");
    let shown = daemon.get("/metrics").1;
    // But for those of a deadline, which this worker does not have.
    has_metrics(&shown, &["worker", "version"], Some("filegen_deadline"));
    assert!(shown.contains("files_completed_total{worker=\"LoanWorker\"} 2"), "{shown}");
}

#[test]
fn a_changed_worker_file_is_told_and_not_applied() {
    let filegen = worker(1);
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    filegen.edit("page_size: 10", "page_size: 20");
    daemon.running.signal(Signal::HUP);
    assert!(daemon.running.wait_for("a restart would apply it").contains("sections=source"));
    filegen.edit("page_size", "pagesize");
    daemon.running.signal(Signal::HUP);
    daemon.running.wait_for("a restart would fail");
}

#[test]
fn a_run_that_panics_fails_and_the_service_lives() {
    let filegen = worker(30);
    let mut command = filegen.command("daemon -c worker.yaml --health-port 0");
    let mut daemon = Daemon::of(command.env("FAILPOINTS", "commit.begun=panic"));
    daemon.running.wait_for("leadership acquired");
    // Whoever asks may make the run itself once the term has ended: only the daemon is told to panic.
    let _asking = filegen.start("run -c worker.yaml --date 2026-11-21");
    daemon.running.wait_for("a fault of filegen itself");
    assert_eq!(daemon.get("/health/live").0, 200);
    filegen.run("status -c worker.yaml").exits(0);
}

#[test]
fn a_daemon_that_stops_is_alive_and_not_ready_to_its_end() {
    // A call to the state store has an eighth of the lease's time: more than a test takes.
    let slow = "policies: { lease_ttl: 30m, lease_heartbeat_interval: 10m, takeover_polling_interval: 10m }\n";
    let filegen = Filegen::with_loans(1);
    let held = filegen.read("worker.yaml") + slow;
    filegen.write("worker.yaml", &held);
    let state = "state: { url: 'sqlite:other.db' }\n";
    filegen
        .write("other.yaml", &(held.replace("LoanWorker", "OtherWorker").replace("root: out", "root: other") + state));
    let mut daemon = Daemon::of(&mut filegen.command("daemon -c worker.yaml -c other.yaml --health-port 0"));
    // Both lead, and all is well.
    for _ in 0..2 {
        daemon.running.wait_for("leadership acquired");
    }
    until("two ready workers", || (daemon.get("/health/ready").0 == 200).then_some(()));

    // One of the two cannot give its lease back.
    let mut state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    state.busy_timeout(PATIENCE).unwrap();
    let lock = state.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    daemon.running.signal(Signal::TERM);
    until("no more readiness", || (daemon.get("/health/ready").0 == 503).then_some(()));
    let other = rusqlite::Connection::open(filegen.path("other.db")).unwrap();
    let released = "SELECT count(*) FROM worker_leases WHERE releasedAt IS NOT NULL";
    let count = || other.query_row(released, [], |row| row.get::<_, u64>(0)).unwrap();
    until("the other lease given back", || (count() == 1).then_some(()));
    let (_, body) = daemon.get("/health/ready");
    assert!(body.contains(r#""state":"stopping""#), "{body}");
    assert!(body.contains(r#""state":"up""#), "nothing that it needs is down: {body}");
    assert_eq!(daemon.get("/health/live"), (200, r#"{"state":"live","wrong":{}}"#.to_owned()));
    lock.rollback().unwrap();
    let log = daemon.running.finish().exits(0).stderr;
    assert_eq!(log.matches("leadership given back").count(), 2, "{log}");
}
