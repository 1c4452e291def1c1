//! Tables in PostgreSQL's words: those of the file, and those that the sink keeps its books in.

use crate::adapters::sql::Dialect;
use crate::core::model::rows::{SqlType, Table, TableSet};
use std::fmt::Write;

/// Positions, outbox, parked events, ids of events that add something up, and the positions of rows without a version.
/// Texts are compared by their bytes.
pub(super) const BOOKS: [&str; 5] = [
    r#"CREATE TABLE filegen_offsets (
    source text COLLATE "C" NOT NULL, group_id text COLLATE "C" NOT NULL, topic text COLLATE "C" NOT NULL,
    topic_id text COLLATE "C" NOT NULL, partition integer NOT NULL, next_offset bigint NOT NULL, updated_at timestamptz NOT NULL,
    PRIMARY KEY (source, group_id, topic, topic_id, partition));"#,
    r#"CREATE TABLE filegen_dead_letters (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
    topic_id text COLLATE "C" NOT NULL, event_id text, type text, kind text NOT NULL, entry text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (source, id, topic_id));"#,
    r#"CREATE TABLE filegen_parked (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
    topic_id text COLLATE "C" NOT NULL, tbl text COLLATE "C" NOT NULL, row_key text COLLATE "C" NOT NULL,
    parent_tbl text COLLATE "C" NOT NULL, parent_col text COLLATE "C" NOT NULL, parent_value text COLLATE "C" NOT NULL,
    entry text NOT NULL, attempts integer NOT NULL, parked_at timestamptz NOT NULL,
    UNIQUE (source, id, topic_id));
CREATE INDEX filegen_parked_row ON filegen_parked (tbl, left(row_key, 200), number);"#,
    r#"CREATE TABLE filegen_ledger (
    tbl text COLLATE "C" NOT NULL, event_id text COLLATE "C" NOT NULL, PRIMARY KEY (tbl, event_id));"#,
    r#"CREATE TABLE filegen_rows (
    tbl text COLLATE "C" NOT NULL, row_key text COLLATE "C" NOT NULL, topic_id text COLLATE "C" NOT NULL,
    partition integer NOT NULL, log_offset bigint NOT NULL, PRIMARY KEY (tbl, row_key));"#,
];

/// All statements, parents before children.
pub(super) fn statements(tables: &TableSet) -> Vec<String> {
    let books = BOOKS.iter().flat_map(|made| made.split_inclusive(';'));
    tables.tables.iter().map(table).chain(books.map(|text| text.trim().to_owned())).collect()
}

/// The table that a book's statement makes.
pub(super) fn book_name(made: &str) -> &str {
    made.split_whitespace().nth(2).unwrap_or_default()
}

/// A table of the file.
pub(super) fn table(table: &Table) -> String {
    let mut text = format!("CREATE TABLE {} (\n", name(&table.name));
    for (index, column) in table.columns.iter().enumerate() {
        let null = if column.nullable { "" } else { " NOT NULL" };
        // What is compared by its bytes has an index that is, too.
        let is_compared =
            table.identity.contains(&index) || table.event_id == Some(index) || table.version == Some(index);
        let is_key = is_compared || column.references.is_some();
        let order = if is_key && matches!(column.kind, SqlType::Text(_)) { " COLLATE \"C\"" } else { "" };
        // Writing into a string cannot fail.
        let _ = write!(text, "    {} {}{order}{null}", quoted(&column.name), declared(column.kind));
        if let Some((parent, key)) = &column.references {
            let _ = write!(text, " REFERENCES {} ({})", name(parent), quoted(key));
        }
        text.push_str(",\n");
    }
    let key: Vec<String> = table.identity.iter().map(|index| quoted(&table.columns[*index].name)).collect();
    let _ = write!(text, "    PRIMARY KEY ({}));", key.join(", "));
    text
}

/// What a column is declared as.
pub(super) fn declared(kind: SqlType) -> String {
    match kind {
        SqlType::Text(most) => format!("varchar({most})"),
        SqlType::Integer => "integer".to_owned(),
        SqlType::Bigint => "bigint".to_owned(),
        SqlType::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
        SqlType::Double => "double precision".to_owned(),
        SqlType::Boolean => "boolean".to_owned(),
        SqlType::Date => "date".to_owned(),
        SqlType::Timestamp => "timestamptz".to_owned(),
        SqlType::Uuid => "uuid".to_owned(),
        // As it came: `jsonb` would write numbers and names anew.
        SqlType::Json => "json".to_owned(),
    }
}

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    Dialect::POSTGRES.name(name)
}

/// A table's name, with its schema's.
pub(super) fn name(table: &str) -> String {
    Dialect::POSTGRES.table(table)
}
