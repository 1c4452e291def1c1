//! What a view looks like: its columns, and what there is instead of one that it does not have.

use super::connect::Db;
use super::declared;
use crate::adapters::sql::{self, Bindings, Dialect, From, unchanged, unknown_column, unknown_view};
use crate::core::model::column::{Column, Kind};
use crate::core::model::sql::Relation;
use crate::core::ports::source::{Query, SourceError};

/// A column as far as its declaration tells.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// As the view spells it.
    pub(super) name: String,
    /// The declared type; empty when there is none.
    pub(super) declared: String,
    /// What that means. `None` when it means nothing.
    pub(super) kind: Option<Kind>,
}

/// A view's columns, in its order.
pub(super) fn columns(db: &Db, view: &Relation) -> Result<Vec<Seen>, SourceError> {
    let statement = match db.connection.prepare(&sql::no_rows(&Dialect::SQLITE, view)?.sql) {
        Ok(statement) => statement,
        Err(error) => {
            let refusal = db.refusal(format!("view `{view}` cannot be read"), &error);
            return Err(if known(db, view)? {
                refusal
            } else {
                unknown_view(view, views(db)?.into_iter().map(written))
            });
        }
    };
    let seen = statement.columns().map(|column| {
        let declared = column.decl_type().unwrap_or_default().to_owned();
        Seen { name: column.name().to_owned(), kind: declared::kind(&declared), declared }
    });
    let seen: Vec<Seen> = seen.collect();
    match twice(&seen).filter(|_| matches!(view, Relation::Query(_))) {
        Some(name) => Err(SourceError::Refused {
            reason: format!("the query has two columns of the name `{name}`: give one another name with AS"),
        }),
        None => Ok(seen),
    }
}

/// A name that a query gives to two columns. SQLite itself takes the first and calls the second `name:1`.
fn twice(seen: &[Seen]) -> Option<&str> {
    seen.iter().find_map(|column| {
        let (name, number) = column.name.rsplit_once(':')?;
        number.parse::<u32>().ok()?;
        seen.iter().any(|other| other.name.eq_ignore_ascii_case(name)).then_some(name)
    })
}

/// Checks all that a query names against the view, and gives the wanted columns. Kinds that an earlier term found in the
/// values stand in for those that no declaration tells.
pub(super) fn resolve(db: &Db, query: &Query) -> Result<Vec<Seen>, SourceError> {
    let seen = columns(db, &query.view)?;
    let find = |name: &String| {
        let exact = seen.iter().find(|column| column.name == *name);
        // SQLite's own rule for names.
        let found = exact.or_else(|| seen.iter().find(|column| column.name.eq_ignore_ascii_case(name)));
        found.cloned().ok_or_else(|| unknown_column(&query.view, name, seen.iter().map(|column| column.name.clone())))
    };
    query.key.iter().try_for_each(|name| find(name).map(drop))?;
    let mut wanted: Vec<Seen> = query.columns.iter().map(find).collect::<Result<_, _>>()?;
    for predicate in &query.predicates {
        let mut bindings = Bindings::new(&Dialect::SQLITE);
        let From { with, text: from } = bindings.relation(&query.view)?;
        let probe = format!("{with}SELECT CASE WHEN ({}) THEN 1 END FROM {from} t", bindings.predicate(predicate)?);
        db.connection
            .prepare(&probe)
            .map_err(|error| db.refusal(format!("the predicate `{predicate}` cannot be used"), &error))?;
    }
    if let Some(kinds) = &query.kinds {
        for (seen, before) in wanted.iter_mut().zip(kinds) {
            if seen.kind.is_none() && found_in_values(before.kind) || is_earlier(before.kind, seen.kind) {
                seen.kind = Some(before.kind);
            }
        }
        let now: Vec<Column> = (wanted.iter().zip(&query.columns))
            .map(|(seen, name)| Column { name: name.clone(), kind: seen.kind.unwrap_or(Kind::Text) })
            .collect();
        unchanged(kinds, &now)?;
    }
    Ok(wanted)
}

/// Whether [`super::cells`] may have found this kind in the values.
fn found_in_values(kind: Kind) -> bool {
    matches!(kind, Kind::Number | Kind::Float64 | Kind::Text | Kind::Bytes)
}

/// Whether an earlier build took this kind for a column that is `now`: its runs end with the digits that they began with.
fn is_earlier(before: Kind, now: Option<Kind>) -> bool {
    match (before, now) {
        (Kind::Decimal { precision, scale }, Some(now)) => now == Kind::DecimalText { precision, scale },
        _ => false,
    }
}

/// Whether a view or table of this name is there, readable or not.
fn known(db: &Db, view: &Relation) -> Result<bool, SourceError> {
    // What a query or a function's call lacks, only SQLite's own words say.
    let Relation::View(view) = view else { return Ok(true) };
    let name = view.parts().last().map(String::as_str).unwrap_or_default();
    Ok(views(db)?.iter().any(|other| other.eq_ignore_ascii_case(name)))
}

/// A name as a worker file takes it: with a dot in it, in brackets.
fn written(name: String) -> String {
    if name.contains(['.', '[', ']']) { format!("[{}]", name.replace(']', "]]")) } else { name }
}

fn views(db: &Db) -> Result<Vec<String>, SourceError> {
    let list = || {
        let text = "SELECT name FROM sqlite_schema WHERE type IN ('view', 'table') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                    ORDER BY type = 'table', name";
        let mut statement = db.connection.prepare(text)?;
        let names = statement.query_map([], |row| row.get(0))?;
        names.collect::<Result<Vec<String>, _>>()
    };
    list().map_err(|error| db.fault(&error))
}
