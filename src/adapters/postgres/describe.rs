//! Types of a query's columns, learned without running it; and what is wrong with a query that the server refuses.

use super::column_type::ColumnType;
use super::error::{server_words, source_error};
use super::kinds::Wire;
use super::literal::literal;
use super::render::Types;
use super::session::Session;
use super::sqlstates;
use crate::adapters::faults::Sort;
use crate::adapters::sql::{self, Dialect, PageRequest, Plain, Range};
use crate::core::model::column::Column;
use crate::core::model::key::KeyValue;
use crate::core::model::names::ViewName;
use crate::core::model::sql::{Part, Relation, Sql};
use crate::core::ports::source::{Query, SourceError};
use std::collections::BTreeMap;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};
use tokio_postgres::types::{Kind as Made, Type};
use tokio_postgres::{Error, Statement};

/// SQL as PostgreSQL reads it.
pub(super) const DIALECT: Dialect = Dialect::POSTGRES;

/// The types of a query's wanted and key columns. The server checks the whole query, predicates included, and runs nothing.
///
/// # Errors
/// [`SourceError::Refused`] names the view, column or predicate that does not fit, and what there is.
pub(super) async fn types(session: &mut Session, query: &Query) -> Result<Types, SourceError> {
    let request = PageRequest { query, after: None, until: None, range: Range::All };
    let statement = sql::page(&DIALECT, &Plain, &request)?;
    let prepared = match session.prepare(&statement.sql).await? {
        Ok(prepared) => prepared,
        Err(error) => return Err(explain(session, query, &statement.sql, &error).await),
    };
    let columns = prepared.columns();
    let places = query.columns.iter().enumerate().map(|(index, name)| (name, index));
    let places = places.chain(query.key.iter().zip(statement.layout.key));
    let places = places.filter_map(|(name, index)| Some((name, columns.get(index)?)));
    let mut types: Types =
        places.map(|(name, column)| Ok((name.clone(), known(&query.view, column)?))).collect::<Result<_, _>>()?;
    let is_text = |name: &String| types.get(name).is_some_and(|column| column.wire == Wire::Text);
    if query.key.iter().any(is_text) {
        match &query.view {
            Relation::View(view) => {
                for name in blurred(session, view).await? {
                    types.entry(name).and_modify(|column| column.told_apart_by_text = false);
                }
            }
            // No catalogue has the collations of a query's columns.
            Relation::Function { .. } | Relation::Query(_) => {
                for column in types.values_mut() {
                    column.told_apart_by_text &= column.wire != Wire::Text;
                }
            }
        }
    }
    Ok(types)
}

/// Columns of a view whose collation may hold different texts equal: those that PostgreSQL 12 and later call
/// nondeterministic.
async fn blurred(session: &mut Session, view: &ViewName) -> Result<Vec<String>, SourceError> {
    let sql = format!(
        "SELECT a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation \
         WHERE a.attrelid = {}::pg_catalog.regclass AND a.attnum > 0 \
         AND pg_catalog.to_jsonb(c) ->> 'collisdeterministic' = 'false'",
        literal(&KeyValue::Text(DIALECT.view(view)))
    );
    let rows = session.query(&sql).await?;
    Ok(rows.iter().filter_map(|row| Some(row.try_get(0).ok()??.to_owned())).collect())
}

/// A column's type, if its text form is known.
fn known(view: &Relation, column: &tokio_postgres::Column) -> Result<ColumnType, SourceError> {
    let found = ColumnType::of(column);
    if found.wire != Wire::Unknown {
        return Ok(found);
    }
    let name = column.name();
    let advice = match column.type_().kind() {
        Made::Pseudo => "write its fields as columns of their own in the view, or give it a type with names",
        _ => "write its text in the view, or a number such as `oid`",
    };
    let reason = format!(
        "column `{name}` of view `{view}` is, or holds, a type whose text form is not known to be the same for every role: `{}`; \
         {advice}",
        column.type_()
    );
    Err(SourceError::Refused { reason })
}

/// All columns of a view.
///
/// # Errors
/// [`SourceError::Refused`] when there is no such view.
pub(super) async fn columns(session: &mut Session, view: &Relation) -> Result<Vec<Column>, SourceError> {
    let column = |column: &tokio_postgres::Column| Column {
        name: column.name().to_owned(),
        kind: ColumnType::of(column).wire.kind(),
    };
    Ok(described(session, view).await?.columns().iter().map(column).collect())
}

/// The most characters of a view's texts, where they are declared: of `char(20)` and `varchar(20)`.
///
/// # Errors
/// [`SourceError::Refused`] when there is no such view.
pub(super) async fn lengths(session: &mut Session, view: &Relation) -> Result<BTreeMap<String, u32>, SourceError> {
    let length = |column: &tokio_postgres::Column| {
        let is_text = [Type::BPCHAR, Type::VARCHAR].contains(column.type_());
        // The modifier counts the four bytes of its own length too.
        let length = is_text.then(|| u32::try_from(column.type_modifier().checked_sub(4)?).ok()).flatten()?;
        Some((column.name().to_owned(), length))
    };
    Ok(described(session, view).await?.columns().iter().filter_map(length).collect())
}

