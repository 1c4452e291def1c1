//! Counts a view and finds its key range.

use super::connect::Db;
use super::keys::key_value;
use super::params::values;
use super::view;
use crate::adapters::sql::{self, Dialect, ExtentLayout, Plain};
use crate::core::model::key::Key;
use crate::core::model::query::Fetch;
use crate::core::ports::source::{After, Extent, Query, SourceError};
use rusqlite::types::ValueRef;
use rusqlite::{Row, params_from_iter};
use std::ops::Range;

/// All at one point in time, with the rows up to and with `until`: leaves the transaction open.
pub(super) fn extent(db: &Db, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
    let fault = |error| db.fault(&error);
    db.connection.execute_batch("BEGIN").map_err(fault)?;
    db.limit_values(query.value_bytes)?;
    // Kinds of an earlier term are for the read to check.
    let mut query = Query { kinds: None, ..query.clone() };
    if query.fetch == Fetch::Offset {
        query.key.clear();
    }
    view::resolve(db, &query)?;
    let until = until.filter(|_| !query.key.is_empty());
    let statement = sql::extent(&Dialect::SQLITE, &Plain, &query, until)?;
    let params = values(&statement.params)?;
    let mut prepared = (db.connection.prepare(&statement.sql))
        .map_err(|error| db.refusal(format!("view `{}` cannot be counted", query.view), &error))?;
    let mut found = prepared.query(params_from_iter(params)).map_err(fault)?;
    let row = found.next().map_err(fault)?.ok_or_else(|| db.place().failed("a count gave no row"))?;
    let extent = counted(db, &query, &statement.layout, row)?;
    let within = match statement.layout.within {
        Some(at) => row.get(at).map_err(fault)?,
        None => extent.rows,
    };
    Ok(After { extent, within })
}

fn counted(db: &Db, query: &Query, layout: &ExtentLayout, row: &Row<'_>) -> Result<Extent, SourceError> {
    let count = |index: usize| match row.get_ref(index) {
        Ok(ValueRef::Integer(count)) => Ok(u64::try_from(count).unwrap_or(0)),
        Ok(_) => Err(db.place().failed("a count is no number")),
        Err(error) => Err(db.fault(&error)),
    };
    let rows = count(0)?;
    let matching = layout.matching.clone().map(count).collect::<Result<_, _>>()?;
    let null = |index: usize| {
        let name = query.key.get(index).map(String::as_str).unwrap_or_default();
        let reason = format!(
            "key column `{name}` of view `{}` is NULL in some rows; keys must not be NULL: \
             leave such rows out of the view or choose another key",
            query.view
        );
        SourceError::Key { reason }
    };
    for (index, at) in layout.filled.clone().enumerate() {
        if count(at)? < rows {
            return Err(null(index + 1));
        }
    }
    let key = |range: &Range<usize>| -> Result<Key, SourceError> {
        let mut values = Vec::with_capacity(range.len());
        for (index, at) in range.clone().enumerate() {
            let value = row.get_ref(at).map_err(|error| db.fault(&error))?;
            if value == ValueRef::Null {
                return Err(null(index));
            }
            values.push(key_value(value).ok_or_else(|| SourceError::Value {
                column: query.key.get(index).cloned().unwrap_or_default(),
                key: "(the first or last)".to_owned(),
                reason: "a key's text is not valid UTF-8; store it as UTF-8, or use hex(…) in the view".to_owned(),
            })?);
        }
        Ok(Key(values))
    };
    let range = if rows == 0 || query.key.is_empty() { None } else { Some((key(&layout.first)?, key(&layout.last)?)) };
    Ok(Extent { rows, matching, range })
}
