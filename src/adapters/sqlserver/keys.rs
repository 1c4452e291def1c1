//! The keys of rows: their values in the form that the server reads back, and whether they grow.

use super::cells::guid;
use super::civil;
use super::describe::Seen;
use super::tds::{Column, RowBytes, Value, utf8};
use crate::core::model::key::{Key, KeyValue};

/// Where a row's key stands, and of what types.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    columns: Vec<(usize, Seen)>,
}

/// How a row's key follows the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It is another one.
    Forward,
    /// This key column is NULL.
    Null(usize),
    /// It is the same.
    Same,
}

impl Keys {
    /// Of these columns, at these places in the row.
    pub(super) fn new(places: impl IntoIterator<Item = usize>, columns: &[Seen]) -> Self {
        Self { columns: places.into_iter().zip(columns.iter().cloned()).collect() }
    }

    /// Names of the key columns.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(_, seen)| seen.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Name of one key column.
    pub(super) fn name(&self, index: usize) -> &str {
        self.columns.get(index).map(|(_, seen)| seen.name.as_str()).unwrap_or_default()
    }

    /// The row's key, or the index of a key column that is NULL or has no fitting type.
    pub(super) fn of(&self, row: &RowBytes<'_>) -> Result<Key, usize> {
        (self.columns.iter().enumerate())
            .map(|(index, (place, _))| row.value(*place).ok().and_then(key_value).ok_or(index))
            .collect::<Result<Vec<_>, _>>()
            .map(Key)
    }

    /// Compares a row's key with that of the row before.
    pub(super) fn step(&self, before: &Held, row: &RowBytes<'_>) -> Step {
        let mut step = if before.0.is_empty() { Step::Forward } else { Step::Same };
        for (index, (place, _)) in self.columns.iter().enumerate() {
            let Some(now) = row.bytes(*place) else { return Step::Null(index) };
            if before.0.get(index).is_some_and(|(_, was)| **was != *now) {
                step = Step::Forward;
            }
        }
        step
    }

    /// Keeps a row's key, in place of another.
    pub(super) fn hold(&self, row: &RowBytes<'_>, held: &mut Held) {
        held.0.truncate(self.columns.len());
        for (index, (place, _)) in self.columns.iter().enumerate() {
            let (Some(column), Some(bytes)) = (row.column(*place), row.bytes(*place)) else { continue };
            match held.0.get_mut(index) {
                Some((known, kept)) => {
                    *known = column;
                    kept.clear();
                    kept.extend_from_slice(&bytes);
                }
                None => held.0.push((column, bytes.into_owned())),
            }
        }
    }
}

/// A row's key as the server sent it.
#[derive(Default)]
pub(super) struct Held(Vec<(Column, Vec<u8>)>);

impl Held {
    /// The key. `None` when no row was kept. The error is the index of a column that has no fitting type.
    pub(super) fn key(&self) -> Result<Option<Key>, usize> {
        if self.0.is_empty() {
            return Ok(None);
        }
        (self.0.iter().enumerate())
            .map(|(index, (column, bytes))| column.value(bytes).ok().and_then(key_value).ok_or(index))
            .collect::<Result<Vec<_>, _>>()
            .map(|values| Some(Key(values)))
    }
}

/// A value in the server's own text form. `None` for NULL, and for a value that cannot be in a key.
fn key_value(value: Value<'_>) -> Option<KeyValue> {
    let mut text = String::new();
    let mut scratch = Vec::new();
    match value {
        Value::Null => return None,
        Value::Bit(bit) => return Some(KeyValue::Int(bit.into())),
        Value::Int(number) => return Some(KeyValue::Int(number)),
        Value::Float32(value) => return Some(KeyValue::Float(value.to_string())),
        Value::Float64(value) => return Some(KeyValue::Float(value.to_string())),
        Value::Wide(bytes) => return utf8(&bytes, None, &mut scratch).ok().map(|text| KeyValue::Text(text.to_owned())),
        Value::Narrow(bytes, encoding) => {
            return utf8(&bytes, Some(encoding), &mut scratch).ok().map(|text| KeyValue::Text(text.to_owned()));
        }
        Value::Bytes(bytes) => return Some(KeyValue::Bytes(hex::encode(bytes))),
        Value::Guid(bytes) => guid(&bytes, &mut text),
        Value::Decimal(value) => text = value.to_string(),
        Value::Date(days) => civil::date(days, &mut text),
        Value::Time(nanos, digits) => civil::time(nanos, digits, &mut text),
        Value::Moment(moment) => moment.write(&mut text),
        Value::Offset(moment, minutes) => civil::offset(moment, minutes, &mut text)?,
    }
    Some(KeyValue::Typed(text))
}
