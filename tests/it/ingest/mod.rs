//! Events into tables, by the real binary: the example, bad events, a sink that refuses, and what people do with dead letters.

mod bounded;
mod commands;
mod crowded;
mod endless;
mod example;
mod foreign_pages;
mod killed;
mod letters;
mod odd;
mod postgres;
mod produced;
mod redis;
mod rows;
mod served;
mod services;
mod topic;

use crate::support::filegen::{Done, Filegen};
use rusqlite::Connection;
use serde_json::Value;

/// Two types of events; orders refer to users.
const FILE: &str = r#"ingest: orders
source: { file: events.jsonl }
sink: { url: "sqlite:orders.db", create: missing }
envelope: { id: /id, type: /type, time: /at }
events:
  User:
    table: users
    identity: [user_id]
    version: at
    columns:
      user_id: { from: /user, type: text(8) }
      name: { from: /name, type: text(10), optional: true }
      event_id: { from: /id, type: text(64) }
      at: { from: /at, type: timestamp }
  Order:
    table: orders
    identity: [order_id]
    version: at
    columns:
      order_id: { from: /order, type: text(8) }
      user_id: { from: /user, type: text(8), references: users.user_id }
      amount: { from: /amount, type: "decimal(6,2)" }
      big: { from: /big, type: bigint, optional: true }
      event_id: { from: /id, type: text(64) }
      at: { from: /at, type: timestamp }
  Stock:
    table: stock
    identity: [sku]
    version: at
    columns:
      sku: { from: /sku, type: text(8) }
      quantity: { add: /change, type: integer }
      event_id: { from: /id, type: text(64) }
      at: { from: /at, type: timestamp }
"#;

/// Events of two users, one with an amount that no float holds.
const EVENTS_OF_TWO_USERS: [&str; 5] = [
    r#"{"type":"User","id":"e1","user":"u1","name":"Ann","at":"2026-01-01T10:00:00Z"}"#,
    r#"{"type":"Order","id":"e2","order":"o1","user":"u1","amount":"1234.50","big":9007199254740993,"at":"2026-01-01T10:00:00.25Z"}"#,
    r#"{"type":"Order","id":"e3","order":"o2","user":"u1","amount":2,"at":"2026-01-02T10:00:00Z"}"#,
    r#"{"type":"Order","id":"e4","order":"o3","user":"u1","amount":3,"at":"2026-01-03T10:00:00Z"}"#,
    r#"{"type":"Order","id":"e5","order":"o4","user":"u1","amount":"x","at":"2026-01-03T10:00:00Z"}"#,
];

/// A door for readers.
const READ: &str = r#"read:
  port: 0
  listen: 127.0.0.1
  routes:
    "/users/{id}":
      user: { one: "SELECT user_id AS \"userId\", name FROM users WHERE user_id = {id}" }
      orders: { many: "SELECT order_id, amount, big, at FROM orders WHERE user_id = {id} ORDER BY at DESC", limit: 2 }
    "/orders/{id}":
      order: { one: "SELECT order_id, amount, big, at FROM orders WHERE order_id = {id}" }
      stock: { one: "SELECT sku FROM stock WHERE sku = {id}" }
"#;

/// A folder with the file and these events.
fn with_events(events: &[&str]) -> Filegen {
    let filegen = Filegen::empty();
    filegen.write("events.yaml", FILE);
    let lines = events.iter().fold(String::new(), |lines, event| lines + event + "\n");
    filegen.write("events.jsonl", &lines);
    filegen
}

/// Runs to the file's end; gives the closing counts.
#[track_caller]
fn ingested(filegen: &Filegen) -> Value {
    filegen.run("ingest run -c events.yaml --output json").exits(0).json()
}

/// The counts in the order of the closing table: written, stale, folded, parked, dead.
fn counts(ended: &Value) -> [u64; 5] {
    ["written", "stale", "folded", "parked", "dead"].map(|name| ended[name].as_u64().unwrap())
}

/// Rows of a query, each value as text.
fn rows(filegen: &Filegen, sql: &str) -> Vec<Vec<Option<String>>> {
    let sink = Connection::open(filegen.path("orders.db")).unwrap();
    let mut asked = sink.prepare(sql).unwrap();
    let columns = asked.column_count();
    let text = |row: &rusqlite::Row<'_>, index| {
        Ok(match row.get::<_, rusqlite::types::Value>(index)? {
            rusqlite::types::Value::Null => None,
            rusqlite::types::Value::Integer(number) => Some(number.to_string()),
            rusqlite::types::Value::Real(number) => Some(format!("a float: {number}")),
            rusqlite::types::Value::Text(text) => Some(text),
            rusqlite::types::Value::Blob(_) => Some("bytes".to_owned()),
        })
    };
    let rows = asked.query_map([], |row| (0..columns).map(|index| text(row, index)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Dead letters, newest first.
#[track_caller]
fn letters(filegen: &Filegen, filter: &str) -> Vec<Value> {
    let done: Done = filegen.run(&format!("dlq list -c events.yaml --output json {filter}")).exits(0);
    done.json().as_array().unwrap().clone()
}
