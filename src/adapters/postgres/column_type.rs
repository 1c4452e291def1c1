//! A column's type: how its values come, what they are made of, and its name in SQL.

use super::kinds::{Wire, told_apart_by_text, wire};
use super::nested::Nested;
use std::sync::Arc;

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
}

impl ColumnType {
    /// Reads it from what the server says about a result's column. Domains are described by their base type there.
    pub(super) fn of(column: &tokio_postgres::Column) -> Self {
        let of_type = column.type_();
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let sql = format!("{}.{}", quoted(of_type.schema()), quoted(of_type.name()));
        let wire = wire(of_type, column.type_modifier());
        let nested = (wire == Wire::Nested).then(|| Nested::of(of_type, column.type_modifier())).flatten();
        // A part of a type that is not known makes the whole one unknown.
        let wire = if wire == Wire::Nested && nested.is_none() { Wire::Unknown } else { wire };
        Self { wire, sql, nested: nested.map(Arc::new), told_apart_by_text: told_apart_by_text(of_type) }
    }
}
