//! The statement that reads rows in key order: all of them for a stream, one page's worth, or some by row number.

use super::{Bindings, Bound, Dialect, From, Limit, Params, Render, order_by};
use crate::core::model::key::Key;
use crate::core::model::query::Fetch;
use crate::core::ports::source::{Query, SourceError};
use std::fmt::Write as _;

/// Which rows to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// From the row behind `after` to the end of the range.
    All,
    /// As [`Range::All`], but at most so many rows.
    Rows(u64),
    /// By row number: skips so many rows, then at most so many. `after` is not looked at.
    Offset {
        /// Rows to skip.
        skip: u64,
        /// Rows to read.
        rows: u64,
    },
}

/// One read.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<'a> {
    /// What is asked of the view.
    pub query: &'a Query,
    /// Read behind this key.
    pub after: Option<&'a Key>,
    /// Read up to and with this key.
    pub until: Option<&'a Key>,
    /// How many rows.
    pub range: Range,
}

/// A statement, its parameters in the order of their numbers, and what stands where in its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageStatement {
    /// The text.
    pub sql: String,
    /// The values in the order of their numbers; empty when the dialect numbers none.
    pub params: Vec<Bound>,
    /// What stands where.
    pub layout: Layout,
}

/// What stands where in the rows of a page's statement: wanted columns, then key columns not read from those, then masks
/// (1 or 0), then the rank.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Number of wanted columns; they come first.
    pub wanted: usize,
    /// For each key column, its index in the row.
    pub key: Vec<usize>,
    /// Index of the first mask.
    pub first_mask: usize,
    /// Number of masks.
    pub masks: usize,
    /// Index of the row's rank in the order of the key, where [`Render::ranks`] asks for it: one more than the rows of the
    /// statement whose keys are less. Where it is not the row's number, the database holds its key equal to the one before.
    pub rank: Option<usize>,
}

/// Writes the statement of one read.
///
/// # Errors
/// [`SourceError::Refused`] for a predicate that is more or less than one expression, and for a key whose number of values
/// is not that of the key columns.
pub fn page(dialect: &Dialect, render: &dyn Render, request: &PageRequest<'_>) -> Result<PageStatement, SourceError> {
    let query = request.query;
    let mut bindings = Bindings::new(dialect);
    let From { with, text: from } = bindings.relation(&query.view)?;
    let (list, layout) = select_list(dialect, render, query, &mut bindings)?;
    let by_number = matches!(request.range, Range::Offset { .. });
    let mut bounds = Vec::new();
    for (side, key) in [(Side::After, request.after.filter(|_| !by_number)), (Side::Until, request.until)] {
        if let Some(key) = key {
            bounds.push(bound(dialect, render, &query.key, key, side, &mut bindings)?);
        }
    }
    let mut sql = format!("{with}SELECT ");
    if let (Limit::TopFetch, Range::Rows(rows)) = (dialect.limit, request.range) {
        let _ = write!(sql, "TOP ({rows}) ");
    }
    let _ = write!(sql, "{list} FROM {from} t");
    if !bounds.is_empty() {
        let _ = write!(sql, " WHERE {}", bounds.join(" AND "));
    }
    if !query.key.is_empty() {
        let _ = write!(sql, " ORDER BY {}", order_by(dialect, &query.key, false));
    }
    match (dialect.limit, request.range) {
        (_, Range::All) | (Limit::TopFetch, Range::Rows(_)) => {}
        (Limit::Limit, Range::Rows(rows)) => {
            let _ = write!(sql, " LIMIT {rows}");
        }
        (Limit::Limit, Range::Offset { skip, rows }) => {
            let _ = write!(sql, " LIMIT {rows} OFFSET {skip}");
        }
        (Limit::TopFetch, Range::Offset { skip, rows }) => {
            if query.key.is_empty() {
                // OFFSET is a part of ORDER BY there, and this is its way to ask for no order.
                sql.push_str(" ORDER BY (SELECT NULL)");
            }
            let _ = write!(sql, " OFFSET {skip} ROWS FETCH NEXT {rows} ROWS ONLY");
        }
    }
    Ok(PageStatement { sql, params: bindings.into_values(), layout })
}

