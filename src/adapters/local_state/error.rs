//! SQLite's words for a failure into the store's.

use crate::core::model::term::TermEnded;
use crate::core::ports::store::StoreError;
use rusqlite::{Error, ErrorCode};
use std::path::Path;

/// A failure inside a transaction: SQLite's, or a refusal of our own.
#[derive(Debug)]
pub(super) enum SqliteStateError {
    Sqlite(Error),
    Refused(StoreError),
}

impl From<Error> for SqliteStateError {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for SqliteStateError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<TermEnded> for SqliteStateError {
    fn from(ended: TermEnded) -> Self {
        Self::Refused(ended.into())
    }
}

impl SqliteStateError {
    /// The store's error, naming the file.
    pub(super) fn into_store(self, path: &Path) -> StoreError {
        match self {
            Self::Sqlite(error) => failed(path, &error),
            Self::Refused(error) => error,
        }
    }
}

const LOCKED: &str = "another process keeps it locked; one that is stopped or hangs does so until it goes on or is ended \
                      (`fuser -v` on the file names it)";

/// Says what is wrong with the file, and what to do.
pub(super) fn failed(path: &Path, error: &Error) -> StoreError {
    let store = super::name(path);
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            return StoreError::Unreachable { store, reason: LOCKED.to_owned() };
        }
        Some(ErrorCode::NotADatabase) => {
            "it is not a state file; name another, or move it away to start with an empty one"
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            "it is damaged; move it away to start with an empty one (tokens go on from those found in the output folder)"
        }
        Some(ErrorCode::ReadOnly) => {
            let advice = "it may only be read; check the permissions of the file and its folder";
            return StoreError::Denied { store, reason: format!("{advice} ({error})") };
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            let advice = "it cannot be opened; check that the folder is there and may be written";
            return StoreError::Denied { store, reason: format!("{advice} ({error})") };
        }
        Some(ErrorCode::DiskFull) => "its disk or quota is full; free some space",
        Some(_) => "check its disk",
        None => "it holds a value that this filegen does not know; use the one that wrote it",
    };
    StoreError::Failed { store, reason: format!("{advice} ({error})") }
}
