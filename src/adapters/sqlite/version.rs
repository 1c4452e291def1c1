//! Which state of a file a connection saw: tells whether anybody has written to it since.

use super::connect::Db;

/// The state of a file, and the connection that can tell whether it has changed.
///
/// SQLite counts commits for each connection (`PRAGMA data_version`): the number stays as long as no other connection
/// commits.
#[derive(Debug)]
pub(super) struct Version {
    db: Db,
    number: i64,
}

impl Version {
    /// The state that the open transaction sees; ends it. `None` where SQLite does not tell.
    pub(super) fn seen(mut db: Db) -> Option<Self> {
        let number = data_version(&db)?;
        // Kept for its number alone, not for the pages that it read.
        db.connection.execute_batch("ROLLBACK; PRAGMA shrink_memory").ok()?;
        // The thread that it was opened for ends, and its leash with it.
        db.connection.progress_handler(0, None::<fn() -> bool>).ok()?;
        Some(Self { db, number })
    }

    /// Whether nothing was written since; false, too, when that cannot be told.
    pub(super) fn is_current(&self) -> bool {
        self.db.is_in_place() && data_version(&self.db) == Some(self.number)
    }
}

fn data_version(db: &Db) -> Option<i64> {
    db.connection.query_row("PRAGMA data_version", [], |row| row.get(0)).ok()
}
