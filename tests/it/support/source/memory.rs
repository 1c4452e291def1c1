//! The world of views in memory.

use super::{Row, SourceWorld, SqlType, Value};
use async_trait::async_trait;
use filegen::adapters::memory::source::{Cell, MemorySource};
use filegen::core::model::decimal::Decimal;
use filegen::core::model::names::ViewName;
use filegen::core::ports::source::PageSource;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub struct MemoryWorld {
    source: MemorySource,
    types: Mutex<BTreeMap<String, Vec<SqlType>>>,
}

impl MemoryWorld {
    fn cells(&self, view: &ViewName, rows: &[Row]) -> Vec<Vec<Cell>> {
        let types = self.types.lock().unwrap()[&view.to_string()].clone();
        rows.iter().map(|row| row.iter().zip(&types).map(|(value, of)| cell(value, *of)).collect()).collect()
    }
}

fn cell(value: &Value, of: SqlType) -> Cell {
    match (value, of) {
        (Value::Null, _) => Cell::Null,
        (Value::Bool(value), _) => Cell::Bool(*value),
        (Value::Int(value), SqlType::Decimal(_, scale)) => {
            Cell::Decimal(Decimal::whole(*value).at_scale(scale.unsigned_abs()).unwrap())
        }
        (Value::Int(value), _) => Cell::Int(*value),
        (Value::Double(value), _) => Cell::Float(*value),
        (Value::Bytes(bytes), _) => Cell::Bytes(bytes.clone()),
        (Value::Text(text), SqlType::Decimal(_, scale)) => {
            Cell::Decimal(Decimal::parse(text.as_bytes()).unwrap().at_scale(scale.unsigned_abs()).unwrap())
        }
        (Value::Text(text), SqlType::Date) => {
            let since = text.parse::<jiff::civil::Date>().unwrap() - jiff::civil::date(1970, 1, 1);
            Cell::Int(since.get_days().into())
        }
        (Value::Text(text), SqlType::Timestamp(_)) => {
            let at = text.parse::<jiff::civil::DateTime>().unwrap();
            let since = at.duration_since(jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0));
            Cell::Int(i64::try_from(since.as_micros()).unwrap())
        }
        (Value::Text(text), _) => Cell::Text(text.clone()),
    }
}

#[async_trait]
impl SourceWorld for MemoryWorld {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn schema(&self) -> &'static str {
        "some schema"
    }

    async fn create(&self, view: &ViewName, columns: &[(&str, SqlType)], rows: &[Row]) {
        let types = columns.iter().map(|(_, of)| *of).collect();
        self.types.lock().unwrap().insert(view.to_string(), types);
        let rows = self.cells(view, rows);
        self.source.put(view, columns.iter().map(|(name, of)| of.column(name)).collect(), rows);
    }

    async fn insert(&self, view: &ViewName, rows: &[Row]) {
        self.source.insert(view, self.cells(view, rows));
    }

    async fn delete(&self, view: &ViewName, first: &Value) {
        let of = self.types.lock().unwrap()[&view.to_string()][0];
        let gone = cell(first, of);
        self.source.delete(view, |row| row.first() == Some(&gone));
    }

    fn source(&self) -> Arc<dyn PageSource> {
        Arc::new(self.source.clone())
    }
}
