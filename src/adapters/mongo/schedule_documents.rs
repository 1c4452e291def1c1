//! Schedules, executions and records of transfers as documents, and back: the names of their JSON, `_id` for the id, and moments as BSON's.

use super::documents::{Odd, bson_date};
use jiff::Timestamp;
use mongodb::bson::{Bson, Document};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// Fields that hold moments.
const MOMENTS: [&str; 11] = [
    "nextExecutionTime",
    "decidedUntil",
    "lastExecutionTime",
    "pausedAt",
    "deadlineSince",
    "changedAt",
    "dueTime",
    "startedAt",
    "endedAt",
    "modifiedAt",
    "seenAt",
];

/// A value as its document.
pub(super) fn document(value: &impl Serialize) -> Result<Document, Odd> {
    let json = serde_json::to_value(value).map_err(|error| Odd(error.to_string()))?;
    let Value::Object(fields) = json else { return Err(Odd("it has no fields".to_owned())) };
    let mut document = Document::new();
    for (name, value) in fields {
        let value = match value {
            Value::String(text) if MOMENTS.contains(&name.as_str()) => {
                let at: Timestamp = text.parse().map_err(|_| Odd(format!("`{name}` is no moment")))?;
                Bson::DateTime(bson_date(at))
            }
            other => to_bson(other)?,
        };
        document.insert(if name == "id" { "_id".to_owned() } else { name }, value);
    }
    Ok(document)
}

/// A value from its document. Fields that others have added are passed over.
pub(super) fn read<T: DeserializeOwned>(document: Document) -> Result<T, Odd> {
    let id = document.get_str("_id").unwrap_or_default().to_owned();
    let mut fields = Map::new();
    for (name, value) in document {
        fields.insert(if name == "_id" { "id".to_owned() } else { name }, from_bson(value));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        Odd(format!("the document \"{id}\" is not as it should be: {error}; use the filegen that wrote it, or mend it"))
    })
}

fn to_bson(value: Value) -> Result<Bson, Odd> {
    Ok(match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Boolean(flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Bson::Int64(whole),
            (None, Some(float)) if number.is_f64() => Bson::Double(float),
            _ => return Err(Odd(format!("{number} is more than the state store can keep"))),
        },
        Value::String(text) => Bson::String(text),
        Value::Array(items) => Bson::Array(items.into_iter().map(to_bson).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name, to_bson(value)?)));
            Bson::Document(fields.collect::<Result<_, Odd>>()?)
        }
    })
}

fn from_bson(value: Bson) -> Value {
    match value {
        Bson::Boolean(flag) => Value::Bool(flag),
        Bson::Int32(whole) => Value::Number(whole.into()),
        Bson::Int64(whole) => Value::Number(whole.into()),
        // People's tools write whole numbers as floats.
        Bson::Double(float) => whole(float).unwrap_or(Value::Null),
        Bson::String(text) => Value::String(text),
        Bson::DateTime(at) => {
            Timestamp::from_millisecond(at.timestamp_millis()).map_or(Value::Null, |at| Value::String(at.to_string()))
        }
        Bson::Array(items) => Value::Array(items.into_iter().map(from_bson).collect()),
        Bson::Document(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, from_bson(value))).collect())
        }
        _ => Value::Null,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only where nothing is lost")]
fn whole(float: f64) -> Option<Value> {
    let is_whole = float.fract() == 0.0 && float.abs() < 9e15;
    if is_whole { Some(Value::Number((float as i64).into())) } else { Number::from_f64(float).map(Value::Number) }
}
