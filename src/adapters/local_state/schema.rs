//! Opening the database file: folder, format version, and how writes become durable.

use super::data_sources;
use super::deliveries;
use super::error::{failed, io_failed};
use super::ledger;
use super::schedules;
use super::transfers;
use super::worker_clocks;
use crate::core::model::names::HIDDEN;
use crate::core::ports::store::StoreError;
use crate::files::{self, Foreign};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// Counted in `PRAGMA user_version`. A change of the tables adds one, and a step in [`prepare`].
const VERSION: i64 = 1;

/// `PRAGMA application_id`, the letters `flgn`: tells our file from any other program's database.
const APPLICATION: i64 = 0x666c_676e;

/// The tables carry the names and fields that the state's contract gives to collections. Times are RFC 3339 in UTC with
/// nine fraction digits, so that their order as text is their order in time.
const TABLES: &str = "
CREATE TABLE worker_epochs (
    workerId TEXT NOT NULL, token INTEGER NOT NULL, instanceId TEXT NOT NULL, nonce TEXT NOT NULL,
    claimedAt TEXT NOT NULL,
    PRIMARY KEY (workerId, token)) STRICT, WITHOUT ROWID;
CREATE TABLE worker_leases (
    workerId TEXT PRIMARY KEY NOT NULL, instanceId TEXT NOT NULL, token INTEGER NOT NULL, seq INTEGER NOT NULL,
    acquiredAt TEXT NOT NULL, renewedAt TEXT NOT NULL, expiresAt TEXT NOT NULL,
    releasedAt TEXT, releaseReason TEXT, guardedBy TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    workerId TEXT NOT NULL, date TEXT NOT NULL, status TEXT NOT NULL, requestedBy TEXT NOT NULL,
    requestedAt TEXT NOT NULL, token INTEGER, instanceId TEXT, startedAt TEXT, completedAt TEXT,
    lastPage INTEGER NOT NULL, rows INTEGER NOT NULL, rowsExpected INTEGER, error TEXT, failure TEXT, nextTryAt TEXT,
    given TEXT, correction TEXT,
    PRIMARY KEY (workerId, date)) STRICT, WITHOUT ROWID;
CREATE INDEX runs_unpublished ON runs (workerId, date) WHERE status <> 'published';
CREATE TABLE file_status (
    workerId TEXT NOT NULL, date TEXT NOT NULL, fileId TEXT NOT NULL, status TEXT NOT NULL,
    lastPage INTEGER NOT NULL, cumulativeRows INTEGER NOT NULL, startedAt TEXT NOT NULL, completedAt TEXT,
    token INTEGER NOT NULL, event TEXT, sentAt TEXT,
    PRIMARY KEY (workerId, date, fileId)) STRICT, WITHOUT ROWID;
CREATE INDEX file_status_unsent ON file_status (workerId, completedAt) WHERE event IS NOT NULL AND sentAt IS NULL;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
    detail TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE TABLE odd_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, workerId TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
    eventOffset INTEGER NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL, payload TEXT NOT NULL,
    payloadBytes INTEGER, payloadSha256 TEXT,
    UNIQUE (workerId, topic, partition, eventOffset)) STRICT;
";

/// Table, name and type of each column that came later. It may be null, and earlier builds go on reading and writing the table
/// without it. So the format's number stays.
const ADDED: [(&str, &str, &str); 6] = [
    ("runs", "failure", "TEXT"),
    ("runs", "nextTryAt", "TEXT"),
    ("runs", "given", "TEXT"),
    ("runs", "correction", "TEXT"),
    ("odd_events", "payloadBytes", "INTEGER"),
    ("odd_events", "payloadSha256", "TEXT"),
];

