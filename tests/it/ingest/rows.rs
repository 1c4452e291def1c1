//! What becomes of rows: order, doubles, sums, parents, and a sink that refuses one event or all.

use super::{counts, ingested, letters, rows, with_events};
use rusqlite::Connection;

fn user(id: &str, user: &str, name: &str, at: &str) -> String {
    format!(r#"{{"type":"User","id":"{id}","user":"{user}","name":"{name}","at":"2026-01-01T{at}Z"}}"#)
}

fn order(id: &str, order: &str, user: &str, amount: &str, at: &str) -> String {
    format!(
        r#"{{"type":"Order","id":"{id}","order":"{order}","user":"{user}","amount":{amount},"at":"2026-01-01T{at}Z"}}"#
    )
}

fn stock(id: &str, sku: &str, change: i64, at: &str) -> String {
    format!(r#"{{"type":"Stock","id":"{id}","sku":"{sku}","change":{change},"at":"2026-01-01T{at}Z"}}"#)
}

fn of(events: &[String]) -> Vec<&str> {
    events.iter().map(String::as_str).collect()
}

#[test]
fn the_newest_event_wins_wherever_batches_are_cut() {
    let events = [
        user("e2", "u", "second", "10:00:02"),
        user("e1", "u", "first", "10:00:01"),
        user("e3", "u", "third", "10:00:03"),
        user("e9", "u", "tie", "10:00:03"),
        user("E9", "u", "less", "10:00:03"),
        user("e3", "u", "third", "10:00:03"),
        user("e4", "u", "half", "10:00:03.5"),
        user("e5", "u", "zone", "10:00:03.25"),
    ];
    for batch in [1, 2, 3, 5, 100] {
        let filegen = with_events(&of(&events));
        filegen.write("events.yaml", &format!("{}policies: {{ batch: {batch} }}\n", filegen.read("events.yaml")));
        let [written, stale, folded, ..] = counts(&ingested(&filegen));
        // What a later event of its batch covers counts as folded, and as stale or written where batches are cut between them.
        assert_eq!(written + folded + stale, 8, "batches of {batch}");
        assert_eq!(rows(&filegen, "SELECT name, event_id, at FROM users")[0][0].as_deref(), Some("half"));
    }
}

#[test]
fn each_event_is_added_once_and_in_any_order() {
    let filegen = with_events(&of(&[
        stock("a", "s", 5, "10:00:05"),
        stock("b", "s", -2, "10:00:01"),
        stock("a", "s", 5, "10:00:05"),
        stock("c", "s", i64::from(i32::MAX), "10:00:09"),
        stock("d", "s", 1, "10:00:02"),
    ]));
    assert_eq!(counts(&ingested(&filegen)), [3, 1, 0, 0, 1]);
    assert_eq!(rows(&filegen, "SELECT quantity, event_id FROM stock"), [[Some("4".to_owned()), Some("a".to_owned())]]);
    assert_eq!(letters(&filegen, "--kind range").len(), 1);
}

#[test]
fn values_are_exact() {
    let event = r#"{"type":"Order","id":"e","order":"o","user":"u","amount":"1234.50","big":9007199254740993,"at":"2026-01-01T10:00:00.123456789+05:30"}"#;
    let filegen = with_events(&[&user("p", "u", "n", "00:00:00"), event]);
    ingested(&filegen);
    let expected =
        ["1234.50", "9007199254740993", "2026-01-01T04:30:00.123456789+00:00"].map(|text| Some(text.to_owned()));
    assert_eq!(rows(&filegen, "SELECT amount, big, at FROM orders"), [expected]);
}

#[test]
fn a_late_parent_is_waited_for_and_later_events_of_the_row_queue_behind_it() {
    let filegen = with_events(&of(&[
        order("e1", "o1", "u1", "1", "10:00:01"),
        order("e2", "o1", "u1", "2", "10:00:02"),
        order("e3", "o2", "none", "3", "10:00:03"),
        order("e4", "o2", "u0", "4", "10:00:04"),
        user("e5", "u0", "zero", "10:00:00"),
    ]));
    filegen.write("events.yaml", &format!("{}policies: {{ batch: 1 }}\n", filegen.read("events.yaml")));
    assert_eq!(counts(&ingested(&filegen)), [1, 0, 0, 4, 0]);
    let add = |line: String| filegen.write("events.jsonl", &format!("{}{line}\n", filegen.read("events.jsonl")));
    add(user("e6", "u1", "one", "10:00:09"));
    assert_eq!(counts(&ingested(&filegen))[0], 3, "the user and both of its order's events");
    assert_eq!(
        rows(&filegen, "SELECT order_id, amount FROM orders"),
        [["o1", "2.00"].map(|text| Some(text.to_owned()))]
    );
    assert_eq!(rows(&filegen, "SELECT count(*) FROM filegen_parked"), [[Some("2".to_owned())]]);
    // Whoever waits too long is dead. What queued behind it has its parent, and is no bad event.
    filegen.write("events.yaml", &filegen.read("events.yaml").replace("batch: 1", "park_for: 1ms"));
    add(user("e7", "u9", "nine", "10:00:09"));
    ingested(&filegen);
    assert_eq!(letters(&filegen, "--kind parent").len(), 1);
    assert_eq!(
        rows(&filegen, "SELECT order_id, amount FROM orders WHERE order_id = 'o2'"),
        [["o2", "4.00"].map(|text| Some(text.to_owned()))]
    );
    assert_eq!(rows(&filegen, "SELECT count(*) FROM filegen_parked"), [[Some("0".to_owned())]]);
}

#[test]
fn what_the_sink_refuses_harms_only_itself() {
    let tables = "CREATE TABLE users (user_id TEXT PRIMARY KEY, name TEXT UNIQUE CHECK (name <> 'bad'), event_id TEXT, at TIMESTAMP);
        CREATE TRIGGER soft BEFORE INSERT ON users WHEN new.name = 'abort' BEGIN SELECT raise(ABORT, 'not this one'); END;
        CREATE TRIGGER hard BEFORE INSERT ON users WHEN new.name = 'rollback' BEGIN SELECT raise(ROLLBACK, 'nor this'); END;
        CREATE TRIGGER undone BEFORE INSERT ON users WHEN new.name = 'undo' BEGIN SELECT raise(ROLLBACK, 'never'); END;
        CREATE TRIGGER hardly BEFORE UPDATE ON users WHEN new.name = 'undo' BEGIN SELECT raise(ROLLBACK, 'never'); END;";
    let filegen = with_events(&of(&[
        user("e1", "a", "one", "10:00:00"),
        user("e2", "b", "bad", "10:00:00"),
        user("e3", "c", "abort", "10:00:00"),
        user("e4", "d", "rollback", "10:00:00"),
        user("e5", "e", "one", "10:00:00"),
        user("e6", "a", "first", "10:00:01"),
        user("e7", "a", "undo", "10:00:02"),
        user("e8", "f", "last", "10:00:00"),
    ]));
    Connection::open(filegen.path("orders.db")).unwrap().execute_batch(tables).unwrap();
    let ended = counts(&ingested(&filegen));
    assert_eq!((ended[4], ended[3]), (4, 0), "{ended:?}");
    // The covered event of the row counts when the newest cannot.
    let names: Vec<_> = rows(&filegen, "SELECT user_id, name FROM users ORDER BY user_id");
    let expected =
        [["a", "first"], ["e", "one"], ["f", "last"]].map(|row| row.map(|text| Some(text.to_owned())).to_vec());
    assert_eq!(names, expected);
    let kinds = |kind: &str| letters(&filegen, &format!("--kind {kind}")).len();
    assert_eq!((kinds("trigger"), kinds("constraint")), (3, 1));
}

#[test]
fn tables_that_do_not_fit_are_refused_with_what_to_do() {
    let filegen = with_events(&[]);
    filegen.write("events.yaml", &filegen.read("events.yaml").replace(", create: missing", ""));
    let failed = filegen.run("ingest run -c events.yaml").exits(3);
    assert!(failed.stderr.contains("ingest schema --apply"), "{}", failed.stderr);
    let sink = Connection::open(filegen.path("orders.db")).unwrap();
    sink.execute_batch(
        "CREATE TABLE users (user_id TEXT, name VARCHAR(5), event_id INTEGER, extra TEXT NOT NULL);
         CREATE TABLE orders (order_id TEXT PRIMARY KEY, user_id TEXT, amount REAL, big INT, event_id TEXT, at TEXT);",
    )
    .unwrap();
    let failed = filegen.run("ingest run -c events.yaml").exits(3);
    for part in [
        "is shorter than text(10)",
        "has no column `at`",
        "`users.extra` is required",
        "(user_id) of table `users` is no primary key",
        "would make a float of decimal(6,2)",
        "there is no table `stock`",
    ] {
        assert!(failed.stderr.contains(part), "{part}: {}", failed.stderr);
    }
    sink.execute_batch("DROP TABLE users; DROP TABLE orders").unwrap();
    filegen.run("ingest schema -c events.yaml --apply").exits(0);
    filegen.run("ingest run -c events.yaml").exits(0);
}

#[test]
fn a_file_that_was_made_anew_is_noticed() {
    let filegen = with_events(&of(&[user("e1", "a", "one", "10:00:00"), user("e2", "b", "two", "10:00:00")]));
    ingested(&filegen);
    filegen.write("events.jsonl", &format!("{}\n", user("e3", "c", "three", "10:00:00")));
    let failed = filegen.run("ingest run -c events.yaml").exits(1);
    assert!(failed.stderr.contains("on_recreated: restart"), "{}", failed.stderr);
    filegen.write(
        "events.yaml",
        &filegen.read("events.yaml").replace("file: events.jsonl", "file: events.jsonl, on_recreated: restart"),
    );
    assert_eq!(counts(&ingested(&filegen))[0], 1);
}
