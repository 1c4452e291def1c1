//! Records of an ingest that somebody else has written: each is told, and stops nothing else.

use super::{EVENTS_OF_TWO_USERS, counts, letters, with_events};
use crate::support::filegen::Filegen;
use rusqlite::Connection;

fn change(filegen: &Filegen, sql: &str) {
    Connection::open(filegen.path("orders.db")).unwrap().execute_batch(sql).unwrap();
}

/// A file with a dead letter in its queue.
fn begun() -> Filegen {
    let filegen = with_events(&EVENTS_OF_TWO_USERS);
    filegen.run("ingest run -c events.yaml").exits(0);
    filegen
}

/// The same events once more behind the first ones.
fn more(filegen: &Filegen) {
    let first = filegen.read("events.jsonl");
    filegen.write("events.jsonl", &format!("{first}{}\n", EVENTS_OF_TWO_USERS[4].replace("e5", "e6")));
}

#[test]
fn a_dead_letter_that_cannot_be_sent_is_told_and_the_run_ends() {
    let filegen = begun();
    more(&filegen);
    change(
        &filegen,
        "INSERT INTO filegen_dead_letters (source, id, topic_id, kind, entry, created_at)
         SELECT 'orders', 'other/0@1', 'x', 'json', entry, '2026-01-01' FROM filegen_queue;
         INSERT INTO filegen_dead_letters (source, id, topic_id, kind, entry, created_at)
         VALUES ('orders', 'other/0@2', 'x', 'json', '{}', '2026-01-01')",
    );
    let done = filegen.run("ingest run -c events.yaml --output json").exits(4);
    assert_eq!(counts(&done.json()), [0, 0, 0, 0, 1]);
    assert!(done.stderr.contains("filegen_dead_letters 2 cannot be read"), "{}", done.stderr);
    assert_eq!(letters(&filegen, "").len(), 2, "what can be read has gone to the queue");
    let status = filegen.run("status -c events.yaml --output json").exits(0).json();
    assert_eq!((&status["outbox"], status["unreadable"].as_array().unwrap().len()), (&2.into(), 2), "{status}");
    let doctor = filegen.run("doctor -c events.yaml");
    assert!(doctor.stdout.contains("filegen_dead_letters 2 cannot be read"), "{}", doctor.stdout);
}

#[test]
fn a_parked_event_of_an_unknown_table_stops_no_run() {
    let filegen = begun();
    more(&filegen);
    change(
        &filegen,
        "INSERT INTO filegen_parked
         (source, id, topic_id, tbl, row_key, parent_tbl, parent_col, parent_value, entry, attempts, parked_at)
         SELECT 'orders', 'p/0@1', 'x', 'nowhere', 'k', 'nowhere', 'id', 'v', entry, 'many', '2999-01-01' FROM filegen_queue;
         INSERT INTO filegen_parked
         (source, id, topic_id, tbl, row_key, parent_tbl, parent_col, parent_value, entry, attempts, parked_at)
         VALUES ('orders', 'p/0@2', 'x', 'orders', 'k', '', '', '', '{}', -1, '2000-01-01')",
    );
    let done = filegen.run("ingest run -c events.yaml --output json").exits(4);
    assert_eq!(counts(&done.json()), [0, 0, 0, 0, 1]);
    assert!(done.stderr.contains("cannot be read"), "{}", done.stderr);
}

#[test]
fn an_entry_of_the_queue_that_cannot_be_read_is_told_and_the_others_go_on() {
    let filegen = begun();
    change(
        &filegen,
        "INSERT INTO filegen_queue (queue, id, entry) VALUES ('dlq:events', 'odd', '{}'), ('dlq:events', 'odd2', x'ff');
         INSERT INTO filegen_queue_audit (queue, line) VALUES ('dlq:events', 'no line')",
    );
    for command in ["dlq list -c events.yaml", "dlq stats -c events.yaml"] {
        let done = filegen.run(command).exits(0);
        assert!(done.stderr.contains("odd cannot be read"), "{command}: {}", done.stderr);
    }
    assert_eq!(letters(&filegen, "").len(), 1);
    filegen.run("dlq show -c events.yaml e5").exits(0);
    let planned = filegen.run("dlq plan -c events.yaml --out plan.json --output json").exits(4);
    assert_eq!(planned.json()["entries"], 1);
    // A plan that somebody has edited: what it names is not there, or is not what it says.
    let plan = filegen.read("plan.json");
    filegen.write("gone.json", &plan.replace('@', "@9"));
    filegen.run("dlq apply gone.json -c events.yaml --reason x").exits(0);
    filegen.write("odd.json", &plan.replace("\"digest\"", "\"other\""));
    filegen.run("dlq apply odd.json -c events.yaml --reason x").exits(1);
    filegen.run("dlq drop plan.json -c events.yaml --reason x").exits(0);
    assert_eq!(letters(&filegen, "").len(), 0);
}

