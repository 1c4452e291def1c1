//! The examples as they stand, held against an oracle that sees all events in order.

use super::counts;
use crate::support::filegen::Filegen;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A row of the oracle: what decides, then what is compared.
type Row = (String, String, Vec<String>);

/// The tables as they have to be: by name, key.
#[derive(Default)]
struct Oracle {
    rows: BTreeMap<(&'static str, String), Row>,
    stock: BTreeMap<String, i64>,
    added: BTreeSet<String>,
}

impl Oracle {
    fn put(&mut self, table: &'static str, key: &str, at: &str, id: &str, values: &[&str]) {
        let new = (at.to_owned(), id.to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
        let row = self.rows.entry((table, key.to_owned())).or_insert_with(|| new.clone());
        if (&new.0, &new.1) > (&row.0, &row.1) {
            *row = new;
        }
    }

    fn see(&mut self, event: &Value, kind: &str, data: &Value) {
        let text = |name: &str| match &data[name] {
            Value::Number(number) => format!("{:.2}", number.as_f64().unwrap()),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let (id, at) = (event["eventId"].as_str().unwrap(), event["timestamp"].as_str().unwrap());
        match kind {
            "UserCreated" => self.put("users", &text("userId"), at, id, &[&text("name"), &text("email")]),
            "OrderPlaced" => self.put("orders", &text("orderId"), at, id, &[&text("userId"), &text("amount")]),
            "PaymentSettled" => self.put("payments", &text("orderId"), at, id, &[&text("paymentId"), &text("amount")]),
            _ if self.added.insert(id.to_owned()) => {
                *self.stock.entry(text("sku")).or_default() += data["quantityChange"].as_i64().unwrap();
            }
            _ => {}
        }
    }
}

fn example(name: &str) -> Filegen {
    let filegen = Filegen::empty();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for end in ["yaml", "jsonl"] {
        fs::copy(folder.join(format!("{name}.{end}")), filegen.path(&format!("{name}.{end}"))).unwrap();
    }
    filegen
}

#[test]
fn each_example_gives_the_rows_that_its_events_say() {
    for (name, suffix) in [("events", ""), ("events_flat", "Event")] {
        let filegen = example(name);
        let ended = filegen.run(&format!("ingest run -c {name}.yaml --output json")).exits(0).json();
        let [written, stale, folded, parked, dead] = counts(&ended);
        assert_eq!((ended["events"].as_u64(), written + stale + folded + parked + dead), (Some(2000), 2000));
        assert!(written > 1000 && stale > 50 && parked == 1, "{ended}");
        let listed = filegen.run(&format!("dlq list -c {name}.yaml --output json")).exits(0).json();
        let letters = listed.as_array().unwrap();
        assert_eq!(letters.len() as u64, dead);
        let kinds: BTreeSet<&str> = letters.iter().map(|letter| letter["error"]["kind"].as_str().unwrap()).collect();
        let expected = ["json", "length", "missing", "nul", "precision", "range", "timestamp", "type", "wrong_kind"];
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);

        let dead: BTreeSet<&str> = letters.iter().filter_map(|letter| letter["eventId"].as_str()).collect();
        let mut oracle = Oracle::default();
        for line in filegen.read(&format!("{name}.jsonl")).lines() {
            let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
            let id = event["eventId"].as_str().unwrap();
            if dead.contains(id) || id == "e-orphan-1" {
                continue;
            }
            let data = if suffix.is_empty() { &event["data"] } else { &event };
            let kind = event["type"].as_str().or(event["eventType"].as_str()).unwrap();
            oracle.see(&event, kind.strip_suffix(suffix).unwrap(), data);
        }
        assert_same(&filegen.path(&format!("{name}.db")), &oracle);

        // Nothing is left to do, and nothing is done twice.
        let again = filegen.run(&format!("ingest run -c {name}.yaml --output json")).exits(0).json();
        assert_eq!((again["events"].as_u64(), again["parked"].as_u64()), (Some(0), Some(0)), "{again}");
        assert_same(&filegen.path(&format!("{name}.db")), &oracle);
    }
}

#[track_caller]
fn assert_same(path: &Path, oracle: &Oracle) {
    let sink = Connection::open(path).unwrap();
    for (table, key, columns) in [
        ("users", "user_id", "name, coalesce(email, '')"),
        ("orders", "order_id", "user_id, amount"),
        ("payments", "order_id", "payment_id, amount"),
    ] {
        let mut asked = sink.prepare(&format!("SELECT {key}, {columns} FROM {table}")).unwrap();
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, vec![row.get(1)?, row.get(2)?]));
        let found: BTreeMap<String, Vec<String>> = asked.query_map([], row).unwrap().map(Result::unwrap).collect();
        let expected = oracle.rows.iter().filter(|((name, _), _)| *name == table);
        assert_eq!(found, expected.map(|((_, key), row)| (key.clone(), row.2.clone())).collect(), "{table}");
    }
    let mut asked = sink.prepare("SELECT sku, quantity FROM inventory").unwrap();
    let stock = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(stock.map(Result::unwrap).collect::<BTreeMap<String, i64>>(), oracle.stock);
}

#[test]
fn status_schema_and_check_say_what_there_is() {
    let filegen = example("events");
    let checked = filegen.run("ingest check -c events.yaml --output json").exits(4).json();
    filegen.run("ingest run -c events.yaml -q").exits(0);
    let listed = filegen.run("dlq list -c events.yaml --output json").exits(0).json();
    let ids = |all: &Value| all.as_array().unwrap().iter().map(|one| one["id"].to_string()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&checked["dead"]), ids(&listed), "check foretells what dies");
    let status = filegen.run("ingest status -c events.yaml --output json").exits(0).json();
    assert_eq!((&status["parked"], &status["outbox"]), (&1.into(), &0.into()));
    assert_eq!(status["positions"][0]["lag"], 0);
    assert_eq!(status["deadLetters"].as_u64(), Some(listed.as_array().unwrap().len() as u64));
    let schema = filegen.run("ingest schema -c events.yaml").exits(0).stdout;
    let tables = Connection::open_in_memory().unwrap();
    tables.execute_batch(&schema).unwrap();
    let stats = filegen.run("dlq stats -c events.yaml --output json").exits(0).json();
    assert_eq!(stats["byKind"]["json"], 1);
    let shown = filegen.run("ingest run -c events.yaml").exits(0).stdout;
    assert!(shown.starts_with("EVENTS  WRITTEN  STALE  FOLDED  PARKED  DEAD"), "{shown}");
}
