//! Answers from an SQLite file: a few connections that only read, each statement ended when its time is over.

use super::apart::apart;
use crate::core::model::budget::Held;
use crate::core::model::param::ParamValue;
use crate::core::model::sql::{Part, Sql};
use crate::core::ports::table_reader::{ANSWER_MAX, AnswerRow, AnswerValue, ReadError, TableReader, take_value};
use crate::files;
use async_trait::async_trait;
use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, Statement, params_from_iter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};

/// How long a reader waits for a lock of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Steps of SQLite's machine between two looks at the time.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// Longest row that SQLite sorts by itself. It writes what it sorts to files, piece by piece, and holds a row of each piece while it joins
/// them.
const SORTED_MAX: usize = 1 << 20;

/// Length of such a piece, in KiB: longer pieces are fewer.
const SORT_CACHE: i64 = 16 << 10;

/// The tables of one file.
pub struct SqliteReader {
    path: Arc<PathBuf>,
    timeout: Duration,
    free: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
    /// Only one statement sorts at a time.
    sort: Arc<Semaphore>,
}

impl SqliteReader {
    /// At most `pool` statements at a time, each for at most `timeout`. Nothing is opened yet.
    pub fn new(path: &Path, pool: u32, timeout: Duration) -> Self {
        let places = usize::try_from(pool).unwrap_or(1).max(1);
        Self {
            path: Arc::new(path.to_owned()),
            timeout,
            free: Arc::default(),
            places: Arc::new(Semaphore::new(places)),
            sort: Arc::new(Semaphore::new(1)),
        }
    }
}

