//! Types of a query's columns, learned without running it; and what is wrong with a query that the server refuses.

use super::error::{server_words, source_error};
use super::kinds::ColumnType;
use super::render::Types;
use super::session::Session;
use crate::adapters::sql::{self, Dialect, PageRequest, Plain, Range};
use crate::core::model::column::Column;
use crate::core::model::names::ViewName;
use crate::core::ports::source::{Query, SourceError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

/// SQL as PostgreSQL reads it, without parameters.
pub(super) const DIALECT: Dialect = Dialect::POSTGRES_COPY;

/// Names that resemble a missing one at least this much are suggested.
const ALIKE: f64 = 0.8;

/// The types of a query's wanted and key columns. The server checks the whole query, predicates included, and runs nothing.
///
/// # Errors
/// [`SourceError::Refused`] names the view, column or predicate that does not fit, and what there is.
pub(super) async fn types(session: &mut Session, query: &Query) -> Result<Types, SourceError> {
    let request = PageRequest { query, after: None, until: None, range: Range::All };
    let statement = sql::page(&DIALECT, &Plain, &request)?;
    let prepared = match session.prepare(&statement.sql).await {
        Ok(prepared) => prepared,
        Err(error) => return Err(explain(session, query, &statement.sql, &error).await),
    };
    let columns = prepared.columns();
    let places = query.columns.iter().enumerate().map(|(index, name)| (name, index));
    let places = places.chain(query.key.iter().zip(statement.layout.key));
    Ok(places.filter_map(|(name, index)| Some((name.clone(), ColumnType::of(columns.get(index)?)))).collect())
}

/// All columns of a view.
///
/// # Errors
/// [`SourceError::Refused`] when there is no such view.
pub(super) async fn columns(session: &mut Session, view: &ViewName) -> Result<Vec<Column>, SourceError> {
    match session.prepare(&sql::no_rows(&DIALECT, view)).await {
        Ok(prepared) => {
            let column = |column: &tokio_postgres::Column| Column {
                name: column.name().to_owned(),
                kind: ColumnType::of(column).wire.kind(),
            };
            Ok(prepared.columns().iter().map(column).collect())
        }
        Err(error) => Err(match error.as_db_error() {
            Some(server) if is_missing_view(server) => missing_view(session, view, server).await,
            _ => source_error(session.name(), &error),
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
    let code = server.code();
    if is_missing_view(server) {
        return missing_view(session, &query.view, server).await;
    }
    if *code == SqlState::UNDEFINED_COLUMN {
        return match after_failure(session).await {
            Ok(()) => missing_column(session, query, server).await,
            Err(error) => error,
        };
    }
    // Class 42 is syntax and access rules, 0A what the server does not do (another database's view): both stay.
    if code.code().starts_with("42") || code.code().starts_with("0A") {
        return SourceError::Refused { reason: format!("view `{}`: {}", query.view, server_words(server)) };
    }
    source_error(session.name(), error)
}

fn is_missing_view(server: &DbError) -> bool {
    [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(server.code())
}

/// The predicate that the server points into, and the character in it, from 1.
fn predicate_at<'a>(query: &'a Query, sql: &str, server: &DbError) -> Option<(&'a str, usize)> {
    let Some(ErrorPosition::Original(position)) = server.position() else { return None };
    let position = usize::try_from(*position).ok()?;
    let mut from = 0;
    for predicate in &query.predicates {
        let start = from + sql.get(from..)?.find(&format!("CASE WHEN ({predicate}) THEN"))? + "CASE WHEN (".len();
        from = start + predicate.len();
        let before = sql.get(..start)?.chars().count();
        let place = position.checked_sub(before).unwrap_or_default();
        if (1..=predicate.chars().count() + 1).contains(&place) {
            return Some((predicate, place));
        }
    }
    None
}

/// Ends the failed transaction, so that the session answers again.
async fn after_failure(session: &mut Session) -> Result<(), SourceError> {
    session.run("ROLLBACK").await
}

/// Names the columns that the view does not have, and what it has.
async fn missing_column(session: &mut Session, query: &Query, server: &DbError) -> SourceError {
    let there = match columns(session, &query.view).await {
        Ok(there) => there,
        Err(error) => return error,
    };
    let there: Vec<&str> = there.iter().map(|column| column.name.as_str()).collect();
    let asked = query.columns.iter().chain(&query.key);
    let mut missing: Vec<&str> = asked.map(String::as_str).filter(|name| !there.contains(name)).collect();
    missing.dedup();
    if missing.is_empty() {
        return SourceError::Refused { reason: format!("view `{}`: {}", query.view, server_words(server)) };
    }
    let suggest = |name: &&str| match nearest(name, there.iter().copied()) {
        Some(near) => format!("`{name}` (did you mean `{near}`?)"),
        None => format!("`{name}`"),
    };
    let missing: Vec<String> = missing.iter().map(suggest).collect();
    SourceError::Refused {
        reason: format!("view `{}` has no column {}; it has {}", query.view, missing.join(", "), there.join(", ")),
    }
}

/// Says that there is no such view, and which one has a name like it.
async fn missing_view(session: &mut Session, view: &ViewName, server: &DbError) -> SourceError {
    const VIEWS: &str = "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c \
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
        ORDER BY 1, 2 LIMIT 10000";
    let mut reason = format!("there is no view `{view}` in {}: {}", session.name(), server_words(server));
    // Only a suggestion: without it the error says enough.
    if after_failure(session).await.is_ok()
        && let Ok(rows) = session.query(VIEWS).await
    {
        let full =
            |row: &tokio_postgres::Row| Some((row.try_get::<_, String>(0).ok()?, row.try_get::<_, String>(1).ok()?));
        let names: Vec<(String, String)> = rows.iter().filter_map(full).collect();
        let asked = view.parts().last().map(String::as_str).unwrap_or_default();
        if let Some(near) = nearest(asked, names.iter().map(|(_, name)| name.as_str()))
            && let Some((schema, name)) = names.iter().find(|(_, name)| name == near)
        {
            reason.push_str(&format!("; did you mean `{schema}.{name}`? Upper and lower case count"));
        }
    }
    SourceError::Refused { reason }
}

/// The most similar name, if any is similar; case does not count here.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let likeness = names.map(|other| (strsim::jaro_winkler(&name, &other.to_lowercase()), other));
    let best = likeness.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, other)| other)
}

/// Sees that the columns are those that an earlier term found.
///
/// # Errors
/// [`SourceError::Changed`] names the first difference.
pub(super) fn unchanged(before: &[Column], now: &[Column]) -> Result<(), SourceError> {
    let difference = before.iter().zip(now).find(|(before, now)| before != now);
    let reason = match difference {
        Some((before, now)) if before.name == now.name => {
            format!("column `{}` was {} and is {} now", now.name, before.kind.describe(), now.kind.describe())
        }
        Some((before, now)) => format!("column `{}` stands where column `{}` was", now.name, before.name),
        None if before.len() != now.len() => format!("there were {} columns, now {}", before.len(), now.len()),
        None => return Ok(()),
    };
    Err(SourceError::Changed { reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::column::Kind;

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let names = ["loan_id", "v_loandata", "balance"];
        assert_eq!(nearest("v_LoanData", names.into_iter()), Some("v_loandata"));
        assert_eq!(nearest("balanse", names.into_iter()), Some("balance"));
        assert_eq!(nearest("zzz", names.into_iter()), None);
    }

    #[test]
    fn a_column_of_another_type_is_a_change() {
        let column = |kind| vec![Column { name: "a".to_owned(), kind }];
        assert_eq!(unchanged(&column(Kind::Int), &column(Kind::Int)), Ok(()));
        let error = unchanged(&column(Kind::Int), &column(Kind::Text)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the view has changed since the run began: column `a` was integer and is text now"
        );
    }
}
