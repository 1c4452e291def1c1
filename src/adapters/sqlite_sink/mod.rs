//! Tables of an SQLite file as a sink of events. A batch is one immediate transaction: nobody else writes meanwhile, so reading a row
//! before changing it needs no lock of its own.

mod apply;
mod batch;
mod book;
mod ddl;
mod fault;
mod fit;
mod parked;
mod value;

use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::rows::TableSet;
use crate::core::ports::sql_sink::{
    Batch, Outcome, Outgoing, Parked, SinkCounts, SinkError, SinkReader, SqlSink, StoredPosition,
};
use crate::core::ports::store::Found;
use crate::files::{self, Foreign};
use async_trait::async_trait;
use fault::{Place, SqliteFault};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a writer waits for another one before the fault is passed on as a passing one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements that are kept prepared: some for each shape and table.
const STATEMENTS: usize = 256;

/// The tables of one SQLite file.
pub struct SqliteSink {
    place: Place,
    tables: Arc<TableSet>,
    reader: Arc<SinkReader>,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl SqliteSink {
    /// Tables of the file at `path`. Nothing is opened yet.
    pub fn new(path: &Path, tables: Arc<TableSet>, reader: SinkReader) -> Self {
        Self { place: Place::new(path), tables, reader: Arc::new(reader), connection: Arc::default() }
    }

    /// Runs on a blocking thread, on the one connection; opens it first.
    async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Connection, &Work) -> Result<T, SqliteFault> + Send + 'static,
    ) -> Result<T, SinkError> {
        let mut held = Arc::clone(&self.connection).lock_owned().await;
        let place = self.place.clone();
        let work = Work { tables: Arc::clone(&self.tables), reader: Arc::clone(&self.reader) };
        let ran = tokio::task::spawn_blocking(move || {
            let mut connection = match held.take() {
                Some(connection) => connection,
                None => open(&place, false)?,
            };
            let ran = run(&mut connection, &work);
            // After a fault of the file the connection is not trusted.
            if !matches!(ran, Err(SqliteFault::Sqlite(_))) {
                *held = Some(connection);
            }
            ran.map_err(|fault| place.error(fault))
        });
        match ran.await {
            Ok(answer) => answer,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn change<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Transaction<'_>, &Work) -> Result<T, SqliteFault> + Send + 'static,
    ) -> Result<T, SinkError> {
        self.call(move |connection, work| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = run(&transaction, work)?;
            transaction.commit()?;
            Ok(value)
        })
        .await
    }
}

fn fits(detail: &str) -> Finding {
    Finding { check: "tables fit".to_owned(), verdict: CheckVerdict::Pass, detail: detail.to_owned() }
}

/// What every statement is about.
struct Work {
    tables: Arc<TableSet>,
    reader: Arc<SinkReader>,
}

/// Opens the file. Makes it only with `make`.
fn open(place: &Place, make: bool) -> Result<Connection, SinkError> {
    let path = place.path();
    let io = |error: std::io::Error| {
        let reason = format!("the file cannot be opened: {error}; check `sink.url`");
        if Foreign::of(&error).is_some() || error.kind() != std::io::ErrorKind::Other {
            return place.refused(reason);
        }
        place.failed(reason)
    };
    files::check_database(path).map_err(io)?;
    if make {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::make_folders(folder).map_err(io)?;
        }
        // Its owner's alone: it holds payloads. SQLite says why a file cannot be made.
        let _ = files::open_or_make_private(path).is_ok();
    } else if files::identity(path).is_err() {
        let hint = "`create: missing` makes it, and `filegen ingest schema --apply` too";
        return Err(place.refused(format!("there is no such file; {hint}")));
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, make);
    let ready = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection
            .execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON;")?;
        let now: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        // Readers of the tables go on while a batch is written. A file in use keeps the mode it has, which is as durable.
        if now != "wal" {
            let _ = connection.pragma_update(None, "journal_mode", "wal").is_ok();
        }
        Ok::<_, rusqlite::Error>(connection)
    };
    ready().map_err(|error| place.error(SqliteFault::Sqlite(error)))
}

#[async_trait]
impl SqlSink for SqliteSink {
    fn describe(&self) -> String {
        self.place.describe()
    }

    fn schema(&self, tables: &TableSet) -> Vec<String> {
        ddl::statements(tables)
    }

    async fn open(&mut self, create: bool) -> Result<(), SinkError> {
        let mut held = Arc::clone(&self.connection).lock_owned().await;
        let (place, tables) = (self.place.clone(), Arc::clone(&self.tables));
        let opened = tokio::task::spawn_blocking(move || {
            let mut connection = open(&place, create)?;
            fit::ready(&mut connection, &tables, create, true).map_err(|fault| place.error(fault))?;
            *held = Some(connection);
            Ok(())
        });
        match opened.await {
            Ok(answer) => answer,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn examine(&mut self, create: bool, _: Timestamp) -> Result<Vec<Finding>, SinkError> {
        if create && files::identity(self.place.path()).is_err() {
            return Ok(vec![fits("the file and its tables will be made")]);
        }
        self.call(move |connection, work| fit::ready(connection, &work.tables, create, false)).await?;
        Ok(vec![fits("every table takes its events, and each identity is a key")])
    }

    async fn positions(&mut self) -> Result<Found<StoredPosition>, SinkError> {
        self.call(|connection, work| book::positions(connection, &work.reader)).await
    }

    async fn write(&mut self, batch: &Batch) -> Result<Vec<Outcome>, SinkError> {
        let batch = batch.clone();
        self.call(move |connection, work| batch::write(connection, work, &batch)).await
    }

    async fn released(&mut self, max: usize) -> Result<Vec<Parked>, SinkError> {
        self.call(move |connection, work| parked::released(connection, &work.reader, max)).await
    }

    async fn has_parked(&mut self) -> Result<bool, SinkError> {
        self.call(|connection, _| Ok(parked::has_parked(connection)?)).await
    }

    async fn expire(&mut self, before: Timestamp, now: Timestamp, instance: &str) -> Result<u64, SinkError> {
        let instance = instance.to_owned();
        self.change(move |transaction, work| parked::expire(transaction, &work.reader, before, now, &instance)).await
    }

    async fn outbox(&mut self, after: i64, max: usize) -> Result<Outgoing, SinkError> {
        self.call(move |connection, work| book::outbox(connection, &work.reader, after, max)).await
    }

    async fn sent(&mut self, numbers: &[i64]) -> Result<(), SinkError> {
        let numbers = numbers.to_vec();
        self.change(move |transaction, work| book::sent(transaction, &work.reader, &numbers)).await
    }

    async fn counts(&mut self) -> Result<SinkCounts, SinkError> {
        self.call(|connection, work| book::counts(connection, work)).await
    }
}
