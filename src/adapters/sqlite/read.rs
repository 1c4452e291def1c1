//! Reads rows in key order and cuts them into pages. Runs on the read's own thread.

use super::cells::Cells;
use super::connect::{ANY_COLUMN, Db};
use super::keys::{Keys, Step};
use super::params::values;
use super::view;
use crate::adapters::sql::{self, Dialect, Layout, Lengths, PageRequest, Plain, Range, mask_field};
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::ports::source::{Position, Query, SourceError};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::{Schema, SchemaRef};
use rusqlite::types::ValueRef;
use rusqlite::{ErrorCode, Row, Statement, params_from_iter};
use std::sync::Arc;

/// A page ends here at the latest, whatever `page_bytes` says: with the largest value that SQLite stores, a column then
/// still fits Arrow's 32-bit offsets.
const MOST_BYTES: u64 = 1 << 30;

/// What a reader says to whoever takes its pages.
pub(super) enum ReadEvent {
    /// All names are known and the first statement is prepared.
    Ready,
    /// The wanted columns; comes before the first page, or before the end.
    Columns(Vec<Column>),
    /// The next page.
    Page(Page),
    /// There is no more. Without this, the reader has died.
    End,
}

/// Takes what a reader says; false when nobody listens any more.
pub(super) type Emit<'a> = &'a mut dyn FnMut(ReadEvent) -> bool;

/// Why a statement's rows are read no further.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadEnd {
    /// There are no more rows.
    Rows,
    /// A page was cut; with a statement per page the next one has another statement.
    Cut,
    /// Nobody takes the pages any more.
    Listener,
}

/// Reads behind `from` up to `until`, and sends all pages.
pub(super) fn read(
    db: &Db,
    query: &Query,
    from: &Position,
    until: Option<&Key>,
    emit: Emit<'_>,
) -> Result<(), SourceError> {
    if query.fetch == Fetch::Stream || query.isolation == Isolation::Snapshot {
        // One point in time from here on: names, kinds and rows.
        db.connection.execute_batch("BEGIN").map_err(|error| db.fault(&error))?;
    }
    db.limit_values(query.value_bytes)?;
    let mut reader = Reader::new(db, query)?;
    let rows = u64::from(query.page_size.get());
    let mut after = from.after.clone();
    reader.from.clone_from(from);
    let mut skip = from.rows;
    let mut ready = false;
    loop {
        let range = match query.fetch {
            Fetch::Stream => Range::All,
            // One row more than the page: to see whether its key is new.
            Fetch::Paged => Range::Rows(rows + 1),
            Fetch::Offset => Range::Offset { skip, rows },
        };
        let request = PageRequest { query, after: after.as_ref(), until, range };
        let statement = sql::page(&Dialect::SQLITE, &Plain, &request)?;
        let params = values(&statement.params)?;
        let mut prepared = (db.connection.prepare_cached(&statement.sql))
            .map_err(|error| db.refusal(format!("view `{}` cannot be read", query.view), &error))?;
        if !std::mem::replace(&mut ready, true) && !emit(ReadEvent::Ready) {
            return Ok(());
        }
        let before = reader.delivered;
        let ended = reader.statement(&mut prepared, params, emit)?;
        let read = reader.delivered - before;
        skip += read;
        match ended {
            ReadEnd::Listener => return Ok(()),
            ReadEnd::Rows if query.fetch != Fetch::Offset || read < rows => break,
            ReadEnd::Rows | ReadEnd::Cut => after = reader.last_key.take().or(after),
        }
    }
    if let Some(columns) = reader.columns()? {
        emit(ReadEvent::Columns(columns));
    }
    emit(ReadEvent::End);
    Ok(())
}

