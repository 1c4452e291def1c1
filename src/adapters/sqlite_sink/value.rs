//! Typed values into SQLite's, and back.

use crate::core::model::decimal::Decimal;
use crate::core::model::rows::{SqlType, SqlValue, sortable};
use rusqlite::types::{Value, ValueRef};

/// A value as SQLite keeps it. Decimals are text: SQLite has no others, and a float would round them.
pub(super) fn bound(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Text(text) | SqlValue::Json(text) => Value::Text(text.clone()),
        SqlValue::Int(value) => Value::Integer(*value),
        SqlValue::Decimal(value) => Value::Text(value.to_string()),
        SqlValue::Double(value) => Value::Real(*value),
        SqlValue::Bool(value) => Value::Integer(i64::from(*value)),
        SqlValue::Date(day) => Value::Text(day.to_string()),
        SqlValue::Timestamp(at) => Value::Text(sortable(*at)),
        SqlValue::Uuid(value) => Value::Text(value.to_string()),
    }
}

/// A value of a column of this type. What others wrote and is no such value counts as none.
pub(super) fn read(value: ValueRef<'_>, kind: SqlType) -> SqlValue {
    let text = match value {
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Null | ValueRef::Blob(_) => return SqlValue::Null,
    };
    let read = match kind {
        SqlType::Text(_) => Some(SqlValue::Text(text)),
        SqlType::Integer | SqlType::Bigint => text.parse().ok().map(SqlValue::Int),
        SqlType::Decimal { scale, .. } => Decimal::parse(text.as_bytes())
            .and_then(|number| number.at_scale(scale))
            .map(|unscaled| SqlValue::Decimal(Decimal { unscaled, scale })),
        SqlType::Date => text.parse().ok().map(SqlValue::Date),
        SqlType::Timestamp => text.parse().ok().map(SqlValue::Timestamp),
        SqlType::Double | SqlType::Boolean | SqlType::Uuid | SqlType::Json => None,
    };
    read.unwrap_or(SqlValue::Null)
}
