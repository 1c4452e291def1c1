//! Runs, and how far each of their files has come.

use super::outbox::{OutboxEntry, OutboxId};
use super::store::StoreError;
use crate::core::model::event::CompletionEvent;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::run::{RunId, RunRecord};
use crate::core::model::term::{Term, Token};
use async_trait::async_trait;
use jiff::Timestamp;

/// How far one file of a run has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileState {
    /// Being written.
    Writing,
    /// Visible under its final name.
    Published,
}

impl FileState {
    /// The word in the state store, tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::Published => "published",
        }
    }
}

/// One file's status with its completion event. Both are one record, so that one write records the file and what the outbox
/// sends.
#[derive(Clone, PartialEq, Debug)]
pub struct FileStatus {
    /// Which run.
    pub run: RunId,
    /// Which file.
    pub file: FileId,
    /// How far.
    pub state: FileState,
    /// Last durable page.
    pub last_page: u64,
    /// Records up to and with it.
    pub rows: u64,
    /// When its first page was begun.
    pub started_at: Timestamp,
    /// When it was published.
    pub completed_at: Option<Timestamp>,
    /// Token of the holder that wrote this.
    pub token: Token,
    /// The completion event, once published.
    pub event: Option<Announcement>,
}

impl FileStatus {
    /// What the outbox calls the completion event of a file: `LoanWorker:2026-11-21:Loan0`.
    pub fn outbox_id(run: &RunId, file: &FileId) -> OutboxId {
        OutboxId::new(format!("{run}:{file}"))
    }

    /// The completion event as the outbox sends it. `None` before there is one.
    pub fn outbox_entry(&self) -> Option<OutboxEntry> {
        let event = &self.event.as_ref()?.event;
        let id = Self::outbox_id(&self.run, &self.file);
        Some(OutboxEntry { id, key: event.file_id.clone(), payload: event.payload() })
    }
}

/// A completion event and whether a broker has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Announcement {
    /// What is sent; the same at every try.
    pub event: CompletionEvent,
    /// When a broker acknowledged it.
    pub sent_at: Option<Timestamp>,
}

/// Whether a run was new.
#[derive(Clone, PartialEq, Debug)]
pub enum Requested {
    /// Recorded now.
    New(RunRecord),
    /// The run was recorded before, as this record.
    AlreadyThere(RunRecord),
}

/// The store of runs and file statuses. A write is durable when it answers. The same store's
/// [`Outbox`](super::outbox::Outbox) sends the completion events that are recorded here.
///
/// Every update by a holder takes its [`Term`]. The store refuses a token older than the newest that it has seen for that run,
/// with [`StoreError::Stale`].
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Records that a run is wanted. Its id is unique, so exactly one of many requests is new.
    async fn request(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<Requested, StoreError>;

    /// One run.
    async fn run(&self, id: &RunId) -> Result<Option<RunRecord>, StoreError>;

    /// The latest runs, newest business date first: of one worker, or of all.
    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Vec<RunRecord>, StoreError>;

    /// Writes a run's progress or end. `record.token` is set from the term.
    async fn save_run(&self, term: &Term, record: &RunRecord) -> Result<(), StoreError>;

    /// Writes one file's status and its completion event in one write. A status without an event never replaces one with an event
    /// under the same token: it is late progress, and changes nothing.
    async fn save_file(&self, term: &Term, status: &FileStatus) -> Result<(), StoreError>;

    /// All files of a run, by id.
    async fn files(&self, run: &RunId) -> Result<Vec<FileStatus>, StoreError>;
}
