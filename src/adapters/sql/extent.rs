//! The statement that counts a view and finds its key range, and those that look for bad keys.

use super::page::{Side, bound};
use super::{Bindings, Bound, Dialect, From, Limit, Render, Statement, order_by};
use crate::core::model::key::Key;
use crate::core::ports::source::{Query, SourceError};
use std::fmt::Write as _;
use std::ops::Range;

/// One statement with one row, and what stands where in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExtentStatement {
    /// The text.
    pub sql: String,
    /// The values in the order of their numbers; empty when the dialect numbers none.
    pub params: Vec<Bound>,
    /// What stands where.
    pub layout: ExtentLayout,
}

/// What stands where in the row of an extent's statement. Column 0 is the number of rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExtentLayout {
    /// Rows of each predicate.
    pub matching: Range<usize>,
    /// For each key column but the first, how many rows have a value there. One below column 0 means a NULL key.
    pub filled: Range<usize>,
    /// How many rows have a key up to the one asked about, where one was.
    pub within: Option<usize>,
    /// The first row's key; NULLs when there are no rows.
    pub first: Range<usize>,
    /// The last row's key; NULLs when there are no rows. NULLs sort to one end or the other, so a NULL in the first key
    /// column of any row shows in the first or in the last key, whichever way the database sorts.
    pub last: Range<usize>,
}

/// Writes the statement of an extent: everything from one moment, the ends of the key by an index where there is one. With
/// `until`, rows up to and with that key are counted apart.
///
/// # Errors
/// [`SourceError::Refused`] for a predicate that is more or less than one expression, and for a key whose number of values
/// is not that of the key columns.
pub fn extent(
    dialect: &Dialect,
    render: &dyn Render,
    query: &Query,
    until: Option<&Key>,
) -> Result<ExtentStatement, SourceError> {
    let count = dialect.count;
    let mut bindings = Bindings::new(dialect);
    let From { with, text: from } = bindings.relation(&query.view)?;
    let predicates: Vec<String> =
        query.predicates.iter().map(|predicate| bindings.predicate(predicate)).collect::<Result<_, _>>()?;
    let mut counted = vec![format!("{count}(*)")];
    for predicate in &predicates {
        counted.push(format!("{count}(CASE WHEN ({predicate}) THEN 1 END)"));
    }
    let matching = 1..counted.len();
    counted.extend(query.key.iter().skip(1).map(|name| format!("{count}({})", dialect.column(name))));
    let filled = matching.end..counted.len();
    if let Some(until) = until {
        let bound = bound(dialect, render, &query.key, until, Side::Until, &mut bindings)?;
        counted.push(format!("{count}(CASE WHEN {bound} THEN 1 END)"));
    }
    let within = until.is_some().then_some(filled.end);
    let first = counted.len()..counted.len() + query.key.len();
    let last = first.end..first.end + query.key.len();

    let aliased: Vec<String> =
        counted.iter().enumerate().map(|(index, expression)| format!("{expression} AS c{index}")).collect();
    let mut sql = format!("{with}SELECT * FROM (SELECT {} FROM {from} t) c", aliased.join(", "));
    if !query.key.is_empty() {
        for (alias, descending) in [("f", false), ("l", true)] {
            let end = end_of_key(dialect, render, query, &from, (alias, descending));
            let _ = write!(sql, " LEFT JOIN ({end}) {alias} ON 1 = 1");
        }
    }
    let layout = ExtentLayout { matching, filled, within, first, last };
    Ok(ExtentStatement { sql, params: bindings.into_values(), layout })
}

/// Selects the first or the last key.
fn end_of_key(
    dialect: &Dialect,
    render: &dyn Render,
    query: &Query,
    from: &str,
    (alias, descending): (&str, bool),
) -> String {
    let keys: Vec<String> = (query.key.iter().enumerate())
        .map(|(index, name)| {
            let reference = dialect.column(name);
            format!("{} AS {alias}{index}", render.key(name, &reference).unwrap_or(reference))
        })
        .collect();
    let (top, limit) = one_row(dialect);
    format!(
        "SELECT {top}{} FROM {from} t ORDER BY {}{limit}",
        keys.join(", "),
        order_by(dialect, &query.key, descending)
    )
}

/// What keeps a statement to one row: behind SELECT, and at the end.
fn one_row(dialect: &Dialect) -> (&'static str, &'static str) {
    match dialect.limit {
        Limit::Limit => ("", " LIMIT 1"),
        Limit::TopFetch => ("TOP (1) ", ""),
    }
}

/// Counts rows with a NULL in any key column.
///
/// # Errors
/// [`SourceError::Refused`] for a query that is not one SELECT.
pub fn null_keys(dialect: &Dialect, query: &Query) -> Result<Statement, SourceError> {
    let mut bindings = Bindings::new(dialect);
    let From { with, text: from } = bindings.relation(&query.view)?;
    let nulls: Vec<String> = query.key.iter().map(|name| format!("{} IS NULL", dialect.column(name))).collect();
    let sql = format!("{with}SELECT {}(*) FROM {from} t WHERE {}", dialect.count, nulls.join(" OR "));
    Ok(Statement { sql, params: bindings.into_values() })
}

/// Finds one key that more than one row has: its columns, then how many rows. No row when every key is unique.
///
/// # Errors
/// [`SourceError::Refused`] for a query that is not one SELECT.
pub fn duplicate_keys(dialect: &Dialect, render: &dyn Render, query: &Query) -> Result<Statement, SourceError> {
    let mut bindings = Bindings::new(dialect);
    let From { with, text: from } = bindings.relation(&query.view)?;
    let plain: Vec<String> = query.key.iter().map(|name| dialect.column(name)).collect();
    let rendered: Vec<String> = (query.key.iter().zip(&plain))
        .map(|(name, reference)| render.key(name, reference).unwrap_or_else(|| reference.clone()))
        .collect();
    let (top, limit) = one_row(dialect);
    let sql = format!(
        "{with}SELECT {top}{}, {count}(*) FROM {from} t GROUP BY {} HAVING {count}(*) > 1{limit}",
        rendered.join(", "),
        plain.join(", "),
        count = dialect.count,
    );
    Ok(Statement { sql, params: bindings.into_values() })
}