/// A statement over all columns of a view, as the server describes it.
async fn described(session: &mut Session, view: &Relation) -> Result<Statement, SourceError> {
    match session.prepare(&sql::no_rows(&DIALECT, view)?.sql).await? {
        Ok(prepared) => Ok(prepared),
        Err(error) => Err(match error.as_db_error() {
            Some(server) => refused_view(session, view, server, &error).await,
            None => source_error(session.name(), &error),
        }),
    }
}

/// Finds what of a query the server does not like.
async fn explain(session: &mut Session, query: &Query, sql: &str, error: &Error) -> SourceError {
    let Some(server) = error.as_db_error() else { return source_error(session.name(), error) };
    if let Some((predicate, place)) = predicate_at(query, sql, server) {
        let reason =
            format!("the predicate `{predicate}` cannot be used: {}, at its character {place}", server_words(server));
        return SourceError::Refused { reason };
    }
    if *server.code() == SqlState::UNDEFINED_COLUMN {
        return match after_failure(session).await {
            Ok(()) => missing_column(session, query, server).await,
            Err(error) => error,
        };
    }
    refused_view(session, &query.view, server, error).await
}

/// What the server does not like about a view, a function's call or a query.
async fn refused_view(session: &mut Session, view: &Relation, server: &DbError, error: &Error) -> SourceError {
    if let (Relation::View(name), true) = (view, is_missing_view(server)) {
        return missing_view(session, name).await;
    }
    if sqlstates::known(server.code().code()).is_some_and(|row| row.sort == Sort::Statement) {
        return SourceError::Refused { reason: format!("view `{view}`: {}", server_words(server)) };
    }
    source_error(session.name(), error)
}

fn is_missing_view(server: &DbError) -> bool {
    [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(server.code())
}

/// The predicate that the server points into, and the character in it, from 1.
fn predicate_at<'a>(query: &'a Query, sql: &str, server: &DbError) -> Option<(&'a Sql, usize)> {
    let Some(ErrorPosition::Original(position)) = server.position() else { return None };
    let position = usize::try_from(*position).ok()?;
    let mut from = 0;
    for predicate in &query.predicates {
        let sent = sql::Bindings::new(&DIALECT).predicate(predicate).ok()?;
        let start = from + sql.get(from..)?.find(&format!("CASE WHEN ({sent}) THEN"))? + "CASE WHEN (".len();
        from = start + sent.len();
        let before = sql.get(..start)?.chars().count();
        let place = position.saturating_sub(before);
        if (1..=sent.chars().count() + 1).contains(&place) {
            return Some((predicate, as_written(predicate, place)));
        }
    }
    None
}

/// The character of a predicate, as the worker file has it, for one as it was sent.
fn as_written(predicate: &Sql, place: usize) -> usize {
    let (mut sent, mut written) = (0, 0);
    for part in predicate.parts() {
        let alone = Sql::new(vec![part.clone()]);
        let length = alone.to_string().chars().count();
        let wire = match part {
            Part::Text(_) => length,
            Part::Param { .. } => sql::Bindings::new(&DIALECT).predicate(&alone).map_or(0, |sent| sent.chars().count()),
        };
        if place <= sent + wire {
            return written + (place - sent).min(length);
        }
        (sent, written) = (sent + wire, written + length);
    }
    written + 1
}

/// Ends the failed transaction, so that the session answers again.
async fn after_failure(session: &mut Session) -> Result<(), SourceError> {
    session.undo().await
}

/// Names the columns that the view does not have, and what it has.
async fn missing_column(session: &mut Session, query: &Query, server: &DbError) -> SourceError {
    let there = match columns(session, &query.view).await {
        Ok(there) => there,
        Err(error) => return error,
    };
    let mut asked = query.columns.iter().chain(&query.key);
    match asked.find(|name| there.iter().all(|column| column.name != **name)) {
        Some(missing) => sql::unknown_column(&query.view, missing, there.into_iter().map(|column| column.name)),
        None => SourceError::Refused { reason: format!("view `{}`: {}", query.view, server_words(server)) },
    }
}

/// Says that there is no such view, and which there are.
async fn missing_view(session: &mut Session, view: &ViewName) -> SourceError {
    // Written as the asked one is: with its schema, or without where it would be found so.
    let name = match view.parts() {
        [_] => "CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN '' ELSE n.nspname || '.' END || c.relname",
        _ => "n.nspname || '.' || c.relname",
    };
    let sql = format!(
        "SELECT {name} FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         ORDER BY 1 LIMIT 10000"
    );
    let views = match after_failure(session).await {
        Ok(()) => session.query(&sql).await,
        Err(error) => Err(error),
    };
    match views {
        Ok(rows) => sql::unknown_view(view, rows.iter().filter_map(|row| Some(row.try_get(0).ok()??.to_owned()))),
        Err(error) => error,
    }
}
