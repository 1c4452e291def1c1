//! Whether the tables that are there take the events; and making those that are missing.

use super::ddl;
use super::facts::{Facts, Found, TableFacts, tables};
use super::link::{Fault, Link};
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::rows::{SqlType, Table, TableSet};
use crate::core::ports::sql_sink::SinkError;
use jiff::Timestamp;
use std::collections::BTreeSet;
use tokio_postgres::types::Type;

/// Digits of a second that PostgreSQL keeps.
const FRACTION: i32 = 6;

/// Clocks that are this far apart are told, in milliseconds.
const SKEW_MS: u64 = 5000;

/// Only one at a time makes tables: two that make the same one fail on the catalog.
const ALONE: &str = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('filegen'))";

/// Checks all tables, and makes the books; with `create`, what is missing of the file's tables too. What is made stays with `keep`.
pub(super) async fn ready(link: &Link, set: &TableSet, create: bool, keep: bool) -> Result<Facts, Fault> {
    let encoding = link.query("SELECT pg_catalog.current_setting('server_encoding')", &[]).await?;
    let encoding: String = encoding.first().map_or_else(String::new, |row| row.get(0));
    if encoding != "UTF8" {
        return Err(refused(
            link,
            format!("the database keeps texts as {encoding}; events need one made with ENCODING 'UTF8'"),
        ));
    }
    link.begin().await?;
    link.query(ALONE, &[]).await?;
    let mut wrong = Vec::new();
    let found = tables(link, set).await?;
    for (table, found) in set.tables.iter().zip(&found) {
        match found {
            Some(found) => wrong.extend(differences(table, found)),
            None if create => link.run(&ddl::table(table)).await?,
            None => wrong.push(format!("there is no table `{}`", table.name)),
        }
    }
    if !wrong.is_empty() {
        let hint = "`filegen ingest schema` shows the tables that are wanted, and `filegen ingest schema --apply` makes those that are \
                    missing; so does `create: missing` under `sink`";
        return Err(refused(link, format!("{}; {hint}", wrong.join("; "))));
    }
    books(link).await?;
    let found = tables(link, set).await?;
    let facts = Facts::learn(link, set, found.into_iter().flatten().collect()).await?;
    link.run(if keep { "COMMIT" } else { "ROLLBACK" }).await?;
    Ok(facts)
}

/// What is found when nothing is wrong with the tables.
pub(super) fn fits() -> Finding {
    let detail =
        "every table takes its events, each identity is a key, ids are compared by their bytes, and the role may write";
    Finding { check: "tables fit".to_owned(), verdict: CheckVerdict::Pass, detail: detail.to_owned() }
}

/// Whether the server's clock is near this host's, which decides which events lie in the future.
pub(super) async fn clock(link: &Link, now: Timestamp) -> Result<Finding, Fault> {
    let sql = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint";
    let theirs: i64 = link.query(sql, &[]).await?.first().map_or(0, |row| row.get(0));
    let apart = theirs.abs_diff(now.as_millisecond());
    let verdict = if apart > SKEW_MS { CheckVerdict::Warn } else { CheckVerdict::Pass };
    let detail = format!("the server's clock and this host's are {} s apart", apart / 1000);
    Ok(Finding { check: "clocks agree".to_owned(), verdict, detail })
}

fn refused(link: &Link, reason: String) -> Fault {
    SinkError::Refused { sink: link.name().to_owned(), reason }.into()
}

/// Makes the books that are missing, and looks at the rights on those that are there.
async fn books(link: &Link) -> Result<(), Fault> {
    let sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL, coalesce((SELECT bool_and(pg_catalog.has_table_privilege(c, p))
               FROM (SELECT pg_catalog.to_regclass($1)::oid AS c) t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p), true)";
    for made in ddl::BOOKS {
        let book = ddl::book_name(made);
        let rows = link.query(sql, &[(&book, Type::TEXT)]).await?;
        let (is_there, may): (bool, bool) = rows.first().map_or((false, true), |row| (row.get(0), row.get(1)));
        if !is_there {
            link.run(made).await?;
        } else if !may {
            return Err(refused(link, format!("GRANT SELECT, INSERT, UPDATE and DELETE on `{book}` to this role")));
        }
    }
    Ok(())
}

