//! Cuts rows in memory into pages.

use super::cell::{Cell, array};
use super::{Call, MemorySource, ReadPlan, Table};
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::ports::source::{Extent, PageStream, Position, Query, SourceError};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;
use async_trait::async_trait;
use std::cmp::Ordering;
use std::sync::Arc;

/// One open read.
pub(super) struct MemoryStream {
    source: MemorySource,
    query: Query,
    /// The view as it was at the start, where the read is one point in time.
    frozen: Option<Table>,
    /// Cells of the last key delivered.
    after: Option<Vec<Cell>>,
    until: Option<Vec<Cell>>,
    /// Rows delivered, for reads by row number.
    rows: u64,
    columns: Option<Vec<Column>>,
    done: bool,
}

impl MemoryStream {
    pub(super) fn open(
        source: MemorySource,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Self, SourceError> {
        let table = source.table(&query.view)?;
        let plan = ReadPlan::new(query, &table.columns)?;
        let from_key = from.after.as_ref().filter(|_| query.fetch != Fetch::Offset);
        let after = from_key.map(|key| cells(&plan, &table, key)).transpose()?;
        let until = until.map(|key| cells(&plan, &table, key)).transpose()?;
        let point_in_time = query.fetch == Fetch::Stream || query.isolation == Isolation::Snapshot;
        let frozen = point_in_time.then_some(table);
        Ok(Self { source, query: query.clone(), frozen, after, until, rows: from.rows, columns: None, done: false })
    }

    fn page(&mut self) -> Result<Option<Page>, SourceError> {
        self.source.strike(Call::Next)?;
        let table = match &self.frozen {
            Some(table) => table.clone(),
            None => self.source.table(&self.query.view)?,
        };
        let plan = ReadPlan::new(&self.query, &table.columns)?;
        self.columns = Some(plan.wanted.iter().filter_map(|&index| table.columns.get(index).cloned()).collect());
        let rows = ordered(&self.query, &plan, &table)?;
        let by_number = self.query.fetch == Fetch::Offset;
        let skip = if by_number { usize::try_from(self.rows).unwrap_or(usize::MAX) } else { 0 };
        let mut bytes = 0;
        let mut taken: Vec<&[Cell]> = Vec::new();
        for row in rows.into_iter().skip(skip) {
            let key = plan.key_of(row);
            if self.after.as_ref().is_some_and(|after| order(&key, after) != Ordering::Greater) {
                continue;
            }
            let full = taken.len() >= self.query.page_size.get() as usize || bytes >= self.query.page_bytes;
            if full || self.until.as_ref().is_some_and(|until| order(&key, until) == Ordering::Greater) {
                break;
            }
            for (&index, name) in plan.wanted.iter().zip(&self.query.columns) {
                let long = row.get(index).map_or(0, Cell::bytes);
                if long > self.query.value_bytes {
                    let reason = crate::adapters::sql::too_long(Some(long), self.query.value_bytes);
                    let key = self::key(&plan, &table, row).to_string();
                    return Err(SourceError::Value { column: name.clone(), key, reason });
                }
            }
            bytes += plan.wanted.iter().filter_map(|&index| row.get(index)).map(Cell::bytes).sum::<u64>();
            taken.push(row);
        }
        let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return Ok(None) };
        let key = |row: &[Cell]| if by_number { Key(Vec::new()) } else { key(&plan, &table, row) };
        let page = Page { batch: batch(&plan, &table, &taken)?, first_key: key(first), last_key: key(last) };
        self.after = (!by_number).then(|| plan.key_of(last).into_iter().cloned().collect());
        self.rows += page.rows();
        Ok(Some(page))
    }
}

#[async_trait]
impl PageStream for MemoryStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.columns.clone()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        if self.done {
            return Ok(None);
        }
        let outcome = self.page();
        self.done = !matches!(outcome, Ok(Some(_)));
        outcome
    }
}

/// A key's values as cells of its columns' kinds.
fn cells(plan: &ReadPlan, table: &Table, key: &Key) -> Result<Vec<Cell>, SourceError> {
    let kinds = plan.key.iter().filter_map(|&index| Some(table.columns.get(index)?.kind));
    let cells: Option<Vec<Cell>> = key.0.iter().zip(kinds).map(|(value, kind)| Cell::from_key(value, kind)).collect();
    cells.filter(|cells| cells.len() == plan.key.len() && cells.len() == key.0.len()).ok_or_else(|| {
        SourceError::Refused { reason: format!("the key to read from ({key}) does not fit the key columns") }
    })
}

