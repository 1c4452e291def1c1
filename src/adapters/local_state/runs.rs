//! `runs`, `file_status` with its outbox, and `audit`.

use super::LocalState;
use super::error::SqliteStateError;
use super::value::{date, file, maybe, maybe_timestamp, parsed, time, timestamp, token, worker};
use crate::core::model::names::{FileId, InstanceId, WorkerId};
use crate::core::model::run::{BusinessDate, RunId, RunRecord, RunStatus};
use crate::core::model::term::{Term, Token};
use crate::core::ports::events::EventId;
use crate::core::ports::leases::StoreError;
use crate::core::ports::runs::{AuditEntry, DeadLetter, FileState, FileStatus, OutboxEntry, Requested, RunStore};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, named_params};

const REQUEST: &str = "
INSERT INTO runs (workerId, date, status, requestedBy, requestedAt, lastPage, rows)
VALUES (?1, ?2, 'pending', ?3, ?4, 0, 0) ON CONFLICT DO NOTHING";

const RUN: &str = "SELECT * FROM runs WHERE workerId = ?1 AND date = ?2";

const RUNS: &str = "
SELECT * FROM runs WHERE ?1 IS NULL OR workerId = ?1 ORDER BY date DESC, workerId LIMIT ?2";

const SAVE_RUN: &str = "
INSERT INTO runs (workerId, date, status, requestedBy, requestedAt, token, instanceId, startedAt, completedAt, lastPage,
    rows, rowsExpected, error)
VALUES (:worker, :date, :status, :by, :requested, :token, :instance, :started, :completed, :page, :rows, :expected,
    :error)
ON CONFLICT (workerId, date) DO UPDATE SET
    status = excluded.status, requestedBy = excluded.requestedBy, requestedAt = excluded.requestedAt,
    token = excluded.token, instanceId = excluded.instanceId, startedAt = excluded.startedAt,
    completedAt = excluded.completedAt, lastPage = excluded.lastPage, rows = excluded.rows,
    rowsExpected = excluded.rowsExpected, error = excluded.error";

/// An acknowledgement outlives a repeat of the write that announced the event.
const SAVE_FILE: &str = "
INSERT INTO file_status (workerId, date, fileId, status, lastPage, cumulativeRows, startedAt, completedAt, token, event,
    sentAt)
VALUES (:worker, :date, :file, :status, :page, :rows, :started, :completed, :token, :event, :sent)
ON CONFLICT (workerId, date, fileId) DO UPDATE SET
    status = excluded.status, lastPage = excluded.lastPage, cumulativeRows = excluded.cumulativeRows,
    startedAt = excluded.startedAt, completedAt = excluded.completedAt, token = excluded.token, event = excluded.event,
    sentAt = CASE WHEN event = excluded.event THEN coalesce(excluded.sentAt, sentAt) ELSE excluded.sentAt END
WHERE excluded.event IS NOT NULL OR file_status.event IS NULL OR file_status.token < excluded.token";

/// The highest token that has written to a run or to one of its files.
const NEWEST: &str = "
SELECT max(token) FROM (
    SELECT token FROM runs WHERE workerId = ?1 AND date = ?2
    UNION ALL SELECT token FROM file_status WHERE workerId = ?1 AND date = ?2)";

const FILES: &str = "SELECT * FROM file_status WHERE workerId = ?1 AND date = ?2 ORDER BY fileId";

const UNSENT: &str = "
SELECT * FROM file_status WHERE workerId = ?1 AND event IS NOT NULL AND sentAt IS NULL ORDER BY completedAt, date, fileId";

const MARK_SENT: &str = "
UPDATE file_status SET sentAt = ?4 WHERE workerId = ?1 AND date = ?2 AND fileId = ?3 AND event IS NOT NULL AND sentAt IS NULL";

const KEEP_EVENT: &str = "INSERT INTO odd_events (workerId, topic, partition, eventOffset, at, reason, payload) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";

