//! Schedules and executions: `ScheduledDataSource` and `ScheduleExecution`. Each row has its whole document as JSON, under the names that
//! the contract gives, and beside it what rows are found by.

use super::LocalState;
use super::error::SqliteStateError;
use super::runs::{at_most, found, page};
use super::value::time;
use crate::core::model::schedule::{Execution, Outcome, Schedule, ScheduleId};
use crate::core::model::term::{Term, Token};
use crate::core::ports::schedules::{HistoryPlace, ScheduleStore, Writer};
use crate::core::ports::store::{OddRecord, Page, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Made where they are missing: files of earlier builds have none. The last index answers [`ScheduleStore::changed_since`] by itself: behind
/// a change of many, each look would read all their documents.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS ScheduledDataSource (
    id TEXT PRIMARY KEY NOT NULL, changedAt TEXT NOT NULL, revision INTEGER NOT NULL, token INTEGER NOT NULL,
    document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ScheduleExecution (
    id TEXT PRIMARY KEY NOT NULL, scheduleId TEXT NOT NULL, dueTime TEXT NOT NULL, outcome TEXT NOT NULL,
    token INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS ScheduleExecution_due ON ScheduleExecution (scheduleId, dueTime);
CREATE INDEX IF NOT EXISTS ScheduleExecution_all ON ScheduleExecution (dueTime);
CREATE INDEX IF NOT EXISTS ScheduleExecution_open ON ScheduleExecution (dueTime) WHERE outcome IN ('Queued', 'Running');
DROP INDEX IF EXISTS ScheduledDataSource_changed;
CREATE INDEX IF NOT EXISTS ScheduledDataSource_since ON ScheduledDataSource (changedAt, revision);
";

const INSERT_SCHEDULE: &str = "
INSERT INTO ScheduledDataSource (id, changedAt, revision, token, document) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";

const REPLACE_SCHEDULE: &str = "
UPDATE ScheduledDataSource SET changedAt = ?2, revision = ?3, token = ?4, document = ?5 WHERE id = ?1 AND revision = ?3 - 1";

const INSERT_EXECUTION: &str = "
INSERT INTO ScheduleExecution (id, scheduleId, dueTime, outcome, token, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO NOTHING";

const REPLACE_EXECUTION: &str = "
UPDATE ScheduleExecution SET outcome = ?2, token = ?3, document = ?4 WHERE id = ?1 AND outcome = ?5 AND token = ?6";

pub(super) const OPEN: &str = "
SELECT document, id, outcome, token FROM ScheduleExecution WHERE outcome IN ('Queued', 'Running') ORDER BY dueTime, id LIMIT ?1";

/// Not in the order of ids: asked for that, SQLite reads all documents in their order, each second.
pub(super) const CHANGED: &str = "SELECT id, revision FROM ScheduledDataSource WHERE changedAt >= ?1";

const BEHIND: &str = "SELECT document, id, revision FROM ScheduledDataSource WHERE id > ?1 ORDER BY id LIMIT ?2";

const ODD_EXECUTIONS: &str = "
SELECT document, id, outcome, token FROM ScheduleExecution WHERE outcome IN ('Queued', 'Running') ORDER BY dueTime, id";

const HISTORY: &str = "
SELECT document, id, outcome, token FROM ScheduleExecution WHERE (dueTime, id) < (?1, ?2) ORDER BY dueTime DESC, id DESC LIMIT ?3";

const HISTORY_OF: &str = "
SELECT document, id, outcome, token FROM ScheduleExecution WHERE scheduleId = ?4 AND (dueTime, id) < (?1, ?2)
ORDER BY dueTime DESC, id DESC LIMIT ?3";

const DUE: &str = "
SELECT document, id, outcome, token FROM ScheduleExecution WHERE scheduleId = ?1 AND dueTime BETWEEN ?2 AND ?3 ORDER BY dueTime, id";

const FORGET: &str = "
DELETE FROM ScheduleExecution WHERE id IN (
    SELECT id FROM ScheduleExecution WHERE scheduleId = ?1 AND dueTime < ?2 AND outcome NOT IN ('Queued', 'Running')
        AND id NOT IN (SELECT value FROM json_each(?3)) ORDER BY dueTime LIMIT ?4)";

/// Later than every due time, as text.
const END: &str = "~";

#[async_trait]
impl ScheduleStore for LocalState {
    async fn schedules_behind(&self, after: &str, most: usize) -> Result<Page<Schedule>, StoreError> {
        let after = after.to_owned();
        self.look(move |db, _| {
            let id = |id: &str| format!("ScheduledDataSource {id}");
            page(db.prepare_cached(BEHIND)?.query((after, at_most(most)))?, most, id, document)
        })
        .await
    }

    async fn odd_executions(&self) -> Result<Vec<OddRecord>, StoreError> {
        self.look(|db, _| {
            let mut query = db.prepare_cached(ODD_EXECUTIONS)?;
            let id = |row: &Row<'_>| format!("ScheduleExecution {}", row.get::<_, String>(1).unwrap_or_default());
            Ok(found(query.query(())?, usize::MAX, id, document::<Execution>)?.odd)
        })
        .await
    }

    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
        let (id, store) = (id.to_string(), super::name(&self.path));
        let query = "SELECT document, id, revision FROM ScheduledDataSource WHERE id = ?1";
        self.look(move |db, _| one(db, store, ("ScheduledDataSource", query), &id)).await
    }

    async fn changed_since(&self, since: Timestamp) -> Result<Vec<(ScheduleId, u64)>, StoreError> {
        self.look(move |db, _| {
            let mut query = db.prepare_cached(CHANGED)?;
            let pair = |row: &Row<'_>| Ok((ScheduleId::new(row.get::<_, String>(0)?), row.get(1)?));
            // A row of other types is one that cannot be read.
            let mut changed: Vec<(ScheduleId, u64)> =
                query.query_map([time(since)], pair)?.filter_map(Result::ok).collect();
            changed.sort_unstable();
            Ok(changed)
        })
        .await
    }

    async fn schedules_of(&self, ids: &[ScheduleId]) -> Result<Vec<Schedule>, StoreError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let query = "
SELECT document, id, revision FROM ScheduledDataSource WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
        self.look(move |db, _| all(db, query, [json(&ids)?])).await
    }

    async fn insert_schedules(&self, schedules: Vec<Schedule>) -> Result<BTreeSet<ScheduleId>, StoreError> {
        self.change(move |db, _| {
            let mut new = BTreeSet::new();
            for schedule in schedules {
                if write_schedule(db, INSERT_SCHEDULE, &schedule)? {
                    new.insert(schedule.id);
                }
            }
            Ok(new)
        })
        .await
    }

    async fn replace_schedule(&self, writer: Writer<'_>, schedule: &Schedule) -> Result<bool, StoreError> {
        let schedule = schedule.clone();
        let term = match writer {
            Writer::Leader(term) => Some(term.clone()),
            Writer::Other => None,
        };
        self.change(move |db, _| {
            let stored = db
                .prepare_cached("SELECT token FROM ScheduledDataSource WHERE id = ?1")?
                .query_row([schedule.id.as_str()], |row| row.get::<_, u64>(0))
                .optional()?;
            let Some(mut token) = stored else { return Ok(false) };
            if let Some(term) = term {
                term.check()?;
                if token > term.token().0 {
                    let record = || format!("schedule {}", schedule.id);
                    return Err(StoreError::above(term.token(), Token(token), record).into());
                }
                token = term.token().0;
            }
            Ok(write_schedule(db, REPLACE_SCHEDULE, &Schedule { token, ..schedule })?)
        })
        .await
    }

    async fn insert_execution(&self, term: Option<&Term>, execution: &Execution) -> Result<bool, StoreError> {
        let (term, it) = (term.cloned(), execution.clone());
        self.change(move |db, _| {
            Term::check_any(term.as_ref())?;
            let (id, schedule, due) = (&it.id, it.schedule_id.as_str(), time(it.due_time));
            let values = (id, schedule, due, it.outcome.as_str(), it.token, json(&it)?);
            Ok(db.prepare_cached(INSERT_EXECUTION)?.execute(values)? == 1)
        })
        .await
    }

    async fn execution(&self, id: &str) -> Result<Option<Execution>, StoreError> {
        let (id, store) = (id.to_owned(), super::name(&self.path));
        let query = "SELECT document, id, outcome, token FROM ScheduleExecution WHERE id = ?1";
        self.look(move |db, _| one(db, store, ("ScheduleExecution", query), &id)).await
    }

    async fn replace_execution(
        &self,
        term: Option<&Term>,
        (outcome, token): (Outcome, u64),
        execution: &Execution,
    ) -> Result<bool, StoreError> {
        let (term, it) = (term.cloned(), execution.clone());
        self.change(move |db, _| {
            Term::check_any(term.as_ref())?;
            let values = (&it.id, it.outcome.as_str(), it.token, json(&it)?, outcome.as_str(), token);
            Ok(db.prepare_cached(REPLACE_EXECUTION)?.execute(values)? == 1)
        })
        .await
    }

    async fn open_executions(&self, limit: usize) -> Result<Vec<Execution>, StoreError> {
        self.look(move |db, _| all(db, OPEN, [at_most(limit)])).await
    }

    async fn history(
        &self,
        schedule: Option<&ScheduleId>,
        behind: Option<&HistoryPlace>,
        limit: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        let place = behind.map_or_else(|| (END.to_owned(), String::new()), |it| (time(it.due_time), it.id.clone()));
        let (schedule, (due, last)) = (schedule.cloned(), place);
        self.look(move |db, _| match schedule {
            None => all(db, HISTORY, (due, last, at_most(limit))),
            Some(id) => all(db, HISTORY_OF, (due, last, at_most(limit), id.as_str())),
        })
        .await
    }

    async fn executions_due(
        &self,
        schedule: &ScheduleId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Execution>, StoreError> {
        let id = schedule.to_string();
        self.look(move |db, _| all(db, DUE, (id, time(from), time(to)))).await
    }

    async fn forget_executions(
        &self,
        schedule: &ScheduleId,
        before: Timestamp,
        keep: &[String],
        most: usize,
    ) -> Result<u64, StoreError> {
        let (id, keep, most) = (schedule.to_string(), keep.to_vec(), i64::try_from(most).unwrap_or(i64::MAX));
        self.change(move |db, _| {
            let gone = db.prepare_cached(FORGET)?.execute((id, time(before), json(&keep)?, most))?;
            Ok(gone as u64)
        })
        .await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

fn write_schedule(db: &Connection, statement: &str, it: &Schedule) -> rusqlite::Result<bool> {
    let values = (it.id.as_str(), time(it.changed_at), it.revision, it.token, json(it)?);
    Ok(db.prepare_cached(statement)?.execute(values)? == 1)
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// What stands in a table as a document. A row whose columns say otherwise takes no change, so it cannot be used.
trait Kept: DeserializeOwned {
    fn fits(&self, row: &Row<'_>) -> rusqlite::Result<bool>;
}

impl Kept for Schedule {
    fn fits(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        Ok(row.get::<_, String>("id")? == self.id.as_str() && row.get::<_, u64>("revision")? == self.revision)
    }
}

impl Kept for Execution {
    fn fits(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        Ok(row.get::<_, String>("id")? == self.id
            && row.get::<_, String>("outcome")? == self.outcome.as_str()
            && row.get::<_, u64>("token")? == self.token)
    }
}

fn document<T: Kept>(row: &Row<'_>) -> rusqlite::Result<T> {
    let odd = |error| Error::FromSqlConversionFailure(0, Type::Text, error);
    let read: T = serde_json::from_str(&row.get::<_, String>(0)?).map_err(|error| odd(error.into()))?;
    if read.fits(row)? { Ok(read) } else { Err(odd("its document says otherwise than its other columns".into())) }
}

/// Those that can be read.
fn all<T: Kept>(db: &Connection, query: &str, values: impl Params) -> Result<Vec<T>, SqliteStateError> {
    let mut query = db.prepare_cached(query)?;
    Ok(found(query.query(values)?, usize::MAX, |_| String::new(), document)?.records)
}

/// `table` with the question for one of its rows.
fn one<T: Kept>(
    db: &Connection,
    store: String,
    (table, query): (&str, &str),
    id: &str,
) -> Result<Option<T>, SqliteStateError> {
    let read = |row: &Row<'_>| Ok(document(row).map_err(|error| error.to_string()));
    let found = db.prepare_cached(query)?.query_row([id], read).optional()?;
    let odd = |reason| {
        let record = Box::new(OddRecord { id: format!("{table} {id}"), reason });
        StoreError::Odd { store, record, token: None, mark: "".into() }
    };
    Ok(found.transpose().map_err(odd)?)
}
