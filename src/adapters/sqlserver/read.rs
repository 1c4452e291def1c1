//! Reads rows in key order and cuts them into pages. Runs in the read's own task, which owns its connection. A connection that was
//! read half-way is always dropped, and never used again.

use super::address::Address;
use super::cells::Cells;
use super::describe::ReadPlan;
use super::kept::Kept;
use super::keys::{Held, Keys, Step};
use super::render::parameters;
use super::tds::{Connection, RowBytes, Value};
use crate::adapters::sql::{self, Dialect, Layout, PageRequest, PageStatement, Range, Waiting, mask_field};
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::query::Fetch;
use crate::core::ports::source::{Position, Query, SourceError};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::{Schema, SchemaRef};
use std::sync::Arc;
use std::time::Duration;
use tds_protocol::rpc::RpcParam;
use tokio::sync::mpsc::Sender;

/// A page ends here at the latest, whatever `page_bytes` says: with the largest value that SQL Server stores, a column
/// then still fits Arrow's 32-bit offsets.
const MOST_BYTES: usize = 1 << 30;

/// Longest wait for a server to take a request to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// Pages, then one error or the end of the channel.
pub(super) type Told = Result<Option<Page>, SourceError>;

/// What a read is.
pub(super) struct Reader {
    address: Arc<Address>,
    query: Query,
    plan: ReadPlan,
    layout: Layout,
    keys: Option<Keys>,
    schema: SchemaRef,
    cells: Vec<Cells>,
    masks: Vec<BooleanBufferBuilder>,
    rows: usize,
    bytes: usize,
    /// Where the read began.
    from: Option<Key>,
    /// First row of the page that fills.
    first_key: Key,
    /// Key of the row taken last: it is the page's last one, and the next row's has to be another.
    before: Held,
    delivered: u64,
}

/// Why a statement's rows are read no further.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadEnd {
    /// There are no more rows.
    Rows,
    /// A page was cut, and the next one has another statement.
    Cut,
    /// Nobody takes the pages any more.
    Listener,
}

impl Reader {
    /// A read of a view whose columns are known.
    pub(super) fn new(address: Arc<Address>, query: Query, plan: ReadPlan) -> Result<Self, SourceError> {
        let request = PageRequest { query: &query, after: None, until: None, range: Range::All };
        let layout = sql::page(&Dialect::SQL_SERVER, &plan, &request)?.layout;
        let mut fields: Vec<_> = plan.wanted.iter().map(|seen| seen.kind.field(&seen.name)).collect();
        fields.extend((0..layout.masks).map(mask_field));
        let by_key = query.fetch != Fetch::Offset;
        Ok(Self {
            keys: by_key.then(|| Keys::new(layout.key.iter().copied(), &plan.key)),
            schema: Arc::new(Schema::new(fields)),
            cells: plan.wanted.iter().cloned().map(Cells::new).collect(),
            masks: (0..layout.masks).map(|_| BooleanBufferBuilder::new(0)).collect(),
            address,
            query,
            plan,
            layout,
            rows: 0,
            bytes: 0,
            from: None,
            first_key: Key(Vec::new()),
            before: Held::default(),
            delivered: 0,
        })
    }

    /// Reads behind `from` up to `until`, and sends all pages. When all was read, the session waits in `place`.
    pub(super) async fn run(
        mut self,
        mut kept: Kept,
        from: Position,
        until: Option<Key>,
        tell: Sender<Told>,
        place: Waiting<Kept>,
    ) {
        let work = self.read(&mut kept.client, from, until, &tell);
        let told = tokio::select! {
            biased;
            () = tell.closed() => None,
            told = work => Some(told),
        };
        let left = match &told {
            Some(Ok(())) => {
                // Before the end is told: the next question may follow at once.
                place.keep(Kept { has_read: true, ..kept });
                None
            }
            _ => Some(kept.client),
        };
        if let Some(told) = told {
            // A listener that went away hears neither.
            drop(tell.send(told.map(|()| None)).await);
        }
        if let Some(client) = left {
            // A sort may go on for long before the server notices that nobody waits any more.
            drop(tokio::time::timeout(FAREWELL, client.leave()).await);
        }
    }

