//! `runs` and `file_status`.

use super::LocalState;
use super::error::SqliteStateError;
use super::value::{added, date, file, maybe, maybe_timestamp, time, timestamp, token, worker};
use crate::core::kind::FailureKind;
use crate::core::model::names::{InstanceId, WorkerId};
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::model::term::{Term, Token};
use crate::core::ports::runs::{Announcement, Behind, FileState, FileStatus, Requested, RunStore, Stretch};
use crate::core::ports::store::{Found, Page, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, Error, OptionalExtension, Row, Rows, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};

const REQUEST: &str = "
INSERT INTO runs (workerId, date, status, requestedBy, requestedAt, lastPage, rows)
VALUES (?1, ?2, 'pending', ?3, ?4, 0, 0) ON CONFLICT DO NOTHING";

const RUN: &str = "SELECT * FROM runs WHERE workerId = ?1 AND date = ?2";

const RUNS: &str = "
SELECT * FROM runs WHERE ?1 IS NULL OR workerId = ?1 ORDER BY date DESC, workerId";

/// By the index `runs_unpublished`.
const UNPUBLISHED: &str = "
SELECT * FROM runs WHERE workerId = ?1 AND status <> 'published' AND date > CAST(?2 AS TEXT) ORDER BY date LIMIT ?3";

const ASK_AGAIN: &str = "
UPDATE runs SET requestedBy = ?3, requestedAt = ?4 WHERE workerId = ?1 AND date = ?2 AND status <> 'published'";

const SAVE_RUN: &str = "
INSERT INTO runs (workerId, date, status, requestedBy, requestedAt, token, instanceId, startedAt, completedAt, lastPage,
    rows, rowsExpected, error, failure, nextTryAt, given, correction)
VALUES (:worker, :date, :status, :by, :requested, :token, :instance, :started, :completed, :page, :rows, :expected,
    :error, :failure, :next, :given, :correction)
ON CONFLICT (workerId, date) DO UPDATE SET
    status = excluded.status, requestedBy = excluded.requestedBy, requestedAt = excluded.requestedAt,
    token = excluded.token, instanceId = excluded.instanceId, startedAt = excluded.startedAt,
    completedAt = excluded.completedAt, lastPage = excluded.lastPage, rows = excluded.rows,
    rowsExpected = excluded.rowsExpected, error = excluded.error, failure = excluded.failure,
    nextTryAt = excluded.nextTryAt, given = excluded.given, correction = excluded.correction
WHERE coalesce(runs.correction ->> 'version', 1) <= coalesce(excluded.correction ->> 'version', 1)";

const IS_PUBLISHED: &str = "
SELECT 1 FROM runs WHERE workerId = ?1 AND date = ?2 AND status = 'published' AND correction IS ?3";

/// An acknowledgement outlives a repeat of the write that announced the event.
const SAVE_FILE: &str = "
INSERT INTO file_status (workerId, date, fileId, status, lastPage, cumulativeRows, startedAt, completedAt, token, event,
    sentAt)
VALUES (:worker, :date, :file, :status, :page, :rows, :started, :completed, :token, :event, :sent)
ON CONFLICT (workerId, date, fileId) DO UPDATE SET
    status = excluded.status, lastPage = excluded.lastPage, cumulativeRows = excluded.cumulativeRows,
    startedAt = excluded.startedAt, completedAt = excluded.completedAt, token = excluded.token, event = excluded.event,
    sentAt = CASE WHEN event = excluded.event THEN coalesce(excluded.sentAt, sentAt) ELSE excluded.sentAt END
WHERE CASE WHEN excluded.event IS NULL THEN file_status.event IS NULL OR file_status.token < excluded.token
    ELSE coalesce(file_status.event ->> 'version', 1) <= coalesce(excluded.event ->> 'version', 1) END";

/// The highest token that has written to a run or to one of its files.
const NEWEST: &str = "
SELECT max(token) FROM (
    SELECT token FROM runs WHERE workerId = ?1 AND date = ?2
    UNION ALL SELECT token FROM file_status WHERE workerId = ?1 AND date = ?2)";

