//! Finds decimal columns whose values SQLite keeps as floats, and reports each with an example: digits may be lost before anybody
//! reads them.

use super::connect::Db;
use super::convert::KNOWN_BELOW;
use super::keys::key_value;
use super::params::values;
use super::view;
use crate::adapters::sql::{Bindings, Dialect, From};
use crate::core::model::column::Kind;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::ports::source::{Query, SourceError};
use rusqlite::{OptionalExtension, params_from_iter};

const DIALECT: Dialect = Dialect::SQLITE;

/// A row in which a column holds a float.
struct Example {
    key: String,
    value: f64,
}

/// The findings about the wanted decimal columns. Columns without floats get none. May read the whole view.
pub(super) fn findings(db: &Db, query: &Query) -> Result<Vec<Finding>, SourceError> {
    let mut findings = Vec::new();
    for (seen, name) in view::resolve(db, query)?.iter().zip(&query.columns) {
        let Some(Kind::Decimal { scale, .. } | Kind::DecimalText { scale, .. }) = seen.kind else { continue };
        let column = DIALECT.column(name);
        let lossy = format!("abs({column}) * 1e{scale} >= {KNOWN_BELOW}.0");
        let declared = &seen.declared;
        let (verdict, detail) = if let Some(Example { key, value }) = example(db, query, name, &lossy)? {
            let advice = "such a value is written with the digits that are stored, and without zeros that are not; store it as \
                          text to keep them all, for example in a column declared `DECIMAL TEXT`";
            let detail = format!(
                "`{name}` is declared {declared} and holds floats: of {value:?} in the row with key {key}, digits \
                                  may be lost; {advice}"
            );
            (CheckVerdict::Warn, detail)
        } else if let Some(Example { key, value }) = example(db, query, name, "1")? {
            let advice = "all have so few digits that none is lost";
            (
                CheckVerdict::Pass,
                format!(
                    "`{name}` is declared {declared} and holds floats, as {value:?} in the row with key {key}; {advice}"
                ),
            )
        } else {
            continue;
        };
        findings.push(Finding { check: "decimals are exact".to_owned(), verdict, detail });
    }
    Ok(findings)
}

/// One row in which the column holds a float for which the condition holds.
fn example(db: &Db, query: &Query, name: &str, condition: &str) -> Result<Option<Example>, SourceError> {
    let column = DIALECT.column(name);
    let list: Vec<String> =
        std::iter::once(column.clone()).chain(query.key.iter().map(|key| DIALECT.column(key))).collect();
    let mut bindings = Bindings::new(&DIALECT);
    let From { with, text: from } = bindings.relation(&query.view)?;
    let sql = format!(
        "{with}SELECT {} FROM {from} t WHERE typeof({column}) = 'real' AND {condition} LIMIT 1",
        list.join(", "),
    );
    let params = params_from_iter(values(&bindings.into_values())?);
    let read = |row: &rusqlite::Row<'_>| {
        let mut key = Vec::with_capacity(query.key.len());
        for at in 1..list.len() {
            key.push(key_value(row.get_ref(at)?).map_or_else(|| "NULL".to_owned(), |value| value.to_string()));
        }
        Ok(Example { key: if key.is_empty() { "(none)".to_owned() } else { key.join(", ") }, value: row.get(0)? })
    };
    db.connection.query_row(&sql, params, read).optional().map_err(|error| db.fault(&error))
}
