//! A statement's values as SQLite binds them.

use super::keys::stored;
use crate::adapters::sql::Bound;
use crate::core::model::param::ParamValue;
use crate::core::ports::source::SourceError;
use rusqlite::types::Value;

/// The values in the order of their numbers.
///
/// # Errors
/// [`SourceError::Refused`] for a key that no SQLite source wrote.
pub(super) fn values(params: &[Bound]) -> Result<Vec<Value>, SourceError> {
    let value = |bound: &Bound| match bound {
        Bound::Key { value, .. } => stored(value),
        Bound::Param { value, .. } => Some(parameter(value)),
    };
    params.iter().map(value).collect::<Option<Vec<_>>>().ok_or_else(|| SourceError::Refused {
        reason: "the key to read from was not written by an SQLite source".to_owned(),
    })
}

/// A parameter's value. SQLite has no type for days: its functions write one as `2026-11-21`, and so sorts it.
fn parameter(value: &ParamValue) -> Value {
    match value {
        ParamValue::Date(day) => Value::Text(day.to_string()),
        ParamValue::Text(text) | ParamValue::Decimal(text) => Value::Text(text.clone()),
        ParamValue::Integer(number) => Value::Integer(*number),
        ParamValue::Boolean(flag) => Value::Integer((*flag).into()),
    }
}