    async fn read(
        &mut self,
        client: &mut Connection,
        from: Position,
        until: Option<Key>,
        tell: &Sender<Told>,
    ) -> Result<(), SourceError> {
        let page = u64::from(self.query.page_size.get());
        let Position { mut after, rows: mut skip } = from;
        self.from.clone_from(&after);
        loop {
            let range = match self.query.fetch {
                Fetch::Stream => Range::All,
                // One row more than the page: to see whether its key is new.
                Fetch::Paged => Range::Rows(page + 1),
                Fetch::Offset => Range::Offset { skip, rows: page },
            };
            let (sql, params) = self.statement(after.as_ref(), until.as_ref(), range)?;
            let start = self.delivered;
            let ended = self.rows_of(client, &sql, params, tell).await?;
            let read = self.delivered - start;
            skip += read;
            match ended {
                ReadEnd::Listener => return Ok(()),
                ReadEnd::Rows if self.query.fetch != Fetch::Offset || read < page => return Ok(()),
                ReadEnd::Rows | ReadEnd::Cut => after = self.last_key()?.or(after),
            }
        }
    }

    fn statement(
        &self,
        after: Option<&Key>,
        until: Option<&Key>,
        range: Range,
    ) -> Result<(String, Vec<RpcParam>), SourceError> {
        let request = PageRequest { query: &self.query, after, until, range };
        let statement = sql::page(&Dialect::SQL_SERVER, &self.plan, &request)?;
        let params = parameters(&self.plan, &self.query, &statement.params)?;
        Ok((statement.sql, params))
    }

    /// Reads one statement's rows, to their end.
    async fn rows_of(
        &mut self,
        client: &mut Connection,
        sql: &str,
        params: Vec<RpcParam>,
        tell: &Sender<Told>,
    ) -> Result<ReadEnd, SourceError> {
        let address = Arc::clone(&self.address);
        let page_rows = self.query.page_size.get() as usize;
        let page_bytes = usize::try_from(self.query.page_bytes).unwrap_or(MOST_BYTES).min(MOST_BYTES);
        client.limit_values(self.query.value_bytes);
        address.query(client, sql, params).await?;
        let mut number = 0;
        let mut ended = ReadEnd::Rows;
        while match address.next(client, number == 0).await {
            Err(SourceError::Value { column, .. }) => {
                return Err(self.too_long(column.parse().unwrap_or(usize::MAX)).await);
            }
            next => next?,
        } {
            number += 1;
            if number == 1 {
                self.plan.still_holds(client.described())?;
            }
            let row = client.row();
            if ended == ReadEnd::Cut {
                // The rest of a statement whose page was cut by its bytes: read, so that the connection can go on.
                continue;
            }
            // A page is sent only when a row of the next one is here, so that the key is checked first.
            self.check_key(&row, number)?;
            if self.rows >= page_rows || (self.bytes >= page_bytes && self.rows > 0) {
                if !self.tell_page(tell).await? {
                    return Ok(ReadEnd::Listener);
                }
                if self.query.fetch != Fetch::Stream {
                    ended = ReadEnd::Cut;
                    continue;
                }
            }
            self.take(&row)?;
        }
        if ended == ReadEnd::Rows && self.rows > 0 && !self.tell_page(tell).await? {
            return Ok(ReadEnd::Listener);
        }
        Ok(ended)
    }

    /// Takes one row's values.
    fn take(&mut self, row: &RowBytes<'_>) -> Result<(), SourceError> {
        if self.rows == 0
            && let Some(keys) = &self.keys
        {
            self.first_key = keys.of(row).map_err(|index| self.no_key(index))?;
        }
        for (index, cells) in self.cells.iter_mut().enumerate() {
            match row.value(index).and_then(|value| cells.push(value)) {
                Ok(size) if size as u64 <= self.query.value_bytes => self.bytes += size,
                bad => {
                    let reason = match bad {
                        Ok(size) => sql::too_long(Some(size as u64), self.query.value_bytes),
                        Err(reason) => reason.to_owned(),
                    };
                    let column = cells.seen().name.clone();
                    let key = self.keys.as_ref().and_then(|keys| keys.of(row).ok());
                    let key =
                        key.map_or_else(|| format!("(row {} of this read)", self.number()), |key| key.to_string());
                    return Err(SourceError::Value { column, key, reason });
                }
            }
        }
        for (index, mask) in self.masks.iter_mut().enumerate() {
            mask.append(row.value(self.layout.first_mask + index) == Ok(Value::Int(1)));
        }
        self.rows += 1;
        if let Some(keys) = &self.keys {
            keys.hold(row, &mut self.before);
        }
        Ok(())
    }

