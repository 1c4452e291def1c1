//! Whether the tables that are there take the events; and making those that are missing.

use super::ddl::{self, last, quoted};
use super::fault::SqliteFault;
use crate::core::model::rows::{SqlType, Table, TableSet};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::BTreeSet;

/// Digits of every decimal that a float keeps.
const FLOAT_DIGITS: u8 = 15;

/// A column as the database has it.
struct Found {
    name: String,
    declared: String,
    required: bool,
    has_default: bool,
    is_key: bool,
}

/// Checks all tables, and makes the books; with `create`, what is missing of the file's tables too. What is made stays with `keep`.
pub(super) fn ready(
    connection: &mut Connection,
    tables: &TableSet,
    create: bool,
    keep: bool,
) -> Result<(), SqliteFault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut wrong = Vec::new();
    for table in &tables.tables {
        let columns = columns(&transaction, &table.name)?;
        if !columns.is_empty() {
            let unique = unique_keys(&transaction, &table.name, &columns)?;
            wrong.extend(differences(table, &columns, &unique));
        } else if create {
            transaction.execute_batch(&ddl::table(table))?;
        } else {
            wrong.push(format!("there is no table `{}`", table.name));
        }
    }
    if !wrong.is_empty() {
        let hint = "`filegen ingest schema` shows the tables that are wanted, and `filegen ingest schema --apply` makes those that are \
                    missing; so does `create: missing` under `sink`";
        return Err(SqliteFault::Refused(format!("{}; {hint}", wrong.join("; "))));
    }
    for statement in ddl::BOOKS {
        transaction.execute_batch(statement)?;
    }
    if keep {
        transaction.commit()?;
    } else {
        transaction.rollback()?;
    }
    Ok(())
}

fn columns(transaction: &Transaction<'_>, table: &str) -> Result<Vec<Found>, SqliteFault> {
    let mut asked =
        transaction.prepare("SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk FROM pragma_table_info(?1)")?;
    let found = asked.query_map([last(table)], |row| {
        Ok(Found {
            name: row.get(0)?,
            declared: row.get(1)?,
            required: row.get(2)?,
            has_default: row.get(3)?,
            is_key: row.get::<_, i64>(4)? > 0,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The sets of columns that are unique, in lower case.
fn unique_keys(
    transaction: &Transaction<'_>,
    table: &str,
    columns: &[Found],
) -> Result<Vec<BTreeSet<String>>, SqliteFault> {
    let key = columns.iter().filter(|column| column.is_key).map(|column| column.name.to_lowercase()).collect();
    let mut all = vec![key];
    let mut indexes = transaction.prepare("SELECT name FROM pragma_index_list(?1) WHERE \"unique\" AND NOT partial")?;
    let names: Vec<String> = indexes.query_map([last(table)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut parts = transaction.prepare("SELECT name FROM pragma_index_info(?1)")?;
    for name in names {
        let columns: Vec<Option<String>> = parts.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        all.push(columns.into_iter().flatten().map(|column| column.to_lowercase()).collect());
    }
    Ok(all)
}

/// What keeps a table from taking its events.
fn differences(table: &Table, columns: &[Found], unique: &[BTreeSet<String>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for column in &table.columns {
        match columns.iter().find(|found| found.name.eq_ignore_ascii_case(&column.name)) {
            None => wrong.push(format!("table `{}` has no column `{}`", table.name, column.name)),
            Some(found) => wrong.extend(
                unfit(column.kind, &found.declared)
                    .map(|why| format!("column `{}.{}` is {} and {why}", table.name, column.name, found.declared)),
            ),
        }
    }
    for found in columns.iter().filter(|found| found.required && !found.has_default) {
        if !table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&found.name)) {
            wrong.push(format!("column `{}.{}` is required, and no event sets it", table.name, found.name));
        }
    }
    let key: BTreeSet<String> = table.identity.iter().map(|index| table.columns[*index].name.to_lowercase()).collect();
    if !unique.contains(&key) {
        let names: Vec<&str> = table.identity.iter().map(|index| table.columns[*index].name.as_str()).collect();
        wrong.push(format!("({}) of table `{}` is no primary key and no unique index", names.join(", "), table.name));
    }
    wrong
}

/// Why a column of this declared type cannot keep values exactly. `None` when it can.
fn unfit(kind: SqlType, declared: &str) -> Option<String> {
    // SQLite's rules of affinity, in their order.
    let upper = declared.to_ascii_uppercase();
    let holds = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    let length = upper.split_once('(').and_then(|(_, rest)| rest.split([')', ',']).next()?.trim().parse::<u32>().ok());
    if holds(&["INT"]) {
        let fits = matches!(kind, SqlType::Integer | SqlType::Bigint | SqlType::Boolean)
            || matches!(kind, SqlType::Decimal { precision: ..=18, scale: 0 });
        return (!fits).then(|| format!("cannot keep {kind}"));
    }
    if holds(&["CHAR", "CLOB", "TEXT"]) {
        return match (kind, length) {
            (SqlType::Text(most), Some(length)) if holds(&["CHAR"]) && length < most => {
                Some(format!("is shorter than {kind}"))
            }
            _ => None,
        };
    }
    if upper.is_empty() || holds(&["BLOB"]) {
        return None;
    }
    if holds(&["REAL", "FLOA", "DOUB"]) {
        return (kind != SqlType::Double).then(|| format!("would make a float of {kind}"));
    }
    match kind {
        SqlType::Text(_) | SqlType::Json => {
            Some(format!("would make numbers of some values of {kind}; declare it TEXT"))
        }
        SqlType::Decimal { precision, .. } if precision > FLOAT_DIGITS => {
            Some(format!("would make a float of {kind}; declare it {}", ddl::declared(kind)))
        }
        _ => None,
    }
}

/// A statement that counts a table's rows.
pub(super) fn count(table: &str) -> String {
    format!("SELECT count(*) FROM {}", quoted(last(table)))
}