const FILES: &str = "SELECT * FROM file_status WHERE workerId = ?1 AND date = ?2 ORDER BY fileId";

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

    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Found<RunRecord>, StoreError> {
        let worker = worker.cloned();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(RUNS)?;
            Ok(found(query.query([worker.as_ref().map(WorkerId::as_str)])?, limit, id_of_run, run_record)?)
        })
        .await
    }

    async fn unpublished(
        &self,
        worker: &WorkerId,
        after: Option<&Behind>,
        limit: usize,
    ) -> Result<Stretch, StoreError> {
        let (worker, after) = (worker.clone(), after.map(|behind| behind.0.clone()).unwrap_or_default());
        self.look(move |db, _| {
            let mut query = db.prepare_cached(UNPUBLISHED)?;
            let (last, bytes, count) = (RefCell::new(None), Cell::new(0), Cell::new(0));
            let read = |row: &Row<'_>| {
                *last.borrow_mut() = Some(Behind(row.get_ref("date")?.as_bytes()?.to_vec()));
                bytes.set(bytes.get() + size(row));
                count.set(count.get() + 1);
                run_record(row)
            };
            let rows = query.query((worker.as_str(), after, at_most(limit)))?;
            let found = found_while(rows, |_| bytes.get() < Stretch::BYTES, id_of_run, read)?;
            let is_part = count.get() >= limit || bytes.get() >= Stretch::BYTES;
            Ok(Stretch { found, next: last.into_inner().filter(|_| is_part) })
        })
        .await
    }

    async fn ask_again(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<(), StoreError> {
        let (id, by) = (id.clone(), requested_by.to_owned());
        self.change(move |db, _| {
            let (worker, date) = key(&id);
            db.prepare_cached(ASK_AGAIN)?.execute((worker, date, by, time(now)))?;
            Ok(())
        })
        .await
    }

    async fn save_run(&self, term: &Term, record: &RunRecord) -> Result<(), StoreError> {
        let (term, record) = (term.clone(), record.clone());
        self.change(move |db, _| {
            may_write(db, &term, &record.id)?;
            Ok(write_run(db, &record, Some(term.token()))?)
        })
        .await
    }

    async fn reopen(&self, old: &RunRecord, new: &RunRecord) -> Result<bool, StoreError> {
        let (old, new) = (old.clone(), new.clone());
        self.change(move |db, _| {
            let (worker, date) = key(&old.id);
            let is_published =
                db.prepare_cached(IS_PUBLISHED)?.exists((worker, date, json(old.correction.as_ref())?))?;
            if is_published {
                let kept = db.prepare_cached(RUN)?.query_row(key(&old.id), run_record)?.token;
                write_run(db, &new, kept)?;
            }
            Ok(is_published)
        })
        .await
    }

    async fn save_file(&self, term: &Term, status: &FileStatus) -> Result<(), StoreError> {
        let (term, status) = (term.clone(), status.clone());
        self.change(move |db, _| {
            may_write(db, &term, &status.run)?;
            let (worker, date) = key(&status.run);
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
                ":event": json(status.event.as_ref().map(|entry| &entry.event))?,
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
}

/// Passes when `term` lasts and no newer holder has written to the run. Asked inside the transaction that writes.
fn may_write(db: &Connection, term: &Term, run: &RunId) -> Result<(), SqliteStateError> {
    term.check()?;
    let newest = db.prepare_cached(NEWEST)?.query_row(key(run), |row| row.get::<_, Option<u64>>(0))?;
    match newest.map(Token) {
        Some(newer) if newer > term.token() => {
            Err(StoreError::above(term.token(), newer, || format!("run {run}, or one of its files,")).into())
        }
        _ => Ok(()),
    }
}

fn write_run(db: &Connection, record: &RunRecord, token: Option<Token>) -> rusqlite::Result<()> {
    let (worker, date) = key(&record.id);
    db.prepare_cached(SAVE_RUN)?.execute(named_params! {
        ":worker": worker,
        ":date": date,
        ":status": record.status.as_str(),
        ":by": record.requested_by,
        ":requested": time(record.requested_at),
        ":token": token.map(|token| token.0),
        ":instance": record.instance.as_ref().map(InstanceId::as_str),
        ":started": record.started_at.map(time),
        ":completed": record.completed_at.map(time),
        ":page": record.last_page,
        ":rows": record.rows,
        ":expected": record.rows_expected,
        ":error": record.error,
        ":failure": record.failure.map(FailureKind::as_str),
        ":next": record.next_try_at.map(time),
        ":given": json(record.given.as_ref())?,
        ":correction": json(record.correction.as_ref())?,
    })?;
    Ok(())
}

fn json(value: Option<&impl Serialize>) -> rusqlite::Result<Option<String>> {
    value.map(serde_json::to_string).transpose().map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// What a column that came later holds. What this version cannot read is no reason to go on as if nothing stood there.
fn read_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let text = added::<String>(row, column)?;
    let odd = |error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error));
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(odd)
}

fn key(run: &RunId) -> (&str, String) {
    (run.worker.as_str(), run.date.to_string())
}

/// The rows that can be read, up to `limit` of them, and what is wrong with the others before and between them.
pub(super) fn found<T>(
    rows: Rows<'_>,
    limit: usize,
    id: impl Fn(&Row<'_>) -> String,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Found<T>> {
    found_while(rows, |found| found.records.len() < limit, id, read)
}

/// As [`found`], as long as `goes_on` says so of what was found.
fn found_while<T>(
    mut rows: Rows<'_>,
    goes_on: impl Fn(&Found<T>) -> bool,
    id: impl Fn(&Row<'_>) -> String,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Found<T>> {
    let mut found = Found::default();
    while goes_on(&found) {
        let Some(row) = rows.next()? else { break };
        let record = read(row).map_err(|error| format!("{error}; use the filegen that wrote it, or mend the record"));
        found.add(|| id(row), record);
    }
    Ok(found)
}

/// A page of at most `most` rows, in the order of their column `id`. `told` says what an odd one is called.
pub(super) fn page<T>(
    rows: Rows<'_>,
    most: usize,
    told: impl Fn(&str) -> String,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>, SqliteStateError> {
    let last = RefCell::new((0_usize, String::new()));
    let id = |row: &Row<'_>| row.get::<_, String>("id").unwrap_or_default();
    let read = |row: &Row<'_>| {
        let mut last = last.borrow_mut();
        *last = (last.0 + 1, id(row));
        read(row)
    };
    let found = found(rows, usize::MAX, |row| told(&id(row)), read)?;
    let (count, last) = last.into_inner();
    Ok(Page { found, next: (count >= most).then_some(last) })
}

/// `LoanWorker:2026-11-21`, from a row that may be odd.
fn id_of_run(row: &Row<'_>) -> String {
    let text = |column| {
        let text = row.get_ref(column).ok().and_then(|value| value.as_str().ok()).unwrap_or_default();
        &text[..text.floor_char_boundary(ID_SHOWN)]
    };
    format!("{}:{}", text("workerId"), text("date"))
}

/// Bytes of an odd row's names that are told.
const ID_SHOWN: usize = 200;

/// Longest text of a run's column, but for its error: none that filegen writes comes near.
const COLUMN_MAX: usize = 1 << 20;

fn lengths<'r>(row: &'r Row<'_>) -> impl Iterator<Item = (usize, usize)> + 'r {
    (0..row.as_ref().column_count())
        .map(|column| (column, row.get_ref(column).and_then(|it| Ok(it.as_bytes_or_null()?)).ok().flatten()))
        .filter_map(|(column, bytes)| bytes.map(|bytes| (column, bytes.len())))
}

/// Bytes of a row's texts.
fn size(row: &Row<'_>) -> usize {
    lengths(row).map(|(_, length)| length).sum()
}

/// Refuses a row with a text that nobody would write, before it is copied.
fn short(row: &Row<'_>) -> rusqlite::Result<()> {
    let error = row.as_ref().column_index("error")?;
    match lengths(row).find(|(column, length)| *column != error && *length > COLUMN_MAX) {
        Some((column, _)) => {
            let words = format!("its {} is longer than 1 MiB", row.as_ref().column_name(column)?);
            Err(Error::FromSqlConversionFailure(column, Type::Text, words.into()))
        }
        None => Ok(()),
    }
}

/// A run's error, which may be of any length in a record of others.
fn error_text(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let odd = |error: FromSqlError| Error::FromSqlConversionFailure(0, Type::Text, error.into());
    Ok(row.get_ref("error")?.as_str_or_null().map_err(odd)?.map(RunRecord::kept))
}

pub(super) fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Odd rows that a list of so many records passes over, at most: no number of them makes it long.
const PASSED_OVER: usize = 1000;

/// How many rows are looked at for so many records.
pub(super) fn looked_at(limit: usize) -> i64 {
    at_most(limit.saturating_add(PASSED_OVER))
}

/// A word that this version does not know.
fn unknown(word: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, format!("`{word}` is no status").into())
}

fn run_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    short(row)?;
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
        error: error_text(row)?,
        failure: added::<String>(row, "failure")?.map(|word| FailureKind::of_word(&word)),
        next_try_at: added::<String>(row, "nextTryAt")?.and_then(|text| text.parse().ok()),
        given: read_json(row, "given")?,
        correction: read_json(row, "correction")?,
    })
}

pub(super) fn file_status(row: &Row<'_>) -> rusqlite::Result<FileStatus> {
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
        event: event.map(|event| Announcement { event, sent_at }),
    })
}