/// All rows in key order; an error for a NULL or repeated key, unless rows are read by number.
pub(super) fn ordered<'a>(query: &Query, plan: &ReadPlan, table: &'a Table) -> Result<Vec<&'a [Cell]>, SourceError> {
    let mut rows: Vec<&[Cell]> = table.rows.iter().map(Vec::as_slice).collect();
    rows.sort_by(|a, b| order(&plan.key_of(a), &plan.key_of(b)));
    if query.fetch == Fetch::Offset {
        return Ok(rows);
    }
    for (index, row) in rows.iter().enumerate() {
        if let Some(column) = plan.key_of(row).iter().zip(&query.key).find(|(cell, _)| matches!(cell, Cell::Null)) {
            return Err(SourceError::Key { reason: format!("key column `{}` is NULL in row {}", column.1, index + 1) });
        }
    }
    for pair in rows.windows(2) {
        if let [a, b] = pair
            && order(&plan.key_of(a), &plan.key_of(b)) == Ordering::Equal
        {
            return Err(SourceError::Key { reason: format!("key {} appears twice", key(plan, table, a)) });
        }
    }
    Ok(rows)
}

fn order<A: AsRef<[C]>, C: std::borrow::Borrow<Cell>>(a: &[&Cell], b: &A) -> Ordering {
    let pairs = a.iter().zip(b.as_ref()).map(|(a, b)| a.order(b.borrow()));
    pairs.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
}

fn key(plan: &ReadPlan, table: &Table, row: &[Cell]) -> Key {
    let columns = plan.key.iter().filter_map(|&index| row.get(index)?.to_key(table.columns.get(index)?.kind));
    Key(columns.collect())
}

fn batch(plan: &ReadPlan, table: &Table, rows: &[&[Cell]]) -> Result<RecordBatch, SourceError> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for &index in &plan.wanted {
        let Some(column) = table.columns.get(index) else { continue };
        let cells: Vec<&Cell> = rows.iter().map(|row| row.get(index).unwrap_or(&Cell::Null)).collect();
        arrays.push(array(column.kind, &cells).map_err(|row| SourceError::Value {
            column: column.name.clone(),
            key: rows.get(row).map(|row| key(plan, table, row).to_string()).unwrap_or_default(),
            reason: format!("the value does not fit the column's kind, {}", column.kind.describe()),
        })?);
        fields.push(column.kind.field(&column.name));
    }
    for (index, filter) in plan.filters.iter().enumerate() {
        let mask: Vec<bool> = rows.iter().map(|row| filter.admits(row)).collect();
        arrays.push(Arc::new(BooleanArray::from(mask)));
        fields.push(crate::adapters::sql::mask_field(index));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|error| SourceError::Failed { source_name: "memory".to_owned(), reason: error.to_string() })
}

/// Counts the rows up to and with a key; all of them where none is given.
pub(super) fn within(query: &Query, plan: &ReadPlan, table: &Table, until: Option<&Key>) -> Result<u64, SourceError> {
    let until = until.map(|key| cells(plan, table, key)).transpose()?;
    let rows = ordered(query, plan, table)?;
    let is_within =
        |row: &[Cell]| until.as_ref().is_none_or(|until| order(&plan.key_of(row), until) != Ordering::Greater);
    Ok(rows.into_iter().filter(|row| is_within(row)).count() as u64)
}

/// Counts a view and finds its key range.
pub(super) fn extent(query: &Query, plan: &ReadPlan, table: &Table) -> Result<Extent, SourceError> {
    let rows = ordered(query, plan, table)?;
    let matching =
        plan.filters.iter().map(|filter| rows.iter().filter(|row| filter.admits(row)).count() as u64).collect();
    let ends = rows.first().zip(rows.last()).filter(|_| query.fetch != Fetch::Offset && !query.key.is_empty());
    let range = ends.map(|(first, last)| (key(plan, table, first), key(plan, table, last)));
    Ok(Extent { rows: rows.len() as u64, matching, range })
}
