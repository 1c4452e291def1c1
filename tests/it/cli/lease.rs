//! `filegen lease`: shown and given back. A live holder is met in the tests of `run`.

use crate::support::filegen::Filegen;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn nobody_has_a_lease_before_the_first_run() {
    let filegen = Filegen::with_loans(1);
    let done = filegen.run("lease show -c worker.yaml").exits(0);
    assert_eq!(done.stderr, "no lease: nobody has written here yet\n");
    assert!(!filegen.has("out"), "looking makes nothing");
    assert_eq!(filegen.run("lease show -c worker.yaml --output json").exits(0).json()["leases"], serde_json::json!([]));
    let done = filegen.run("lease release -c worker.yaml --reason x --yes").exits(1);
    assert!(done.stderr.contains("nobody ever held it"), "{}", done.stderr);
}

#[test]
fn a_finished_run_has_given_its_lease_back() {
    let filegen = Filegen::with_loans(1);
    filegen.publish();
    let json = filegen.run("lease show -c worker.yaml --output json").exits(0).json();
    assert_eq!((json["leases"][0]["state"].as_str(), json["leases"][0]["token"].as_u64()), (Some("released"), Some(1)));
    assert_eq!(json["leases"][0]["reason"], "run LoanWorker:2026-11-21 is published");
    let all = filegen.run("lease show --all -c worker.yaml").exits(0).stdout;
    assert!(all.starts_with("WORKER") && all.contains("LoanWorker"), "{all}");
    let done = filegen.run("lease release -c worker.yaml --reason x --yes").exits(1);
    assert!(done.stderr.contains("free already"), "{}", done.stderr);
}

#[test]
fn a_release_needs_a_reason_and_a_yes() {
    let filegen = Filegen::with_loans(1);
    filegen.publish();
    filegen.run("lease release -c worker.yaml").exits(2);
    filegen.run("lease").exits(2);
}

#[test]
fn a_lease_that_cannot_be_read_hides_nothing_else() {
    let filegen = Filegen::with_loans(1);
    filegen.publish();
    let state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    state
        .execute_batch(
            "INSERT INTO worker_leases SELECT 'Aaa', instanceId, token, seq, 'not a time', renewedAt, expiresAt, releasedAt, releaseReason, guardedBy
             FROM worker_leases",
        )
        .unwrap();
    let all = filegen.run("-v lease show --all -c worker.yaml").exits(0);
    assert!(all.stdout.contains("LoanWorker") && all.stderr.contains("worker_leases Aaa cannot be read"), "{all:?}");
    state.execute("UPDATE worker_leases SET acquiredAt = 'not a time'", []).unwrap();
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    assert_eq!(status["workers"][0]["unreadable"][0]["id"], "worker_leases Aaa", "{status}");
    let worker = &status["workers"][1];
    assert_eq!(worker["runs"][0]["status"], "published", "{status}");
    assert!(worker["unreadable"].to_string().contains("worker_leases LoanWorker"), "{status}");
    assert_eq!(worker["lease"]["state"], "unreadable");
    let own = filegen.run("lease show -c worker.yaml").exits(0);
    assert!(own.stderr.contains("worker_leases LoanWorker cannot be read"), "{own:?}");
    let done = filegen.run("lease release -c worker.yaml --reason x --yes").exits(1);
    assert!(done.stderr.contains("worker_leases LoanWorker cannot be read"), "{}", done.stderr);
    let doctor = filegen.run("doctor -c worker.yaml");
    assert!(doctor.stdout.contains("worker_leases LoanWorker cannot be read"), "{}", doctor.stdout);
}

#[test]
fn a_lock_file_that_cannot_be_used_is_told() {
    let filegen = Filegen::with_loans(1);
    fs::create_dir_all(filegen.path("out/.filegen")).unwrap();
    symlink("/dev/null", filegen.path("out/.filegen/state.db.LoanWorker.lock")).unwrap();
    let done = filegen.run("-v run -c worker.yaml --date 2026-11-21").exits(0);
    assert_eq!(done.stderr.matches("a lock file cannot be used").count(), 1, "{}", done.stderr);
}
