//! What the client or the server says, as the core's errors: passing faults apart from those that stay.

use super::sqlstates::known;
use super::tls::unfit;
use crate::adapters::faults::Sort;
use crate::core::ports::source::SourceError;
use std::error::Error as _;
use std::io::ErrorKind;
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

/// What is said of a code that no table has.
const UNKNOWN: &str = "the server's log may say more";

/// Turns a client's error into the core's.
pub(super) fn source_error(source_name: &str, error: &Error) -> SourceError {
    let source_name = source_name.to_owned();
    if let Some(server) = error.as_db_error() {
        return server_error(source_name, server);
    }
    if let Some(reason) = unfit(error) {
        return SourceError::Denied { source_name, reason };
    }
    let reason = all_words(error);
    if is_lost(error) {
        SourceError::Unreachable { source_name, reason }
    } else if is_setup(error) {
        let reason = format!("{reason}; check the source's url, its `sslmode` and certificates");
        SourceError::Denied { source_name, reason }
    } else {
        SourceError::Failed { source_name, reason: format!("{reason}; {UNKNOWN}") }
    }
}

/// What the server said, in the core's words: by the table of its states.
fn server_error(source_name: String, server: &DbError) -> SourceError {
    let reason = server_words(server);
    let row = known(server.code().code());
    let reason = format!("{reason}; {}", row.map_or(UNKNOWN, |row| row.advice));
    match row.map_or(Sort::Failed, |row| row.sort) {
        Sort::Passing => SourceError::Unreachable { source_name, reason },
        Sort::Denied => SourceError::Denied { source_name, reason },
        Sort::Statement => SourceError::Refused { reason: format!("{source_name} refused the statement: {reason}") },
        Sort::Failed => SourceError::Failed { source_name, reason },
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

/// Whether the login could not be made for a reason that another try meets again: TLS that one side does not have, a certificate
/// that does not fit, a way to log in that the client does not know.
fn is_setup(error: &Error) -> bool {
    // The client tells its kinds apart in words alone.
    const SETUP: [&str; 4] = [
        "error performing TLS handshake",
        "authentication error",
        "invalid connection string",
        "invalid configuration",
    ];
    SETUP.iter().any(|kind| error.to_string().starts_with(kind))
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
