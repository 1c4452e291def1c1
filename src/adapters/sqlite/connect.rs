//! Opens the file for reading, and says in the port's words what SQLite says in its own.

use crate::adapters::faults::{Known, Sort, find};
use crate::adapters::sql;
use crate::core::ports::source::SourceError;
use crate::files::{self, Foreign};
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};
use std::cell::Cell;
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a reader waits for a writer before the fault is passed on as a transient one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Room for pages of the file, in KiB: enough that an order by a secondary index finds inner pages again. The file is not
/// mapped into memory, because what is mapped counts as the process's own.
const CACHE_KIB: u32 = 16 * 1024;

/// Room in a record beside its value: key, numbers, short texts.
const BESIDE_A_VALUE: u64 = 64 << 10;

/// A record of so many bytes may be there in any case: the text of a view is one.
const RECORD_BYTES: i32 = 16 << 20;
/// Where SQLite does not tell which value is too long.
pub(super) const ANY_COLUMN: &str = "of the view, or all of them together";

const RIGHTS: &str = "give its folders and the file to this user to read";

const UNKNOWN: &str = "`PRAGMA integrity_check` on a copy says whether the file is sound";

/// What SQLite says while it opens or reads, by what it means. What a statement's text brings about is told by
/// [`Db::refusal`].
pub(super) const TABLE: &[Known<ErrorCode>] = &[
    Known::new(
        &[ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked, ErrorCode::FileLockingProtocolFailed],
        Sort::Passing,
        "another process holds the file; a run tries again by itself",
    ),
    Known::new(&[ErrorCode::SystemIoFailure], Sort::Passing, "the disk did not answer; a run tries again by itself"),
    Known::new(&[ErrorCode::SchemaChanged], Sort::Passing, "the schema changed meanwhile; a run tries again by itself"),
    Known::new(
        &[ErrorCode::NotADatabase],
        Sort::Denied,
        "it is no SQLite database, or encrypted; check the source's url",
    ),
    Known::new(&[ErrorCode::PermissionDenied], Sort::Denied, RIGHTS),
    Known::new(
        &[ErrorCode::CannotOpen, ErrorCode::ReadOnly],
        Sort::Denied,
        "check the file's permissions, and for a database in WAL mode those of its folder",
    ),
    Known::new(
        &[ErrorCode::Unknown, ErrorCode::TooBig, ErrorCode::TypeMismatch],
        Sort::Failed,
        "an expression of the view, or of a `where`, does not work for one of the rows: mend the row or the expression",
    ),
    Known::new(
        &[ErrorCode::DiskFull, ErrorCode::OutOfMemory],
        Sort::Failed,
        "this host has no room left to sort: give the key an index, or `SQLITE_TMPDIR` a folder with room",
    ),
    Known::new(
        &[ErrorCode::DatabaseCorrupt],
        Sort::Failed,
        "the file is damaged: `PRAGMA integrity_check` says where, `.recover` of sqlite3 saves what can be read",
    ),
];

/// Where the file is.
#[derive(Clone, Debug)]
pub(super) struct DatabasePath {
    path: Arc<PathBuf>,
}

/// An open connection and the place it leads to.
#[derive(Debug)]
pub(super) struct Db {
    pub(super) connection: Connection,
    place: DatabasePath,
    /// Device and inode, looked at before the file was opened.
    file: (u64, u64),
    /// Longest value. Any, until [`Db::limit_values`] says.
    value_bytes: Cell<u64>,
}