struct Reader<'a> {
    db: &'a Db,
    query: &'a Query,
    layout: Layout,
    cells: Vec<Cells>,
    masks: Vec<BooleanBufferBuilder>,
    /// Not followed when rows are read by number.
    keys: Option<Keys>,
    /// Known once the first page is full.
    schema: Option<SchemaRef>,
    rows: usize,
    bytes: u64,
    first_key: Key,
    last_key: Option<Key>,
    /// Rows in the pages sent so far.
    delivered: u64,
    /// Where the read began.
    from: Position,
}

impl<'a> Reader<'a> {
    fn new(db: &'a Db, query: &'a Query) -> Result<Self, SourceError> {
        let seen = view::resolve(db, query)?;
        let request = PageRequest { query, after: None, until: None, range: Range::All };
        let layout = sql::page(&Dialect::SQLITE, &Plain, &request)?.layout;
        let keys = (query.fetch != Fetch::Offset).then(|| Keys::new(layout.key.clone()));
        Ok(Self {
            db,
            query,
            cells: seen.iter().zip(&query.columns).map(|(seen, name)| Cells::new(seen, name)).collect(),
            masks: (0..layout.masks).map(|_| BooleanBufferBuilder::new(0)).collect(),
            layout,
            keys,
            schema: None,
            rows: 0,
            bytes: 0,
            first_key: Key(Vec::new()),
            last_key: None,
            delivered: 0,
            from: Position::default(),
        })
    }

    /// Reads one statement's rows.
    fn statement(
        &mut self,
        statement: &mut Statement<'_>,
        params: Vec<rusqlite::types::Value>,
        emit: Emit<'_>,
    ) -> Result<ReadEnd, SourceError> {
        let db = self.db;
        let fault = |error| db.fault(&error);
        let page_bytes = self.query.page_bytes.min(MOST_BYTES);
        let page_rows = self.query.page_size.get() as usize;
        let mut rows = statement.query(params_from_iter(params)).map_err(fault)?;
        while let Some(row) = rows.next().map_err(|error| self.fault(&error))? {
            // A page is sent only when a row of the next one is here, so that the key is checked first.
            let full = self.rows >= page_rows || (self.bytes >= page_bytes && self.rows > 0);
            if full {
                let last = self.keys.as_ref().map(Keys::last);
                self.check_key(row)?;
                if !self.tell_page(last, emit)? {
                    return Ok(ReadEnd::Listener);
                }
                if self.query.fetch != Fetch::Stream {
                    if let Some(keys) = &mut self.keys {
                        keys.forget();
                    }
                    return Ok(ReadEnd::Cut);
                }
            } else {
                self.check_key(row)?;
            }
            if self.rows == 0
                && let Some(keys) = &self.keys
            {
                self.first_key = keys.last();
            }
            self.take(row)?;
        }
        let last = self.keys.as_ref().map(Keys::last);
        if self.rows > 0 && !self.tell_page(last, emit)? {
            return Ok(ReadEnd::Listener);
        }
        Ok(ReadEnd::Rows)
    }

    /// Takes one row's values.
    fn take(&mut self, row: &Row<'_>) -> Result<(), SourceError> {
        let mut bytes = 0;
        for (index, cells) in self.cells.iter_mut().enumerate() {
            // Looked at where it was put: to copy it would wait for it to be written, which costs as much as the rest.
            let pushed = match &row.get_ref(index) {
                // Nothing that is too long is copied.
                Ok(ValueRef::Text(value) | ValueRef::Blob(value)) if value.len() as u64 > self.query.value_bytes => {
                    Ok(value.len())
                }
                Ok(value) => cells.push(value),
                Err(error) => return Err(self.db.fault(error)),
            };
            match pushed {
                Ok(size) if size as u64 <= self.query.value_bytes => bytes += size,
                bad => {
                    let long = |size| sql::too_long(Some(size as u64), self.query.value_bytes);
                    let reason = bad.map_or_else(|reason| reason, long);
                    let column = cells.name().to_owned();
                    return Err(SourceError::Value { column, key: self.name_of(row), reason });
                }
            }
        }
        for (index, mask) in self.masks.iter_mut().enumerate() {
            let value = row.get_ref(self.layout.first_mask + index).map_err(|error| self.db.fault(&error))?;
            mask.append(value == ValueRef::Integer(1));
        }
        self.rows += 1;
        self.bytes += bytes as u64;
        Ok(())
    }