const ODD_EVENTS: &str = "SELECT * FROM odd_events WHERE ?1 IS NULL OR workerId = ?1 ORDER BY id DESC LIMIT ?2";
const AUDIT: &str = "INSERT INTO audit (at, who, action, detail, reason) VALUES (?1, ?2, ?3, ?4, ?5)";

#[async_trait]
impl RunStore for LocalState {
    async fn request(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<Requested, StoreError> {
        let (id, by) = (id.clone(), requested_by.to_owned());
        self.change(move |db, _| {
            let (worker, date) = key(&id);
            let new = db.prepare_cached(REQUEST)?.execute((worker, &date, by, time(now)))? == 1;
            let record = db.prepare_cached(RUN)?.query_row((worker, &date), run_record)?;
            Ok(if new { Requested::New(record) } else { Requested::AlreadyThere(record) })
        })
        .await
    }

    async fn run(&self, id: &RunId) -> Result<Option<RunRecord>, StoreError> {
        let id = id.clone();
        self.look(move |db, _| Ok(db.prepare_cached(RUN)?.query_row(key(&id), run_record).optional()?)).await
    }

    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        let worker = worker.cloned();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(RUNS)?;
            let runs = query.query_map((worker.as_ref().map(WorkerId::as_str), at_most(limit)), run_record)?;
            Ok(runs.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn save_run(&self, term: &Term, record: &RunRecord) -> Result<(), StoreError> {
        let (term, record) = (term.clone(), record.clone());
        self.change(move |db, _| {
            may_write(db, &term, &record.id)?;
            let (worker, date) = key(&record.id);
            db.prepare_cached(SAVE_RUN)?.execute(named_params! {
                ":worker": worker,
                ":date": date,
                ":status": record.status.as_str(),
                ":by": record.requested_by,
                ":requested": time(record.requested_at),
                ":token": term.token().0,
                ":instance": record.instance.as_ref().map(InstanceId::as_str),
                ":started": record.started_at.map(time),
                ":completed": record.completed_at.map(time),
                ":page": record.last_page,
                ":rows": record.rows,
                ":expected": record.rows_expected,
                ":error": record.error,
            })?;
            Ok(())
        })
        .await
    }

    async fn save_file(&self, term: &Term, status: &FileStatus) -> Result<(), StoreError> {
        let (term, status) = (term.clone(), status.clone());
        self.change(move |db, _| {
            may_write(db, &term, &status.run)?;
            let (worker, date) = key(&status.run);
            let event = status.event.as_ref().map(|entry| serde_json::to_string(&entry.event)).transpose();
            db.prepare_cached(SAVE_FILE)?.execute(named_params! {
                ":worker": worker,
                ":date": date,
                ":file": status.file.as_str(),
                ":status": status.state.as_str(),
                ":page": status.last_page,
                ":rows": status.rows,
                ":started": time(status.started_at),
                ":completed": status.completed_at.map(time),
                ":token": term.token().0,
                ":event": event.map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))?,
                ":sent": status.event.as_ref().and_then(|entry| entry.sent_at).map(time),
            })?;
            Ok(())
        })
        .await
    }

