//! A count that holds for as long as nobody writes to the file.

use super::connect::Db;
use super::extent::extent;
use crate::core::ports::source::{Extent, Query, SourceError, Sum};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// What a view held, and what tells whether its file has been written to since.
///
/// SQLite counts commits for each connection (`PRAGMA data_version`): the number stays as long as no other connection
/// commits. A view that looks at the clock may hold other rows all the same; the rows read tell that.
#[derive(Debug)]
pub(super) struct Counted {
    db: Db,
    /// Device and inode: another file may be put in its place.
    file: (u64, u64),
    version: i64,
    query: Query,
    extent: Extent,
}

impl Counted {
    /// Counts, and keeps the connection where it can tell of changes.
    pub(super) fn count(mut db: Db, query: Query, sums: &[Sum]) -> Result<(Extent, Option<Self>), SourceError> {
        let file = identity(&db);
        let extent = extent(&db, &query, sums)?;
        let version = data_version(&db);
        // Kept for its number alone, not for the pages that it read.
        let ended = db.connection.execute_batch("COMMIT; PRAGMA shrink_memory");
        // The thread that it was opened for ends, and its leash with it.
        let unleashed = db.connection.progress_handler(0, None::<fn() -> bool>);
        let counted = match (file, version, ended.and(unleashed)) {
            (Some(file), Some(version), Ok(())) => Some(Self { db, file, version, query, extent: extent.clone() }),
            _ => None,
        };
        Ok((extent, counted))
    }

    /// Whether it answers this query.
    pub(super) fn is_of(&self, query: &Query) -> bool {
        self.query.asks_as(query)
    }

    /// The count, unless something was written since or cannot be ruled out.
    pub(super) fn if_unchanged(self) -> Option<Extent> {
        let unchanged = identity(&self.db) == Some(self.file) && data_version(&self.db) == Some(self.version);
        unchanged.then_some(self.extent)
    }
}

fn identity(db: &Db) -> Option<(u64, u64)> {
    let found = fs::metadata(db.place().path()).ok()?;
    Some((found.dev(), found.ino()))
}

fn data_version(db: &Db) -> Option<i64> {
    db.connection.query_row("PRAGMA data_version", [], |row| row.get(0)).ok()
}
