//! Values that are too long to be read. The client takes a row of a copy as one message, whole; so the server has to look at
//! the lengths, and ends the copy with an error that says which value it was.

use super::column_type::ColumnType;
use super::kinds::Wire;
use super::literal::literal;
use crate::adapters::sql;
use crate::core::model::key::KeyValue;
use crate::core::ports::source::SourceError;
use tokio_postgres::Error;

/// Begins the error's text, and divides it.
const MARK: &str = "filegen value_bytes";
const DIVIDE: char = '\u{1f}';

/// A stored value of fewer bytes than one in so many of the limit is not written out to be measured: none that is compressed grows
/// so much.
const GROWTH: u64 = 1024;

/// No value is longer: PostgreSQL's own limit of a field.
const MOST_STORED: u64 = 1 << 30;

/// The most that a value may have.
#[derive(Clone, Copy)]
pub(super) struct Limit<'a> {
    pub value_bytes: u64,
    /// References of the key's columns.
    pub key: &'a [String],
}

impl Limit<'_> {
    /// The column's expression, with an error in place of a value that is too long. Types that have no such values are left alone.
    pub(super) fn on(&self, name: &str, reference: &str, column: &ColumnType, plain: String) -> String {
        let most = self.value_bytes;
        if most >= MOST_STORED || column.most_bytes.is_some_and(|bytes| bytes <= most) {
            return plain;
        }
        // The length of text and bytes is known without reading them; other values have to be written out.
        let (when, length) = if column.is_stored_as_sent {
            let length = format!("pg_catalog.octet_length({reference})");
            (format!("{length} > {most}"), length)
        } else {
            let length = format!("pg_catalog.octet_length({reference}::text)");
            let stored = format!("pg_catalog.pg_column_size({reference}) > {}", most / GROWTH);
            (format!("{stored} AND {length} > {most}"), length)
        };
        let keys = if self.key.is_empty() { String::new() } else { format!(", {}", self.key.join(", ', ', ")) };
        let begin = literal(&KeyValue::Text(format!("{MARK}{DIVIDE}{most}{DIVIDE}{name}{DIVIDE}")));
        let divide = literal(&KeyValue::Text(DIVIDE.to_string()));
        // No number: the error quotes it. It hangs on the row, so that nobody computes it before.
        let raise = format!("pg_catalog.concat({begin}, {length}, {divide}{keys})::pg_catalog.int4::text");
        let raise = if column.wire == Wire::Cast { raise } else { format!("{raise}::{}", column.sql) };
        format!("CASE WHEN {when} THEN {raise} ELSE {plain} END")
    }
}

/// The error for a value that is too long, if this is one.
pub(super) fn told(error: &Error) -> Option<SourceError> {
    read(error.as_db_error()?.message())
}

fn read(message: &str) -> Option<SourceError> {
    let (_, said) = message.split_once(MARK)?;
    let mut parts = said.strip_prefix(DIVIDE)?.splitn(4, DIVIDE);
    let most = parts.next()?.parse().ok()?;
    let column = parts.next()?.to_owned();
    let bytes = parts.next()?.parse().ok();
    let key = parts.next()?.trim_end_matches('"');
    let key = if key.is_empty() { "(of a row of this read)".to_owned() } else { key.to_owned() };
    Some(SourceError::Value { column, key, reason: sql::too_long(bytes, most) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(wire: Wire, most_bytes: Option<u64>, is_stored_as_sent: bool) -> ColumnType {
        let sql = "\"pg_catalog\".\"text\"".to_owned();
        ColumnType { wire, sql, nested: None, told_apart_by_text: true, most_bytes, is_stored_as_sent }
    }

    #[test]
    fn only_values_that_may_be_too_long_are_measured() {
        let key = ["t.\"id\"".to_owned()];
        let limit = Limit { value_bytes: 2048, key: &key };
        let on = |column: ColumnType| limit.on("a", "t.\"a\"", &column, "t.\"a\"".to_owned());
        assert_eq!(on(column(Wire::Text, Some(2048), true)), "t.\"a\"");
        let text = on(column(Wire::Text, None, true));
        assert!(text.starts_with("CASE WHEN pg_catalog.octet_length(t.\"a\") > 2048 THEN "), "{text}");
        assert!(text.ends_with("::pg_catalog.int4::text::\"pg_catalog\".\"text\" ELSE t.\"a\" END"), "{text}");
        let json = on(column(Wire::Json, None, false));
        assert!(json.contains("pg_catalog.pg_column_size(t.\"a\") > 2 AND "), "{json}");
        let all = Limit { value_bytes: 1 << 30, ..limit };
        assert_eq!(all.on("a", "t.\"a\"", &column(Wire::Text, None, true), "t.\"a\"".to_owned()), "t.\"a\"");
    }

    #[test]
    fn the_servers_words_say_which_value_it_was() {
        let said =
            "invalid input syntax for type integer: \"filegen value_bytes\u{1f}2048\u{1f}note\u{1f}4096\u{1f}7, b\"";
        let error = read(said).unwrap();
        let SourceError::Value { column, key, reason } = &error else { panic!("{error}") };
        assert_eq!((column.as_str(), key.as_str()), ("note", "7, b"));
        assert!(reason.contains("4096 bytes") && reason.contains("2048"), "{reason}");
        assert_eq!(read("invalid input syntax for type integer: \"x\""), None);
    }
}
