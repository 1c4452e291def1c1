//! Looks for what a run would trip over.

use super::connect::Db;
use super::keys::key_value;
use super::params::values;
use super::view;
use crate::adapters::sql::{self, Bindings, Dialect, From, PageRequest, Plain, Range};
use crate::core::model::amount::counted;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::query::Fetch;
use crate::core::ports::source::{Query, SourceError};
use rusqlite::params_from_iter;

/// What SQLite's plan says when it sorts all rows before it gives the first.
const SORTS: &str = "USE TEMP B-TREE FOR ORDER BY";

/// Reads the whole view where no index helps.
pub(super) fn examine(db: &Db, query: &Query) -> Result<Vec<Finding>, SourceError> {
    let fault = |error| db.fault(&error);
    view::resolve(db, query)?;
    db.limit_values(query.value_bytes)?;
    let whole = Query { key: Vec::new(), predicates: Vec::new(), ..query.clone() };
    let statement = sql::extent(&Dialect::SQLITE, &Plain, &whole, None)?;
    let params = params_from_iter(values(&statement.params)?);
    let rows: i64 = db.connection.query_row(&statement.sql, params, |row| row.get(0)).map_err(fault)?;
    let mut findings = vec![finding("view can be read", CheckVerdict::Pass, counted(rows.unsigned_abs(), "row"))];
    if query.key.is_empty() || query.fetch == Fetch::Offset {
        findings.push(finding(
            "key",
            CheckVerdict::Warn,
            "read by row number: rows that come or go meanwhile may be missed or doubled; name a key if there is one",
        ));
        return Ok(findings);
    }
    let names = query.key.join(", ");
    let statement = sql::null_keys(&Dialect::SQLITE, query)?;
    let params = params_from_iter(values(&statement.params)?);
    let nulls: i64 = db.connection.query_row(&statement.sql, params, |row| row.get(0)).map_err(fault)?;
    findings.push(if nulls == 0 {
        finding("key is not null", CheckVerdict::Pass, format!("`{names}` has a value in every row"))
    } else {
        let detail = format!(
            "`{names}` is NULL in {}; leave them out of the view or choose another key",
            counted(nulls.unsigned_abs(), "row")
        );
        finding("key is not null", CheckVerdict::Fail, detail)
    });
    let duplicate = duplicate(db, query)?;
    findings.push(match duplicate {
        None => finding("key is unique", CheckVerdict::Pass, format!("no two rows share `{names}`")),
        Some((key, count)) => {
            let detail = format!("{count} rows share key {key}; add a column to `{names}` or make the view unique");
            finding("key is unique", CheckVerdict::Fail, detail)
        }
    });
    findings.extend(mixed_types(db, query)?);
    findings.push(order(db, query)?);
    Ok(findings)
}

/// Finds a key column that holds numbers and texts. A view of several SELECTs gives its columns no type, or another one in each, so that
/// rows may be compared in another way than they are sorted.
fn mixed_types(db: &Db, query: &Query) -> Result<Vec<Finding>, SourceError> {
    let fault = |error| db.fault(&error);
    let mut found = Vec::new();
    for name in &query.key {
        let mut bindings = Bindings::new(&Dialect::SQLITE);
        let From { with, text: from } = bindings.relation(&query.view)?;
        let column = Dialect::SQLITE.column(name);
        let kinds = format!(
            "{with}SELECT DISTINCT CASE typeof({column}) WHEN 'real' THEN 'integer' ELSE typeof({column}) END FROM {from} t \
             WHERE {column} IS NOT NULL ORDER BY 1"
        );
        let mut prepared = db.connection.prepare(&kinds).map_err(fault)?;
        let params = params_from_iter(values(&bindings.into_values())?);
        let kinds = prepared.query_map(params, |row| row.get::<_, String>(0)).map_err(fault)?;
        let kinds = kinds.collect::<Result<Vec<_>, _>>().map_err(fault)?;
        if kinds.len() > 1 {
            let detail = format!(
                "`{name}` holds values of several types ({}); a view that is a UNION may compare them in another way than it sorts them, and \
                 the run then ends with 7: give the column one type in each SELECT, as in `CAST({name} AS TEXT)`",
                kinds.join(", ").replace("integer", "number")
            );
            found.push(finding("key has one type", CheckVerdict::Warn, detail));
        }
    }
    Ok(found)
}

fn finding(check: &str, verdict: CheckVerdict, detail: impl Into<String>) -> Finding {
    Finding { check: check.to_owned(), verdict, detail: detail.into() }
}

/// One key that several rows have, and how many.
fn duplicate(db: &Db, query: &Query) -> Result<Option<(String, i64)>, SourceError> {
    let fault = |error| db.fault(&error);
    let statement = sql::duplicate_keys(&Dialect::SQLITE, &Plain, query)?;
    let mut prepared = db.connection.prepare(&statement.sql).map_err(fault)?;
    let mut rows = prepared.query(params_from_iter(values(&statement.params)?)).map_err(fault)?;
    let Some(row) = rows.next().map_err(fault)? else { return Ok(None) };
    let mut key = Vec::with_capacity(query.key.len());
    for index in 0..query.key.len() {
        let value = row.get_ref(index).map_err(fault)?;
        key.push(key_value(value).map_or_else(|| "NULL".to_owned(), |value| value.to_string()));
    }
    Ok(Some((key.join(", "), row.get(query.key.len()).map_err(fault)?)))
}

/// Whether the order comes from an index.
fn order(db: &Db, query: &Query) -> Result<Finding, SourceError> {
    let fault = |error| db.fault(&error);
    let request = PageRequest { query, after: None, until: None, range: Range::All };
    let statement = sql::page(&Dialect::SQLITE, &Plain, &request)?;
    let mut prepared = db.connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).map_err(fault)?;
    let params = params_from_iter(values(&statement.params)?);
    let steps = prepared.query_map(params, |row| row.get::<_, String>("detail")).map_err(fault)?;
    let steps = steps.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    let names = query.key.join(", ");
    Ok(if steps.iter().any(|step| step.contains(SORTS)) {
        let detail = format!(
            "SQLite sorts the whole view before its first row, and for each page with `fetch: paged`; \
             an index on the table's columns behind `{names}` avoids that"
        );
        finding("order is served by an index", CheckVerdict::Warn, detail)
    } else {
        finding("order is served by an index", CheckVerdict::Pass, steps.join("; "))
    })
}
