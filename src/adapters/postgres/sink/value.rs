//! Values of many rows as one array a column: numbers as they are, everything else as text that the server reads.

use super::link::Bound;
use crate::core::model::rows::{SqlType, SqlValue, sortable};
use std::borrow::Cow;
use tokio_postgres::types::Type;

/// One column of many rows.
#[derive(Debug)]
pub(super) enum Array<'a> {
    Text(Vec<Option<Cow<'a, str>>>),
    Int(Vec<Option<i64>>),
    Double(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
}

impl<'a> Array<'a> {
    /// Values of a column of this type.
    pub(super) fn new(kind: SqlType, values: impl Iterator<Item = &'a SqlValue>) -> Self {
        match kind {
            SqlType::Integer | SqlType::Bigint => Self::Int(values.map(whole).collect()),
            SqlType::Double => Self::Double(values.map(double).collect()),
            SqlType::Boolean => Self::Bool(values.map(boolean).collect()),
            _ => Self::Text(values.map(text).collect()),
        }
    }

    /// As a statement's value.
    pub(super) fn bound(&self) -> Bound<'_> {
        match self {
            Self::Text(values) => (values, Type::TEXT_ARRAY),
            Self::Int(values) => (values, Type::INT8_ARRAY),
            Self::Double(values) => (values, Type::FLOAT8_ARRAY),
            Self::Bool(values) => (values, Type::BOOL_ARRAY),
        }
    }
}

/// The type of the array's elements.
pub(super) fn sent_as(kind: SqlType) -> &'static str {
    match kind {
        SqlType::Integer | SqlType::Bigint => "bigint",
        SqlType::Double => "double precision",
        SqlType::Boolean => "boolean",
        _ => "text",
    }
}

fn whole(value: &SqlValue) -> Option<i64> {
    if let SqlValue::Int(number) = value { Some(*number) } else { None }
}

fn double(value: &SqlValue) -> Option<f64> {
    if let SqlValue::Double(number) = value { Some(*number) } else { None }
}

fn boolean(value: &SqlValue) -> Option<bool> {
    if let SqlValue::Bool(value) = value { Some(*value) } else { None }
}

/// A value as text that reads back as the same value. `None` is NULL.
pub(super) fn text(value: &SqlValue) -> Option<Cow<'_, str>> {
    Some(match value {
        SqlValue::Null => return None,
        SqlValue::Text(text) | SqlValue::Json(text) => Cow::Borrowed(text),
        SqlValue::Timestamp(at) => Cow::Owned(sortable(*at)),
        other => Cow::Owned(other.canonical()),
    })
}
