//! `filegen status`: leases, runs, files and unsent events.

use crate::support::filegen::Filegen;
use crate::support::running::{Running, until};
use rustix::process::Signal;
use serde_json::{Value, json};

#[test]
fn nothing_has_run_here_yet() {
    let filegen = Filegen::with_loans(1);
    let done = filegen.run("status -c worker.yaml").exits(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", "nothing has run here yet\n"));
    assert!(!filegen.has("out"), "looking makes nothing");
}

#[test]
fn runs_are_shown_newest_first_with_how_they_ended() {
    let filegen = Filegen::with_loans(30);
    filegen.publish();
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-22").exits(7);
    let done = filegen.run("status -c worker.yaml").exits(0);
    insta::with_settings!({ filters => [
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z *", "[TIME]  "),
        (r"of \S+:\d+", "of [INSTANCE]"),
    ] }, { insta::assert_snapshot!("status", done.stdout) });
    let json = filegen.run("status -c worker.yaml --output json").exits(0).json();
    let worker = &json["workers"][0];
    assert_eq!(
        (worker["runs"][0]["status"].as_str(), worker["runs"][1]["status"].as_str()),
        (Some("failed"), Some("published"))
    );
    assert!(worker["runs"][0]["error"].as_str().unwrap().contains("23"));
    assert_eq!(worker["runs"][1]["files"][0]["state"], "published");
    assert_eq!(worker["unsentEvents"], serde_json::json!([]), "without a topic nothing waits");
    let other = filegen.run("status -c worker.yaml --worker Other --output json").exits(0).json();
    assert_eq!(other["workers"][0]["runs"], serde_json::json!([]));
    filegen.run("status -c worker.yaml --worker a/b").exits(2);
}

const RUN: &str = "run -c worker.yaml --date 2026-11-21";

/// The latest run, as JSON.
fn latest(filegen: &Filegen) -> Value {
    filegen.run("status -c worker.yaml --output json").exits(0).json()["workers"][0]["runs"][0].clone()
}

#[test]
fn a_run_whose_process_died_is_interrupted_at_the_page_that_is_durable() {
    let filegen = Filegen::with_loans(300);
    let died = Filegen::finish(filegen.command(RUN).env("FAILPOINTS", "header.written=1*off->return"));
    assert_eq!(died.code, None, "{}", died.stderr);
    let run = latest(&filegen);
    // Nothing but the start was saved in its short life: this is the journal's word, and the headers say the same.
    let page = run["lastPage"].as_u64().unwrap();
    let header = filegen.read("out/.filegen/LoanWorker/20261121/t00000001/Loan0");
    assert!(page > 0 && header.starts_with(&format!("{page},{}", page * 10)), "{run} {}", &header[..32]);
    assert_eq!((&run["status"], &run["rows"]), (&json!("interrupted"), &json!(page * 10)), "{run}");
    assert_eq!((&run["rowsExpected"], &run["rowsPerSecond"]), (&json!(300), &json!(null)), "{run}");
    let shown = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(shown.contains(&format!("interrupted at page {page} ")), "{shown}");
    filegen.run(RUN).exits(0);
    assert_eq!(latest(&filegen)["status"], "published");
}

#[test]
fn a_run_is_running_and_after_a_signal_stopped() {
    let filegen = Filegen::with_loans(3000);
    let slowly = Running::start(filegen.command(RUN).env("FAILPOINTS", "commit.begun=sleep(50)"));
    until("some pages of a running run", || {
        // Before the first answer there is no store yet.
        let run = latest(&filegen);
        (run["status"] == "running" && run["lastPage"].as_u64() > Some(1)).then_some(())
    });
    slowly.signal(Signal::TERM);
    slowly.finish().exits(143);
    let run = latest(&filegen);
    assert_eq!(run["status"], "stopped", "{run}");
    let page = run["lastPage"].as_u64().unwrap();
    let shown = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(shown.contains(&format!("stopped at page {page} ")), "{shown}");
    assert_eq!(run["rows"].as_u64(), Some(page * 10), "10 rows a page");
}

#[test]
fn a_published_file_that_is_no_longer_there_is_told() {
    let filegen = Filegen::with_loans(30);
    filegen.publish();
    let before = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(!before.contains("no longer there"), "{before}");
    std::fs::remove_file(filegen.path("out/loan0_20261121.txt")).unwrap();
    let shown = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(shown.contains("Loan0: `loan0_20261121.txt` was published and is no longer there"), "{shown}");
    let files = latest(&filegen)["files"].clone();
    assert_eq!((&files[0]["gone"], &files[1]["gone"]), (&json!(true), &json!(null)), "{files}");
}

#[test]
fn watch_goes_on_until_a_signal() {
    let filegen = Filegen::with_loans(1);
    let mut running = filegen.start("status --watch -c worker.yaml");
    running.wait_for("nothing has run");
    running.wait_for("nothing has run");
    assert_eq!(running.shown(), "", "there is nothing to show yet");
    for (date, runs) in [("2026-11-21", 1), ("2026-11-22", 2)] {
        filegen.run(&format!("run -c worker.yaml --date {date}")).exits(0);
        // What it shows last is what `status` alone shows.
        let alone = filegen.run("status -c worker.yaml").exits(0).stdout;
        assert_eq!(alone.matches(" published ").count(), runs, "{alone}");
        until(&format!("the run of {date}"), || running.shown().ends_with(&alone).then_some(()));
    }
    assert!(!running.has_ended(), "it goes on");
    running.signal(Signal::INT);
    let shown = running.finish().exits(0).stdout;
    let (first, second) = (shown.find("2026-11-21").unwrap(), shown.find("2026-11-22").unwrap());
    assert!(first < second, "looks come in the order of time: {shown}");
}