fn place(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[async_trait]
impl TableReader for SqliteReader {
    fn describe(&self) -> String {
        place(&self.path)
    }

    async fn ask(&self, sql: &Sql, most: usize, room: &Arc<Held>) -> Result<Vec<AnswerRow>, ReadError> {
        let waiting = tokio::time::timeout(self.timeout, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(permit)) = waiting else {
            let reason = "all connections are taken".to_owned();
            return Err(ReadError::Unreachable { place: self.describe(), reason });
        };
        let (text, values) = bound(sql);
        let reading =
            Reading { path: Arc::clone(&self.path), text, values, most, room: Arc::clone(room), timeout: self.timeout };
        let until = Instant::now() + self.timeout;
        let (first, free) = (reading.clone(), Arc::clone(&self.free));
        // The place goes with the work, whether anybody still waits for it or not.
        let (rows, permit) = apart(move || (first.plain(&free, until), permit)).await;
        if let Some(rows) = rows {
            return rows;
        }
        let Ok(Ok(turn)) = tokio::time::timeout(self.timeout, Arc::clone(&self.sort).acquire_owned()).await else {
            let reason = "other statements sort without an index".to_owned();
            return Err(ReadError::Unreachable { place: self.describe(), reason });
        };
        let (send, answer) = oneshot::channel();
        // A thread of its own each time: the C library gives the next one what it kept of the last one's memory, and a pool's threads would
        // keep as much each.
        let sorting = move || {
            let rows = reading.sorted(until);
            drop((turn, permit));
            // Whoever asked may be gone.
            let _ = send.send(rows).is_ok();
        };
        let begun = std::thread::Builder::new().name("sqlite sort".to_owned()).spawn(sorting);
        let lost = || ReadError::Unreachable { place: self.describe(), reason: "no thread to sort in".to_owned() };
        begun.map_err(|_| lost())?;
        answer.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// One statement to read.
#[derive(Clone)]
struct Reading {
    path: Arc<PathBuf>,
    text: String,
    values: Vec<Value>,
    most: usize,
    room: Arc<Held>,
    timeout: Duration,
}

impl Reading {
    /// Reads over one of the connections. `None` where SQLite has to sort by itself.
    fn plain(&self, free: &Mutex<Vec<Connection>>, until: Instant) -> Option<Result<Vec<AnswerRow>, ReadError>> {
        let kept = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let opened = kept.map_or_else(|| open(&self.path, ANSWER_MAX), Ok);
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(error) => return Some(Err(self.failed(false, &error))),
        };
        let rows = match sorts(&connection, &self.text, &self.values) {
            Ok(true) => None,
            Ok(false) => Some(self.rows(&mut connection, false, until)),
            Err(error) => Some(Err(self.failed(false, &error))),
        };
        // After a fault of the file the connection is not trusted: another file may stand under its name.
        if !matches!(rows, Some(Err(ReadError::Unreachable { .. }))) {
            free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        rows
    }

    /// Reads over a connection of its own, which goes with what the sort has held.
    fn sorted(&self, until: Instant) -> Result<Vec<AnswerRow>, ReadError> {
        let failed = |error: Error| self.failed(true, &error);
        let mut connection = open(&self.path, SORTED_MAX).map_err(failed)?;
        connection.execute_batch(&format!("PRAGMA cache_size = -{SORT_CACHE};")).map_err(failed)?;
        self.rows(&mut connection, true, until)
    }

    fn failed(&self, sorts: bool, error: &Error) -> ReadError {
        failed(&self.path, self.timeout, sorts, error)
    }

    fn rows(&self, connection: &mut Connection, sorts: bool, until: Instant) -> Result<Vec<AnswerRow>, ReadError> {
        let failed = |error: Error| self.failed(sorts, &error);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() >= until)).map_err(failed)?;
        let mut statement = connection.prepare_cached(&self.text).map_err(failed)?;
        let kinds = kinds(&statement);
        let mut found = statement.query(params_from_iter(&self.values)).map_err(failed)?;
        let mut rows = Vec::new();
        while rows.len() < self.most
            && let Some(row) = found.next().map_err(failed)?
        {
            let value = |(at, (name, kind)): (usize, &(String, Kind))| {
                let value = row.get_ref(at).map_err(failed)?;
                take_value(&self.room, name, length(value))?;
                Ok((name.clone(), answer(value, *kind)))
            };
            rows.push(kinds.iter().enumerate().map(value).collect::<Result<AnswerRow, ReadError>>()?);
        }
        Ok(rows)
    }
}

/// A connection that only reads. What is longer than `longest` is refused before it is in memory, and with it a record that a sort makes.
fn open(path: &Path, longest: usize) -> Result<Connection, Error> {
    files::check_database(path).map_err(|_| Error::InvalidPath(path.to_owned()))?;
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = FILE;")?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(longest).unwrap_or(i32::MAX))?;
    Ok(connection)
}

/// Whether SQLite has to sort, or to gather what it has seen, by itself.
fn sorts(connection: &Connection, text: &str, values: &[Value]) -> Result<bool, Error> {
    let mut plan = connection.prepare_cached(&format!("EXPLAIN QUERY PLAN {text}"))?;
    let mut steps = plan.query(params_from_iter(values))?;
    while let Some(step) = steps.next()? {
        // Where an index does it, the plan has no such step.
        if step.get_ref(3)?.as_str().is_ok_and(|told| told.contains("TEMP B-TREE")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn failed(path: &Path, timeout: Duration, sorts: bool, error: &Error) -> ReadError {
    let place = place(path);
    // A statement's whole text helps nobody, and is no client's to know.
    let reason = match error {
        Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        other => other.to_string(),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => ReadError::Late { seconds: timeout.as_secs() },
        Some(ErrorCode::TooBig) if sorts => ReadError::SortTooLong { most: SORTED_MAX },
        Some(ErrorCode::TooBig) => ReadError::TooLong { most: ANSWER_MAX },
        Some(ErrorCode::Unknown) => ReadError::Refused { place, reason },
        _ => ReadError::Unreachable { place, reason },
    }
}

/// How long a value becomes.
fn length(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) => bytes.len(),
        // Two digits a byte.
        ValueRef::Blob(bytes) => 2 * bytes.len(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
    }
}

/// The statement's text with numbered places, and their values.
fn bound(sql: &Sql) -> (String, Vec<Value>) {
    let (mut text, mut values) = (String::new(), Vec::new());
    for part in sql.parts() {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Param { value, .. } => {
                values.push(match value {
                    ParamValue::Text(text) | ParamValue::Decimal(text) => Value::Text(text.clone()),
                    ParamValue::Integer(number) => Value::Integer(*number),
                    ParamValue::Boolean(value) => Value::Integer(i64::from(*value)),
                    ParamValue::Date(day) => Value::Text(day.to_string()),
                });
                text.push('?');
                text.push_str(&values.len().to_string());
            }
        }
    }
    (text, values)
}

/// What a declared column holds that SQLite itself does not tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Decimal,
    Boolean,
    Timestamp,
    Json,
}

fn kinds(statement: &Statement<'_>) -> Vec<(String, Kind)> {
    let kind = |declared: Option<&str>| {
        let declared = declared.unwrap_or_default().to_ascii_uppercase();
        match declared.split(['(', ' ']).next().unwrap_or_default() {
            "DECIMAL" | "NUMERIC" | "DEC" => Kind::Decimal,
            "BOOLEAN" | "BOOL" => Kind::Boolean,
            "TIMESTAMP" | "DATETIME" => Kind::Timestamp,
            "JSON" => Kind::Json,
            _ => Kind::Plain,
        }
    };
    statement.columns().map(|column| (column.name().to_owned(), kind(column.decl_type()))).collect()
}

fn answer(value: ValueRef<'_>, kind: Kind) -> AnswerValue {
    match (value, kind) {
        (ValueRef::Integer(number @ (0 | 1)), Kind::Boolean) => AnswerValue::Bool(number == 1),
        (ValueRef::Integer(number), _) => AnswerValue::Number(number.to_string()),
        (ValueRef::Real(number), _) if number.is_finite() => AnswerValue::Number(number.to_string()),
        (ValueRef::Null | ValueRef::Real(_), _) => AnswerValue::Null,
        (ValueRef::Text(bytes), kind) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            match kind {
                Kind::Decimal if is_number(&text) => AnswerValue::Number(text),
                // As events write it.
                Kind::Timestamp if text.ends_with("+00:00") => AnswerValue::Text(text.replace("+00:00", "Z")),
                Kind::Json if serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok() => {
                    AnswerValue::Json(text)
                }
                _ => AnswerValue::Text(text),
            }
        }
        (ValueRef::Blob(bytes), _) => AnswerValue::Text(hex::encode(bytes)),
    }
}

/// Whether JSON takes the text as a number.
fn is_number(text: &str) -> bool {
    !text.is_empty()
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
        && !text.starts_with(['"', '{', '[', 't', 'f', 'n'])
}