impl DatabasePath {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: Arc::new(path.to_owned()) }
    }

    pub(super) fn describe(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    pub(super) fn failed(&self, reason: impl Display) -> SourceError {
        SourceError::Failed { source_name: self.describe(), reason: reason.to_string() }
    }

    /// Opens the file, which must be there.
    pub(super) fn open(&self) -> Result<Db, SourceError> {
        let file = match files::identity(&self.path).and_then(|found| files::check_database(&self.path).map(|()| found))
        {
            Ok(found) => found,
            Err(error) if Foreign::of(&error).is_some() => {
                let reason = format!("{error}, not a database file; check the source's url");
                return Err(SourceError::Denied { source_name: self.describe(), reason });
            }
            Err(error) => return Err(self.not_found(&error)),
        };
        // No other thread uses the connection, so SQLite need not lock it for each value.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&*self.path, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // Nothing that a file can carry changes how its values are written; the two settings that change what a view
            // means belong to a connection.
            connection.execute_batch(&format!(
                "PRAGMA query_only = ON; PRAGMA case_sensitive_like = OFF; PRAGMA reverse_unordered_selects = OFF; \
                 PRAGMA cache_size = -{CACHE_KIB};"
            ))?;
            // Reads the file's first page, so that a file of another sort is found out here.
            connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Db { connection, place: self.clone(), file, value_bytes: Cell::new(u64::MAX) }),
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Why the file cannot be looked at.
    fn not_found(&self, error: &std::io::Error) -> SourceError {
        let source_name = self.describe();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                let reason = format!("there is no such file ({error}); check the source's url");
                SourceError::Absent { source_name, reason }
            }
            ErrorKind::PermissionDenied => {
                let reason = format!("cannot open the file: {error}; {RIGHTS}");
                SourceError::Denied { source_name, reason }
            }
            ErrorKind::InvalidFilename | ErrorKind::InvalidInput => {
                let reason = format!("cannot open the file: {error}; check the source's url");
                SourceError::Denied { source_name, reason }
            }
            // A disk or a network share that does not answer.
            _ => {
                let reason = format!("cannot look at the file: {error}; check its disk, or the share it lies on");
                SourceError::Unreachable { source_name, reason }
            }
        }
    }

    /// A fault while rows are read.
    pub(super) fn fault(&self, error: &Error) -> SourceError {
        let row = error.sqlite_error_code().and_then(|code| find(TABLE, &code));
        let (sort, advice) = row.map_or((Sort::Failed, UNKNOWN), |row| (row.sort, row.advice));
        let (source_name, reason) = (self.describe(), format!("{}; {advice}", words(error)));
        match sort {
            Sort::Passing => SourceError::Unreachable { source_name, reason },
            Sort::Denied => SourceError::Denied { source_name, reason },
            Sort::Statement => SourceError::Refused { reason },
            Sort::Failed => SourceError::Failed { source_name, reason },
        }
    }
}

impl Db {
    /// Has SQLite refuse values of more bytes before it reads or makes them: an expression may make several of one. The limit is one of
    /// whole records too, which SQLite makes when it sorts: what such a record holds counts together.
    pub(super) fn limit_values(&self, bytes: u64) -> Result<(), SourceError> {
        self.value_bytes.set(bytes);
        let most = i32::try_from(bytes.saturating_add(BESIDE_A_VALUE)).unwrap_or(i32::MAX).max(RECORD_BYTES);
        let set = self.connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, most);
        set.map(drop).map_err(|error| self.fault(&error))
    }

    pub(super) fn place(&self) -> &DatabasePath {
        &self.place
    }

    /// Whether no other file was put in the place of the one that is open.
    pub(super) fn is_in_place(&self) -> bool {
        files::identity(&self.place.path).is_ok_and(|found| found == self.file)
    }

    pub(super) fn fault(&self, error: &Error) -> SourceError {
        let most = self.value_bytes.get();
        if error.sqlite_error_code() == Some(ErrorCode::TooBig) && most < u64::MAX {
            return SourceError::Value {
                column: ANY_COLUMN.to_owned(),
                key: "(one of the view's rows)".to_owned(),
                reason: sql::too_long(None, most),
            };
        }
        self.place.fault(error)
    }

    /// A fault while a statement was prepared: what the statement names is not as the worker file says, unless SQLite
    /// could not get at the file at all.
    pub(super) fn refusal(&self, what: impl Display, error: &Error) -> SourceError {
        match error.sqlite_error_code() {
            Some(ErrorCode::Unknown) | None => SourceError::Refused { reason: format!("{what}: {}", words(error)) },
            _ => self.fault(error),
        }
    }
}

/// SQLite's message alone: a statement's whole text helps nobody.
fn words(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        other => other.to_string(),
    }
}
