//! The driver's words for a failure into the store's.

use super::documents::Odd;
use crate::adapters::faults::{Known, Sort, find};
use crate::core::model::term::TermEnded;
use crate::core::ports::store::StoreError;
use mongodb::error::{Error, ErrorKind, InsertManyError, WriteFailure};
use std::collections::BTreeSet;

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

const DUPLICATE_KEY: i32 = 11000;

/// Places of the documents of one insert whose unique keys are there. `None`: something else is wrong, too.
pub(super) fn duplicates(error: &Error) -> Option<BTreeSet<usize>> {
    let ErrorKind::InsertMany(InsertManyError { write_errors: Some(refused), write_concern_error: None, .. }) =
        &*error.kind
    else {
        return None;
    };
    refused.iter().map(|it| (it.code == DUPLICATE_KEY).then_some(it.index)).collect()
}

/// A document with the same unique key is there.
pub(super) fn is_duplicate(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(refused)) => refused.code == DUPLICATE_KEY,
        ErrorKind::Command(refused) => refused.code == DUPLICATE_KEY,
        _ => false,
    }
}

const LOGIN: &str = "check user, password and authSource of `state.url`";

/// The server's codes, by what they mean. Source: the driver's lists of codes that are worth another try, and the server's
/// `error_codes.yml`.
const TABLE: &[Known<i32>] = &[
    Known::new(
        &[91, 189, 10058, 10107, 11600, 11602, 13435, 13436],
        Sort::Passing,
        "another server of the set takes over, or this one goes down",
    ),
    Known::new(&[6, 7, 89, 9001], Sort::Passing, "the server cannot reach another one"),
    Known::new(&[24, 50, 112, 262, 13388, 17280], Sort::Passing, "the server was too busy in the time that it had"),
    Known::new(&[16500], Sort::Passing, "the server has no throughput left for this second"),
    Known::new(
        &[64, 100, 133, 134],
        Sort::Passing,
        "too few servers of the set are up to confirm a write by the majority",
    ),
    Known::new(&[13], Sort::Denied, "the user may not do this; grant it the role readWrite on the database"),
    Known::new(&[11, 18, 31, 8000], Sort::Denied, LOGIN),
    Known::new(&[73], Sort::Denied, "check the database's name in `state.url`"),
    Known::new(
        &[20, 59, 115, 323],
        Sort::Denied,
        "this server does not do what a state store needs; use a replica set of MongoDB 4.2 or later",
    ),
    Known::new(
        &[85, 86],
        Sort::Failed,
        "an index of that name has other keys: drop it, and `filegen doctor --fix` makes it again",
    ),
    Known::new(&[121], Sort::Failed, "a validator on the collection refuses the document: remove it"),
    Known::new(&[14031], Sort::Failed, "the server's disk is full: make room there"),
];

/// Says what is wrong, and what to do. An unknown outcome is [`StoreError::Unreachable`].
pub(super) fn failed(name: &str, error: &Error) -> StoreError {
    let store = name.to_owned();
    let words = error.kind.to_string();
    let advice = match &*error.kind {
        ErrorKind::Authentication { .. } => {
            return StoreError::Denied { store, reason: format!("{LOGIN} ({words})") };
        }
        ErrorKind::Command(refused) => return by_code(store, refused.code, &words),
        ErrorKind::Write(WriteFailure::WriteError(refused)) => return by_code(store, refused.code, &words),
        ErrorKind::InvalidTlsConfig { .. } => {
            return StoreError::Denied { store, reason: format!("check the tls options of `state.url` ({words})") };
        }
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

/// What a server said with a code.
fn by_code(store: String, code: i32, words: &str) -> StoreError {
    let row = find(TABLE, &code);
    let (sort, advice) = row.map_or((Sort::Failed, "the server refuses this"), |row| (row.sort, row.advice));
    let reason = format!("{advice} ({words})");
    match sort {
        Sort::Passing => StoreError::Unreachable { store, reason },
        Sort::Denied => StoreError::Denied { store, reason },
        Sort::Statement | Sort::Failed => StoreError::Failed { store, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kind::{FailureKind, HasKind};
    use mongodb::bson::{deserialize_from_document, doc};

    /// As the driver makes it of a server's answer.
    fn command(code: i32) -> Error {
        let answer = doc! { "ok": 0.0, "code": code, "codeName": "SoItIs", "errmsg": "so it is" };
        ErrorKind::Command(deserialize_from_document(answer).unwrap()).into()
    }

    #[test]
    fn each_code_that_is_known_has_its_kind_and_its_advice() {
        crate::adapters::faults::check(TABLE);
        for row in TABLE {
            for code in row.codes {
                let told = failed("mongodb://h/filegen", &command(*code));
                let kind = match row.sort {
                    Sort::Passing => FailureKind::Unreachable,
                    Sort::Denied => FailureKind::Config,
                    Sort::Statement | Sort::Failed => FailureKind::Failed,
                };
                assert_eq!(told.kind(), kind, "{code}: {told}");
                let words = told.to_string();
                assert!(words.contains(row.advice) && words.contains("so it is"), "{code}: {words}");
            }
        }
        let unknown = failed("mongodb://h/filegen", &command(4711));
        assert!(unknown.kind() == FailureKind::Failed && unknown.to_string().contains("refuses this"), "{unknown}");
    }
}
