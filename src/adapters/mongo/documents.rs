//! Our values as documents, and back. A value that cannot be kept or read back exactly is an error, never a default.
//! Times are cut to milliseconds.

mod leases;
mod rewritten;

pub(super) use leases::{EpochDocument, LeaseDocument};
pub use rewritten::rewritten;

use crate::core::kind::FailureKind;
use crate::core::model::correction::Correction;
use crate::core::model::event::CompletionEvent;
use crate::core::model::message::EventId;
use crate::core::model::names::{FileId, InstanceId, LeaseKey, WorkerId};
use crate::core::model::param::Params;
use crate::core::model::payload::Payload;
use crate::core::model::run::{BusinessDate, RunId, RunRecord, RunStatus};
use crate::core::model::term::Token;
use crate::core::ports::audit::AuditEntry;
use crate::core::ports::dead_letters::DeadLetter;
use crate::core::ports::runs::{Announcement, FileState, FileStatus};
use jiff::Timestamp;
use jiff::civil::Date;
use mongodb::bson::{DateTime, Document, deserialize_from_document};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value that a document cannot keep, or that none of ours has: which, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Odd(pub String);

type Read<T> = Result<T, Odd>;

/// `LoanWorker:7`.
pub(super) fn epoch_id(key: &LeaseKey, token: Token) -> String {
    format!("{key}:{token}")
}

/// `runs`, without `fence`: the highest token that has written to the run or to one of its files.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunDocument {
    worker_id: String,
    date: String,
    status: String,
    requested_by: String,
    requested_at: DateTime,
    token: Option<i64>,
    instance_id: Option<String>,
    started_at: Option<DateTime>,
    completed_at: Option<DateTime>,
    last_page: i64,
    rows: i64,
    rows_expected: Option<i64>,
    error: Option<String>,
    failure: Option<String>,
    next_try_at: Option<DateTime>,
    /// Not there at all when nothing was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    given: Option<Params>,
    /// Not there at all for a run that was never to be corrected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    correction: Option<Correction>,
}

impl RunDocument {
    pub(super) fn new(record: &RunRecord) -> Read<Self> {
        Ok(Self {
            worker_id: record.id.worker.to_string(),
            date: record.id.date.to_string(),
            status: record.status.as_str().to_owned(),
            requested_by: record.requested_by.clone(),
            requested_at: bson_date(record.requested_at),
            token: record.token.map(|token| long(token.0)).transpose()?,
            instance_id: record.instance.as_ref().map(ToString::to_string),
            started_at: record.started_at.map(bson_date),
            completed_at: record.completed_at.map(bson_date),
            last_page: long(record.last_page)?,
            rows: long(record.rows)?,
            rows_expected: record.rows_expected.map(long).transpose()?,
            error: record.error.clone(),
            failure: record.failure.map(|kind| kind.as_str().to_owned()),
            next_try_at: record.next_try_at.map(bson_date),
            given: record.given.clone(),
            correction: record.correction.clone(),
        })
    }

    /// A document as the server sent it. Its id must be that of its worker and date: what is written goes there.
    pub(super) fn read_whole(document: Document) -> Read<RunRecord> {
        let id = document.get_str("_id").unwrap_or_default().to_owned();
        let record = parsed(deserialize_from_document::<Self>(document))?.read()?;
        if record.id.to_string() == id {
            Ok(record)
        } else {
            Err(odd(&format!("it is of run {}, and its id says otherwise", record.id)))
        }
    }

    pub(super) fn read(self) -> Read<RunRecord> {
        Ok(RunRecord {
            id: run_id(self.worker_id, &self.date)?,
            status: RunStatus::parse(&self.status).ok_or_else(|| odd(&format!("`{}` is no status", self.status)))?,
            requested_by: self.requested_by,
            requested_at: timestamp(self.requested_at)?,
            token: self.token.map(count).transpose()?.map(Token),
            instance: self.instance_id.map(InstanceId::new),
            started_at: maybe_timestamp(self.started_at)?,
            completed_at: maybe_timestamp(self.completed_at)?,
            last_page: count(self.last_page)?,
            rows: count(self.rows)?,
            rows_expected: self.rows_expected.map(count).transpose()?,
            error: self.error.as_deref().map(RunRecord::kept),
            failure: self.failure.map(|word| FailureKind::of_word(&word)),
            next_try_at: maybe_timestamp(self.next_try_at)?,
            given: self.given,
            correction: self.correction,
        })
    }
}

/// `file_status`, without `fence`: the highest token that has written to the file's run, as far as it is known here.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileDocument {
    worker_id: String,
    date: String,
    file_id: String,
    status: String,
    last_page: i64,
    cumulative_rows: i64,
    started_at: DateTime,
    completed_at: Option<DateTime>,
    token: i64,
    event: Option<CompletionEvent>,
    sent_at: Option<DateTime>,
}

impl FileDocument {
    pub(super) fn new(status: &FileStatus, token: Token) -> Read<Self> {
        let (event, sent_at) = status.event.as_ref().map(|entry| (entry.event.clone(), entry.sent_at)).unzip();
        Ok(Self {
            worker_id: status.run.worker.to_string(),
            date: status.run.date.to_string(),
            file_id: status.file.to_string(),
            status: status.state.as_str().to_owned(),
            last_page: long(status.last_page)?,
            cumulative_rows: long(status.rows)?,
            started_at: bson_date(status.started_at),
            completed_at: status.completed_at.map(bson_date),
            token: long(token.0)?,
            event,
            sent_at: sent_at.flatten().map(bson_date),
        })
    }

