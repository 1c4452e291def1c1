//! `filegen publish-completion`: the events as they are sent, sent again, and waiting for a broker that is away.

use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::ports::free_port;

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
    assert_eq!(id, "LoanWorker:Loan0:2026112101", "made of business date and version");
    assert_eq!(json["events"].as_array().map(Vec::len), Some(2));
}

#[test]
fn each_business_date_has_an_id_of_its_own_and_one_that_is_in_the_outbox_stays() {
    let filegen = Filegen::with_loans(3);
    let id = |date: &str| {
        let args = format!("publish-completion -c worker.yaml --date {date} --file Loan0 --dry-run --output json");
        filegen.run(&args).exits(0).json()["events"][0]["value"]["correlationId"].as_str().unwrap().to_owned()
    };
    let dates = ["2026-11-19", "2026-11-20", "2026-11-21"];
    for date in dates {
        filegen.run(&format!("run -c worker.yaml --date {date}")).exits(0);
    }
    assert_eq!(
        dates.map(id),
        ["LoanWorker:Loan0:2026111901", "LoanWorker:Loan0:2026112001", "LoanWorker:Loan0:2026112101"]
    );
    // As an earlier version made it, which is on its way to consumers.
    let state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    let earlier = "UPDATE file_status SET event = replace(event, ':2026112001', ':1795868393')";
    assert!(state.execute(earlier, []).unwrap() > 0);
    drop(state);
    filegen.run("run -c worker.yaml --date 2026-11-20").exits(0);
    assert_eq!(id("2026-11-20"), "LoanWorker:Loan0:1795868393");
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
fn without_a_topic_nothing_is_sent_and_that_is_said() {
    let filegen = Filegen::with_loans(1);
    filegen.publish();
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21").exits(3);
    assert!(done.stderr.contains("no broker") && done.stdout.is_empty(), "{}", done.stderr);
}

#[test]
fn a_run_that_is_not_published_has_no_events() {
    let filegen = Filegen::with_loans(1);
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21 --dry-run").exits(1);
    assert!(done.stderr.contains("is not published"), "{}", done.stderr);
}

/// A worker file whose completion events go to a topic.
fn with_topic(rows: u64, brokers: &str, topic: &str) -> Filegen {
    let filegen = Filegen::with_loans(rows);
    let completion = format!("completion: {{ kafka: {{ brokers: \"{brokers}\", topic: {topic} }} }}\nfiles:");
    filegen.edit("files:", &completion);
    filegen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_sends_its_events_and_they_can_be_sent_again() {
    let topic = Topic::create(1).await;
    let filegen = with_topic(60, &topic.brokers, &topic.name);
    let done = filegen.publish();
    assert!(!done.stderr.contains("outbox"), "{}", done.stderr);
    let first = topic.read(2).await;
    assert_eq!(first.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["Loan0", "Loan1"]);
    // A run that is published has nothing more to send.
    filegen.publish();
    assert_eq!(topic.length().await, 2);
    let again = "publish-completion -c worker.yaml --date 2026-11-21 --file Loan1 --reason INC-4711";
    let done = filegen.run(again).exits(2);
    assert!(done.stderr.contains("--yes"), "{}", done.stderr);
    let done = filegen.run(&format!("{again} --yes --output json")).exits(0);
    assert_eq!((done.json()["sent"].as_bool(), done.json()["events"][0]["key"].as_str()), (Some(true), Some("Loan1")));
    let all = topic.read(3).await;
    assert_eq!(all[2], first[1], "the same event, with the same correlation id");
    let state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    let kept: (String, String) =
        state.query_row("SELECT action, reason FROM audit", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(kept, ("publish-completion".to_owned(), "INC-4711".to_owned()));
}

#[test]
fn a_broker_that_is_away_stops_no_files_and_is_told() {
    let filegen = with_topic(60, &format!("127.0.0.1:{}", free_port()), "file-events");
    let done = filegen.publish();
    assert!(filegen.has("out/loan0_20261121.txt") && filegen.has("out/LoanWorker_20261121.manifest.json"));
    assert!(done.stderr.contains("wait in the outbox: cannot reach file-events at 127.0.0.1"), "{}", done.stderr);
    assert!(!done.stderr.contains("librdkafka") && !done.stderr.contains("rdkafka#"), "{}", done.stderr);
    let done = filegen.run("publish-completion -c worker.yaml --date 2026-11-21 --yes").exits(6);
    assert!(done.stderr.contains("nothing is lost") && done.stdout.is_empty(), "{}", done.stderr);
}