    /// A fault in the middle of a statement.
    #[cold]
    fn fault(&self, error: &rusqlite::Error) -> SourceError {
        if error.sqlite_error_code() != Some(ErrorCode::TooBig) {
            return self.db.fault(error);
        }
        let before =
            self.keys.as_ref().map(Keys::last).filter(|key| !key.0.is_empty()).or_else(|| self.from.after.clone());
        self.too_long(before.as_ref()).unwrap_or_else(|| {
            let row = || format!("(row {} of this read)", self.number());
            SourceError::Value {
                column: ANY_COLUMN.to_owned(),
                key: before.map_or_else(row, |before| format!("(a row behind {before})")),
                reason: sql::too_long(None, self.query.value_bytes),
            }
        })
    }

    /// The first value behind a key that is too long. SQLite knows the lengths of stored values without reading these. `None` where
    /// it cannot tell.
    fn too_long(&self, before: Option<&Key>) -> Option<SourceError> {
        let query = Query { predicates: Vec::new(), ..self.query.clone() };
        let lengths = Lengths { function: "octet_length", keys: &Plain };
        let skip = Range::Offset { skip: self.from.rows + self.delivered + self.rows as u64, rows: 1 };
        let range = if query.fetch == Fetch::Offset { skip } else { Range::All };
        let statement =
            sql::page(&Dialect::SQLITE, &lengths, &PageRequest { query: &query, after: before, until: None, range });
        let statement = statement.ok()?;
        let mut prepared = self.db.connection.prepare(&statement.sql).ok()?;
        let mut rows = prepared.query(params_from_iter(values(&statement.params).ok()?)).ok()?;
        while let Some(row) = rows.next().ok()? {
            for (index, name) in query.columns.iter().enumerate() {
                let bytes = row.get::<_, Option<u64>>(index).ok()?.unwrap_or_default();
                if bytes > query.value_bytes {
                    let keys = Keys::new(statement.layout.key.clone());
                    let key = keys.of(row).filter(|key| !key.0.is_empty());
                    let key =
                        key.map_or_else(|| format!("(row {} of this read)", self.number()), |key| key.to_string());
                    let reason = sql::too_long(Some(bytes), query.value_bytes);
                    return Some(SourceError::Value { column: name.clone(), key, reason });
                }
            }
        }
        None
    }

    /// The row's key, or its number when rows are read by number: for messages.
    fn name_of(&self, row: &Row<'_>) -> String {
        let key = self.keys.as_ref().and_then(|keys| keys.of(row));
        key.map_or_else(|| format!("(unknown; row {} of this read)", self.number()), |key| key.to_string())
    }

    /// Number of the row being read, from 1.
    fn number(&self) -> u64 {
        self.delivered + self.rows as u64 + 1
    }

    /// The key must be there and new.
    #[inline]
    fn check_key(&mut self, row: &Row<'_>) -> Result<(), SourceError> {
        let Some(keys) = &mut self.keys else { return Ok(()) };
        match keys.step(row) {
            Ok(Step::Forward) => Ok(()),
            other => self.odd_key(row, other),
        }
    }

