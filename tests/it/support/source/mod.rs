//! Worlds in which views can be made, filled and changed, each with its page source: memory and every real database.

mod memory;
mod postgres;
mod shown;
mod sqlite;
mod sqlserver;

pub use shown::{shown, strings};

use async_trait::async_trait;
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::names::ViewName;
use filegen::core::ports::source::PageSource;
use std::sync::Arc;

/// One world of each kind, fresh and empty. A new kind of source is one line here.
pub async fn worlds() -> Vec<Box<dyn SourceWorld>> {
    vec![
        Box::new(memory::MemoryWorld::default()),
        Box::new(sqlite::SqliteWorld::new()),
        Box::new(postgres::PostgresWorld::new().await),
        Box::new(sqlserver::SqlServerWorld::new().await),
    ]
}

/// A database of one's own.
#[async_trait]
pub trait SourceWorld: Send + Sync {
    /// For messages: `sqlite`.
    fn name(&self) -> &'static str;

    /// A schema that views may be made in: the first part of a qualified name.
    fn schema(&self) -> &'static str;

    /// Makes a view of exactly this name over a table with these columns and rows. No column is unique or NOT NULL. The
    /// rows are stored in the order given.
    async fn create(&self, view: &ViewName, columns: &[(&str, SqlType)], rows: &[Row]);

    /// Adds rows that the view will show.
    async fn insert(&self, view: &ViewName, rows: &[Row]);

    /// Removes the rows whose first column has this value.
    async fn delete(&self, view: &ViewName, first: &Value);

    /// The source under test.
    fn source(&self) -> Arc<dyn PageSource>;

    /// Whether text may hold NUL characters.
    fn nul_in_text(&self) -> bool {
        true
    }

    /// Whether texts that differ in no more than blanks at their ends are two.
    fn blanks_count(&self) -> bool {
        true
    }

    /// Types, each with two values that the database holds equal and sends as different ones.
    fn equals(&self) -> &'static [(&'static str, [&'static str; 2])] {
        &[]
    }
}

/// The values of one row, in the order of the columns.
pub type Row = Vec<Value>;

/// A value to be stored. Everything that is neither number nor flag nor bytes is given as text, and the column's type says
/// what it is: `12.50`, `2026-11-21`, `2026-11-21 10:30:00.123456`.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

/// A column's type, as every database has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SqlType {
    Bool,
    Int,
    Double,
    /// Precision and scale.
    Decimal(u8, i8),
    Text,
    Bytes,
    Uuid,
    Json,
    Date,
    /// Fraction digits; without a zone.
    Timestamp(u8),
    /// In the database's own words.
    Declared(&'static str),
}

impl SqlType {
    /// The kind that a source must give such a column. Timestamps may also come as [`Kind::TimestampText`].
    pub fn kind(self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int => Kind::Int,
            Self::Double => Kind::Float64,
            Self::Decimal(precision, scale) => Kind::Decimal { precision, scale },
            Self::Text | Self::Declared(_) => Kind::Text,
            Self::Bytes => Kind::Bytes,
            Self::Uuid => Kind::Uuid,
            Self::Json => Kind::Json,
            Self::Date => Kind::Date,
            Self::Timestamp(digits) => Kind::Timestamp { digits, utc: false },
        }
    }

    /// As a column.
    pub fn column(self, name: &str) -> Column {
        Column { name: name.to_owned(), kind: self.kind() }
    }
}