    /// The error for a value that was not read because it is too long. The row's key is asked for on another connection: on this one
    /// the value is still on its way, and the key may stand behind it.
    async fn too_long(&mut self, column: usize) -> SourceError {
        let name = (self.plan.wanted.get(column)).map_or_else(|| "of the key".to_owned(), |seen| seen.name.clone());
        let before = self.last_key().ok().flatten();
        let place = match &before {
            Some(before) => format!("(the next behind {before})"),
            None => format!("(row {} of this read)", self.number()),
        };
        let key = match self.next_key(before.or_else(|| self.from.clone()).as_ref()) {
            Some((statement, params)) => {
                let (address, isolation) = (Arc::clone(&self.address), self.query.isolation);
                let row = address.first(isolation, &statement.sql, params).await;
                let keys = Keys::new(statement.layout.key.iter().copied(), &self.plan.key);
                row.and_then(|row| keys.of(&row.row()).ok())
            }
            None => None,
        };
        let key = key.map_or(place, |key| key.to_string());
        SourceError::Value { column: name, key, reason: sql::too_long(None, self.query.value_bytes) }
    }

    /// The statement for the key of the row behind another. `None` where rows are not read by key.
    fn next_key(&self, before: Option<&Key>) -> Option<(PageStatement, Vec<RpcParam>)> {
        self.keys.as_ref()?;
        let query = Query { columns: Vec::new(), predicates: Vec::new(), ..self.query.clone() };
        let request = PageRequest { query: &query, after: before, until: None, range: Range::Rows(1) };
        let statement = sql::page(&Dialect::SQL_SERVER, &self.plan, &request).ok()?;
        let params = parameters(&self.plan, &query, &statement.params).ok()?;
        Some((statement, params))
    }

    /// Number of the row being read, from 1.
    fn number(&self) -> u64 {
        self.delivered + self.rows as u64 + 1
    }

    fn no_key(&self, index: usize) -> SourceError {
        let name = self.keys.as_ref().map(|keys| keys.name(index)).unwrap_or_default();
        let reason = format!(
            "key column `{name}` is NULL or of a type that no key can have in row {} of this read; keys must not be NULL: \
             leave such rows out of the view or choose another key",
            self.number()
        );
        SourceError::Key { reason }
    }

    /// Checks that the key is not NULL and is new to the server. It is new when the server's rank of the row, in the order of the keys,
    /// is the row's number in its statement.
    fn check_key(&self, row: &RowBytes<'_>, number: i64) -> Result<(), SourceError> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let step = keys.step(&self.before, row);
        if let Step::Null(index) = step {
            return Err(self.no_key(index));
        }
        if step == Step::Forward && self.layout.rank.is_none_or(|at| row.value(at) == Ok(Value::Int(number))) {
            return Ok(());
        }
        let key = keys.of(row).map(|key| key.to_string()).unwrap_or_default();
        let before = self.last_key()?.map(|key| key.to_string()).unwrap_or_default();
        Err(sql::one_key(&before, &key, &keys.names()))
    }

    /// The key of the row taken last.
    fn last_key(&self) -> Result<Option<Key>, SourceError> {
        self.before.key().map_err(|index| self.no_key(index))
    }

    /// Closes the page and sends it. Returns false when nobody takes pages.
    async fn tell_page(&mut self, tell: &Sender<Told>) -> Result<bool, SourceError> {
        let last_key = self.last_key()?.unwrap_or_else(|| Key(Vec::new()));
        let mut arrays: Vec<ArrayRef> = self.cells.iter_mut().map(Cells::finish).collect();
        for mask in &mut self.masks {
            arrays.push(Arc::new(BooleanArray::new(mask.finish(), None)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| self.address.failed(error.to_string()))?;
        self.delivered += self.rows as u64;
        (self.rows, self.bytes) = (0, 0);
        let first_key = std::mem::replace(&mut self.first_key, Key(Vec::new()));
        Ok(tell.send(Ok(Some(Page { batch, first_key, last_key }))).await.is_ok())
    }
}
