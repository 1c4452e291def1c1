//! SQLite's words for a failure, by what is to be done: wait, mend, set the event aside, or give up.

use crate::adapters::sqlite_numbers::used_up;
use crate::core::model::letter::{LetterError, LetterKind};
use crate::core::ports::sql_sink::SinkError;
use rusqlite::{Error, ErrorCode, ffi};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the file is.
#[derive(Clone, Debug)]
pub(super) struct Place(Arc<PathBuf>);

/// Why a transaction did not go through.
#[derive(Debug)]
pub(super) enum SqliteFault {
    /// SQLite's.
    Sqlite(Error),
    /// Something does not fit, in a sentence.
    Refused(String),
    /// A position does not stand where the batch began.
    Rival(String),
    /// Too many dead letters wait.
    OutboxFull(SinkError),
}

impl From<Error> for SqliteFault {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Place {
    pub(super) fn new(path: &Path) -> Self {
        Self(Arc::new(path.to_owned()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn describe(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    pub(super) fn refused(&self, reason: String) -> SinkError {
        SinkError::Refused { sink: self.describe(), reason }
    }

    pub(super) fn failed(&self, reason: String) -> SinkError {
        SinkError::Failed { sink: self.describe(), reason }
    }

    /// A fault in the port's words.
    pub(super) fn error(&self, fault: SqliteFault) -> SinkError {
        let sink = self.describe();
        match fault {
            SqliteFault::Sqlite(error) => self.sqlite(&error),
            SqliteFault::Refused(reason) => SinkError::Refused { sink, reason },
            SqliteFault::Rival(place) => SinkError::Rival { place },
            SqliteFault::OutboxFull(full) => full,
        }
    }

    /// The table of SQLite's errors by what is to be done.
    fn sqlite(&self, error: &Error) -> SinkError {
        if let Some(reason) = used_up(&self.0, error) {
            return self.refused(reason);
        }
        let (sink, reason) = (self.describe(), words(error));
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::OperationInterrupted
                | ErrorCode::SchemaChanged
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => SinkError::Unreachable { sink, reason },
            Some(ErrorCode::NotADatabase) => {
                SinkError::Refused { sink, reason: "the file is no SQLite database (or is encrypted)".to_owned() }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
                SinkError::Refused { sink, reason: format!("{reason}; check the rights of the file and its folder") }
            }
            // No such table, no such column.
            Some(ErrorCode::Unknown) => SinkError::Refused {
                sink,
                reason: format!("{reason}; `filegen ingest schema` shows the tables that are wanted"),
            },
            _ => SinkError::Failed { sink, reason },
        }
    }
}

/// Why a row cannot go in, when it is the row's own fault. `None` for what is not.
pub(super) fn data_error(error: &Error, table: &str) -> Option<LetterError> {
    let Error::SqliteFailure(code, _) = error else { return None };
    let kind = match code.code {
        // RAISE of a trigger.
        ErrorCode::ConstraintViolation if code.extended_code == ffi::SQLITE_CONSTRAINT_TRIGGER => LetterKind::Trigger,
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => LetterKind::Constraint,
        _ => return None,
    };
    Some(LetterError::new(kind, words(error)).of(table, None))
}

/// SQLite's message alone: a statement's whole text helps nobody.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kind::{FailureKind, HasKind};

    #[test]
    fn each_class_of_errors_has_its_answer() {
        use FailureKind::{Config, Failed, Unreachable};
        let place = Place::new(Path::new("x.db"));
        for (code, kind) in [
            (ffi::SQLITE_BUSY, Unreachable),
            (ffi::SQLITE_BUSY_SNAPSHOT, Unreachable),
            (ffi::SQLITE_LOCKED, Unreachable),
            (ffi::SQLITE_FULL, Unreachable),
            (ffi::SQLITE_IOERR_FSYNC, Unreachable),
            (ffi::SQLITE_READONLY, Unreachable),
            (ffi::SQLITE_INTERRUPT, Unreachable),
            (ffi::SQLITE_NOTADB, Config),
            (ffi::SQLITE_CANTOPEN, Config),
            (ffi::SQLITE_PERM, Config),
            (ffi::SQLITE_ERROR, Config),
            (ffi::SQLITE_CORRUPT, Failed),
            (ffi::SQLITE_MISUSE, Failed),
        ] {
            let error = Error::SqliteFailure(ffi::Error::new(code), Some("why".to_owned()));
            assert_eq!(place.error(error.into()).kind(), kind, "{code}");
            let error = Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(data_error(&error, "t"), None, "{code}");
        }
        for (code, kind) in [
            (ffi::SQLITE_CONSTRAINT_CHECK, LetterKind::Constraint),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, LetterKind::Constraint),
            (ffi::SQLITE_CONSTRAINT_NOTNULL, LetterKind::Constraint),
            (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, LetterKind::Constraint),
            (ffi::SQLITE_MISMATCH, LetterKind::Constraint),
            (ffi::SQLITE_TOOBIG, LetterKind::Constraint),
            (ffi::SQLITE_CONSTRAINT_TRIGGER, LetterKind::Trigger),
        ] {
            let error = Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(data_error(&error, "t").map(|error| error.kind), Some(kind), "{code}");
        }
    }
}