/// Tables that came later: the last thing that each batch makes, and the batch.
const LATER: [(&str, &str); 7] = [
    ("outbox_sent", data_sources::TABLES),
    ("DiscoveredFile_of_source", ledger::TABLES),
    ("DiscoveredHome", ledger::HOMES),
    ("ScheduledDataSource_since", schedules::TABLES),
    ("TransferFile_state", transfers::TABLES),
    ("worker_clocks", worker_clocks::TABLES),
    ("run_deliveries_undone", deliveries::TABLES),
];

/// Whether a store that is not there is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    /// Folder and file are made.
    Create,
    /// Nothing is made.
    Leave,
}

/// Where the file lies decides how it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Home {
    /// A file system of this kernel alone: shared memory and locks can be trusted.
    Local,
    /// A network, FUSE or unknown file system.
    Remote,
}

/// Opens `path`. `None` when nothing is there and nothing shall be made.
pub(super) fn open(path: &Path, missing: Missing, busy: Duration) -> Result<Option<(Connection, Home)>, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match missing {
        Missing::Leave if !there(path)? => return Ok(None),
        Missing::Leave => {}
        Missing::Create => {
            make_folder(path)?;
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
    }
    check_plain(path)?;
    if missing == Missing::Create {
        // SQLite gives its journals the permissions of the file. What cannot be made, it says itself.
        let _ = files::open_or_make_private(path).is_ok();
    }
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(path, &error))?;
    ready(connection, path, missing, busy)
}

/// Checks whose file it is before anything in it is changed.
fn ready(
    mut connection: Connection,
    path: &Path,
    missing: Missing,
    busy: Duration,
) -> Result<Option<(Connection, Home)>, StoreError> {
    let home = home(path);
    let sqlite = |error| failed(path, &error);
    connection.busy_timeout(busy).map_err(sqlite)?;
    match prepare(&mut connection, missing).map_err(sqlite)? {
        Content::Ours => {}
        Content::Nothing => return Ok(None),
        Content::Refused(reason) => return Err(StoreError::Denied { store: super::name(path), reason }),
    }
    settle(&connection, home).map_err(sqlite)?;
    Ok(Some((connection, home)))
}

fn check_plain(path: &Path) -> Result<(), StoreError> {
    files::check_own_database(path, HIDDEN).map_err(|error| match Foreign::of(&error) {
        Some(foreign) => {
            let reason =
                format!("it cannot be opened: {foreign}, not a file; take it away, or name another file for the state");
            StoreError::Denied { store: super::name(path), reason }
        }
        None => io_failed(path, "cannot be looked at", &error),
    })
}

fn there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|error| io_failed(path, "cannot be looked at", &error))
}

/// Makes the file's folder and what is missing above it, durably.
fn make_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let missing: Vec<_> =
        folder.ancestors().take_while(|folder| !files::is_current(folder) && !folder.exists()).collect();
    files::make_private_folder(folder)
        .and_then(|()| files::sync_names(folder, folder, &missing))
        .map_err(|error| io_failed(path, &format!("its folder `{}` cannot be made", folder.display()), &error))
}

/// Names the file systems of which it is known that one kernel keeps them: everything else is taken for a network.
fn home(path: &Path) -> Home {
    /// ext2/3/4, xfs, btrfs, tmpfs, overlayfs, f2fs, zfs, bcachefs: `statfs(2)` and the kernel's `magic.h`.
    const LOCAL: [u64; 8] =
        [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0xf2f5_2010, 0x2fc1_2fc1, 0xca45_1a4e];
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::statfs(folder) {
        Ok(info) if u64::try_from(info.f_type).is_ok_and(|magic| LOCAL.contains(&magic)) => Home::Local,
        _ => Home::Remote,
    }
}

