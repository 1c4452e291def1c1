//! What a view holds: rows, rows of each predicate and the range of its key, in one query.

use super::decode::{NULL_KEY, key_value};
use super::describe::DIALECT;
use super::kinds::Wire;
use super::render::{Typed, Types};
use super::session::Session;
use crate::adapters::sql;
use crate::core::model::amount::counted;
use crate::core::model::key::Key;
use crate::core::ports::source::{After, Extent, Query, SourceError};
use std::ops::Range;
use tokio_postgres::SimpleQueryRow;

/// Counts and finds the key range; counts the rows up to and with `until` apart. `types` are those of the query.
///
/// # Errors
/// [`SourceError::Key`] when a key column is NULL somewhere; [`SourceError::Refused`] for what is not there.
pub(super) async fn extent(
    session: &mut Session,
    query: &Query,
    types: &Types,
    until: Option<&Key>,
) -> Result<After, SourceError> {
    let typed = Typed { types, wanted: &[], limit: None };
    let statement = sql::extent(&DIALECT, &typed, query, until)?;
    let rows = session.query(&statement.sql).await?;
    let row = rows.first().ok_or_else(|| failed(session, "the server counted and sent no row"))?;
    let layout = statement.layout;
    let count = |index: usize| count(row, index).ok_or_else(|| failed(session, "a count cannot be read"));
    let rows = count(0)?;
    check_filled(query, rows, &layout.filled, &count)?;
    let range = if rows == 0 || query.key.is_empty() {
        None
    } else {
        Some((key(row, query, types, layout.first)?, key(row, query, types, layout.last)?))
    };
    let within = layout.within.map_or(Ok(rows), count)?;
    let extent = Extent { rows, matching: layout.matching.map(count).collect::<Result<_, _>>()?, range };
    Ok(After { extent, within })
}

/// Sees that no key column is NULL in any row.
///
/// # Errors
/// [`SourceError::Key`] when one is.
pub(super) async fn no_null_keys(session: &mut Session, query: &Query) -> Result<(), SourceError> {
    let rows = session.query(&sql::null_keys(&DIALECT, query)?.sql).await?;
    match rows.first().and_then(|row| count(row, 0)) {
        Some(0) => Ok(()),
        nulls => Err(null_key(query, &query.key.join("`, `"), nulls)),
    }
}

/// Sees that every key column but the first has a value in every row; the first one's NULLs show in the range.
fn check_filled(
    query: &Query,
    rows: u64,
    filled: &Range<usize>,
    count: &impl Fn(usize) -> Result<u64, SourceError>,
) -> Result<(), SourceError> {
    for (index, name) in filled.clone().zip(query.key.iter().skip(1)) {
        let with_value = count(index)?;
        if with_value != rows {
            return Err(null_key(query, name, Some(rows.saturating_sub(with_value))));
        }
    }
    Ok(())
}

/// A count in one row of a result.
pub(super) fn count(row: &SimpleQueryRow, index: usize) -> Option<u64> {
    row.try_get(index).ok()??.parse().ok()
}

/// The key in one row of a result.
///
/// # Errors
/// [`SourceError::Key`] when a value is NULL or cannot be read.
pub(super) fn key(
    row: &SimpleQueryRow,
    query: &Query,
    types: &Types,
    places: Range<usize>,
) -> Result<Key, SourceError> {
    let value = |(name, index): (&String, usize)| {
        let Some(text) = row.try_get(index).ok().flatten() else { return Err(null_key(query, name, None)) };
        let wire = types.get(name).map_or(Wire::Cast, |column| column.wire);
        key_value(wire, text).map_err(|why| SourceError::Key { reason: format!("key column `{name}`: {why}") })
    };
    query.key.iter().zip(places).map(value).collect::<Result<_, _>>().map(Key)
}

fn null_key(query: &Query, name: &str, rows: Option<u64>) -> SourceError {
    let rows = rows.map_or_else(|| "some rows".to_owned(), |rows| counted(rows, "row"));
    SourceError::Key { reason: format!("key column `{name}` of view `{}` is NULL in {rows}; {NULL_KEY}", query.view) }
}

fn failed(session: &Session, reason: &str) -> SourceError {
    SourceError::Failed { source_name: session.name().to_owned(), reason: reason.to_owned() }
}
