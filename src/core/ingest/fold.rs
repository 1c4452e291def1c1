//! Several events of one row, made one change: the one with the greatest version and id. The result is what applying them one by
//! one would give, however they are cut into batches.

use crate::core::model::rows::{SqlValue, TableSet};
use crate::core::ports::sql_sink::{Change, Outcome, RowChange};
use std::cmp::Ordering;
use std::collections::HashMap;

/// What orders the events of one row: version, then the event's id by its bytes.
fn order(tables: &TableSet, left: &Change, right: &Change) -> Ordering {
    let version = |change: &Change| value_of(tables, change, tables.tables[tables.shapes[change.shape].table].version);
    let ids =
        || left.event.event_id.as_deref().map(str::as_bytes).cmp(&right.event.event_id.as_deref().map(str::as_bytes));
    match (version(left), version(right)) {
        (Some(one), Some(other)) => one.version_cmp(&other).then_with(ids),
        // Without a version, what came later is newer; the same record twice is not.
        _ if left.event.place == right.event.place => Ordering::Equal,
        _ => Ordering::Less,
    }
}

/// A change's value of a column of its table, by index.
pub fn value_of(tables: &TableSet, change: &Change, column: Option<usize>) -> Option<SqlValue> {
    let shape = &tables.shapes[change.shape];
    let at = shape.columns.iter().chain(&shape.sums).position(|index| Some(*index) == column)?;
    change.values.get(at).cloned()
}

/// The row's key as one text: no other key of its table has it.
pub fn row_key(tables: &TableSet, change: &Change) -> String {
    tables.row_key(change.shape, &change.values)
}

/// Changes of a batch as changes of rows: parents before children, and those of one row in their order.
pub fn fold(tables: &TableSet, changes: Vec<Change>) -> Vec<RowChange> {
    let mut rows: Vec<RowChange> = Vec::with_capacity(changes.len());
    // The last change of each row so far.
    let mut newest: HashMap<(usize, String), usize> = HashMap::with_capacity(changes.len());
    for change in changes {
        let shape = &tables.shapes[change.shape];
        if tables.tables[shape.table].has_sums {
            rows.push(RowChange { last: change, covered: Vec::new() });
            continue;
        }
        let key = (shape.table, row_key(tables, &change));
        let Some(&at) = newest.get(&key) else {
            newest.insert(key, rows.len());
            rows.push(RowChange { last: change, covered: Vec::new() });
            continue;
        };
        let row = &mut rows[at];
        match order(tables, &row.last, &change) {
            Ordering::Less if row.last.shape == change.shape => {
                let covered = std::mem::replace(&mut row.last, change);
                row.covered.push((covered, Outcome::Folded));
            }
            // Another type sets other columns: both are applied, one after the other.
            Ordering::Less => {
                newest.insert(key, rows.len());
                rows.push(RowChange { last: change, covered: Vec::new() });
            }
            Ordering::Equal | Ordering::Greater => row.covered.push((change, Outcome::Stale)),
        }
    }
    rows.sort_by_key(|row| tables.shapes[row.last.shape].table);
    rows
}

#[cfg(test)]
mod tests;
