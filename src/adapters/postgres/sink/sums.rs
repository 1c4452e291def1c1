//! Events that add something up: each is entered in the ledger once, and those of one row become one change.

use super::link::Fault;
use super::parked::place;
use super::rows::{Applied, Rows};
use crate::core::model::decimal::Decimal;
use crate::core::model::rows::{SqlType, SqlValue};
use crate::core::ports::sql_sink::Change;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use tokio_postgres::types::Type;

/// One row's events.
struct Sum<'a> {
    /// Places of its events, in their order.
    members: Vec<usize>,
    newest: &'a Change,
}

/// Adds all at once. `None` when a sum would have been beyond its column on the way: then the order decides who is at fault.
pub(super) async fn add(rows: &Rows<'_>, changes: &[&Change]) -> Result<Option<Vec<Applied>>, Fault> {
    let seen = enter(rows, changes).await?;
    let mut applied = vec![Applied::Stale; changes.len()];
    let (mut sums, mut by_key): (Vec<Sum<'_>>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
    let mut met = HashSet::new();
    for (at, change) in changes.iter().enumerate() {
        let id = change.event.event_id.as_deref().unwrap_or_default();
        if !seen.contains(id) || !met.insert(id) {
            continue;
        }
        applied[at] = Applied::Written;
        let key = rows.set.row_key(rows.shape, &change.values);
        let of = *by_key.entry(key).or_insert(sums.len());
        match sums.get_mut(of) {
            Some(sum) => {
                sum.members.push(at);
                if order(rows, sum.newest, change) == Ordering::Less {
                    sum.newest = change;
                }
            }
            None => sums.push(Sum { members: vec![at], newest: change }),
        }
    }
    let Some(values) = sums.iter().map(|sum| merged(rows, sum, changes)).collect::<Option<Vec<Vec<SqlValue>>>>() else {
        return Ok(None);
    };
    let values: Vec<&[SqlValue]> = values.iter().map(Vec::as_slice).collect();
    for row in rows.upsert(&values).await? {
        let Some(sum) = sums.get(place(row.get(0))) else { continue };
        for at in 0..rows.set.shapes[rows.shape].sums.len() {
            if !was_within(rows, sum, changes, at, row.get(at + 1)) {
                return Ok(None);
            }
        }
    }
    Ok(Some(applied))
}

/// Enters events into the ledger. Gives the ids that were not there.
async fn enter(rows: &Rows<'_>, changes: &[&Change]) -> Result<HashSet<String>, Fault> {
    let sql = "INSERT INTO filegen_ledger (tbl, event_id) SELECT DISTINCT $1, x.e FROM unnest($2::text[]) AS x(e) ORDER BY x.e
               ON CONFLICT DO NOTHING RETURNING event_id";
    let ids: Vec<&str> = changes.iter().map(|change| change.event.event_id.as_deref().unwrap_or_default()).collect();
    let found = rows.link.query(sql, &[(&rows.table().name, Type::TEXT), (&ids, Type::TEXT_ARRAY)]).await?;
    Ok(found.iter().map(|row| row.get(0)).collect())
}

/// The order of two events of a row: version, then id. Without a version, what comes later is newer.
fn order(rows: &Rows<'_>, one: &Change, other: &Change) -> Ordering {
    let columns = &rows.set.shapes[rows.shape].columns;
    let place = |column: Option<usize>| columns.iter().position(|own| Some(*own) == column);
    let Some(version) = place(rows.table().version) else { return Ordering::Less };
    let by = |at: usize| one.values[at].version_cmp(&other.values[at]);
    by(version).then_with(|| place(rows.table().event_id).map_or(Ordering::Equal, by))
}

/// The newest event's values, with the parts of all. `None` when they cannot be added.
fn merged(rows: &Rows<'_>, sum: &Sum<'_>, changes: &[&Change]) -> Option<Vec<SqlValue>> {
    let shape = &rows.set.shapes[rows.shape];
    let mut values = sum.newest.values.clone();
    for (at, column) in shape.sums.iter().enumerate() {
        let (slot, kind) = (shape.columns.len() + at, rows.table().columns[*column].kind);
        let parts = sum.members.iter().map(|member| &changes[*member].values[slot]);
        values[slot] =
            parts.clone().skip(1).try_fold(parts.clone().next()?.clone(), |all, part| all.plus(part, kind))?;
    }
    Some(values)
}

/// Whether a sum was within its column after each of the events, as it would have been told had they come one by one.
fn was_within(rows: &Rows<'_>, sum: &Sum<'_>, changes: &[&Change], at: usize, now: Option<String>) -> bool {
    let shape = &rows.set.shapes[rows.shape];
    let (slot, kind) = (shape.columns.len() + at, rows.table().columns[shape.sums[at]].kind);
    let Some(now) = now else { return true };
    let scale = if let SqlType::Decimal { scale, .. } = kind { scale } else { 0 };
    let unscaled = |value: &SqlValue| match value {
        SqlValue::Int(number) => Some(i128::from(*number)),
        SqlValue::Decimal(number) => number.at_scale(scale),
        _ => Some(0),
    };
    let fits = |number: i128| match kind {
        SqlType::Decimal { precision, .. } => Decimal::fits(number, precision),
        SqlType::Integer => i32::try_from(number).is_ok(),
        _ => i64::try_from(number).is_ok(),
    };
    let parts: Option<Vec<i128>> = sum.members.iter().map(|member| unscaled(&changes[*member].values[slot])).collect();
    let end = Decimal::parse(now.as_bytes()).and_then(|number| number.at_scale(scale));
    let (Some(parts), Some(end)) = (parts, end) else { return false };
    let all = parts.iter().try_fold(0_i128, |all, part| all.checked_add(*part));
    let Some(mut running) = all.and_then(|all| end.checked_sub(all)) else { return false };
    parts.into_iter().all(|part| {
        running = running.saturating_add(part);
        fits(running)
    })
}
