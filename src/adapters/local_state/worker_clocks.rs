//! How far workers' own clocks have come: `worker_clocks`.

use super::LocalState;
use super::value::{time, timestamp};
use crate::core::model::names::WorkerId;
use crate::core::ports::store::StoreError;
use crate::core::ports::worker_clocks::{ClockMark, WorkerClocks};
use async_trait::async_trait;
use rusqlite::OptionalExtension;

pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS worker_clocks (
    workerId TEXT PRIMARY KEY NOT NULL, setAs TEXT NOT NULL, decidedUntil TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

const KEEP: &str = "
INSERT INTO worker_clocks (workerId, setAs, decidedUntil) VALUES (?1, ?2, ?3)
ON CONFLICT (workerId) DO UPDATE SET setAs = excluded.setAs, decidedUntil = excluded.decidedUntil
WHERE setAs <> excluded.setAs OR decidedUntil < excluded.decidedUntil";

#[async_trait]
impl WorkerClocks for LocalState {
    async fn clock_mark(&self, worker: &WorkerId) -> Result<Option<ClockMark>, StoreError> {
        let worker = worker.clone();
        self.look(move |db, _| {
            let mut query = db.prepare_cached("SELECT setAs, decidedUntil FROM worker_clocks WHERE workerId = ?1")?;
            let mark = query.query_row([worker.as_str()], |row| {
                Ok(ClockMark { set_as: row.get("setAs")?, decided_until: timestamp(row, "decidedUntil")? })
            });
            Ok(mark.optional()?)
        })
        .await
    }

    async fn keep_clock_mark(&self, worker: &WorkerId, mark: &ClockMark) -> Result<(), StoreError> {
        let (worker, mark) = (worker.clone(), mark.clone());
        self.change(move |db, _| {
            db.prepare_cached(KEEP)?.execute((worker.as_str(), mark.set_as, time(mark.decided_until)))?;
            Ok(())
        })
        .await
    }
}
