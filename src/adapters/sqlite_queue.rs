//! The queue of dead letters in an SQLite file, which may be the sink's own.

use crate::core::model::letter::DeadLetter;
use crate::core::ports::queue::{LetterQueue, PAGE_BYTES, QueueAudit, Removed};
use crate::core::ports::store::StoreError;
use crate::files::{self, Foreign};
use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const TABLES: &str = "\
CREATE TABLE IF NOT EXISTS filegen_queue (
    number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL, UNIQUE (queue, id));
CREATE INDEX IF NOT EXISTS filegen_queue_order ON filegen_queue (queue, number);
CREATE TABLE IF NOT EXISTS filegen_queue_audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, line TEXT NOT NULL);";

/// Newest first, by an index: a sort would write all entries to a temporary file for each page.
const PAGE: &str = "SELECT entry FROM filegen_queue WHERE queue = ?1 ORDER BY number DESC LIMIT ?2 OFFSET ?3";

/// A queue by its name in a file.
pub struct SqliteQueue {
    path: Arc<PathBuf>,
    key: String,
    connection: Arc<Mutex<Option<Connection>>>,
}

/// Why the file did not answer.
enum Fault {
    Sqlite(rusqlite::Error),
    Damaged,
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl SqliteQueue {
    /// The queue `key` of the file at `path`. Nothing is opened yet.
    pub fn new(path: &Path, key: &str) -> Self {
        Self { path: Arc::new(path.to_owned()), key: key.to_owned(), connection: Arc::default() }
    }

    async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Connection, &str) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut held = Arc::clone(&self.connection).lock_owned().await;
        let (path, key) = (Arc::clone(&self.path), self.key.clone());
        let ran = tokio::task::spawn_blocking(move || {
            let mut connection = match held.take() {
                Some(connection) => connection,
                None => open(&path)?,
            };
            let ran = run(&mut connection, &key).map_err(|fault| failed(&path, &fault));
            *held = Some(connection);
            ran
        });
        match ran.await {
            Ok(answer) => answer,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

fn store(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let io = |error: std::io::Error| {
        let (store, reason) = (store(path), format!("the file cannot be opened: {error}; check `dead_letters.url`"));
        if Foreign::of(&error).is_some() || error.kind() == std::io::ErrorKind::PermissionDenied {
            return StoreError::Denied { store, reason };
        }
        StoreError::Failed { store, reason }
    };
    files::check_database(path).map_err(io)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::make_folders(folder).map_err(io)?;
    }
    // Its owner's alone: it holds payloads. SQLite says why a file cannot be made.
    let _ = files::open_or_make_private(path).is_ok();
    let ready = || {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch("PRAGMA synchronous = FULL;")?;
        connection.execute_batch(TABLES)?;
        Ok::<_, rusqlite::Error>(connection)
    };
    ready().map_err(|error| failed(path, &error.into()))
}

fn failed(path: &Path, fault: &Fault) -> StoreError {
    let store = store(path);
    let error = match fault {
        Fault::Sqlite(error) => error,
        Fault::Damaged => {
            return StoreError::Failed { store, reason: "an entry of the queue cannot be read".to_owned() };
        }
    };
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::ReadOnly,
        ) => StoreError::Unreachable { store, reason },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::NotADatabase) => {
            StoreError::Denied { store, reason }
        }
        _ => StoreError::Failed { store, reason },
    }
}

fn found(connection: &Connection, key: &str, index: &str) -> Result<Option<DeadLetter>, Fault> {
    let sql = "SELECT entry FROM filegen_queue WHERE queue = ?1 AND id = ?2";
    let entry: Option<String> = connection.prepare_cached(sql)?.query_row((key, index), |row| row.get(0)).optional()?;
    entry.map(|entry| serde_json::from_str(&entry).map_err(|_| Fault::Damaged)).transpose()
}

#[async_trait]
impl LetterQueue for SqliteQueue {
    fn describe(&self) -> String {
        store(&self.path)
    }

    async fn add(&self, letters: &[DeadLetter]) -> Result<(), StoreError> {
        let entries: Vec<(String, String)> = letters.iter().map(|letter| (letter.index(), letter.to_json())).collect();
        self.call(move |connection, key| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql =
                "INSERT INTO filegen_queue (queue, id, entry) VALUES (?1, ?2, ?3) ON CONFLICT (queue, id) DO NOTHING";
            for (index, entry) in &entries {
                transaction.prepare_cached(sql)?.execute((key, index, entry))?;
            }
            Ok(transaction.commit()?)
        })
        .await
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.call(|connection, key| {
            Ok(connection.query_row("SELECT count(*) FROM filegen_queue WHERE queue = ?1", [key], |row| row.get(0))?)
        })
        .await
    }

    async fn page(&self, skip: u64, max: usize) -> Result<Vec<DeadLetter>, StoreError> {
        self.call(move |connection, key| {
            let (skip, max) = (i64::try_from(skip).unwrap_or(i64::MAX), i64::try_from(max).unwrap_or(i64::MAX));
            let mut asked = connection.prepare_cached(PAGE)?;
            let (mut letters, mut bytes) = (Vec::new(), 0);
            for entry in asked.query_map((key, max, skip), |row| row.get::<_, String>(0))? {
                let entry = entry?;
                bytes += entry.len();
                letters.push(serde_json::from_str(&entry).map_err(|_| Fault::Damaged)?);
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
            Ok(letters)
        })
        .await
    }

    async fn get(&self, index: &str) -> Result<Option<DeadLetter>, StoreError> {
        let index = index.to_owned();
        self.call(move |connection, key| found(connection, key, &index)).await
    }

    async fn remove(&self, index: &str, digest: &str) -> Result<Removed, StoreError> {
        let (index, digest) = (index.to_owned(), digest.to_owned());
        self.call(move |connection, key| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(letter) = found(&transaction, key, &index)? else { return Ok(Removed::Gone) };
            if letter.digest() != digest {
                return Ok(Removed::Changed);
            }
            transaction.execute("DELETE FROM filegen_queue WHERE queue = ?1 AND id = ?2", (key, &index))?;
            transaction.commit()?;
            Ok(Removed::Done)
        })
        .await
    }

    async fn audit(&self, line: &QueueAudit) -> Result<(), StoreError> {
        // A struct of texts has a JSON form.
        let line = serde_json::to_string(line).unwrap_or_default();
        self.call(move |connection, key| {
            connection.execute("INSERT INTO filegen_queue_audit (queue, line) VALUES (?1, ?2)", (key, line))?;
            Ok(())
        })
        .await
    }

    async fn audits(&self, max: usize) -> Result<Vec<QueueAudit>, StoreError> {
        self.call(move |connection, key| {
            let sql = "SELECT line FROM filegen_queue_audit WHERE queue = ?1 ORDER BY number DESC LIMIT ?2";
            let mut asked = connection.prepare_cached(sql)?;
            let max = i64::try_from(max).unwrap_or(i64::MAX);
            let lines: Vec<String> = asked.query_map((key, max), |row| row.get(0))?.collect::<Result<_, _>>()?;
            lines.iter().map(|line| serde_json::from_str(line).map_err(|_| Fault::Damaged)).collect()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_in_its_order_without_a_sort() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        let mut asked = connection.prepare(&format!("EXPLAIN QUERY PLAN {PAGE}")).unwrap();
        let plan: Vec<String> =
            asked.query_map(("q", 1, 0), |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(plan.len() == 1 && plan[0].contains("filegen_queue_order"), "{plan:?}");
    }
}
