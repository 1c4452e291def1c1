//! `filegen status`: leases, runs, files and unsent events.

use crate::support::filegen::Filegen;
use crate::support::running::until;
use rustix::process::Signal;

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
    assert_eq!(worker["unsentEvents"].as_array().map(Vec::len), Some(2));
    let other = filegen.run("status -c worker.yaml --worker Other --output json").exits(0).json();
    assert_eq!(other["workers"][0]["runs"], serde_json::json!([]));
    filegen.run("status -c worker.yaml --worker a/b").exits(2);
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
