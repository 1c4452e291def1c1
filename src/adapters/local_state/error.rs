//! SQLite's words for a failure into the store's.

use crate::adapters::faults::{Known, Sort, find};
use crate::adapters::sqlite_numbers::used_up;
use crate::core::model::term::TermEnded;
use crate::core::ports::store::StoreError;
use crate::files::Foreign;
use rusqlite::{Error, ErrorCode};
use rustix::io::Errno;
use std::io;
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

/// What SQLite says of the file, by what it means.
const TABLE: &[Known<ErrorCode>] = &[
    Known::new(
        &[ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked, ErrorCode::FileLockingProtocolFailed],
        Sort::Passing,
        LOCKED,
    ),
    Known::new(
        &[ErrorCode::NotADatabase],
        Sort::Denied,
        "it is not a state file; name another, or move it away to start with an empty one",
    ),
    Known::new(
        &[ErrorCode::ReadOnly],
        Sort::Denied,
        "it may only be read; check the permissions of the file and its folder",
    ),
    Known::new(
        &[ErrorCode::CannotOpen, ErrorCode::PermissionDenied],
        Sort::Denied,
        "it cannot be opened; check that the folder is there and may be written",
    ),
    Known::new(
        &[ErrorCode::DatabaseCorrupt],
        Sort::Failed,
        "it is damaged; move it away to start with an empty one (tokens go on from those found in the output folder)",
    ),
    Known::new(&[ErrorCode::DiskFull], Sort::Failed, "its disk or quota is full; free some space"),
    Known::new(&[ErrorCode::SystemIoFailure], Sort::Failed, "check its disk"),
    Known::new(&[ErrorCode::OutOfMemory], Sort::Failed, "this host has no memory left for it"),
];

/// Says what is wrong with the file, and what to do.
pub(super) fn failed(path: &Path, error: &Error) -> StoreError {
    let store = super::name(path);
    let Some(code) = error.sqlite_error_code() else {
        let advice = "it holds a value that this filegen does not know; use the one that wrote it";
        return StoreError::Failed { store, reason: format!("{advice} ({error})") };
    };
    if let Some(reason) = used_up(path, error) {
        return StoreError::Failed { store, reason };
    }
    let (sort, advice) = find(TABLE, &code).map_or((Sort::Failed, "check its disk"), |row| (row.sort, row.advice));
    match sort {
        Sort::Passing => StoreError::Unreachable { store, reason: advice.to_owned() },
        Sort::Denied => StoreError::Denied { store, reason: format!("{advice} ({error})") },
        Sort::Statement | Sort::Failed => StoreError::Failed { store, reason: format!("{advice} ({error})") },
    }
}

/// What the system says of the file or its folder. A path that leads nowhere is the address's fault.
pub(super) fn io_failed(path: &Path, what: &str, error: &io::Error) -> StoreError {
    let store = super::name(path);
    if Foreign::of(error).is_some() {
        let advice = "name another file in `state.url`, or another `output.root`";
        return StoreError::Denied { store, reason: format!("{what}: {error}; {advice}") };
    }
    let advice = match Errno::from_io_error(error) {
        Some(Errno::ACCESS | Errno::PERM) => "give this user the right to read and write there",
        Some(Errno::ROFS) => "mount it for writing, or name another file in `state.url`",
        Some(Errno::NOENT | Errno::NOTDIR | Errno::EXIST | Errno::INVAL | Errno::NAMETOOLONG | Errno::LOOP) => {
            "no folder can be made there: name another file in `state.url`, or another `output.root`"
        }
        Some(Errno::NOSPC | Errno::DQUOT) => {
            let advice = "its disk or quota is full; free some space";
            return StoreError::Failed { store, reason: format!("{what}: {error}; {advice}") };
        }
        _ => return StoreError::Failed { store, reason: format!("{what}: {error}; check its disk") },
    };
    StoreError::Denied { store, reason: format!("{what}: {error}; {advice}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kind::{FailureKind, HasKind};
    use rusqlite::ffi;

    /// SQLite's own number for each code of the table.
    const NUMBERS: [(std::ffi::c_int, ErrorCode); 12] = [
        (ffi::SQLITE_BUSY, ErrorCode::DatabaseBusy),
        (ffi::SQLITE_LOCKED, ErrorCode::DatabaseLocked),
        (ffi::SQLITE_PROTOCOL, ErrorCode::FileLockingProtocolFailed),
        (ffi::SQLITE_NOTADB, ErrorCode::NotADatabase),
        (ffi::SQLITE_READONLY_RECOVERY, ErrorCode::ReadOnly),
        (ffi::SQLITE_CANTOPEN_ISDIR, ErrorCode::CannotOpen),
        (ffi::SQLITE_PERM, ErrorCode::PermissionDenied),
        (ffi::SQLITE_CORRUPT, ErrorCode::DatabaseCorrupt),
        (ffi::SQLITE_FULL, ErrorCode::DiskFull),
        (ffi::SQLITE_IOERR_FSYNC, ErrorCode::SystemIoFailure),
        (ffi::SQLITE_NOMEM, ErrorCode::OutOfMemory),
        (ffi::SQLITE_TOOBIG, ErrorCode::TooBig),
    ];

    #[test]
    fn each_of_sqlites_errors_has_its_kind_and_its_advice() {
        crate::adapters::faults::check(TABLE);
        for (number, code) in NUMBERS {
            let error = Error::SqliteFailure(ffi::Error::new(number), Some("so it is".to_owned()));
            let told = failed(Path::new("state.db"), &error);
            let row = find(TABLE, &code);
            let kind = match row.map(|row| row.sort) {
                Some(Sort::Passing) => FailureKind::Unreachable,
                Some(Sort::Denied) => FailureKind::Config,
                Some(Sort::Statement | Sort::Failed) | None => FailureKind::Failed,
            };
            assert_eq!(told.kind(), kind, "{code:?}: {told}");
            assert!(told.to_string().contains(row.map_or("check its disk", |row| row.advice)), "{code:?}: {told}");
        }
        let tried = |row: &Known<ErrorCode>| row.codes.iter().all(|code| NUMBERS.iter().any(|(_, of)| of == code));
        assert!(TABLE.iter().all(tried), "each row is tried");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_wrong_address_and_a_full_disk_is_none() {
        let kind = |errno: Errno| io_failed(Path::new("a/b"), "its folder `a` cannot be made", &errno.into()).kind();
        for errno in [Errno::NOENT, Errno::NOTDIR, Errno::EXIST, Errno::ACCESS, Errno::PERM, Errno::ROFS, Errno::LOOP] {
            assert_eq!(kind(errno), FailureKind::Config, "{errno}");
        }
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::IO] {
            assert_eq!(kind(errno), FailureKind::Failed, "{errno}");
        }
    }
}
