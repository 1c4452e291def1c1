//! The driver's words for a failure into the store's.

use super::documents::Odd;
use crate::core::model::term::TermEnded;
use crate::core::ports::store::StoreError;
use mongodb::error::{Error, ErrorKind, WriteFailure};

/// A failure inside a call: the driver's, a value that cannot be kept or read, or a refusal of our own.
#[derive(Debug)]
pub(super) enum MongoError {
    Mongo(Error),
    Odd(Odd),
    Refused(StoreError),
    /// Others kept writing in between.
    Contended,
}

impl From<Error> for MongoError {
    fn from(error: Error) -> Self {
        Self::Mongo(error)
    }
}

impl From<Odd> for MongoError {
    fn from(odd: Odd) -> Self {
        Self::Odd(odd)
    }
}

impl From<TermEnded> for MongoError {
    fn from(ended: TermEnded) -> Self {
        Self::Refused(ended.into())
    }
}

impl MongoError {
    /// The store's error, naming the store.
    pub(super) fn into_store(self, name: &str) -> StoreError {
        let store = name.to_owned();
        match self {
            Self::Mongo(error) => failed(name, &error),
            Self::Odd(Odd(reason)) => StoreError::Failed { store, reason },
            Self::Refused(error) => error,
            Self::Contended => {
                StoreError::Unreachable { store, reason: "others wrote the same document at every try".to_owned() }
            }
        }
    }
}

/// A document with the same unique key is there.
pub(super) fn is_duplicate(error: &Error) -> bool {
    const DUPLICATE_KEY: i32 = 11000;
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(refused)) => refused.code == DUPLICATE_KEY,
        ErrorKind::Command(refused) => refused.code == DUPLICATE_KEY,
        _ => false,
    }
}

/// Says what is wrong, and what to do. An unknown outcome is [`StoreError::Unreachable`].
pub(super) fn failed(name: &str, error: &Error) -> StoreError {
    let store = name.to_owned();
    let words = error.kind.to_string();
    let advice = match &*error.kind {
        ErrorKind::Authentication { .. } => {
            return StoreError::Denied { store, reason: format!("{LOGIN} ({words})") };
        }
        ErrorKind::Command(refused) if passes(refused.code) => {
            return StoreError::Unreachable { store, reason: words };
        }
        ErrorKind::Command(refused) => match denied(refused.code) {
            Some(advice) => return StoreError::Denied { store, reason: format!("{advice} ({words})") },
            None => "the server refuses this",
        },
        ErrorKind::Write(WriteFailure::WriteError(refused)) if passes(refused.code) => {
            return StoreError::Unreachable { store, reason: words };
        }
        ErrorKind::Write(WriteFailure::WriteError(refused)) => match denied(refused.code) {
            Some(advice) => return StoreError::Denied { store, reason: format!("{advice} ({words})") },
            None => "the server refuses this",
        },
        ErrorKind::InvalidTlsConfig { .. } => "check the tls options of `state.url`",
        ErrorKind::IncompatibleServer { .. } | ErrorKind::SessionsNotSupported => {
            "its version is none that this filegen knows; see the driver's compatibility table"
        }
        ErrorKind::BsonDeserialization(_) | ErrorKind::Bson(_) => {
            "it holds a value that this filegen does not know; use the one that wrote it, or mend the document"
        }
        ErrorKind::BsonSerialization(_) | ErrorKind::InvalidArgument { .. } => "the driver refuses this",
        // The driver trusts the world's authorities alone, whatever the system's list says.
        _ if words.contains("UnknownIssuer") => {
            let advice = "name your own authority's PEM file in `state.url`: `tlsCAFile=/path/authority.pem`";
            return StoreError::Unreachable { store, reason: format!("{advice} ({words})") };
        }
        // Neither known to be done nor to be refused: connections, server selection, names, and writes that the
        // majority has not yet confirmed.
        _ => return StoreError::Unreachable { store, reason: words },
    };
    StoreError::Failed { store, reason: format!("{advice} ({words})") }
}

/// Server errors that pass: elections, shutdowns, time limits, lost peers. The driver's own list of retryable codes, and
/// those of a time limit.
fn passes(code: i32) -> bool {
    const CODES: [i32; 18] =
        [6, 7, 50, 64, 89, 91, 100, 134, 189, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436, 17280];
    CODES.contains(&code)
}

const LOGIN: &str = "check user, password and authSource of `state.url`";

/// What to do about a refused right or login. `None` for anything else.
fn denied(code: i32) -> Option<&'static str> {
    match code {
        13 => Some("the user may not do this; grant it the role readWrite on the database"),
        18 => Some(LOGIN),
        _ => None,
    }
}
