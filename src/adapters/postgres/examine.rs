//! Finds what would make a run fail or slow: NULL and repeated keys, an order without an index, hidden rows.

use super::describe::{self, DIALECT};
use super::extent::{count, key as key_in};
use super::literal::literal;
use super::render::{Typed, Types};
use super::session::Session;
use crate::adapters::sql::{self, PageRequest, Range};
use crate::core::model::amount::counted;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::key::KeyValue;
use crate::core::model::sql::Relation;
use crate::core::ports::source::{Query, SourceError};

/// Looks at the key and the order.
///
/// # Errors
/// [`SourceError::Refused`] for what is not there; [`SourceError::Unreachable`] when the server is lost.
pub(super) async fn examine(session: &mut Session, query: &Query) -> Result<Vec<Finding>, SourceError> {
    let types = describe::types(session, query).await?;
    if query.key.is_empty() {
        let detail =
            "without a key there is no order to resume in; fetch: offset promises nothing when rows come or go";
        let key = finding("key is given", CheckVerdict::Warn, detail.to_owned());
        return Ok([hidden_rows(session, query).await?, Some(key)].into_iter().flatten().collect());
    }
    let key = query.key.join(", ");
    let mut findings = vec![
        never_null(session, query, &key).await?,
        unique(session, query, &types, &key).await?,
        ordered_by_index(session, query, &types, &key).await?,
    ];
    findings.extend(hidden_rows(session, query).await?);
    Ok(findings)
}

/// Names the tables behind the view that have row-level security, which silently leaves rows out.
async fn hidden_rows(session: &mut Session, query: &Query) -> Result<Option<Finding>, SourceError> {
    // A query names no view of its own that could be followed.
    let Relation::View(view) = &query.view else { return Ok(None) };
    let view = literal(&KeyValue::Text(DIALECT.view(view)));
    let sql = format!(
        "WITH RECURSIVE used(oid) AS (SELECT pg_catalog.to_regclass({view})::oid \
         UNION SELECT d.refobjid FROM used u JOIN pg_catalog.pg_rewrite r ON r.ev_class = u.oid \
         JOIN pg_catalog.pg_depend d ON d.objid = r.oid AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass \
         AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass) \
         SELECT n.nspname || '.' || c.relname FROM used JOIN pg_catalog.pg_class c ON c.oid = used.oid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity ORDER BY 1"
    );
    let rows = session.query(&sql).await?;
    let tables: Vec<&str> = rows.iter().filter_map(|row| row.try_get(0).ok()?).collect();
    if tables.is_empty() {
        return Ok(None);
    }
    let advice = "rows that its policies hide are in no file, and nothing else tells; a role with BYPASSRLS sees all \
                  (the view's owner counts, unless the view has security_invoker)";
    let detail = format!("row-level security is on for {}: {advice}", tables.join(", "));
    Ok(Some(finding("no rows are hidden", CheckVerdict::Warn, detail)))
}

async fn never_null(session: &mut Session, query: &Query, key: &str) -> Result<Finding, SourceError> {
    let rows = session.query(&sql::null_keys(&DIALECT, query)?.sql).await?;
    let nulls = rows.first().and_then(|row| count(row, 0)).unwrap_or_default();
    Ok(if nulls == 0 {
        finding("key is not null", CheckVerdict::Pass, format!("{key}: no row without a value"))
    } else {
        let advice = "take other key columns, or leave such rows out of the view";
        finding(
            "key is not null",
            CheckVerdict::Fail,
            format!("{key}: {} without a value; {advice}", counted(nulls, "row")),
        )
    })
}

async fn unique(session: &mut Session, query: &Query, types: &Types, key: &str) -> Result<Finding, SourceError> {
    let typed = Typed { types, wanted: &[], limit: None };
    let duplicates = session.query(&sql::duplicate_keys(&DIALECT, &typed, query)?.sql).await?;
    let Some(row) = duplicates.first() else {
        return Ok(finding("key is unique", CheckVerdict::Pass, format!("{key}: no two rows alike")));
    };
    let count = count(row, query.key.len()).unwrap_or_default();
    let example = key_in(row, query, types, 0..query.key.len());
    let example = example.map_or_else(|error| error.to_string(), |key| key.to_string());
    let advice = "add columns to the key until it is unique";
    Ok(finding("key is unique", CheckVerdict::Fail, format!("{key}: {count} rows have the key {example}; {advice}")))
}

/// Asks the planner whether it can avoid a sort. Sorts are made expensive first, so that the plan has one only where it must.
async fn ordered_by_index(
    session: &mut Session,
    query: &Query,
    types: &Types,
    key: &str,
) -> Result<Finding, SourceError> {
    session.run("SET LOCAL enable_sort = off").await?;
    let request = PageRequest { query, after: None, until: None, range: Range::All };
    let statement = sql::page(&DIALECT, &Typed { types, wanted: &query.columns, limit: None }, &request)?;
    let plan = session.query(&format!("EXPLAIN (COSTS OFF) {}", statement.sql)).await?;
    let mut lines = plan.iter().filter_map(|row| row.try_get(0).ok()?);
    let is_sort = |line: &str| {
        let node = line.trim_start().trim_start_matches("->").trim_start();
        node == "Sort" || node == "Incremental Sort"
    };
    Ok(if lines.any(is_sort) {
        let advice = "an index on the key columns lets pages come at once, and a resumed run start without reading all";
        finding(
            "order is served by an index",
            CheckVerdict::Warn,
            format!("{key}: the server sorts the view; {advice}"),
        )
    } else {
        finding("order is served by an index", CheckVerdict::Pass, format!("{key}: rows come in order without sorting"))
    })
}

fn finding(check: &str, verdict: CheckVerdict, detail: String) -> Finding {
    Finding { check: check.to_owned(), verdict, detail }
}
