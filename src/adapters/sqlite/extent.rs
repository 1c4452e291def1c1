//! Counts a view, finds its key range, and adds up columns exactly.

use super::connect::Db;
use super::keys::{key_value, stored};
use super::{convert, view};
use crate::adapters::decimal::Decimal;
use crate::adapters::sql::{self, Dialect, ExtentLayout, PageRequest, Plain, unknown_column};
use crate::core::model::column::Kind;
use crate::core::model::key::Key;
use crate::core::model::query::Fetch;
use crate::core::ports::source::{After, Extent, Query, SourceError, Sum};
use rusqlite::types::ValueRef;
use rusqlite::{Row, params_from_iter};
use std::ops::Range;

/// All at one point in time, with the rows up to and with `until`: leaves the transaction open.
pub(super) fn extent(db: &Db, query: &Query, sums: &[Sum], until: Option<&Key>) -> Result<After, SourceError> {
    let fault = |error| db.fault(&error);
    db.connection.execute_batch("BEGIN").map_err(fault)?;
    // Kinds of an earlier term are for the read to check.
    let mut query = Query { kinds: None, ..query.clone() };
    if query.fetch == Fetch::Offset {
        query.key.clear();
    }
    view::resolve(db, &query)?;
    let until = until.filter(|_| !query.key.is_empty());
    let statement = sql::extent(&Dialect::SQLITE, &Plain, &query, &[], until)?;
    let params = statement.params.iter().filter_map(|(_, value)| stored(value));
    let mut prepared = (db.connection.prepare(&statement.sql))
        .map_err(|error| db.refusal(format!("view `{}` cannot be counted", query.view), &error))?;
    let mut found = prepared.query(params_from_iter(params)).map_err(fault)?;
    let row = found.next().map_err(fault)?.ok_or_else(|| db.place().failed("a count gave no row"))?;
    let mut extent = counted(db, &query, &statement.layout, row)?;
    let within = match statement.layout.within {
        Some(at) => row.get(at).map_err(fault)?,
        None => extent.rows,
    };
    drop(found);
    drop(prepared);
    if !sums.is_empty() {
        extent.sums = totals(db, &query, sums)?;
    }
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
    Ok(Extent { rows, matching, sums: Vec::new(), range })
}

/// One column to add up.
struct Total {
    at: usize,
    mask: Option<usize>,
    /// Digits that every number of the column has behind the point, where its declaration says so.
    scale: Option<u8>,
    sum: Decimal,
}

/// Reads the summed columns of all rows, in no order.
fn totals(db: &Db, query: &Query, sums: &[Sum]) -> Result<Vec<String>, SourceError> {
    let fault = |error| db.fault(&error);
    let mut columns: Vec<String> = Vec::new();
    for sum in sums {
        if !columns.contains(&sum.column) {
            columns.push(sum.column.clone());
        }
    }
    let sub = Query { columns, key: Vec::new(), kinds: None, ..query.clone() };
    let seen = view::resolve(db, &sub)?;
    let request = PageRequest { query: &sub, after: None, until: None, range: sql::Range::All };
    let statement = sql::page(&Dialect::SQLITE, &Plain, &request)?;
    let mut totals = Vec::with_capacity(sums.len());
    for sum in sums {
        let at = sub.columns.iter().position(|name| *name == sum.column);
        let at = at.ok_or_else(|| unknown_column(&query.view, &sum.column, sub.columns.clone()))?;
        let scale = match seen.get(at).and_then(|seen| seen.kind) {
            Some(Kind::Decimal { scale, .. } | Kind::DecimalText { scale, .. }) => Some(scale.unsigned_abs()),
            _ => None,
        };
        let mask = sum.predicate.map(|index| statement.layout.first_mask + index);
        totals.push(Total { at, mask, scale, sum: Decimal::default() });
    }
    let mut prepared = db.connection.prepare(&statement.sql).map_err(fault)?;
    let mut rows = prepared.query([]).map_err(fault)?;
    let mut number = 0_u64;
    while let Some(row) = rows.next().map_err(fault)? {
        number += 1;
        for (total, sum) in totals.iter_mut().zip(sums) {
            total.add(row).map_err(fault)?.ok_or_else(|| SourceError::Value {
                column: sum.column.clone(),
                key: format!("(unknown; row {number} in no order)"),
                reason: "the value cannot be added to an exact sum of up to 38 digits".to_owned(),
            })?;
        }
    }
    Ok(totals.into_iter().map(|total| total.sum.to_string()).collect())
}

impl Total {
    /// Adds one row's value. `None` when it is no exact number or there is no room.
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<Option<()>> {
        if let Some(mask) = self.mask
            && row.get_ref(mask)? != ValueRef::Integer(1)
        {
            return Ok(Some(()));
        }
        let value = row.get_ref(self.at)?;
        if value == ValueRef::Null {
            return Ok(Some(()));
        }
        let exact = match (self.scale, value) {
            (Some(scale), ValueRef::Real(value)) => {
                convert::scaled(value, scale).map(|unscaled| Decimal { unscaled, scale })
            }
            (Some(scale), value) => {
                convert::number(value).and_then(|number| Some(Decimal { unscaled: number.at_scale(scale)?, scale }))
            }
            (None, value) => convert::number(value),
        };
        Ok(exact.and_then(|exact| self.sum.plus(exact)).map(|sum| self.sum = sum))
    }
}