/// Every commit is durable when it answers, also through a power cut: a token that came back to life would be minted
/// twice.
///
/// On a local file system that is the write-ahead log: one sync a commit, and readers never wait. The log's index lives
/// in memory that one kernel shares, so elsewhere it is a rollback journal. `EXTRA` is for the latter: under `FULL` a
/// power cut may bring the deleted journal back, and with it the state before the last commit. For the log it is `FULL`.
pub(super) fn settle(connection: &Connection, home: Home) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    let journal = match home {
        Home::Local => "wal",
        Home::Remote => "delete",
    };
    let now: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    // Asked first: changing it takes an exclusive lock, also where nothing changes.
    if now == journal || connection.is_readonly("main")? {
        return Ok(());
    }
    match connection.pragma_update(None, "journal_mode", journal) {
        // In use by another process: either mode is durable, and a later start changes it.
        Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::DatabaseBusy => Ok(()),
        result => result,
    }
}

/// What a file holds.
enum Content {
    /// Our tables, in the format that this version knows.
    Ours,
    /// Nothing, and nothing was to be made.
    Nothing,
    /// What we must not touch: the reason, and what to do.
    Refused(String),
}

/// Makes the tables in an empty file; refuses a newer format and files of other programs.
fn prepare(connection: &mut Connection, missing: Missing) -> rusqlite::Result<Content> {
    let content = look(&connection.transaction()?)?;
    match (&content, missing) {
        (Content::Nothing, Missing::Create) => {}
        (Content::Ours, Missing::Create) => {
            add_what_came_later(connection)?;
            add_tables(connection)?;
            return Ok(content);
        }
        (Content::Ours | Content::Nothing | Content::Refused(_), _) => return Ok(content),
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Looked at again inside: several processes may start on an empty file at once.
    let content = look(&transaction)?;
    if !matches!(content, Content::Nothing) {
        return Ok(content);
    }
    transaction.execute_batch(TABLES)?;
    for (_, tables) in LATER {
        transaction.execute_batch(tables)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(Content::Ours)
}

/// An index that came later. Earlier builds keep it up without knowing of it.
const ADDED_INDEX: (&str, &str) = (
    "runs_unpublished",
    "CREATE INDEX IF NOT EXISTS runs_unpublished ON runs (workerId, date) WHERE status <> 'published'",
);

/// Adds the columns and the index that came later, in a file of an earlier build.
fn add_what_came_later(connection: &mut Connection) -> rusqlite::Result<()> {
    let (index, make_index) = ADDED_INDEX;
    let has_index =
        connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1")?.exists([index])?;
    if has_index && missing_columns(connection)?.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Looked at again inside: several processes may start at once.
    for (table, column, kind) in missing_columns(&transaction)? {
        transaction.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"))?;
    }
    transaction.execute_batch(make_index)?;
    transaction.commit()
}

/// Makes the tables that came later, in a file of an earlier build. Earlier builds go on without them.
fn add_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let is_missing = |connection: &Connection, name: &str| {
        Ok::<_, rusqlite::Error>(!connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")?.exists([name])?)
    };
    for (last, tables) in LATER {
        if !is_missing(connection, last)? {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Looked at again inside: several processes may start at once.
        if is_missing(&transaction, last)? {
            transaction.execute_batch(tables)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn missing_columns(connection: &Connection) -> rusqlite::Result<Vec<(&'static str, &'static str, &'static str)>> {
    let mut found = connection.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?;
    let mut missing = Vec::new();
    for (table, column, kind) in ADDED {
        if !found.exists((table, column))? {
            missing.push((table, column, kind));
        }
    }
    Ok(missing)
}

/// In one transaction: another process may be making the tables just now.
fn look(connection: &Transaction<'_>) -> rusqlite::Result<Content> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    if (application, version) == (APPLICATION, VERSION) {
        return Ok(Content::Ours);
    }
    if application == APPLICATION {
        return Ok(Content::Refused(format!(
            "its format is {version} and this filegen knows {VERSION}: use the newer filegen that made it, or another \
             state file"
        )));
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if (application, version, tables) == (0, 0, 0) {
        return Ok(Content::Nothing);
    }
    Ok(Content::Refused("it is another program's database: name a file of its own for the state".to_owned()))
}