/// The statement that a run sends first, for people to read: columns as they are, without what types need on the wire, and
/// parameters as the worker file has them.
///
/// # Errors
/// As [`page`].
pub fn shown(dialect: &Dialect, query: &Query) -> Result<String, SourceError> {
    let rows = u64::from(query.page_size.get());
    let range = match query.fetch {
        Fetch::Stream => Range::All,
        Fetch::Paged => Range::Rows(rows),
        Fetch::Offset => Range::Offset { skip: 0, rows },
    };
    let dialect = Dialect { params: Params::Named, ..*dialect };
    Ok(page(&dialect, &super::Plain, &PageRequest { query, after: None, until: None, range })?.sql)
}

/// The selected expressions, and what stands where among them.
fn select_list(
    dialect: &Dialect,
    render: &dyn Render,
    query: &Query,
    bindings: &mut Bindings<'_>,
) -> Result<(String, Layout), SourceError> {
    let mut list: Vec<String> = query.columns.iter().map(|name| render.column(name, &dialect.column(name))).collect();
    let wanted = list.len();
    let mut key = Vec::with_capacity(query.key.len());
    for name in &query.key {
        let reference = dialect.column(name);
        match (render.key(name, &reference), query.columns.iter().position(|column| column == name)) {
            (None, Some(index)) => key.push(index),
            (rendered, _) => {
                key.push(list.len());
                list.push(rendered.unwrap_or(reference));
            }
        }
    }
    let first_mask = list.len();
    for predicate in &query.predicates {
        list.push(format!("CASE WHEN ({}) THEN 1 ELSE 0 END", bindings.predicate(predicate)?));
    }
    let rank =
        (query.fetch != Fetch::Offset && !query.key.is_empty() && render.ranks(&query.key)).then_some(list.len());
    if rank.is_some() {
        // In the order that the rows are read in: nothing is sorted twice.
        list.push(format!("RANK() OVER (ORDER BY {})", order_by(dialect, &query.key, false)));
    }
    if list.is_empty() {
        // A file of literals only, read by offset: rows count, columns do not.
        list.push("1".to_owned());
    }
    Ok((list.join(", "), Layout { wanted, key, first_mask, masks: query.predicates.len(), rank }))
}

/// Which end of the range a key is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    After,
    Until,
}

/// Compares the key columns as a whole with a key, and adds its values to the statement's.
pub(super) fn bound(
    dialect: &Dialect,
    render: &dyn Render,
    names: &[String],
    key: &Key,
    side: Side,
    bindings: &mut Bindings<'_>,
) -> Result<String, SourceError> {
    if key.0.len() != names.len() || names.is_empty() {
        return Err(SourceError::Refused {
            reason: format!(
                "the key to read from ({key}) has {} values, but the worker file's key has {} columns ({}); \
                 if the key was changed during the run, start the run anew",
                key.0.len(),
                names.len(),
                names.join(", ")
            ),
        });
    }
    let values: Vec<String> = key.0.iter().zip(names).map(|(value, name)| bindings.key(render, name, value)).collect();
    let columns: Vec<String> = names.iter().map(|name| dialect.column(name)).collect();
    let whole = if side == Side::After { ">" } else { "<=" };
    Ok(match (columns.as_slice(), values.as_slice()) {
        ([column], [value]) => format!("{column} {whole} {value}"),
        _ if dialect.row_values => format!("({}) {whole} ({})", columns.join(", "), values.join(", ")),
        _ => written_out(&columns, &values, side),
    })
}

/// `a >= 1 AND (a > 1 OR (a = 1 AND b > 2))`: the first comparison says nothing new, but lets an index on `a` serve.
fn written_out(columns: &[String], values: &[String], side: Side) -> String {
    let (strict, weak) = if side == Side::After { (">", ">=") } else { ("<", "<=") };
    let mut text = String::new();
    let pairs: Vec<(&String, &String)> = columns.iter().zip(values).collect();
    for (index, (column, value)) in pairs.iter().enumerate().rev() {
        text = if index + 1 == pairs.len() {
            format!("{column} {} {value}", if side == Side::After { strict } else { weak })
        } else {
            format!("{column} {weak} {value} AND ({column} {strict} {value} OR ({column} = {value} AND ({text})))")
        };
    }
    text
}
