//! What PostgreSQL adds to the shared SQL: text forms of types that Arrow does not know, and typed literals.

use super::column_type::ColumnType;
use super::kinds::Wire;
use super::literal::literal;
use super::too_long::Limit;
use crate::adapters::sql::Render;
use crate::core::model::key::KeyValue;
use std::collections::HashMap;

/// Types of the view's columns, by name.
pub(super) type Types = HashMap<String, ColumnType>;

/// Renders columns whose types are known.
pub(super) struct Typed<'a> {
    /// Types of all columns that the statement names.
    pub types: &'a Types,
    /// Columns that the statement selects; their key values are read from there.
    pub wanted: &'a [String],
    /// How long a selected value may be.
    pub limit: Option<Limit<'a>>,
}

impl Typed<'_> {
    fn wire(&self, name: &str) -> Wire {
        self.types.get(name).map_or(Wire::Cast, |column| column.wire)
    }

    /// A column in a form that can be read.
    fn plain(&self, name: &str, reference: &str) -> String {
        match self.wire(name) {
            Wire::Cast => format!("{reference}::text"),
            Wire::Money => format!("{reference}::numeric"),
            _ => reference.to_owned(),
        }
    }
}

impl Render for Typed<'_> {
    fn column(&self, name: &str, reference: &str) -> String {
        let plain = self.plain(name, reference);
        match (self.limit, self.types.get(name)) {
            (Some(limit), Some(column)) => limit.on(name, reference, column, plain),
            _ => plain,
        }
    }

    fn key(&self, name: &str, reference: &str) -> Option<String> {
        let is_selected = self.wanted.iter().any(|wanted| wanted == name);
        (!is_selected && matches!(self.wire(name), Wire::Cast | Wire::Money)).then(|| self.plain(name, reference))
    }

    fn ranks(&self, key: &[String]) -> bool {
        !key.iter().all(|name| self.types.get(name).is_some_and(|column| column.told_apart_by_text))
    }

    /// A literal of the column's own type: so an index serves, and the comparison is the column's.
    fn bound(&self, name: &str, value: &KeyValue, _: &str) -> String {
        match self.types.get(name) {
            Some(column) => format!("{}::{}", literal(value), column.sql),
            None => literal(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_that_arrow_lacks_are_cast() {
        let of = |wire, sql: &str| ColumnType {
            wire,
            sql: sql.to_owned(),
            nested: None,
            told_apart_by_text: wire != Wire::Cast,
            most_bytes: None,
            is_stored_as_sent: false,
        };
        let types = Types::from([
            ("id".to_owned(), of(Wire::Int, "\"pg_catalog\".\"int8\"")),
            ("mood".to_owned(), of(Wire::Cast, "\"public\".\"mood\"")),
            ("paid".to_owned(), of(Wire::Money, "\"pg_catalog\".\"money\"")),
        ]);
        let wanted = ["id".to_owned()];
        let typed = Typed { types: &types, wanted: &wanted, limit: None };
        assert_eq!(typed.column("id", "t.\"id\""), "t.\"id\"");
        assert_eq!(typed.column("mood", "t.\"mood\""), "t.\"mood\"::text");
        assert_eq!(typed.key("mood", "t.\"mood\""), Some("t.\"mood\"::text".to_owned()));
        assert!(typed.ranks(&["id".to_owned(), "mood".to_owned()]) && !typed.ranks(&["id".to_owned()]));
        assert_eq!(typed.key("paid", "t.\"paid\""), Some("t.\"paid\"::numeric".to_owned()));
        assert_eq!(typed.key("id", "t.\"id\""), None);
        assert_eq!(typed.bound("id", &KeyValue::Int(-1), "?"), "E'-1'::\"pg_catalog\".\"int8\"");
    }
}
