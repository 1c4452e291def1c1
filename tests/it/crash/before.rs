//! Runs that an earlier build began and was killed in, with its state store and its staged files as it left them:
//! `tests/data/before`, by commit f2e8212. This build ends them with the bytes that the earlier one would have written, or
//! says what it writes otherwise.

use crate::support::filegen::Filegen;
use filegen::core::generate::model::journal::Journal;
use std::fs;
use std::path::{Path, PathBuf};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/before");

/// A copy of what the earlier build left, on its own host.
fn left() -> Filegen {
    let filegen = Filegen::empty();
    let data = Path::new(DATA).join("left");
    for file in files_below(&data) {
        let copy = filegen.path(file.strip_prefix(&data).unwrap().to_str().unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(&file, copy).unwrap();
    }
    filegen.sql(&filegen.read("loans.sql"));
    // The holder's lock proves its death only to the kernel that it died under.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let state = state(&filegen);
    state.execute("UPDATE worker_leases SET guardedBy = ?1", [boot.trim()]).unwrap();
    filegen
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn state(filegen: &Filegen) -> rusqlite::Connection {
    rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap()
}

/// The completion events that wait for a broker.
fn waiting(filegen: &Filegen) -> Vec<[String; 3]> {
    let state = state(filegen);
    let select = "SELECT date, fileId, event ->> 'correlationId' FROM file_status \
                  WHERE event IS NOT NULL AND sentAt IS NULL ORDER BY date, fileId";
    let mut query = state.prepare(select).unwrap();
    let rows = query.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_run_of_the_build_before_ends_with_the_same_bytes() {
    let filegen = left();
    let before = waiting(&filegen);
    assert_eq!(before.len(), 3, "{before:?}");
    let done = filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    assert!(done.stderr.contains("page 5"), "it goes on behind the last committed page: {}", done.stderr);
    let expected = Path::new(DATA).join("expected");
    let files = files_below(&expected);
    assert_eq!(files.len(), 3);
    for file in files {
        let name = file.strip_prefix(&expected).unwrap().display();
        let same = fs::read(&file).unwrap() == fs::read(filegen.path(&format!("out/{name}"))).unwrap();
        assert!(same, "{name} is not what the build before would have written");
    }
    let after = waiting(&filegen);
    assert_eq!(after[..3], before, "what waits keeps its id");
    let ids: Vec<&str> = after[3..].iter().map(|event| &*event[2]).collect();
    assert_eq!(ids, ["Loan0", "Loan1", "Loan2"].map(|file| format!("LoanWorker:{file}:2026112101")));
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
}

#[test]
fn the_questions_are_answered_on_what_the_build_before_left() {
    let filegen = left();
    let lease = filegen.run("lease show -c worker.yaml").exits(0).stdout;
    assert!(lease.contains("loans-1:"), "{lease}");
    let status = filegen.run("status -c worker.yaml").exits(0).stdout;
    for told in ["2026-11-20", "2026-11-21", "loan-data"] {
        assert!(status.contains(told), "{told} is not in {status}");
    }
    filegen.run("verify -c worker.yaml --date 2026-11-20 --full").exits(0);
    assert_eq!(filegen.audits().len(), 1);
    for event in waiting(&filegen) {
        let [date, file, id] = &event;
        let args = format!("publish-completion -c worker.yaml --date {date} --file {file} --dry-run --output json");
        let json = filegen.run(&args).exits(0).json();
        assert_eq!(json["events"][0]["value"]["correlationId"].as_str(), Some(&**id));
    }
}

#[test]
fn a_run_whose_bytes_would_differ_is_refused_with_what_differs() {
    let filegen = left();
    let done = filegen.run("run -c report.yaml --date 2026-11-21").exits(1);
    for told in [
        "earlier version of filegen",
        "file `Names`: `quote: minimal`",
        "`sum.Rate`",
        "file `Wide`: `width_in: bytes`",
        "`last_record` computes",
        "--restart",
    ] {
        assert!(done.stderr.contains(told), "{told} is not in {}", done.stderr);
    }
    filegen.run("run -c report.yaml --date 2026-11-21 --restart").exits(0);
    filegen.run("verify -c report.yaml --date 2026-11-21 --full").exits(0);
}

#[test]
fn this_builds_runs_begin_as_the_build_before_began_them_where_the_bytes_are_the_same() {
    let filegen = left();
    for (worker, file, same) in [("LoanWorker", "worker.yaml", true), ("ReportWorker", "report.yaml", false)] {
        let args = format!("run -c {file} --date 2026-11-22");
        let killed = Filegen::finish(filegen.command(&args).env("FAILPOINTS", "commit.synced=return"));
        assert_eq!(killed.code, None, "{}", killed.stderr);
        let began = |date: &str| {
            let journals = files_below(&filegen.path(&format!("out/.filegen/{worker}/{date}")));
            let journal = journals.into_iter().rfind(|path| path.ends_with("journal.jsonl")).unwrap();
            Journal::parse(&fs::read(journal).unwrap()).begin().unwrap().clone()
        };
        let (before, now) = (began("20261121"), began("20261122"));
        assert_eq!((before.spec == now.spec, before.writes, now.writes), (same, 0, 3), "{worker}");
        // No page tells the columns' kinds yet; who began it had looked at them.
        filegen.run(&args).exits(0);
    }
}
