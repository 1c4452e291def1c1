//! A column's type: how its values come, what they are made of, and its name in SQL.

use super::kinds::{Wire, told_apart_by_text, wire};
use super::nested::Nested;
use crate::adapters::sql::Dialect;
use std::sync::Arc;
use tokio_postgres::types::Type;

/// A column's type.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ColumnType {
    /// How values come over the wire.
    pub wire: Wire,
    /// The type's name in SQL, quoted, with its schema.
    pub sql: String,
    /// What the values of [`Wire::Nested`] are made of.
    pub nested: Option<Arc<Nested>>,
    /// Whether two values are equal to the server only when they come as the same text, except for what [`same`](super::decode) knows.
    /// For text, its collation decides.
    pub told_apart_by_text: bool,
    /// The most bytes that a value can have. `None`: as many as PostgreSQL stores.
    pub most_bytes: Option<u64>,
    /// Whether the stored value's length is that of the value as it is sent, bytes aside, which are sent as digits.
    pub is_stored_as_sent: bool,
}

impl ColumnType {
    /// Reads it from what the server says about a result's column. Domains are described by their base type there.
    pub(super) fn of(column: &tokio_postgres::Column) -> Self {
        let of_type = column.type_();
        let quoted = |name: &str| Dialect::POSTGRES.name(name);
        let sql = format!("{}.{}", quoted(of_type.schema()), quoted(of_type.name()));
        let wire = wire(of_type, column.type_modifier());
        let nested = (wire == Wire::Nested).then(|| Nested::of(of_type, column.type_modifier())).flatten();
        // A part of a type that is not known makes the whole one unknown.
        let wire = if wire == Wire::Nested && nested.is_none() { Wire::Unknown } else { wire };
        let (most_bytes, is_stored_as_sent) = length(of_type, wire, column.type_modifier());
        let told_apart_by_text = told_apart_by_text(of_type);
        Self { wire, sql, nested: nested.map(Arc::new), told_apart_by_text, most_bytes, is_stored_as_sent }
    }
}

/// The most bytes of a value, and whether it is stored as it is sent.
fn length(of_type: &Type, wire: Wire, modifier: i32) -> (Option<u64>, bool) {
    /// Of a number, a date, a moment: never too long.
    const SHORT: u64 = 0;
    match wire {
        Wire::Text if [Type::VARCHAR, Type::BPCHAR].contains(of_type) => {
            // The modifier counts the four bytes of its own length too. A character has up to four bytes.
            let characters = modifier.checked_sub(4).and_then(|count| u64::try_from(count).ok());
            (characters.map(|count| count * 4), true)
        }
        Wire::Text | Wire::Bytes => (None, [Type::TEXT, Type::BYTEA].contains(of_type)),
        Wire::Json | Wire::Nested | Wire::Cast => (None, false),
        _ => (Some(SHORT), true),
    }
}