    async fn files(&self, run: &RunId) -> Result<Vec<FileStatus>, StoreError> {
        let run = run.clone();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(FILES)?;
            Ok(query.query_map(key(&run), file_status)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn unsent(&self, worker: &WorkerId) -> Result<Vec<FileStatus>, StoreError> {
        let worker = worker.clone();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(UNSENT)?;
            Ok(query.query_map([worker.as_str()], file_status)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn mark_sent(
        &self,
        worker: &WorkerId,
        date: BusinessDate,
        file: &FileId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (worker, file) = (worker.clone(), file.clone());
        self.change(move |db, _| {
            let place = (worker.as_str(), date.to_string(), file.as_str(), time(at));
            db.prepare_cached(MARK_SENT)?.execute(place)?;
            Ok(())
        })
        .await
    }

    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let entry = entry.clone();
        self.change(move |db, _| {
            let values = (time(entry.at), entry.who, entry.action, entry.detail, entry.reason);
            db.prepare_cached(AUDIT)?.execute(values)?;
            Ok(())
        })
        .await
    }

    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError> {
        let DeadLetter { id, worker, at, reason, payload } = event.clone();
        self.change(move |db, _| {
            let values = (worker.as_str(), id.topic, id.partition, id.offset, time(at), reason, payload);
            db.prepare_cached(KEEP_EVENT)?.execute(values)?;
            Ok(())
        })
        .await
    }

    async fn dead_letters(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let worker = worker.cloned();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(ODD_EVENTS)?;
            let values = (worker.as_ref().map(WorkerId::as_str), at_most(limit));
            Ok(query.query_map(values, odd_event)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn audits(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.look(move |db, _| {
            let mut query = db.prepare_cached("SELECT * FROM audit ORDER BY at DESC, id DESC LIMIT ?1")?;
            Ok(query.query_map([at_most(limit)], audit_entry)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

/// Passes when `term` lasts and no newer holder has written to the run. Asked inside the transaction that writes.
fn may_write(db: &Connection, term: &Term, run: &RunId) -> Result<(), SqliteStateError> {
    term.check()?;
    let newest = db.prepare_cached(NEWEST)?.query_row(key(run), |row| row.get::<_, Option<u64>>(0))?;
    match newest.map(Token) {
        Some(newer) if newer > term.token() => Err(StoreError::Stale { token: term.token() }.into()),
        _ => Ok(()),
    }
}

fn key(run: &RunId) -> (&str, String) {
    (run.worker.as_str(), run.date.to_string())
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A word that this version does not know.
fn unknown(word: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, format!("`{word}` is no status").into())
}

fn run_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let status: String = row.get("status")?;
    Ok(RunRecord {
        id: RunId { worker: worker(row)?, date: date(row)? },
        status: RunStatus::parse(&status).ok_or_else(|| unknown(&status))?,
        requested_by: row.get("requestedBy")?,
        requested_at: timestamp(row, "requestedAt")?,
        token: row.get::<_, Option<u64>>("token")?.map(Token),
        instance: row.get::<_, Option<String>>("instanceId")?.map(InstanceId::new),
        started_at: maybe_timestamp(row, "startedAt")?,
        completed_at: maybe_timestamp(row, "completedAt")?,
        last_page: row.get("lastPage")?,
        rows: row.get("rows")?,
        rows_expected: row.get("rowsExpected")?,
        error: row.get("error")?,
    })
}

fn file_status(row: &Row<'_>) -> rusqlite::Result<FileStatus> {
    let status: String = row.get("status")?;
    let states = [FileState::Writing, FileState::Published];
    let event = maybe(row, "event", |text| serde_json::from_str(&text))?;
    let sent_at = maybe_timestamp(row, "sentAt")?;
    Ok(FileStatus {
        run: RunId { worker: worker(row)?, date: date(row)? },
        file: file(row)?,
        state: states.into_iter().find(|state| state.as_str() == status).ok_or_else(|| unknown(&status))?,
        last_page: row.get("lastPage")?,
        rows: row.get("cumulativeRows")?,
        started_at: timestamp(row, "startedAt")?,
        completed_at: maybe_timestamp(row, "completedAt")?,
        token: token(row)?,
        event: event.map(|event| OutboxEntry { event, sent_at }),
    })
}

fn odd_event(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: EventId { topic: row.get("topic")?, partition: row.get("partition")?, offset: row.get("eventOffset")? },
        worker: worker(row)?,
        at: parsed(row, "at", |text| text.parse())?,
        reason: row.get("reason")?,
        payload: row.get("payload")?,
    })
}

fn audit_entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        at: parsed(row, "at", |text| text.parse())?,
        who: row.get("who")?,
        action: row.get("action")?,
        detail: row.get("detail")?,
        reason: row.get("reason")?,
    })
}
