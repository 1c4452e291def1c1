//! Any bytes as an event of an ingest, and as an entry of its queue of dead letters.

use filegen::Registry;
use filegen::config;
use filegen::core::ingest::decode::{Labels, decode, raw, read};
use filegen::core::ingest::spec::Ingest;
use filegen::core::model::decimal::Decimal;
use filegen::core::model::letter::{DeadLetter, LetterError, RawEvent};
use filegen::core::model::message::{EventId, Received};
use filegen::core::model::rows::{SqlType, SqlValue};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A column of each type, and one of a sum.
const FILE: &str = r#"ingest: fuzz
source: { file: events.jsonl }
sink: { url: "sqlite:fuzz.db" }
envelope: { id: /id, type: /type, time: /at }
events:
  All:
    key: /key
    table: rows
    identity: [row]
    version: at
    columns:
      row: { from: /key, type: text(8) }
      whole: { from: /a/whole, type: integer, optional: true }
      big: { from: /a/big, type: bigint, default: "7" }
      money: { from: "/a/money", type: "decimal(18,2)", optional: true }
      wide: { from: /a/0, type: "decimal(38,10)", optional: true }
      double: { from: /a/1, type: double, optional: true }
      flag: { from: /b, type: boolean, optional: true }
      day: { from: /day, type: date, optional: true }
      uuid: { from: /uuid, type: uuid, optional: true }
      more: { from: /more, type: json, optional: true }
      event_id: { from: /id, type: text(64) }
      at: { from: /at, type: timestamp }
  Sum:
    table: sums
    identity: [row]
    version: at
    columns:
      row: { from: /key, type: text(8) }
      sum: { add: /change, type: "decimal(20,4)" }
      event_id: { from: /id, type: text(64) }
      at: { from: /at, type: timestamp }
"#;

fn ingest() -> &'static Ingest {
    static INGEST: OnceLock<Arc<Ingest>> = OnceLock::new();
    INGEST.get_or_init(|| {
        let loaded = config::parse(FILE, Path::new("/events.yaml"), &(), &Registry::default()).expect("a file");
        loaded.into_ingest().expect("an ingest")
    })
}

fn now() -> jiff::Timestamp {
    "2026-01-01T10:00:00Z".parse().expect("a moment")
}

/// An event gives values that fit their columns, or reasons that can be shown; each time the same; and its bytes come back from the
/// queue as they were.
pub fn event(bytes: &[u8]) {
    let (labels, made) = read(ingest(), bytes, now());
    assert_eq!(read(ingest(), bytes, now()), (labels.clone(), made.clone()));
    match &made {
        Ok((shape, values)) => row(bytes, &labels, *shape, values),
        Err(errors) => {
            assert!(!errors.is_empty());
            errors.iter().for_each(shown);
        }
    }
    let id = EventId { topic: "events".to_owned(), partition: 0, offset: 7 };
    let message = Received { id, key: Some(b"k".to_vec()), headers: Vec::new(), payload: bytes.to_vec(), at: None };
    match decode(ingest(), raw(message, "id"), 3, now()) {
        Ok(change) => assert_eq!(Ok((change.shape, change.values)), made),
        Err(refused) => {
            let (event, error) = *refused;
            let letter = DeadLetter::new(&event, error, 1, now(), "here");
            let back: DeadLetter = serde_json::from_str(&letter.to_json()).expect("an entry is read back");
            assert_eq!(back.event(), Some(event));
        }
    }
}

fn shown(error: &LetterError) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.chars().count() < 20_000 && !text.chars().any(char::is_control), "{text:?}");
}

/// What became values is an object by another reader's word too, and nothing in it was rounded or cut.
fn row(bytes: &[u8], labels: &Labels, shape: usize, values: &[SqlValue]) {
    // The other reader has no numbers beyond a float's range.
    let Ok(event) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    assert_eq!(event["id"].as_str(), labels.id.as_deref());
    assert_eq!(event["type"].as_str(), Some(ingest().events[shape].name.as_str()));
    let form = &ingest().tables.shapes[shape];
    let table = &ingest().tables.tables[form.table];
    let columns: Vec<_> = form.columns.iter().chain(&form.sums).collect();
    assert_eq!(columns.len(), values.len());
    for ((at, value), source) in columns.into_iter().zip(values).zip(&ingest().events[shape].columns) {
        let column = &table.columns[*at];
        assert!(fits(value, column.kind) || (column.nullable && *value == SqlValue::Null), "{column:?}: {value:?}");
        let given = event.pointer(source.from.as_str());
        match (value, given) {
            (SqlValue::Text(text), given) => assert_eq!(given.and_then(|given| given.as_str()), Some(text.as_str())),
            (SqlValue::Int(value), Some(serde_json::Value::Number(number))) if number.is_i64() => {
                assert_eq!(number.as_i64(), Some(*value));
            }
            (SqlValue::Bool(value), given) => assert_eq!(given.and_then(serde_json::Value::as_bool), Some(*value)),
            (SqlValue::Null, given) => assert!(given.is_none_or(serde_json::Value::is_null), "{column:?}: {given:?}"),
            (SqlValue::Json(text), given) => {
                assert_eq!(given, serde_json::from_str(text).ok().as_ref());
            }
            _ => {}
        }
    }
}

fn fits(value: &SqlValue, kind: SqlType) -> bool {
    match (value, kind) {
        (SqlValue::Text(text), SqlType::Text(most)) => text.chars().count() <= most as usize && !text.contains('\0'),
        (SqlValue::Int(value), SqlType::Integer) => i32::try_from(*value).is_ok(),
        (SqlValue::Decimal(value), SqlType::Decimal { precision, scale }) => {
            value.scale == scale && Decimal::fits(value.unscaled, precision)
        }
        (SqlValue::Double(value), SqlType::Double) => value.is_finite(),
        (SqlValue::Int(_), SqlType::Bigint)
        | (SqlValue::Bool(_), SqlType::Boolean)
        | (SqlValue::Date(_), SqlType::Date)
        | (SqlValue::Timestamp(_), SqlType::Timestamp)
        | (SqlValue::Uuid(_), SqlType::Uuid)
        | (SqlValue::Json(_), SqlType::Json) => true,
        _ => false,
    }
}

/// What somebody put into the queue is no entry, or one that stays as it is when it is written again, and whose event can be tried.
pub fn dead_letter(bytes: &[u8]) {
    let Ok(letter) = serde_json::from_slice::<DeadLetter>(bytes) else { return };
    let again: DeadLetter = serde_json::from_str(&letter.to_json()).expect("an entry is read back");
    assert_eq!((&again, again.digest()), (&letter, letter.digest()));
    shown(&LetterError { message: format!("x{}", letter.error.message), ..letter.error.clone() });
    let Some(event) = letter.event() else { return };
    let RawEvent { payload, .. } = &event;
    assert_eq!(read(ingest(), payload, now()), read(ingest(), payload, now()));
    let copy = DeadLetter::new(&event, letter.error.clone(), letter.attempts, letter.timestamp, &letter.instance);
    assert_eq!(copy.event(), Some(event.clone()));
    assert_eq!(copy.place(), letter.place());
    // It is written, or dies again of a reason.
    if let Err(refused) = decode(ingest(), event, 0, now()) {
        shown(&refused.1);
    }
}
