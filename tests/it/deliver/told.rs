//! The event of an arrival: one a file, behind its completion event, with the state in SQLite or MongoDB.

use super::rig::{NAMES, Rig, end};
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::nats::Nats;
use crate::support::running::until;
use serde_json::Value;
use std::collections::BTreeMap;

/// Points at which the daemon that hands over dies, behind the receipt.
const POINTS: [&str; 6] = [
    "deliver.arrived=return",
    "deliver.delivered=return",
    "deliver.announced=return",
    "outbox.sending=2*off->return",
    "outbox.acknowledged=2*off->return",
    "outbox.marked=2*off->return",
];

/// Gives the worker a topic for its events.
pub(super) fn announcing(rig: &Rig, topic: &Topic) {
    let text = format!("completion: {{ kafka: {{ brokers: '{}', topic: {} }} }}\n", topic.brokers, topic.name);
    rig.filegen.write("worker.yaml", &(rig.filegen.read("worker.yaml") + &text));
}

/// Keeps the state in MongoDB.
pub(super) fn on_mongo(rig: &Rig, database: &Database) {
    rig.change_worker("files:", &format!("state: {{ url: \"{}\" }}\nfiles:", database.url()));
}

/// Waits until the broker has the events of both files' arrivals; then reads all. A killed process may have sent one once more, to the byte.
pub(super) async fn events(rig: &Rig, topic: &Topic) -> Vec<(String, Value)> {
    until("the acknowledgements", || {
        let all = rig.deliveries();
        (all.len() == 3 && all[..2].iter().all(|one| one["eventSentAt"].is_string())).then_some(())
    });
    let count = usize::try_from(topic.length().await).unwrap();
    let mut all = topic.read(count).await;
    let mut seen = Vec::new();
    all.retain(|event| {
        !seen.contains(event) && {
            seen.push(event.clone());
            true
        }
    });
    all.into_iter().map(|(key, text)| (key, serde_json::from_str(&text).unwrap())).collect()
}

/// Sees that each file has one event of each kind, the completion first.
pub(super) fn check(rig: &Rig, events: &[(String, Value)], context: &str) {
    assert_eq!(events.len(), 4, "{context}: {events:?}");
    let mut by_file: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (key, event) in events {
        assert_eq!(event["fileId"], key.as_str(), "{context}");
        by_file.entry(key).or_default().push(event);
    }
    let deliveries = rig.deliveries();
    for (file, name) in [("Loan0", NAMES[0]), ("Loan1", NAMES[1])] {
        let [completion, arrival] = by_file[file][..] else { panic!("{context}: {events:?}") };
        assert!(
            completion["totalRows"].is_u64() && completion["eventType"] != "FileDelivered",
            "{context}: {events:?}"
        );
        assert_eq!(arrival["eventType"], "FileDelivered", "{context}: {events:?}");
        for field in ["workerId", "correlationId", "path", "bytes", "sha256", "businessDate", "version"] {
            assert_eq!(arrival[field], completion[field], "{context}: {field}");
        }
        let shown = deliveries.iter().find(|one| one["item"] == file).unwrap();
        assert_eq!((&arrival["path"], &arrival["transfer"]), (&Value::from(name), &Value::from("sales")));
        assert_eq!(arrival["transferId"], shown["transferId"], "{context}");
        arrival["deliveredAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_is_told_once_behind_its_completion_wherever_the_process_dies() {
    for (number, point) in POINTS.into_iter().enumerate() {
        let (rig, topic) = (Rig::new(), Topic::create(1).await);
        announcing(&rig, &topic);
        let database = (number % 2 == 1).then(Database::new);
        if let Some(database) = &database {
            on_mongo(&rig, database);
        }
        rig.run();
        let mut killed = rig.daemon_with(point);
        if point.starts_with("deliver") {
            until(point, || killed.running.has_ended().then_some(()));
        } else {
            // The command has sent the completion events: the third message of this process may never come.
            rig.stand(&["delivered"; 3]);
        }
        drop(killed);
        let daemon = rig.daemon();
        rig.arrives();
        let all = events(&rig, &topic).await;
        check(&rig, &all, point);
        end(daemon);
        rig.delivered_once();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_nats_and_with_mongodb_an_arrival_is_told_too() {
    let (topic, database) = (Topic::create(1).await, Database::new());
    let stream = Nats::fresh("FILES");
    let broker = format!(
        "broker: {{ nats: {{ url: \"{}\", stream: {stream}, subject: {stream}.in, max_bytes: 64MiB, ack_wait: 1s }} }}",
        Nats::shared().url()
    );
    let rig = Rig::with(&[("broker: { local: spool }", &broker)]);
    announcing(&rig, &topic);
    on_mongo(&rig, &database);
    let daemon = rig.daemon();
    until("leading", || daemon.get("/").1.contains("leads with token").then_some(()));
    // The daemon leads, and makes the run for this command.
    rig.run();
    rig.arrives();
    let all = events(&rig, &topic).await;
    check(&rig, &all, "over NATS");
    end(daemon);
    rig.delivered_once();
    assert_eq!(rig.order().last().map(String::as_str), Some(NAMES[2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_is_not_told_before_its_completion() {
    let (rig, topic) = (Rig::new(), Topic::create(1).await);
    // No broker has the completion events for now.
    let away = "completion: { kafka: { brokers: '127.0.0.1:9', topic: nowhere } }\n";
    rig.filegen.write("worker.yaml", &(rig.filegen.read("worker.yaml") + away));
    let mut command = rig.filegen.command("run -c worker.yaml --date 2026-11-21");
    let running = crate::support::running::Running::start(&mut command);
    until("published", || rig.filegen.path("out").join(NAMES[2]).exists().then_some(()));
    drop(running);
    let daemon = rig.daemon();
    rig.arrives();
    let all = rig.stand(&["delivered"; 3]);
    assert!(all.iter().all(|one| one["eventSentAt"].is_null()), "{all:?}");
    let status = rig.filegen.run("status -c worker.yaml --output json").exits(0).json();
    let waiting = status["workers"][0]["unsentEvents"].as_array().unwrap();
    assert_eq!(waiting.len(), 2, "only the completions wait: {waiting:?}");
    end(daemon);
    rig.change_worker(away, "");
    announcing(&rig, &topic);
    let daemon = rig.daemon();
    let all = events(&rig, &topic).await;
    check(&rig, &all, "with a topic");
    end(daemon);
}
