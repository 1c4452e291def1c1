//! `filegen drill`: what it tries, what it finds, and that it leaves nothing behind.

use crate::support::filegen::{Filegen, names_below};
use crate::support::running::until;
use rustix::process::Signal;
use serde_json::Value;

fn kills(json: &Value, before: &str) -> u64 {
    let points = json["points"].as_array().unwrap();
    points.iter().find(|point| point["before"] == before).map_or(0, |point| point["kills"].as_u64().unwrap())
}

/// All that is in the folder but for the source.
fn left(filegen: &Filegen) -> Vec<String> {
    names_below(&filegen.path("out")).into_iter().chain(names_below(&filegen.path("out/.filegen"))).collect()
}

#[test]
fn killed_before_each_change_the_files_are_the_same() {
    let filegen = Filegen::with_loans(95);
    let done = filegen.run("drill -c worker.yaml --date 2026-11-21 --pages 2 --output json").exits(0);
    let json = done.json();
    assert_eq!((json["verdict"].as_str(), json["differences"].as_array().unwrap().len()), (Some("same"), 0));
    let counts = ["rows", "pages", "pageSize", "files"].map(|name| json[name].as_u64().unwrap());
    assert_eq!((counts, json["wholeView"].as_bool()), ([20, 2, 10, 2], Some(false)));
    // Two pages, the journal's beginning, its end, and what a takeover writes of it.
    assert!(kills(&json, "sync journal") >= 4, "{}", done.stdout);
    assert!(kills(&json, "link file") >= 4, "both versions' files: {}", done.stdout);
    assert!(kills(&json, "link manifest") >= 2, "{}", done.stdout);
    assert!(kills(&json, "rename folder") >= 1 && kills(&json, "copy file") >= 2, "{}", done.stdout);
    let all: u64 = json["points"].as_array().unwrap().iter().map(|point| point["kills"].as_u64().unwrap()).sum();
    let killed = ["runsKilled", "takeoversKilled", "correctionsKilled"].map(|name| json[name].as_u64().unwrap());
    assert_eq!(killed.iter().sum::<u64>(), all);
    // At least: each file and the manifest kept, withdrawn and linked, with what is synced between.
    assert!(killed[2] >= 15, "{killed:?}");
    assert!(!filegen.has("out"), "an output root that was not there is not there again: {:?}", left(&filegen));
}

#[test]
fn the_first_pages_are_the_whole_view_to_the_files() {
    for fetch in ["stream", "offset"] {
        let filegen = Filegen::with_loans(95);
        filegen.edit("page_size: 10", &format!("page_size: 10\n  fetch: {fetch}"));
        filegen.edit("Amount > 500", "Amount > 20");
        filegen.edit("HEAD {{ date }} {{ rows }}", "HEAD {{ rows }} {{ sum.Amount }}");
        let done = filegen.run("drill -c worker.yaml --date 2026-11-21 --pages 2 --keep --output json").exits(0);
        let scratch = done.json()["scratch"].as_str().unwrap().to_owned();
        let file = std::fs::read_to_string(format!("{scratch}/golden/loan1_20261121.csv")).unwrap();
        let records: Vec<&str> = file.lines().collect();
        // Loans 2 to 20 of the first twenty: 19 of them, 209 times 10.25.
        assert_eq!(
            (records[1], records[20], records.len()),
            ("HEAD 19 2142.25", "20,customer 20,205.00", 22),
            "{file}"
        );
        assert_eq!(records[21], "TAIL 19 2142.25");
    }
}

#[test]
fn the_workers_own_run_stays_as_it_is() {
    let filegen = Filegen::with_loans(5);
    filegen.edit("page_size: 10", "page_size: 1000");
    filegen.publish();
    let (before, manifest) = (left(&filegen), filegen.read("out/LoanWorker_20261121.manifest.json"));
    let done = filegen.run("drill -c worker.yaml --date 2026-11-21 --pages 1").exits(0);
    assert!(done.stdout.contains("5 rows in 1 page of up to 1,000 rows (the whole view)"), "{}", done.stdout);
    assert!(done.stdout.contains("LoanWorker:2026-11-21: same"), "{}", done.stdout);
    assert_eq!(left(&filegen), before);
    assert_eq!(filegen.read("out/LoanWorker_20261121.manifest.json"), manifest);
    let status = filegen.run("lease show -c worker.yaml --output json").exits(0).stdout;
    assert!(status.contains("\"token\":1"), "no token was taken: {status}");
}

#[test]
fn a_takeover_that_does_not_work_is_a_difference() {
    let filegen = Filegen::with_loans(3);
    let mut command = filegen.command("drill -c worker.yaml --date 2026-11-21 --pages 1 --output json");
    let json = Filegen::finish(command.env("FAILPOINTS", "adopt.copied=return")).exits(4).json();
    let first = &json["differences"][0];
    assert!(first["reason"].as_str().unwrap().contains("the next run ended by a signal"), "{first}");
    assert_eq!(json["verdict"], "differs");
    assert!(!filegen.has("out"));
}

#[test]
fn a_run_that_does_not_work_at_all_ends_as_it_would() {
    let filegen = Filegen::with_loans(3);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 2");
    let done = filegen.run("drill -c worker.yaml --date 2026-11-21").exits(7);
    assert!(done.stderr.contains("row with key 2"), "{}", done.stderr);
    assert!(!filegen.has("out"));
}

#[test]
fn a_view_that_moves_meanwhile_gives_no_answer() {
    let filegen = Filegen::with_loans(3);
    filegen.sql(
        "DROP VIEW v_Loans; CREATE VIEW v_Loans AS SELECT LoanId, hex(randomblob(4)) AS Customer, Amount FROM loans",
    );
    let done = filegen.run("drill -c worker.yaml --date 2026-11-21 --pages 1").exits(1);
    assert!(done.stderr.contains("the view moved during the drill"), "{}", done.stderr);
}

#[test]
fn what_is_kept_can_be_looked_at() {
    let filegen = Filegen::with_loans(2);
    let json = filegen.run("drill -c worker.yaml --date 2026-11-21 --pages 1 --keep --output json").exits(0).json();
    let scratch = std::path::Path::new(json["scratch"].as_str().unwrap());
    let trials = names_below(scratch);
    assert!(trials.contains(&"golden".to_owned()) && trials.contains(&"run-001".to_owned()), "{trials:?}");
    assert!(scratch.join("run-001/loan0_20261121.txt").exists());
    filegen.run("inspect-headers -c worker.yaml").exits(0);
}

#[test]
fn stopped_on_its_way_it_leaves_nothing() {
    let filegen = Filegen::with_loans(95);
    let running = filegen.start("drill -c worker.yaml --date 2026-11-21");
    let trials = |scratch: &String| names_below(&filegen.path("out/.filegen").join(scratch));
    let begun = |scratch: &String| trials(scratch).iter().any(|trial| trial.starts_with("run-"));
    until("a trial", || names_below(&filegen.path("out/.filegen")).iter().any(begun).then_some(()));
    running.signal(Signal::INT);
    running.finish().exits(130);
    assert!(!filegen.has("out"), "{:?}", left(&filegen));
}