/// What keeps a table from taking its events.
fn differences(table: &Table, found: &TableFacts) -> Vec<String> {
    let mut wrong = Vec::new();
    for column in &table.columns {
        match found.columns.iter().find(|found| found.name == column.name) {
            None => wrong.push(format!("table `{}` has no column `{}`", table.name, column.name)),
            Some(found) if found.is_fixed => {
                wrong.push(format!("column `{}.{}` is generated, and no event can set it", table.name, column.name));
            }
            Some(found) => wrong.extend(
                unfit(column.kind, found)
                    .map(|why| format!("column `{}.{}` is {} and {why}", table.name, column.name, found.shown())),
            ),
        }
    }
    for found in found.columns.iter().filter(|found| found.must_be_set) {
        if !table.columns.iter().any(|column| column.name == found.name) {
            wrong.push(format!("column `{}.{}` is required, and no event sets it", table.name, found.name));
        }
    }
    let key: BTreeSet<&str> = table.identity.iter().map(|index| table.columns[*index].name.as_str()).collect();
    if !found.unique.iter().any(|columns| columns.iter().map(String::as_str).collect::<BTreeSet<_>>() == key) {
        let names: Vec<&str> = table.identity.iter().map(|index| table.columns[*index].name.as_str()).collect();
        wrong.push(format!("({}) of table `{}` is no primary key and no unique index", names.join(", "), table.name));
    }
    if !found.rights.is_empty() {
        wrong.push(format!("this role needs GRANT {} on table `{}`", found.rights.join(", "), table.name));
    }
    wrong
}

/// Why a column of this type cannot keep values exactly. `None` when it can.
fn unfit(kind: SqlType, found: &Found) -> Option<String> {
    let (base, size) =
        (found.base.as_str(), found.modifier.filter(|modifier| *modifier >= 4).map(|modifier| modifier - 4));
    let is_text = matches!(base, "text" | "varchar" | "citext");
    // A numeric's modifier: digits in the upper half, those behind the point in the lower.
    let numeric = (base == "numeric").then(|| size.map(|size| (size >> 16, size & 0x7ff)));
    let digits = |precision: i32, scale: i32| match numeric {
        Some(None) => true,
        Some(Some((digits, behind))) => behind >= scale && digits - behind >= precision - scale,
        None => false,
    };
    let short = |most: i64| size.is_some_and(|size| i64::from(size) < most).then(|| format!("is shorter than {kind}"));
    match kind {
        SqlType::Text(most) if is_text => short(most.into()),
        SqlType::Text(_) if found.is_enum => None,
        SqlType::Integer if matches!(base, "int4" | "int8") || digits(10, 0) => None,
        SqlType::Bigint if base == "int8" || digits(19, 0) => None,
        SqlType::Decimal { precision, scale } if digits(precision.into(), scale.into()) => None,
        SqlType::Decimal { precision: ..=9, scale: 0 } if matches!(base, "int4" | "int8") => None,
        SqlType::Decimal { precision: ..=18, scale: 0 } if base == "int8" => None,
        SqlType::Double if base == "float8" => None,
        SqlType::Boolean if base == "bool" => None,
        SqlType::Date if base == "date" => None,
        SqlType::Timestamp if matches!(base, "timestamptz" | "timestamp") => {
            let kept = found.modifier.filter(|digits| *digits >= 0).unwrap_or(FRACTION);
            (kept < FRACTION).then(|| format!("would round to {kept} digits of a second"))
        }
        SqlType::Uuid if base == "uuid" => None,
        SqlType::Uuid if is_text => short(36),
        SqlType::Json if matches!(base, "json" | "jsonb" | "text") => None,
        _ => Some(format!("cannot keep {kind}; declare it {}", ddl::declared(kind))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_takes_what_it_keeps_exactly() {
        let check = |kind: &str, base: &str, modifier: Option<i32>| {
            let found = Found { base: base.to_owned(), modifier, ..Found::default() };
            unfit(SqlType::parse(kind).unwrap(), &found)
        };
        let numeric = |precision: i32, scale: i32| Some((precision << 16 | scale) + 4);
        for (kind, base, modifier) in [
            ("text(64)", "text", None),
            ("text(64)", "varchar", Some(68)),
            ("integer", "int8", None),
            ("bigint", "numeric", None),
            ("decimal(18,2)", "numeric", numeric(18, 2)),
            ("decimal(18,2)", "numeric", numeric(20, 4)),
            ("decimal(9,0)", "int4", None),
            ("timestamp", "timestamptz", Some(6)),
            ("timestamp", "timestamp", None),
            ("json", "jsonb", None),
            ("uuid", "varchar", Some(40)),
        ] {
            assert_eq!(check(kind, base, modifier), None, "{kind} in {base}");
        }
        for (kind, base, modifier) in [
            ("text(64)", "varchar", Some(67)),
            ("text(64)", "bpchar", Some(68)),
            ("bigint", "int4", None),
            ("decimal(18,2)", "numeric", numeric(18, 3)),
            ("decimal(18,2)", "numeric", numeric(18, 1)),
            ("decimal(18,2)", "float8", None),
            ("double", "float4", None),
            ("timestamp", "timestamptz", Some(3)),
            ("timestamp", "date", None),
            ("uuid", "varchar", Some(39)),
        ] {
            assert!(check(kind, base, modifier).is_some(), "{kind} in {base}");
        }
    }
}