#[test]
fn a_position_that_is_no_number_is_told_and_stays() {
    let filegen = begun();
    more(&filegen);
    change(&filegen, "UPDATE filegen_offsets SET next_offset = 'none'");
    let done = filegen.run("ingest run -c events.yaml --output json").exits(4);
    assert_eq!(counts(&done.json()), [0, 0, 0, 0, 0]);
    assert!(done.stderr.contains("events.jsonl/0 cannot be read"), "{}", done.stderr);
    change(&filegen, "DELETE FROM filegen_offsets");
    let done = filegen.run("ingest run -c events.yaml --output json").exits(0);
    assert_eq!(counts(&done.json()), [0, 4, 0, 0, 2], "a repeat changes nothing");
}

#[test]
fn the_highest_number_in_the_books_stops_no_run() {
    let filegen = begun();
    let mut orphan = EVENTS_OF_TWO_USERS[2].replace("u1", "u7").replace("u2", "u7");
    orphan = orphan.replace("\"id\":\"e3\"", "\"id\":\"e9\"").replace("\"order\":\"", "\"order\":\"x");
    let first = filegen.read("events.jsonl");
    let bad = EVENTS_OF_TWO_USERS[4].replace("e5", "e6");
    filegen.write("events.jsonl", &format!("{first}{orphan}\n{bad}\n"));
    // One row of each book stays, and one is gone again.
    change(
        &filegen,
        "INSERT INTO filegen_dead_letters (number, source, id, topic_id, kind, entry, created_at)
         VALUES (9223372036854775807, 'orders', 'other/0@2', 'x', 'json', '{}', '2026-01-01');
         INSERT INTO filegen_parked
         (number, source, id, topic_id, tbl, row_key, parent_tbl, parent_col, parent_value, entry, attempts, parked_at)
         VALUES (9223372036854775807, 'other', 'p/0@2', 'x', 'orders', 'k', 'users', 'user_id', 'v', '{}', 0, '2999-01-01');
         INSERT INTO filegen_queue (number, queue, id, entry) VALUES (9223372036854775807, 'dlq:events', 'odd', '{}');
         INSERT INTO filegen_queue_audit (number, queue, line) VALUES (9223372036854775807, 'dlq:events', 'no line');
         DELETE FROM filegen_queue WHERE id = 'odd'; DELETE FROM filegen_queue_audit",
    );
    let done = filegen.run("ingest run -c events.yaml --output json").exits(4);
    assert_eq!(counts(&done.json()), [0, 0, 0, 1, 1]);
    assert!(done.stderr.contains("filegen_dead_letters 9223372036854775807 cannot be read"), "{}", done.stderr);
    assert_eq!(letters(&filegen, "").len(), 2);
    filegen.run("dlq plan -c events.yaml --out plan.json").exits(0);
    filegen.run("dlq drop plan.json -c events.yaml --reason x").exits(0);
    assert_eq!(letters(&filegen, "").len(), 0);
}

#[test]
fn numbers_of_another_s_table_that_are_used_up_are_not_called_a_full_disk() {
    let filegen = begun();
    more(&filegen);
    change(
        &filegen,
        "CREATE TABLE seen (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT);
         INSERT INTO seen (number) VALUES (9223372036854775807);
         CREATE TRIGGER seen_users AFTER INSERT ON users BEGIN INSERT INTO seen (id) VALUES (new.user_id); END",
    );
    let fresh = EVENTS_OF_TWO_USERS[0].replace("\"e1\"", "\"e8\"").replace("u1", "u8");
    filegen.write("events.jsonl", &format!("{}{fresh}\n", filegen.read("events.jsonl")));
    let done = filegen.run("ingest run -c events.yaml").exits(3);
    assert!(done.stderr.contains("table `seen` takes no more rows"), "{}", done.stderr);
    assert!(!done.stderr.contains("disk is full"), "{}", done.stderr);
}
