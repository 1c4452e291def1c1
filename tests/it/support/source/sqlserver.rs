//! The world of SQL Server.

use super::{Row, SourceWorld, SqlType, Value};
use crate::support::sqlserver::Database;
use async_trait::async_trait;
use filegen::core::model::names::ViewName;
use filegen::core::ports::source::PageSource;
use std::fmt::Write as _;
use std::sync::Arc;

/// Rows that one INSERT may have.
const ROWS: usize = 500;

pub struct SqlServerWorld {
    database: Database,
}

impl SqlServerWorld {
    pub async fn new() -> Self {
        let database = Database::fresh().await;
        database.execute("CREATE SCHEMA [some schema]").await;
        Self { database }
    }
}

/// `[dbo].[v]`, with something behind the last part.
fn name(view: &ViewName, suffix: &str) -> String {
    let mut parts: Vec<String> = view.parts().iter().map(|part| part.replace(']', "]]")).collect();
    parts.last_mut().unwrap().push_str(suffix);
    parts.iter().map(|part| format!("[{part}]")).collect::<Vec<_>>().join(".")
}

fn declared(of: SqlType) -> String {
    match of {
        SqlType::Bool => "bit".to_owned(),
        SqlType::Int => "bigint".to_owned(),
        SqlType::Double => "float".to_owned(),
        SqlType::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
        // There is no type of its own for JSON before 2025.
        SqlType::Text | SqlType::Json => "nvarchar(max)".to_owned(),
        SqlType::Bytes => "varbinary(max)".to_owned(),
        SqlType::Uuid => "uniqueidentifier".to_owned(),
        SqlType::Date => "date".to_owned(),
        SqlType::Timestamp(digits) => format!("datetime2({digits})"),
        SqlType::Declared(text) => text.to_owned(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => format!("{value:e}"),
        Value::Text(text) => format!("N'{}'", text.replace('\'', "''")),
        Value::Bytes(bytes) => bytes.iter().fold("0x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

#[async_trait]
impl SourceWorld for SqlServerWorld {
    fn name(&self) -> &'static str {
        "sqlserver"
    }

    fn schema(&self) -> &'static str {
        "some schema"
    }

    async fn create(&self, view: &ViewName, columns: &[(&str, SqlType)], rows: &[Row]) {
        let quoted: Vec<String> = columns.iter().map(|(name, _)| format!("[{}]", name.replace(']', "]]"))).collect();
        let list = (quoted.iter().zip(columns)).map(|(name, (_, of))| format!("{name} {}", declared(*of)));
        let (table, shown) = (name(view, " rows"), name(view, ""));
        self.database.execute(&format!("DROP VIEW IF EXISTS {shown}")).await;
        self.database.execute(&format!("DROP TABLE IF EXISTS {table}")).await;
        self.database.execute(&format!("CREATE TABLE {table} ({})", list.collect::<Vec<_>>().join(", "))).await;
        self.database.execute(&format!("CREATE VIEW {shown} AS SELECT {} FROM {table}", quoted.join(", "))).await;
        self.insert(view, rows).await;
    }

    async fn insert(&self, view: &ViewName, rows: &[Row]) {
        for rows in rows.chunks(ROWS) {
            let rows: Vec<String> = (rows.iter())
                .map(|row| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", ")))
                .collect();
            let sql = format!("INSERT INTO {} VALUES {}", name(view, " rows"), rows.join(", "));
            self.database.execute(&sql).await;
        }
    }

    async fn delete(&self, view: &ViewName, first: &Value) {
        let mut client = self.database.client().await;
        let table = name(view, " rows");
        let rows = client.simple_query(format!("SELECT * FROM {table} WHERE 1 = 0")).await.unwrap();
        let mut rows = rows;
        let column = rows.columns().await.unwrap().unwrap()[0].name().replace(']', "]]");
        drop(rows);
        self.database.execute(&format!("DELETE FROM {table} WHERE [{column}] = {}", literal(first))).await;
    }

    fn equals(&self) -> &'static [(&'static str, [&'static str; 2])] {
        &[
            ("nvarchar(20) COLLATE Latin1_General_CI_AI", ["cafe", "Café"]),
            ("varchar(20) COLLATE Latin1_General_CI_AI", ["naïve", "naive"]),
            ("nvarchar(20) COLLATE Latin1_General_CI_AS", ["Zoe", "zOE"]),
            ("nvarchar(20) COLLATE Latin1_General_BIN2", ["zoe", "zoe  "]),
            ("datetimeoffset(0)", ["2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00+00:00"]),
        ]
    }

    /// They are one, whatever the collation.
    fn blanks_count(&self) -> bool {
        false
    }

    fn source(&self) -> Arc<dyn PageSource> {
        Arc::new(self.database.source(""))
    }
}
