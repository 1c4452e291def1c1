//! The world of SQLite files.

use super::{Row, SourceWorld, SqlType, Value};
use async_trait::async_trait;
use filegen::adapters::sqlite::SqliteSource;
use filegen::core::model::names::ViewName;
use filegen::core::ports::source::PageSource;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

pub struct SqliteWorld {
    folder: TempDir,
}

impl SqliteWorld {
    pub fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        // Writers go on while a reader reads.
        world.db().pragma_update(None, "journal_mode", "wal").unwrap();
        world
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("views.db")
    }

    pub fn db(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The view's own name; its table has `_rows` behind it.
fn names(view: &ViewName) -> (String, String) {
    let name = view.parts().last().unwrap();
    (quoted(name), quoted(&format!("{name}_rows")))
}

fn declared(of: SqlType) -> String {
    match of {
        SqlType::Bool => "BOOLEAN".to_owned(),
        SqlType::Int => "BIGINT".to_owned(),
        SqlType::Double => "DOUBLE PRECISION".to_owned(),
        // Plain NUMERIC affinity would make a float of more digits than these.
        SqlType::Decimal(precision, scale) if precision > 15 => format!("DECIMAL TEXT({precision},{scale})"),
        SqlType::Decimal(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        SqlType::Text => "VARCHAR(200)".to_owned(),
        SqlType::Bytes => "BLOB".to_owned(),
        SqlType::Uuid => "UUID".to_owned(),
        SqlType::Json => "JSON".to_owned(),
        SqlType::Date => "DATE".to_owned(),
        SqlType::Timestamp(digits) => format!("TIMESTAMP({digits})"),
        SqlType::Declared(text) => text.to_owned(),
    }
}

fn stored(value: &Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Bool(value) => i64::from(*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::Text(text) => text.clone().into(),
        Value::Bytes(bytes) => bytes.clone().into(),
    }
}

#[async_trait]
impl SourceWorld for SqliteWorld {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn schema(&self) -> &'static str {
        "main"
    }

    async fn create(&self, view: &ViewName, columns: &[(&str, SqlType)], rows: &[Row]) {
        let (view_name, table) = names(view);
        let columns: Vec<String> =
            columns.iter().map(|(name, of)| format!("{} {}", quoted(name), declared(*of))).collect();
        let text =
            format!("CREATE TABLE {table} ({}); CREATE VIEW {view_name} AS SELECT * FROM {table};", columns.join(", "));
        self.db().execute_batch(&text).unwrap();
        self.insert(view, rows).await;
    }

    async fn insert(&self, view: &ViewName, rows: &[Row]) {
        let mut db = self.db();
        let transaction = db.transaction().unwrap();
        for row in rows {
            let marks = vec!["?"; row.len()].join(", ");
            let text = format!("INSERT INTO {} VALUES ({marks})", names(view).1);
            transaction.execute(&text, rusqlite::params_from_iter(row.iter().map(stored))).unwrap();
        }
        transaction.commit().unwrap();
    }

    async fn delete(&self, view: &ViewName, first: &Value) {
        let db = self.db();
        let table = names(view).1;
        let column: String = db
            .query_row(&format!("SELECT name FROM pragma_table_info({})", table.replace('"', "'")), [], |row| {
                row.get(0)
            })
            .unwrap();
        db.execute(&format!("DELETE FROM {table} WHERE {} = ?", quoted(&column)), [stored(first)]).unwrap();
    }

    fn equals(&self) -> &'static [(&'static str, [&'static str; 2])] {
        &[
            ("TEXT COLLATE NOCASE", ["Zoe", "zOE"]),
            ("TEXT COLLATE RTRIM", ["zoe", "zoe "]),
            // What stands behind a NUL does not count there.
            ("TEXT COLLATE NOCASE", ["a\0b", "a\0c"]),
        ]
    }

    fn source(&self) -> Arc<dyn PageSource> {
        Arc::new(SqliteSource::new(self.path()))
    }
}
