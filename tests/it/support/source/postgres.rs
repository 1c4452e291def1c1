//! The world of a real PostgreSQL.

use super::{Row, SourceWorld, SqlType, Value};
use crate::support::postgres::Database;
use async_trait::async_trait;
use filegen::adapters::postgres::Postgres;
use filegen::core::model::names::ViewName;
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::PageSource;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

pub struct PostgresWorld {
    database: Database,
    /// The first column of each view.
    first: Mutex<BTreeMap<String, String>>,
}

impl PostgresWorld {
    pub async fn new() -> Self {
        let database = Database::create().await;
        database
            .run(
                "CREATE SCHEMA \"some schema\";
                 CREATE COLLATION blurred (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
            )
            .await;
        Self { database, first: Mutex::default() }
    }
}

#[async_trait]
impl SourceWorld for PostgresWorld {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn schema(&self) -> &'static str {
        "some schema"
    }

    async fn create(&self, view: &ViewName, columns: &[(&str, SqlType)], rows: &[Row]) {
        let (table, view_sql) =
            (table(view), view.parts().iter().map(|part| quoted(part)).collect::<Vec<_>>().join("."));
        let columns_sql: Vec<String> =
            columns.iter().map(|(name, of)| format!("{} {}", quoted(name), sql_type(*of))).collect();
        let first = columns.first().map(|(name, _)| (*name).to_owned()).unwrap_or_default();
        self.first.lock().unwrap().insert(view.to_string(), first);
        let sql = format!(
            "CREATE TABLE {table} ({}); CREATE VIEW {view_sql} AS SELECT * FROM {table}",
            columns_sql.join(", ")
        );
        self.database.run(&sql).await;
        self.insert(view, rows).await;
    }

    async fn insert(&self, view: &ViewName, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        let rows: Vec<String> =
            (rows.iter()).map(|row| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", "))).collect();
        self.database.run(&format!("INSERT INTO {} VALUES {}", table(view), rows.join(", "))).await;
    }

    async fn delete(&self, view: &ViewName, first: &Value) {
        let column = quoted(&self.first.lock().unwrap()[&view.to_string()]);
        self.database.run(&format!("DELETE FROM {} WHERE {column} = {}", table(view), literal(first))).await;
    }

    fn source(&self) -> Arc<dyn PageSource> {
        Arc::new(Postgres::new(&Secret::new(self.database.url())).unwrap())
    }

    fn equals(&self) -> &'static [(&'static str, [&'static str; 2])] {
        &[
            ("text COLLATE blurred", ["cafe", "Café"]),
            ("varchar(20) COLLATE blurred", ["Muller", "müller"]),
            ("bpchar", ["a", "a "]),
            ("interval", ["1 mon", "30 days"]),
            ("jsonb", ["1.0", "1.00"]),
            ("numeric[]", ["{1.0}", "{1.00}"]),
            ("numeric", ["1.0", "1.00"]),
            ("double precision", ["0", "-0"]),
        ]
    }

    fn nul_in_text(&self) -> bool {
        false
    }
}

fn table(view: &ViewName) -> String {
    quoted(&format!("rows of {view}"))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sql_type(of: SqlType) -> String {
    match of {
        SqlType::Bool => "boolean".to_owned(),
        SqlType::Int => "bigint".to_owned(),
        SqlType::Double => "double precision".to_owned(),
        SqlType::Decimal(precision, scale) => format!("numeric({precision}, {scale})"),
        SqlType::Text => "text".to_owned(),
        SqlType::Bytes => "bytea".to_owned(),
        SqlType::Uuid => "uuid".to_owned(),
        SqlType::Json => "json".to_owned(),
        SqlType::Date => "date".to_owned(),
        SqlType::Timestamp(digits) => format!("timestamp({digits})"),
        SqlType::Declared(text) => text.to_owned(),
    }
}

/// A literal that takes the type of its column.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => format!("'{value}'"),
        Value::Double(value) => format!("'{value:e}'"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Bytes(bytes) => {
            bytes.iter().fold("'\\x".to_owned(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            }) + "'"
        }
    }
}
