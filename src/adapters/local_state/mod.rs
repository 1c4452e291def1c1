//! The embedded state store: one SQLite file that several processes on one host share. Nothing to install.

mod audit;
mod data_sources;
mod dead_letters;
mod deliveries;
mod error;
mod guard;
mod leases;
mod ledger;
mod outbox;
mod rights;
mod runs;
mod schedules;
mod schema;
#[cfg(test)]
mod tests;
mod transfers;
mod value;
mod worker_clocks;

pub use rights::rights;

use crate::core::ports::store::StoreError;
use error::SqliteStateError;
use guard::Guards;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use schema::{Home, Missing};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Leases, epochs, runs, file statuses and audit in a file of this host. Clones share one connection.
///
/// Every call runs on a blocking thread, one at a time, and answers within an eighth of the lease's time to live or
/// fails with [`StoreError::Unreachable`]; a write may then still happen.
#[derive(Clone)]
pub struct LocalState {
    path: Arc<Path>,
    connection: Arc<Mutex<Connection>>,
    guards: Arc<Guards>,
    answer_within: Duration,
}

impl LocalState {
    /// Opens the store, and makes folder and file where they are missing. `lease_ttl` sets the time limits.
    ///
    /// # Errors
    /// When the file is damaged, of a newer format or another program's, or may not be opened.
    pub async fn open(path: &Path, lease_ttl: Duration) -> Result<Self, StoreError> {
        match Self::opened(path, lease_ttl, Missing::Create).await? {
            Some(state) => Ok(state),
            None => Err(StoreError::Failed { store: name(path), reason: "it was not made".to_owned() }),
        }
    }

    /// Opens a store that is there, for commands that only look. Makes nothing. `None` when nothing is there.
    ///
    /// # Errors
    /// As [`LocalState::open`].
    pub async fn open_existing(path: &Path, lease_ttl: Duration) -> Result<Option<Self>, StoreError> {
        Self::opened(path, lease_ttl, Missing::Leave).await
    }

    async fn opened(path: &Path, lease_ttl: Duration, missing: Missing) -> Result<Option<Self>, StoreError> {
        // SQLite gives up on a locked file before the caller gives up on SQLite, and the caller before a heartbeat is due.
        let (answer_within, busy) = (lease_ttl / 8, lease_ttl / 12);
        let file = path.to_owned();
        let opened = within(answer_within, path, move || schema::open(&file, missing, busy)).await??;
        Ok(opened.map(|(connection, home)| Self {
            path: path.into(),
            connection: Arc::new(Mutex::new(connection)),
            guards: Arc::new(Guards::new(path, home == Home::Local)),
            answer_within,
        }))
    }

    /// Reads, on a blocking thread.
    async fn look<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection, &Guards) -> Result<T, SqliteStateError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(move |connection, guards| run(connection, guards)).await
    }

    /// Changes, on a blocking thread: one transaction that takes the write lock first, so that what it reads still
    /// holds when it writes. Committed and durable when this answers with success.
    async fn change<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Transaction<'_>, &Guards) -> Result<T, SqliteStateError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(move |connection, guards| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = run(&transaction, guards)?;
            transaction.commit()?;
            Ok(value)
        })
        .await
    }

    async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Connection, &Guards) -> Result<T, SqliteStateError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let guards = Arc::clone(&self.guards);
        let waiting = Arc::clone(&self.connection).lock_owned();
        let answer = async {
            // Taken before a thread is: however long the disk hangs, it holds one thread and not all.
            let mut connection = waiting.await;
            blocking(move || run(&mut connection, &guards)).await
        };
        match tokio::time::timeout(self.answer_within, answer).await {
            Ok(result) => result.map_err(|trouble| trouble.into_store(&self.path)),
            Err(_) => Err(late(&self.path, self.answer_within)),
        }
    }
}

impl fmt::Debug for LocalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalState").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The store's name in errors: as it stands in a worker file.
fn name(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// `PATH.suffix`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// The log that SQLite keeps beside the file, and its index.
fn beside_wal(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

fn late(path: &Path, limit: Duration) -> StoreError {
    StoreError::Unreachable { store: name(path), reason: format!("no answer within {limit:?}") }
}

async fn within<T: Send + 'static>(
    limit: Duration,
    path: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::time::timeout(limit, blocking(work)).await.map_err(|_| late(path, limit))
}

/// Runs `work` where it may block. A panic there goes on here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
