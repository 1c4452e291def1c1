//! Events by HTTP onto a real topic, and from there into the tables.

use super::served::served;
use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::http::{Answer, Http, NDJSON};
use crate::support::kafka::Topic;
use crate::support::running::until;
use rustix::process::Signal;
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// The file of these tests with a topic and doors. `check` is what `produce` says of it.
pub(super) fn file(topic: &Topic, check: &str) -> Filegen {
    let filegen = Filegen::empty();
    let source = format!("{{ kafka: {{ brokers: '{}', topic: {}, group: g }} }}", topic.brokers, topic.name);
    let text = super::FILE.replace("{ file: events.jsonl }", &source);
    let text = text.replace("  Order:\n", "  Order:\n    key: /order\n");
    let doors = format!("produce: {{ port: 0, listen: 127.0.0.1{check} }}\n");
    filegen.write("events.yaml", &(text + &doors));
    filegen
}

pub(super) fn order(id: &str, order: &str, amount: &str) -> String {
    format!(
        r#"{{"type":"Order","id":"{id}","order":"{order}","user":"u","amount":{amount},"at":"2026-01-01T10:00:00Z"}}"#
    )
}

/// An event of so many bytes.
fn fat(bytes: usize) -> String {
    let empty = r#"{"type":"User","id":"fat","user":"u","at":"2026-01-01T10:00:00Z","more":""}"#;
    empty.replace("\"more\":\"\"", &format!("\"more\":\"{}\"", "x".repeat(bytes - empty.len())))
}

fn end(daemon: Daemon) {
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

/// A problem of this code, with a reason that holds this.
#[track_caller]
fn refused(answer: &Answer, code: u16, reason: &str) -> Value {
    assert_eq!((answer.code, answer.header("content-type")), (code, "application/problem+json"), "{}", answer.body);
    let problem = answer.json();
    assert!(problem["detail"].as_str().unwrap().contains(reason), "{problem}");
    assert_eq!(problem["status"], code, "{problem}");
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_by_http_is_on_the_topic_and_then_a_row() {
    let topic = Topic::create(3).await;
    let work = move || {
        let filegen = file(&topic, "");
        let (daemon, door) = served(&filegen, "-c events.yaml", "produce");
        let user = r#"{"type":"User","id":"e0","user":"u","at":"2026-01-01T10:00:00Z"}"#;
        let taken = door.post("/produce", JSON, user);
        assert_eq!((taken.code, taken.header("content-type")), (202, JSON), "{}", taken.body);
        let place = taken.json();
        assert_eq!((&place["eventId"], &place["topic"]), (&json!("e0"), &json!(topic.name)), "{place}");
        assert!(place["partition"].is_i64() && place["offset"] == 0, "{place}");

        // Of one key, so in one partition, in their order; the last one cannot be a row, which is the queue's to judge.
        let lines = [order("e1", "o", "1.50"), order("e2", "o", "2.50"), order("e3", "o", "\"x\"")].join("\n");
        let taken = door.post("/produce", NDJSON, &lines);
        assert_eq!((taken.code, taken.header("content-type")), (202, NDJSON), "{}", taken.body);
        let places: Vec<Value> = taken.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(places.iter().map(|place| &place["eventId"]).collect::<Vec<_>>(), ["e1", "e2", "e3"]);
        assert!(places.iter().all(|place| place["partition"] == places[0]["partition"]), "{places:?}");

        let metrics = until("all four", || {
            let metrics = door.get("/metrics").body;
            let all = [
                r#"dlq_count_total{ingest="orders"} 1"#,
                r#"messages_processed_total{ingest="orders",type="Order"} 3"#,
            ];
            all.iter().all(|line| metrics.contains(line)).then_some(metrics)
        });
        assert!(metrics.contains(r#"events_produced_total{ingest="orders"} 4"#), "{metrics}");
        let amount = || super::rows(&filegen, "SELECT amount FROM orders WHERE order_id = 'o'");
        let row = until("the row", || Some(amount()).filter(|rows| !rows.is_empty()));
        assert_eq!(row, [[Some("2.50".to_owned())]]);
        end(daemon);
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_refused_whole_and_nothing_of_it_is_sent() {
    let topic = Topic::create(1).await;
    let work = move || {
        let filegen = file(&topic, ", check: strict");
        let (daemon, door) = served(&filegen, "-c events.yaml", "produce");
        let good = order("e1", "o", "1");
        refused(&door.post("/produce", JSON, "{\"a\""), 400, "");
        refused(&door.post("/produce", JSON, "[1]"), 400, "an event is an object");
        refused(&door.post("/produce", JSON, ""), 400, "empty");
        refused(&door.post("/produce", NDJSON, "\n \n"), 400, "no event");
        let problem = refused(&door.post("/produce", NDJSON, &format!("{good}\nno\n")), 400, "line 2");
        assert!(problem["line"] == 2 && problem["hint"].is_string() && problem["pointer"] == "", "{problem}");
        refused(&door.post("/produce", JSON, &order("e2", &"o".repeat(2 << 20), "1")), 413, "1048576");

        // Smaller than the door's limit, larger than what the topic takes.
        refused(&door.post("/produce", JSON, &fat(1 << 20)), 413, "max.message.bytes");

        let bad = r#"{"type":"Order","id":"e4","order":"far too long","user":"u","amount":1.234,"at":"2026-01-01T10:00:00Z"}"#;
        let problem = refused(&door.post("/produce", JSON, bad), 422, "");
        let kinds: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["length", "precision"], "{problem}");
        assert_eq!(problem["errors"][1]["pointer"], "/amount", "{problem}");
        assert_eq!(door.get("/produce").code, 405);

        let taken = door.post("/produce", JSON, &good);
        assert_eq!((taken.code, &taken.json()["offset"]), (202, &json!(0)), "nothing was sent before");
        assert!(door.get("/openapi.json").json()["paths"]["/produce"]["post"]["responses"]["422"].is_object());
        end(daemon);
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

#[test]
fn while_the_broker_is_away_nothing_is_taken() {
    let gone =
        Topic { name: "events".to_owned(), brokers: format!("127.0.0.1:{}", crate::support::ports::free_port()) };
    let filegen = file(&gone, "");
    let (daemon, door): (Daemon, Http) = served(&filegen, "-c events.yaml", "produce");
    let answer = door.post("/produce", JSON, &order("e1", "o", "1"));
    refused(&answer, 503, "cannot reach");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(door.get("/health/ready").code, 503);
    assert!(door.get("/metrics").body.contains(r#"events_produced_total{ingest="orders"} 0"#));
    end(daemon);
}
