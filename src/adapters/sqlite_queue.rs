//! The queue of dead letters in an SQLite file, which may be the sink's own.

use super::sqlite_numbers::{Numbered, used_up};
use crate::core::model::letter::{DeadLetter, ENTRY_MAX};
use crate::core::ports::queue::{Entry, LetterPage, LetterQueue, PAGE_BYTES, QueueAudit, Removed};
use crate::core::ports::store::{Found, StoreError};
use crate::files::{self, Foreign};
use async_trait::async_trait;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, TransactionBehavior};
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

const ENTRIES: Numbered = Numbered::new("filegen_queue.number");

const LINES: Numbered = Numbered::new("filegen_queue_audit.number");

/// Newest first, by an index: a sort would write all entries to a temporary file for each page.
const PAGE: &str = "SELECT CASE WHEN octet_length(entry) <= ?4 THEN entry END, id FROM filegen_queue WHERE queue = ?1
    ORDER BY number DESC LIMIT ?2 OFFSET ?3";

/// Longest line about what somebody did that is read back, in bytes.
const LINE_MAX: usize = 64 << 10;

/// A queue by its name in a file.
pub struct SqliteQueue {
    path: Arc<PathBuf>,
    key: String,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl SqliteQueue {
    /// The queue `key` of the file at `path`. Nothing is opened yet.
    pub fn new(path: &Path, key: &str) -> Self {
        Self { path: Arc::new(path.to_owned()), key: key.to_owned(), connection: Arc::default() }
    }

    async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut held = Arc::clone(&self.connection).lock_owned().await;
        let (path, key) = (Arc::clone(&self.path), self.key.clone());
        let ran = tokio::task::spawn_blocking(move || {
            let mut connection = match held.take() {
                Some(connection) => connection,
                None => open(&path)?,
            };
            let ran = run(&mut connection, &key).map_err(|error| failed(&path, &error));
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
    ready().map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &rusqlite::Error) -> StoreError {
    let store = store(path);
    if let Some(reason) = used_up(path, error) {
        return StoreError::Failed { store, reason };
    }
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

/// Entry and index of a row. Others may have put anything there: what is no text counts as too long.
fn letter(row: &Row<'_>) -> (String, Result<DeadLetter, String>) {
    let text = |column| match row.get_ref(column) {
        Ok(ValueRef::Text(text)) => Some(text),
        _ => None,
    };
    let index = String::from_utf8_lossy(text(1).unwrap_or_default()).into_owned();
    let letter = DeadLetter::kept(&index, text(0));
    (index, letter)
}

fn found(connection: &Connection, key: &str, index: &str) -> rusqlite::Result<Option<Result<DeadLetter, String>>> {
    let sql =
        "SELECT CASE WHEN octet_length(entry) <= ?3 THEN entry END, id FROM filegen_queue WHERE queue = ?1 AND id = ?2";
    let found = connection.prepare_cached(sql)?.query_row((key, index, ENTRY_MAX), |row| Ok(letter(row))).optional()?;
    Ok(found.map(|(_, letter)| letter))
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
            let sql = "INSERT INTO filegen_queue (queue, id, entry, number) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (queue, id) DO NOTHING";
            for (index, entry) in &entries {
                let number = ENTRIES.next(&transaction)?;
                transaction.prepare_cached(sql)?.execute((key, index, entry, number))?;
            }
            transaction.commit()
        })
        .await
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.call(|connection, key| {
            connection.query_row("SELECT count(*) FROM filegen_queue WHERE queue = ?1", [key], |row| row.get(0))
        })
        .await
    }

    async fn bytes(&self) -> Result<Option<u64>, StoreError> {
        self.call(|connection, key| {
            let sql = "SELECT coalesce(sum(octet_length(entry)), 0) FROM filegen_queue WHERE queue = ?1";
            connection.query_row(sql, [key], |row| row.get(0)).map(Some)
        })
        .await
    }

    async fn page(&self, skip: u64, max: usize) -> Result<LetterPage, StoreError> {
        self.call(move |connection, key| {
            let (skip, max) = (i64::try_from(skip).unwrap_or(i64::MAX), i64::try_from(max).unwrap_or(i64::MAX));
            let mut asked = connection.prepare_cached(PAGE)?;
            let (mut rows, mut page, mut bytes) = (asked.query((key, max, skip, ENTRY_MAX))?, LetterPage::default(), 0);
            while let Some(row) = rows.next()? {
                bytes += row.get_ref(0)?.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len);
                let (index, letter) = letter(row);
                page.add(|| index, letter);
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
            Ok(page)
        })
        .await
    }

    async fn get(&self, index: &str) -> Result<Option<Entry>, StoreError> {
        let index = index.to_owned();
        self.call(move |connection, key| Ok(found(connection, key, &index)?.map(Entry::from))).await
    }

    async fn remove(&self, index: &str, digest: &str) -> Result<Removed, StoreError> {
        let (index, digest) = (index.to_owned(), digest.to_owned());
        self.call(move |connection, key| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(letter) = found(&transaction, key, &index)? else { return Ok(Removed::Gone) };
            if letter.is_ok_and(|letter| letter.digest() == digest) {
                transaction.execute("DELETE FROM filegen_queue WHERE queue = ?1 AND id = ?2", (key, &index))?;
                transaction.commit()?;
                return Ok(Removed::Done);
            }
            Ok(Removed::Changed)
        })
        .await
    }

    async fn audit(&self, line: &QueueAudit) -> Result<(), StoreError> {
        // A struct of texts has a JSON form.
        let line = serde_json::to_string(line).unwrap_or_default();
        self.call(move |connection, key| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let number = LINES.next(&transaction)?;
            let sql = "INSERT INTO filegen_queue_audit (queue, line, number) VALUES (?1, ?2, ?3)";
            transaction.execute(sql, (key, line, number))?;
            transaction.commit()
        })
        .await
    }

    async fn audits(&self, max: usize) -> Result<Found<QueueAudit>, StoreError> {
        self.call(move |connection, key| {
            let sql = "SELECT CASE WHEN octet_length(line) <= ?3 THEN line END, number FROM filegen_queue_audit WHERE queue = ?1
                       ORDER BY number DESC LIMIT ?2";
            let mut asked = connection.prepare_cached(sql)?;
            let mut rows = asked.query((key, i64::try_from(max).unwrap_or(i64::MAX), LINE_MAX))?;
            let mut found = Found::default();
            while let Some(row) = rows.next()? {
                let line = row.get::<_, String>(0).map_err(|error| error.to_string());
                let line = line.and_then(|line| serde_json::from_str(&line).map_err(|error| error.to_string()));
                let number: i64 = row.get(1)?;
                found.add(|| format!("filegen_queue_audit {number}"), line);
            }
            Ok(found)
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
            asked.query_map(("q", 1, 0, 9), |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(plan.len() == 1 && plan[0].contains("filegen_queue_order"), "{plan:?}");
    }
}
