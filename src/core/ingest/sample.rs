//! Made-up events of the declared types, for trying things out: each fits its columns, parents come before their children.

use super::spec::{EventSpec, Ingest, Pointer};
use crate::core::model::rows::{SqlType, TableColumn};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Rows of each table.
const ROWS: u64 = 100;

/// Makes events, one type after the other.
pub struct Sampler<'a> {
    ingest: &'a Ingest,
    chance: Box<dyn FnMut() -> u64 + Send + 'a>,
    /// Types, parents first.
    order: Vec<usize>,
    made: u64,
    /// How many rows of each table there are.
    rows: HashMap<&'a str, u64>,
}

impl<'a> Sampler<'a> {
    /// `chance` gives any numbers.
    pub fn new(ingest: &'a Ingest, chance: impl FnMut() -> u64 + Send + 'a) -> Self {
        let mut order: Vec<usize> = (0..ingest.events.len()).collect();
        order.sort_by_key(|at| ingest.tables.shapes[*at].table);
        Self { ingest, chance: Box::new(chance), order, made: 0, rows: HashMap::new() }
    }

    /// The next event, which happens at `now`.
    pub fn make(&mut self, now: Timestamp) -> Vec<u8> {
        let turn = usize::try_from(self.made).unwrap_or(0) % self.order.len().max(1);
        self.made += 1;
        let Some(at) = self.order.get(turn).copied() else { return b"{}".to_vec() };
        let (ingest, shape) = (self.ingest, &self.ingest.tables.shapes[at]);
        let (spec, table): (&EventSpec, _) = (&ingest.events[at], &ingest.tables.tables[shape.table]);
        let rows = self.rows.get(table.name.as_str()).copied().unwrap_or(0);
        // Half of them are about a row that is there.
        let is_new = rows == 0 || (rows < ROWS && (self.chance)().is_multiple_of(2));
        let row = if is_new { rows } else { (self.chance)() % rows };
        if is_new {
            self.rows.insert(&table.name, rows + 1);
        }
        let mut event = Value::Object(Map::new());
        for (column, source) in shape.columns.iter().chain(&shape.sums).zip(&spec.columns) {
            let column_spec = &table.columns[*column];
            let key = if table.identity.contains(column) {
                Some((table.name.as_str(), row))
            } else {
                self.parent(column_spec)
            };
            let value = self.value(column_spec, key, now);
            // What stands in several columns is the key of one of them.
            if key.is_some() || event.pointer(source.from.as_str()).is_none() {
                put(&mut event, &source.from, value);
            }
        }
        let envelope = &ingest.envelope;
        let id = format!("{:08x}-{:016x}", (self.chance)() & 0xffff_ffff, (self.chance)());
        put(&mut event, &envelope.id, id.into());
        put(&mut event, &envelope.kind, spec.name.as_str().into());
        if let Some(time) = &envelope.time {
            put(&mut event, time, now.to_string().into());
        }
        event.to_string().into_bytes()
    }

    /// A row that a column refers to.
    fn parent(&mut self, column: &TableColumn) -> Option<(&'a str, u64)> {
        let (parent, _) = column.references.as_ref()?;
        let name = self.ingest.tables.tables.iter().find(|table| table.name == *parent)?.name.as_str();
        let rows = self.rows.get(name).copied().unwrap_or(0).max(1);
        Some((name, (self.chance)() % rows))
    }

    fn value(&mut self, column: &TableColumn, key: Option<(&str, u64)>, now: Timestamp) -> Value {
        let any = (self.chance)();
        let number = key.map_or(any % 1000, |(_, row)| row);
        let small = i64::try_from(number).unwrap_or(0);
        match column.kind {
            SqlType::Text(most) => {
                let text =
                    key.map_or_else(|| format!("{}-{number}", column.name), |(table, row)| format!("{table}-{row}"));
                // The end tells them apart.
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                let skip = text.chars().count().saturating_sub(most);
                text.chars().skip(skip).collect::<String>().into()
            }
            SqlType::Integer | SqlType::Bigint => small.into(),
            SqlType::Decimal { precision, scale } => {
                let whole = if precision > scale { small % 10_i64.pow(u32::from(precision - scale).min(3)) } else { 0 };
                let digits = "25".chars().cycle().take(scale.into()).collect::<String>();
                if digits.is_empty() { whole.to_string().into() } else { format!("{whole}.{digits}").into() }
            }
            SqlType::Double => json!(f64::from(u32::try_from(number).unwrap_or(0)) / 4.0),
            SqlType::Boolean => number.is_multiple_of(2).into(),
            SqlType::Date => now.to_string().chars().take(10).collect::<String>().into(),
            SqlType::Timestamp => now.to_string().into(),
            SqlType::Uuid => format!("00000000-0000-4000-8000-{number:012x}").into(),
            SqlType::Json => json!({ "sample": number }),
        }
    }
}

/// Puts a value where a pointer leads, and makes the objects on the way.
fn put(event: &mut Value, pointer: &Pointer, value: Value) {
    let mut at = event;
    for name in pointer.names() {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Some(members) = at.as_object_mut() else { return };
        at = members.entry(name.clone()).or_insert(Value::Null);
    }
    *at = value;
}
