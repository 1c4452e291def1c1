//! Tables in SQLite's words: those of the file, and those that the sink keeps its books in.

use crate::adapters::sql::Dialect;
use crate::adapters::sqlite_numbers::Numbered;
use crate::core::model::rows::{SqlType, Table, TableSet};
use std::fmt::Write;

/// Positions, outbox, parked events, ids of events that add something up, and the positions of rows without a version.
pub(super) const BOOKS: [&str; 8] = [
    "CREATE TABLE IF NOT EXISTS filegen_offsets (
    source TEXT NOT NULL, group_id TEXT NOT NULL, topic TEXT NOT NULL, topic_id TEXT NOT NULL, partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL, updated_at TEXT NOT NULL,
    PRIMARY KEY (source, group_id, topic, topic_id, partition));",
    "CREATE TABLE IF NOT EXISTS filegen_dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, id TEXT NOT NULL, topic_id TEXT NOT NULL, event_id TEXT,
    type TEXT, kind TEXT NOT NULL, entry TEXT NOT NULL, created_at TEXT NOT NULL,
    UNIQUE (source, id, topic_id));",
    "CREATE INDEX IF NOT EXISTS filegen_dead_letters_order ON filegen_dead_letters (source, number);",
    "CREATE TABLE IF NOT EXISTS filegen_parked (
    number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, id TEXT NOT NULL, topic_id TEXT NOT NULL,
    tbl TEXT NOT NULL, row_key TEXT NOT NULL, parent_tbl TEXT NOT NULL, parent_col TEXT NOT NULL, parent_value NOT NULL,
    entry TEXT NOT NULL, attempts INTEGER NOT NULL, parked_at TEXT NOT NULL,
    UNIQUE (source, id, topic_id));",
    "CREATE INDEX IF NOT EXISTS filegen_parked_order ON filegen_parked (source, number);",
    "CREATE INDEX IF NOT EXISTS filegen_parked_row ON filegen_parked (tbl, row_key, number);",
    "CREATE TABLE IF NOT EXISTS filegen_ledger (
    tbl TEXT NOT NULL, event_id TEXT NOT NULL, PRIMARY KEY (tbl, event_id)) WITHOUT ROWID;",
    "CREATE TABLE IF NOT EXISTS filegen_rows (
    tbl TEXT NOT NULL, row_key TEXT NOT NULL, topic_id TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
    PRIMARY KEY (tbl, row_key)) WITHOUT ROWID;",
];

/// The outbox's rows in their order.
pub(super) const LETTERS: Numbered = Numbered::new("filegen_dead_letters.number");

/// Parked events in their order.
pub(super) const PARKED: Numbered = Numbered::new("filegen_parked.number");

/// All statements, parents before children.
pub(super) fn statements(tables: &TableSet) -> Vec<String> {
    tables.tables.iter().map(table).chain(BOOKS.map(str::to_owned)).collect()
}

/// A table of the file.
pub(super) fn table(table: &Table) -> String {
    let mut text = format!("CREATE TABLE {} (\n", name(&table.name));
    for column in &table.columns {
        let null = if column.nullable { "" } else { " NOT NULL" };
        // Writing into a string cannot fail.
        let _ = write!(text, "    {} {}{null}", quoted(&column.name), declared(column.kind));
        if let Some((parent, key)) = &column.references {
            let _ = write!(text, " REFERENCES {} ({})", quoted(last(parent)), quoted(key));
        }
        text.push_str(",\n");
    }
    let key: Vec<String> = table.identity.iter().map(|index| quoted(&table.columns[*index].name)).collect();
    let _ = write!(text, "    PRIMARY KEY ({}));", key.join(", "));
    text
}

/// What a column is declared as. Words of text in it keep SQLite from making a float of digits.
pub(super) fn declared(kind: SqlType) -> String {
    match kind {
        SqlType::Text(most) => format!("VARCHAR({most})"),
        SqlType::Integer => "INTEGER".to_owned(),
        SqlType::Bigint => "BIGINT".to_owned(),
        SqlType::Decimal { precision, scale } => format!("DECIMAL TEXT({precision},{scale})"),
        SqlType::Double => "DOUBLE".to_owned(),
        SqlType::Boolean => "BOOLEAN".to_owned(),
        SqlType::Date => "DATE".to_owned(),
        SqlType::Timestamp => "TIMESTAMP".to_owned(),
        SqlType::Uuid => "UUID TEXT".to_owned(),
        SqlType::Json => "JSON TEXT".to_owned(),
    }
}

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    Dialect::SQLITE.name(name)
}

/// A table's name, with its schema's.
pub(super) fn name(table: &str) -> String {
    Dialect::SQLITE.table(table)
}

/// A table's name without its schema's.
pub(super) fn last(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}
