//! Answers from an SQLite file: a few connections that only read, each statement ended when its time is over.

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
use tokio::sync::Semaphore;

/// How long a reader waits for a lock of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Steps of SQLite's machine between two looks at the time.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// The tables of one file.
pub struct SqliteReader {
    path: Arc<PathBuf>,
    timeout: Duration,
    free: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
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
        let (path, timeout, free, sql) = (Arc::clone(&self.path), self.timeout, Arc::clone(&self.free), sql.clone());
        let room = Arc::clone(room);
        let asked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let kept = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection =
                kept.map_or_else(|| open(&path), Ok).map_err(|error| failed(&path, timeout, &error))?;
            let failed = |error| failed(&path, timeout, &error);
            let rows = rows(&mut connection, &sql, (most, &room), timeout, failed);
            // After a fault of the file the connection is not trusted: another file may stand under its name.
            if !matches!(rows, Err(ReadError::Unreachable { .. })) {
                free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            rows
        });
        match asked.await {
            Ok(answer) => answer,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

fn open(path: &Path) -> Result<Connection, Error> {
    files::check_database(path).map_err(|_| Error::InvalidPath(path.to_owned()))?;
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    // What is longer is refused before it is in memory, and with it a record that a sort makes.
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(ANSWER_MAX).unwrap_or(i32::MAX))?;
    Ok(connection)
}

fn failed(path: &Path, timeout: Duration, error: &Error) -> ReadError {
    let place = place(path);
    // A statement's whole text helps nobody, and is no client's to know.
    let reason = match error {
        Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        other => other.to_string(),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => ReadError::Late { seconds: timeout.as_secs() },
        Some(ErrorCode::TooBig) => ReadError::TooLong { most: ANSWER_MAX },
        Some(ErrorCode::Unknown) => ReadError::Refused { place, reason },
        _ => ReadError::Unreachable { place, reason },
    }
}

fn rows(
    connection: &mut Connection,
    sql: &Sql,
    (most, room): (usize, &Held),
    timeout: Duration,
    failed: impl Fn(Error) -> ReadError,
) -> Result<Vec<AnswerRow>, ReadError> {
    let until = Instant::now() + timeout;
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() >= until)).map_err(&failed)?;
    let (text, values) = bound(sql);
    let mut statement = connection.prepare_cached(&text).map_err(&failed)?;
    let kinds = kinds(&statement);
    let mut found = statement.query(params_from_iter(values)).map_err(&failed)?;
    let mut rows = Vec::new();
    while rows.len() < most
        && let Some(row) = found.next().map_err(&failed)?
    {
        let value = |(at, (name, kind)): (usize, &(String, Kind))| {
            let value = row.get_ref(at).map_err(&failed)?;
            take_value(room, name, length(value))?;
            Ok((name.clone(), answer(value, *kind)))
        };
        rows.push(kinds.iter().enumerate().map(value).collect::<Result<AnswerRow, ReadError>>()?);
    }
    Ok(rows)
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
