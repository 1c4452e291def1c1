//! Our values as columns, and back. A value that cannot be read back is an error, never a default.

use crate::core::model::names::{FileId, InstanceId, LeaseKey, WorkerId};
use crate::core::model::run::BusinessDate;
use crate::core::model::term::Token;
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Error, Result, Row};
use std::error::Error as StdError;

/// RFC 3339 in UTC, always with nine fraction digits: exact, and sorted as text it is sorted in time.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// Reads a column that later builds added. `None` in a table that does not have it yet.
pub(super) fn added<T: FromSql>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    match row.get(column) {
        Err(Error::InvalidColumnName(_)) => Ok(None),
        value => value,
    }
}

/// Reads a column that may be null through `parse`.
pub(super) fn maybe<T, E: StdError + Send + Sync + 'static>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(String) -> std::result::Result<T, E>,
) -> Result<Option<T>> {
    let Some(text) = row.get::<_, Option<String>>(column)? else { return Ok(None) };
    parse(text).map(Some).map_err(|error| unreadable(row, column, error))
}

/// Reads a column through `parse`.
pub(super) fn parsed<T, E: StdError + Send + Sync + 'static>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(String) -> std::result::Result<T, E>,
) -> Result<T> {
    parse(row.get(column)?).map_err(|error| unreadable(row, column, error))
}

fn unreadable(row: &Row<'_>, column: &str, error: impl StdError + Send + Sync + 'static) -> Error {
    let index = row.as_ref().column_index(column).unwrap_or_default();
    Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
}

pub(super) fn timestamp(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    parsed(row, column, |text| text.parse())
}

pub(super) fn maybe_timestamp(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    maybe(row, column, |text| text.parse())
}

pub(super) fn worker(row: &Row<'_>) -> Result<WorkerId> {
    parsed(row, "workerId", WorkerId::new)
}

pub(super) fn key(row: &Row<'_>) -> Result<LeaseKey> {
    parsed(row, "workerId", LeaseKey::new)
}

pub(super) fn file(row: &Row<'_>) -> Result<FileId> {
    parsed(row, "fileId", FileId::new)
}

pub(super) fn date(row: &Row<'_>) -> Result<BusinessDate> {
    parsed(row, "date", |text| text.parse::<Date>()).map(BusinessDate)
}

pub(super) fn instance(row: &Row<'_>) -> Result<InstanceId> {
    Ok(InstanceId::new(row.get::<_, String>("instanceId")?))
}

pub(super) fn token(row: &Row<'_>) -> Result<Token> {
    row.get("token").map(Token)
}
