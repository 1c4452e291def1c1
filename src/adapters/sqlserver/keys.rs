//! The keys of rows: their values in the form that the server reads back, and whether they grow.

use super::cells::{integer, moment};
use super::civil;
use super::describe::Seen;
use crate::adapters::decimal::Decimal;
use crate::core::model::key::{Key, KeyValue};
use std::fmt::Write as _;
use tiberius::{ColumnData, Row};

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
    /// It differs in no more than case and trailing blanks, which may be nothing to the server.
    Unclear,
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

    /// The row's key; the index of a key column that is NULL or of no fitting type.
    pub(super) fn of(&self, row: &Row) -> Result<Key, usize> {
        (self.columns.iter().enumerate())
            .map(|(index, (place, _))| row.get_column_data(*place).ok().and_then(|value| key_value(value)).ok_or(index))
            .collect::<Result<Vec<_>, _>>()
            .map(Key)
    }

    /// Holds a row's key against that of the row before.
    pub(super) fn step(&self, before: Option<&Row>, row: &Row) -> Step {
        let mut step = if before.is_some() { Step::Same } else { Step::Forward };
        for (index, (place, _)) in self.columns.iter().enumerate() {
            let Ok(now) = row.get_column_data(*place) else { return Step::Null(index) };
            if is_null(now) {
                return Step::Null(index);
            }
            let Some(was) = before.and_then(|before| before.get_column_data(*place).ok()) else { continue };
            step = match (step, was == now) {
                (Step::Forward, _) => Step::Forward,
                (step, true) => step,
                (_, false) if alike(was, now) => Step::Unclear,
                (_, false) => Step::Forward,
            };
        }
        step
    }
}

/// Whether two texts may be one to a collation.
fn alike(a: &ColumnData<'_>, b: &ColumnData<'_>) -> bool {
    let (ColumnData::String(Some(a)), ColumnData::String(Some(b))) = (a, b) else { return false };
    // Trailing blanks never count there, whatever the collation.
    let (a, b) = (a.trim_end_matches(' '), b.trim_end_matches(' '));
    let folded = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    // Most keys differ in their last byte, which costs nothing to see.
    a.as_bytes().last().map(u8::to_ascii_lowercase) == b.as_bytes().last().map(u8::to_ascii_lowercase)
        && (a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && folded(a) == folded(b)))
}

fn is_null(value: &ColumnData<'_>) -> bool {
    matches!(
        value,
        ColumnData::U8(None)
            | ColumnData::I16(None)
            | ColumnData::I32(None)
            | ColumnData::I64(None)
            | ColumnData::F32(None)
            | ColumnData::F64(None)
            | ColumnData::Bit(None)
            | ColumnData::String(None)
            | ColumnData::Guid(None)
            | ColumnData::Binary(None)
            | ColumnData::Numeric(None)
            | ColumnData::Xml(None)
            | ColumnData::DateTime(None)
            | ColumnData::SmallDateTime(None)
            | ColumnData::Time(None)
            | ColumnData::Date(None)
            | ColumnData::DateTime2(None)
            | ColumnData::DateTimeOffset(None)
    )
}

/// A value in the server's own text form; none for NULL and for what cannot be a key.
fn key_value(value: &ColumnData<'_>) -> Option<KeyValue> {
    let mut text = String::new();
    match value {
        ColumnData::Bit(value) => return value.map(|bit| KeyValue::Int(bit.into())),
        ColumnData::String(value) => return value.as_ref().map(|text| KeyValue::Text(text.to_string())),
        ColumnData::F32(value) => return value.map(|value| KeyValue::Float(value.to_string())),
        ColumnData::F64(value) => return value.map(|value| KeyValue::Float(value.to_string())),
        ColumnData::Binary(value) => {
            value.as_ref()?.iter().for_each(|byte| {
                let _ = write!(text, "{byte:02x}");
            });
            return Some(KeyValue::Bytes(text));
        }
        ColumnData::Guid(value) => text = (*value)?.hyphenated().to_string(),
        ColumnData::Numeric(value) => {
            let value = (*value)?;
            text = Decimal { unscaled: value.value(), scale: value.scale() }.to_string();
        }
        ColumnData::Date(value) => civil::date(civil::days((*value)?)?, &mut text),
        ColumnData::Time(value) => {
            let value = (*value)?;
            civil::time(civil::nanos(value)?, value.scale(), &mut text);
        }
        ColumnData::DateTimeOffset(value) => civil::offset((*value)?, &mut text)?,
        ColumnData::DateTime(_) | ColumnData::SmallDateTime(_) | ColumnData::DateTime2(_) => {
            moment(value).ok()??.write(&mut text);
        }
        value => return integer(value)?.map(KeyValue::Int),
    }
    Some(KeyValue::Typed(text))
}