    #[cold]
    fn odd_key(&mut self, row: &Row<'_>, step: rusqlite::Result<Step>) -> Result<(), SourceError> {
        let names = self.query.key.join(", ");
        let reason = match step.map_err(|error| self.db.fault(&error))? {
            Step::Forward => return Ok(()),
            Step::Null(index) => {
                let name = self.query.key.get(index).map(String::as_str).unwrap_or_default();
                format!(
                    "key column `{name}` is NULL in row {} of this read; keys must not be NULL: \
                     leave such rows out of the view or choose another key",
                    self.number()
                )
            }
            Step::Same => {
                let key = self.name_of(row);
                return Err(sql::one_key(&key, &key, &names));
            }
            Step::NotText(index) => {
                let name = self.query.key.get(index).map(String::as_str).unwrap_or_default();
                format!("key column `{name}` holds text that is not UTF-8 in row {} of this read", self.number())
            }
            Step::Unclear => return self.ask(row),
        };
        Err(SourceError::Key { reason })
    }

    /// Asks the database whether two keys that differ only in case or trailing spaces are two for it: whether any row lies
    /// behind the one and up to the other.
    fn ask(&mut self, row: &Row<'_>) -> Result<(), SourceError> {
        let (Some(keys), db) = (&mut self.keys, self.db) else { return Ok(()) };
        let fault = |error| db.fault(&error);
        let (before, Some(now)) = (keys.last(), keys.of(row)) else { return Ok(()) };
        let probe = Query { columns: Vec::new(), predicates: Vec::new(), ..self.query.clone() };
        let request = PageRequest { query: &probe, after: Some(&before), until: Some(&now), range: Range::Rows(1) };
        let statement = sql::page(&Dialect::SQLITE, &Plain, &request)?;
        let params = values(&statement.params)?;
        let mut prepared = db.connection.prepare_cached(&statement.sql).map_err(fault)?;
        if prepared.exists(params_from_iter(params)).map_err(fault)? {
            return keys.told_apart(row).map_err(fault);
        }
        Err(sql::one_key(&before.to_string(), &now.to_string(), &self.query.key.join(", ")))
    }

    /// Closes the page and sends it. Returns false when nobody takes pages.
    fn tell_page(&mut self, last: Option<Key>, emit: Emit<'_>) -> Result<bool, SourceError> {
        let last_key = last.unwrap_or_else(|| Key(Vec::new()));
        if let Some(columns) = self.columns()?
            && !emit(ReadEvent::Columns(columns))
        {
            return Ok(false);
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.cells.len() + self.masks.len());
        for cells in &mut self.cells {
            arrays.push(cells.finish().map_err(|reason| SourceError::Value {
                column: cells.name().to_owned(),
                key: format!("{last_key} or before"),
                reason,
            })?);
        }
        for mask in &mut self.masks {
            arrays.push(Arc::new(BooleanArray::new(mask.finish(), None)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let schema = self.schema.clone().unwrap_or_else(|| Arc::new(Schema::empty()));
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)
            .map_err(|error| self.db.place().failed(error))?;
        self.delivered += self.rows as u64;
        (self.rows, self.bytes) = (0, 0);
        let first_key = std::mem::replace(&mut self.first_key, Key(Vec::new()));
        self.last_key = self.keys.is_some().then(|| last_key.clone());
        Ok(emit(ReadEvent::Page(Page { batch, first_key, last_key })))
    }

    /// Fixes the columns, once: those that no declaration told are found from the rows taken so far. `None` when they are
    /// fixed already.
    fn columns(&mut self) -> Result<Option<Vec<Column>>, SourceError> {
        if self.schema.is_some() {
            return Ok(None);
        }
        let upto = self.keys.as_ref().map(|keys| format!("{} or before", keys.last())).unwrap_or_default();
        for cells in &mut self.cells {
            cells.decide().map_err(|reason| SourceError::Value {
                column: cells.name().to_owned(),
                key: upto.clone(),
                reason,
            })?;
        }
        let mut fields: Vec<_> = self.cells.iter().map(|cells| cells.kind().field(cells.name())).collect();
        fields.extend((0..self.masks.len()).map(mask_field));
        self.schema = Some(Arc::new(Schema::new(fields)));
        Ok(Some(self.cells.iter().map(|cells| Column { name: cells.name().to_owned(), kind: cells.kind() }).collect()))
    }
}