    /// A document as the server sent it.
    pub(super) fn read_whole(document: Document) -> Read<FileStatus> {
        parsed(deserialize_from_document::<Self>(document))?.read()
    }

    pub(super) fn read(self) -> Read<FileStatus> {
        let states = [FileState::Writing, FileState::Published];
        let state = states.into_iter().find(|state| state.as_str() == self.status);
        let sent_at = maybe_timestamp(self.sent_at)?;
        Ok(FileStatus {
            run: run_id(self.worker_id, &self.date)?,
            file: parsed(FileId::new(self.file_id))?,
            state: state.ok_or_else(|| odd(&format!("`{}` is no status", self.status)))?,
            last_page: count(self.last_page)?,
            rows: count(self.cumulative_rows)?,
            started_at: timestamp(self.started_at)?,
            completed_at: maybe_timestamp(self.completed_at)?,
            token: Token(count(self.token)?),
            event: self.event.map(|event| Announcement { event, sent_at }),
        })
    }
}

/// `LoanWorker:2026-11-21:Loan0`.
pub(super) fn file_id(run: &RunId, file: &FileId) -> String {
    format!("{run}:{file}")
}

/// `audit`.
#[derive(Serialize, Deserialize)]
pub(super) struct AuditDocument {
    at: DateTime,
    who: String,
    action: String,
    detail: String,
    reason: String,
}

impl AuditDocument {
    pub(super) fn new(entry: &AuditEntry) -> Self {
        let AuditEntry { at, who, action, detail, reason } = entry.clone();
        Self { at: bson_date(at), who, action, detail, reason }
    }

    /// A document as the server sent it.
    pub(super) fn read_whole(document: Document) -> Read<AuditEntry> {
        parsed(deserialize_from_document::<Self>(document))?.read()
    }

    pub(super) fn read(self) -> Read<AuditEntry> {
        let Self { at, who, action, detail, reason } = self;
        Ok(AuditEntry { at: timestamp(at)?, who, action, detail, reason })
    }
}

/// `odd_events`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OddEventDocument {
    #[serde(rename = "_id")]
    id: String,
    worker_id: String,
    topic: String,
    partition: i32,
    offset: i64,
    at: DateTime,
    reason: String,
    payload: String,
    /// Missing in documents of builds that kept the whole payload.
    payload_bytes: Option<i64>,
    payload_sha256: Option<String>,
}

/// `LoanWorker:loan-data/3/17`.
pub(super) fn odd_event_id(owner: &LeaseKey, id: &EventId) -> String {
    format!("{owner}:{id}")
}

/// `odd_events`, without the payload.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedEventDocument {
    worker_id: String,
    topic: String,
    partition: i32,
    offset: i64,
    at: DateTime,
    reason: String,
}

impl ListedEventDocument {
    /// A document as the server sent it.
    pub(super) fn read_whole(document: Document) -> Read<DeadLetter> {
        let Self { worker_id, topic, partition, offset, at, reason } = parsed(deserialize_from_document(document))?;
        Ok(DeadLetter {
            id: EventId { topic, partition, offset },
            owner: parsed(LeaseKey::new(worker_id))?,
            at: timestamp(at)?,
            reason,
            payload: None,
        })
    }
}

impl OddEventDocument {
    pub(super) fn new(event: &DeadLetter) -> Self {
        let DeadLetter { id, owner, at, reason, payload } = event.clone();
        let Payload { text, bytes, sha256 } = payload.unwrap_or_else(|| Payload::of(b""));
        Self {
            id: odd_event_id(&owner, &id),
            worker_id: owner.to_string(),
            topic: id.topic,
            partition: id.partition,
            offset: id.offset,
            at: bson_date(at),
            reason,
            payload: text,
            payload_bytes: bytes.and_then(|bytes| i64::try_from(bytes).ok()),
            payload_sha256: sha256,
        }
    }

    pub(super) fn read(self) -> Read<DeadLetter> {
        Ok(DeadLetter {
            id: EventId { topic: self.topic, partition: self.partition, offset: self.offset },
            owner: parsed(LeaseKey::new(self.worker_id))?,
            at: timestamp(self.at)?,
            reason: self.reason,
            payload: Some(match (self.payload_bytes.map(count).transpose()?, self.payload_sha256) {
                (Some(bytes), Some(sha256)) => Payload { text: self.payload, bytes: Some(bytes), sha256: Some(sha256) },
                _ => Payload::of_text(self.payload),
            }),
        })
    }
}

pub(super) fn odd(what: &str) -> Odd {
    Odd(format!("{what}; use the filegen that wrote it, or mend the document"))
}

fn parsed<T, E: fmt::Display>(value: Result<T, E>) -> Read<T> {
    value.map_err(|error| odd(&error.to_string()))
}

fn run_id(worker: String, date: &str) -> Read<RunId> {
    Ok(RunId { worker: parsed(WorkerId::new(worker))?, date: BusinessDate(parsed(date.parse::<Date>())?) })
}

/// BSON has no unsigned numbers.
pub(super) fn long(value: u64) -> Read<i64> {
    i64::try_from(value).map_err(|_| Odd(format!("{value} is more than the state store can keep")))
}

pub(super) fn count(value: i64) -> Read<u64> {
    u64::try_from(value).map_err(|_| odd(&format!("{value} is below zero")))
}

pub(super) fn bson_date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

fn timestamp(at: DateTime) -> Read<Timestamp> {
    parsed(Timestamp::from_millisecond(at.timestamp_millis()))
}

fn maybe_timestamp(at: Option<DateTime>) -> Read<Option<Timestamp>> {
    at.map(timestamp).transpose()
}
