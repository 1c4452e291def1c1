//! Views held in memory: a real page source for tests, smoke runs and the simulation. It can be told to fail.

mod cell;
mod filter;
mod pages;

pub use cell::Cell;

use crate::adapters::sql::{unknown_column, unknown_view};
use crate::core::model::column::Column;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::key::Key;
use crate::core::model::names::ViewName;
use crate::core::model::sql::Relation;
use crate::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use async_trait::async_trait;
use filter::Filter;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Views that live as long as this value or a clone of it.
///
/// Predicates are comparisons joined by AND: `"Amount" >= 10 AND Status = 'open' AND Closed IS NULL`.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    state: Arc<Mutex<SourceState>>,
}

#[derive(Debug, Default)]
struct SourceState {
    views: BTreeMap<String, Table>,
    faults: Vec<Fault>,
}

/// One view's columns and rows. The rows are shared with the reads that see them, and copied when one of both changes.
#[derive(Clone, Debug, Default)]
struct Table {
    columns: Vec<Column>,
    rows: Arc<Vec<Vec<Cell>>>,
}

/// A call of the port, for [`MemorySource::fail`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// [`PageSource::columns`].
    Columns,
    /// [`PageSource::extent`].
    Extent,
    /// [`PageSource::open`].
    Open,
    /// [`PageStream::next`] of any open read.
    Next,
}

#[derive(Debug)]
struct Fault {
    call: Call,
    skip: u64,
    error: SourceError,
}

impl MemorySource {
    /// Makes a view, or replaces the one of that name. Each row has a cell for each column.
    pub fn put(&self, view: &ViewName, columns: Vec<Column>, rows: Vec<Vec<Cell>>) {
        self.locked().views.insert(view.to_string(), Table { columns, rows: Arc::new(rows) });
    }

    /// Adds rows to a view; does nothing where there is no such view.
    pub fn insert(&self, view: &ViewName, rows: Vec<Vec<Cell>>) {
        if let Some(table) = self.locked().views.get_mut(&view.to_string()) {
            Arc::make_mut(&mut table.rows).extend(rows);
        }
    }

    /// Removes the rows of a view that `gone` picks.
    pub fn delete(&self, view: &ViewName, gone: impl Fn(&[Cell]) -> bool) {
        if let Some(table) = self.locked().views.get_mut(&view.to_string()) {
            Arc::make_mut(&mut table.rows).retain(|row| !gone(row));
        }
    }

    /// Makes one call fail: the first of its kind after `skip` more that pass. Faults for one kind of call are taken in the
    /// order given, each counting from where the one before it struck.
    pub fn fail(&self, call: Call, skip: u64, error: SourceError) {
        self.locked().faults.push(Fault { call, skip, error });
    }

    fn locked(&self) -> MutexGuard<'_, SourceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails when it was told to.
    fn strike(&self, call: Call) -> Result<(), SourceError> {
        let mut state = self.locked();
        let Some(index) = state.faults.iter().position(|fault| fault.call == call) else { return Ok(()) };
        match state.faults.get_mut(index) {
            Some(fault) if fault.skip > 0 => {
                fault.skip -= 1;
                Ok(())
            }
            _ => Err(state.faults.remove(index).error),
        }
    }

    fn table(&self, view: &Relation) -> Result<Table, SourceError> {
        let Relation::View(view) = view else {
            return Err(SourceError::Refused { reason: "memory has no functions and understands no query".to_owned() });
        };
        let state = self.locked();
        state.views.get(&view.to_string()).cloned().ok_or_else(|| unknown_view(view, state.views.keys().cloned()))
    }
}

/// A query against one state of a view: names resolved, predicates understood.
#[derive(Clone, Debug)]
struct ReadPlan {
    wanted: Vec<usize>,
    key: Vec<usize>,
    filters: Vec<Filter>,
}

impl ReadPlan {
    fn new(query: &Query, columns: &[Column]) -> Result<Self, SourceError> {
        let find = |name: &String| {
            let found = columns.iter().position(|column| column.name == *name);
            found.ok_or_else(|| unknown_column(&query.view, name, columns.iter().map(|column| column.name.clone())))
        };
        let wanted: Vec<usize> = query.columns.iter().map(find).collect::<Result<_, _>>()?;
        let key = query.key.iter().map(find).collect::<Result<_, _>>()?;
        let filters =
            query.predicates.iter().map(|sql| Filter::parse(sql, &query.view, columns)).collect::<Result<_, _>>()?;
        if let Some(kinds) = &query.kinds {
            let now: Vec<&Column> = wanted.iter().filter_map(|&index| columns.get(index)).collect();
            crate::adapters::sql::unchanged(kinds, now)?;
        }
        Ok(Self { wanted, key, filters })
    }

    /// The key cells of a row.
    fn key_of<'a>(&self, row: &'a [Cell]) -> Vec<&'a Cell> {
        self.key.iter().map(|&index| row.get(index).unwrap_or(&Cell::Null)).collect()
    }
}

#[async_trait]
impl PageSource for MemorySource {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        self.strike(Call::Columns)?;
        Ok(self.table(view)?.columns)
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        self.strike(Call::Extent)?;
        let table = self.table(&query.view)?;
        let plan = ReadPlan::new(query, &table.columns)?;
        pages::extent(query, &plan, &table)
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        self.strike(Call::Extent)?;
        let table = self.table(&query.view)?;
        let plan = ReadPlan::new(query, &table.columns)?;
        let within = pages::within(query, &plan, &table, until)?;
        Ok(After { extent: pages::extent(query, &plan, &table)?, within })
    }

    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError> {
        self.strike(Call::Open)?;
        Ok(Box::new(pages::MemoryStream::open(self.clone(), query, from, until)?))
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        let table = self.table(&query.view)?;
        let plan = ReadPlan::new(query, &table.columns)?;
        let outcome = pages::ordered(query, &plan, &table);
        let verdict = if outcome.is_ok() { CheckVerdict::Pass } else { CheckVerdict::Fail };
        let detail = outcome.map_or_else(|error| error.to_string(), |rows| format!("{} rows", rows.len()));
        Ok(vec![Finding { check: "key is unique and not null".to_owned(), verdict, detail }])
    }
}
