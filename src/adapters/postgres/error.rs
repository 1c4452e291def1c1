//! What the client or the server says, as the core's errors: passing faults apart from those that stay.

use super::tls::unfit;
use crate::core::ports::source::SourceError;
use std::error::Error as _;
use std::io::ErrorKind;
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

/// SQLSTATEs besides class 08 that pass by themselves: shutdowns, no room for a connection, a time limit on an idle
/// transaction, lost races, a lock not to be had.
const PASSING: [&str; 9] = ["57P01", "57P02", "57P03", "57P05", "25P03", "53300", "40001", "40P01", "55P03"];

/// Turns a client's error into the core's.
pub(super) fn source_error(source_name: &str, error: &Error) -> SourceError {
    let source_name = source_name.to_owned();
    if let Some(server) = error.as_db_error() {
        let reason = server_words(server);
        let state = server.code().code();
        return if is_passing(state) {
            SourceError::Unreachable { source_name, reason }
        } else if let Some(advice) = advice(state) {
            SourceError::Denied { source_name, reason: format!("{reason}; {advice}") }
        } else if is_our_statement(state) {
            let reason = format!("{source_name} refused the statement: {reason}; check the view, and each `where`");
            SourceError::Refused { reason }
        } else {
            SourceError::Failed { source_name, reason }
        };
    }
    if let Some(reason) = unfit(error) {
        return SourceError::Denied { source_name, reason };
    }
    let reason = all_words(error);
    if is_lost(error) {
        SourceError::Unreachable { source_name, reason }
    } else {
        SourceError::Failed { source_name, reason }
    }
}

/// `relation "x" does not exist (SQLSTATE 42P01)`, with the server's detail and hint.
pub(super) fn server_words(error: &DbError) -> String {
    let mut text = format!("{} (SQLSTATE {})", error.message(), error.code().code());
    for more in [error.detail(), error.hint()].into_iter().flatten() {
        text.push_str("; ");
        text.push_str(more);
    }
    text
}

fn is_passing(sqlstate: &str) -> bool {
    sqlstate.starts_with("08") || PASSING.contains(&sqlstate)
}

/// Whether the statement's text brings the error about: syntax, unknown names, types that do not go together.
fn is_our_statement(sqlstate: &str) -> bool {
    sqlstate.starts_with("42") && sqlstate != "42501"
}

/// What to do where the login, the database or a right is refused. `None` for anything else.
fn advice(sqlstate: &str) -> Option<&'static str> {
    match sqlstate {
        "28P01" => Some("check user and password in the source's url"),
        state if state.starts_with("28") => Some("check the user in the source's url, and the server's pg_hba.conf"),
        "3D000" => Some("check the database in the source's url"),
        "42501" => Some("GRANT what is missing: CONNECT on the database, USAGE on the schema, SELECT on the view"),
        _ => None,
    }
}

/// Whether the connection could not be made, or broke.
fn is_lost(error: &Error) -> bool {
    if error.is_closed() {
        return true;
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            // A certificate that does not fit comes as invalid data, and comes again.
            return !matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput);
        }
        cause = inner.source();
    }
    false
}

/// The error and its causes, each said once.
fn all_words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_connections_and_lost_races_pass() {
        for state in ["08006", "08001", "57P01", "53300", "40001", "55P03"] {
            assert!(is_passing(state), "{state}");
        }
        for state in ["28P01", "28000", "3D000", "42501"] {
            assert!(advice(state).is_some() && !is_passing(state), "{state}");
        }
        for state in ["42P01", "42703", "42601", "42883"] {
            assert!(is_our_statement(state) && advice(state).is_none(), "{state}");
        }
        assert!(!is_our_statement("42501") && !is_our_statement("22012"), "a right, and a value");
        for state in ["42P01", "28P01", "57014", "22012", "53100"] {
            assert!(!is_passing(state), "{state}");
        }
    }
}
