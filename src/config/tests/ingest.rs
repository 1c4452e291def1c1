//! Ingest files, good and bad.

use super::*;
use crate::core::ingest::spec::SourceSpec;

const EXAMPLE: &str = include_str!("../ingest.yaml");

/// The messages about a file that differs in one place.
#[track_caller]
fn wrong(right: &str, wrong: &str) -> String {
    let text = EXAMPLE.replacen(right, wrong, 1);
    assert_ne!(text, EXAMPLE, "{right}");
    parsed(&text, &[]).unwrap_err().to_string()
}

#[test]
fn the_example_is_read_with_parents_first_and_shown_as_a_file_of_the_same_meaning() {
    let doors = "produce: { listen: 127.0.0.1, hosts: [a.example, b] }\n\
                 read: { hosts: c, token: long-enough, routes: { \"/u\": { u: { one: \"SELECT 1\" } } } }\n";
    let doors = EXAMPLE.replace("  file: events.jsonl ", "  kafka: { brokers: k, topic: t, group: g } #") + doors;
    let shown = parsed(&doors, &[]).unwrap().resolved(&|url| url.reveal().to_owned()).to_yaml();
    assert!(shown.contains("hosts: [a.example, b]") && shown.contains("hosts: [c]"), "{shown}");
    let loaded = parsed(EXAMPLE, &[]).unwrap();
    let shown = loaded.resolved(&|url| url.reveal().to_owned()).to_yaml();
    let ingest = loaded.into_ingest().unwrap();
    assert_eq!(parsed(&shown, &[]).unwrap().into_ingest().unwrap(), ingest, "{shown}");
    assert_eq!(ingest.source, SourceSpec::File("/etc/filegen/events.jsonl".into()));
    assert_eq!(ingest.dead_letters.url.reveal(), "sqlite:/etc/filegen/orders.db");
    let names: Vec<&str> = ingest.tables.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["users", "orders"]);
}

#[test]
fn a_file_is_of_one_kind() {
    let error = parsed(EXAMPLE, &[]).unwrap().into_worker().unwrap_err().to_string();
    assert!(error.contains("this is an ingest file, and this command takes a worker file"), "{error}");
    let error = parsed(DESIGN, &[]).unwrap().into_ingest().unwrap_err().to_string();
    assert!(error.contains("takes an ingest file"), "{error}");
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    for (right, bad, message) in [
        ("ingest: orders", "ingest: a b", "may hold only letters"),
        ("sqlite:orders.db", "sqlserver://u@h/db", "SQL Server is not yet supported for `sink`"),
        ("id: /eventId,", "id: eventId,", "no JSON pointer"),
        ("type: text(200)", "type: varchar", "no type of a column"),
        ("identity: [user_id]", "identity: [userid]", "did you mean `user_id`?"),
        ("version: event_time", "version: name2", "no column of this event"),
        ("event_id: { from: /eventId", "event_id: { from: /eventID", "no column with the event's id"),
        ("default: Placed", "default: \"a text that is far longer than it may be\"", "this default is no text(32)"),
        ("references: users.user_id", "references: users.name", "not the identity of `users`"),
        ("references: users.user_id", "references: users", "names no column"),
        ("optional: true", "optional: maybe", "`true` or `false`"),
        ("type: \"decimal(18,2)\"", "add: /x, type: \"decimal(18,2)\"", "remove `from` or `add`"),
        ("batch: 5000", "batch: 0", "whole number from 1"),
        ("  file: events.jsonl", "  file: events.jsonl\n  kafka: { topic: t }", "from a file or from a topic"),
        (
            "policies:",
            "read: { routes: { \"/u/{id}\": { u: { one: \"SELECT {x}\" } } } }\npolicies:",
            "no parameter of the path",
        ),
        (
            "policies:",
            "read: { routes: { \"/u/{id}\": { u: { one: \"DELETE FROM users\" } } } }\npolicies:",
            "cannot be used",
        ),
        (
            "policies:",
            "read: { routes: { \"health\": { u: { one: \"SELECT 1\" } } } }\npolicies:",
            "no path of a route",
        ),
        ("policies:", "read: { routes: { \"/health\": { u: { one: \"SELECT 1\" } } } }\npolicies:", "of its own"),
        ("policies:", "produce: { listen: here }\npolicies:", "no address to listen on"),
        ("policies:", "produce: { token: \"\" }\npolicies:", "write a long random text"),
        ("policies:", "produce: { token: \" long-enough\" }\npolicies:", "begins or ends with a blank"),
        ("policies:", "produce: { token: s3cret7 }\npolicies:", "fewer than 8 characters"),
        ("policies:", "read: { hosts: [\"http://a\"] }\npolicies:", "is no host name"),
    ] {
        let error = wrong(right, bad);
        assert!(error.contains(message), "{bad}: {error}");
    }
    let circle = EXAMPLE.replace(
        "name: { from: /data/name, type: text(200) }",
        "name: { from: /data/name, type: text(64), references: orders.order_id }",
    );
    assert!(parsed(&circle, &[]).unwrap_err().to_string().contains("in a circle"));
}

#[test]
fn the_environment_stands_in_for_what_the_file_leaves_out() {
    let text = EXAMPLE.replace("  file: events.jsonl ", "  kafka: {} #").replace("  url: sqlite:orders.db\n", "");
    let environment =
        [("KAFKA_BROKER", "k:9092"), ("KAFKA_TOPIC", "t"), ("KAFKA_GROUP_ID", "g"), ("SQL_CONNECTION", "sqlite:x.db")];
    let ingest = parsed(&text, &environment).unwrap().into_ingest().unwrap();
    let SourceSpec::Kafka(kafka) = &ingest.source else { panic!("{:?}", ingest.source) };
    assert_eq!((kafka.brokers.as_str(), kafka.topic.as_str(), ingest.group()), ("k:9092", "t", "g"));
    assert_eq!(ingest.sink.url.reveal(), "sqlite:/etc/filegen/x.db");
    let error = parsed(&text, &[]).unwrap_err().to_string();
    assert!(error.contains("MSSQL_CONN or SQL_CONNECTION"), "{error}");
}
