//! `filegen publish-completion`: the events as they are sent, and that nothing is pretended.

use crate::support::filegen::Filegen;

#[test]
fn the_events_are_the_same_at_every_try() {
    let filegen = Filegen::with_loans(60);
    filegen.publish();
    let args = "publish-completion -c worker.yaml --date 2026-11-21 --dry-run --output json";
    let json = filegen.run(args).exits(0).json();
    assert_eq!(filegen.run(args).exits(0).json(), json);
    let (message, event) = (&json["events"][0], &json["events"][0]["value"]);
    assert_eq!(message["key"], "Loan0");
    assert_eq!((event["workerId"].as_str(), event["eventType"].as_str()), (Some("LoanWorker"), Some("LoanDataReady")));
    assert_eq!((event["totalRows"].as_u64(), event["path"].as_str()), (Some(60), Some("loan0_20261121.txt")));
    let id = event["correlationId"].as_str().unwrap();
    let unix = id.strip_prefix("LoanWorker:Loan0:").unwrap();
    let completed: jiff::Timestamp = event["completedAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(unix, completed.as_second().to_string());
    assert_eq!(json["events"].as_array().map(Vec::len), Some(2));
}

#[test]
fn one_file_can_be_chosen() {
    let filegen = Filegen::with_loans(60);
    filegen.publish();
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21 --file Loan1 --dry-run").exits(0);
    assert!(done.stdout.starts_with("Loan1\t{\"workerId\":\"LoanWorker\"") && done.stdout.lines().count() == 1);
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21 --file Loan9 --dry-run").exits(1);
    assert!(done.stderr.contains("it has Loan0, Loan1"), "{}", done.stderr);
}

#[test]
fn nothing_is_sent_and_that_is_said() {
    let filegen = Filegen::with_loans(1);
    filegen.publish();
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21").exits(3);
    assert!(done.stderr.contains("no broker") && done.stdout.is_empty(), "{}", done.stderr);
    let completion = "completion: { kafka: { brokers: \"localhost:9092\", topic: file-events } }\nfiles:";
    filegen.edit("files:", completion);
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21").exits(3);
    assert!(done.stderr.contains("nothing was sent"), "{}", done.stderr);
}

#[test]
fn a_run_that_is_not_published_has_no_events() {
    let filegen = Filegen::with_loans(1);
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21 --dry-run").exits(1);
    assert!(done.stderr.contains("is not published"), "{}", done.stderr);
}
