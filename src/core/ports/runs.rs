//! Runs, each file's status, and the outbox of completion events.

use super::events::EventId;
use super::leases::StoreError;
use crate::core::model::event::CompletionEvent;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::run::{BusinessDate, RunId, RunRecord};
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

/// One file's status with the outbox entry of its completion event: one record, so that one write records both.
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
    pub event: Option<OutboxEntry>,
}

/// A completion event and whether a broker has it.
#[derive(Clone, PartialEq, Debug)]
pub struct OutboxEntry {
    /// What is sent; the same at every try.
    pub event: CompletionEvent,
    /// When a broker acknowledged it.
    pub sent_at: Option<Timestamp>,
}

/// A change made by a person: who, when, why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Operating-system user and instance.
    pub who: String,
    /// `lease release`.
    pub action: String,
    /// What was changed, and how.
    pub detail: String,
    /// Their words.
    pub reason: String,
}

/// An event that asked for no run: kept when it is passed over, so that nothing is lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// Where it stands; keeps it once however often it is delivered.
    pub id: EventId,
    /// Whose trigger heard it.
    pub worker: WorkerId,
    /// When it was passed over.
    pub at: Timestamp,
    /// What is wrong with it.
    pub reason: String,
    /// Its bytes, as UTF-8 as far as they are.
    pub payload: String,
}

/// Whether a run was new.
#[derive(Clone, PartialEq, Debug)]
pub enum Requested {
    /// Recorded now.
    New(RunRecord),
    /// A repeat: this is what is there.
    AlreadyThere(RunRecord),
}

/// The store of runs and file statuses. Writes are durable when they answer.
///
/// Every update by a holder takes its [`Term`]; the store itself refuses a token older than the one it has seen
/// for that run, with [`StoreError::Stale`].
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Records that a run is wanted; its id is unique, so of any number of requests one is new.
    async fn request(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<Requested, StoreError>;

    /// One run.
    async fn run(&self, id: &RunId) -> Result<Option<RunRecord>, StoreError>;

    /// The latest runs, newest business date first: of one worker, or of all.
    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Vec<RunRecord>, StoreError>;

    /// Writes a run's progress or end. `record.token` is set from the term.
    async fn save_run(&self, term: &Term, record: &RunRecord) -> Result<(), StoreError>;

    /// Writes one file's status; one write with its outbox entry. An entry is never lost to a write without one under the
    /// same token: that is progress which was under way for long, and changes nothing.
    async fn save_file(&self, term: &Term, status: &FileStatus) -> Result<(), StoreError>;

    /// All files of a run, by id.
    async fn files(&self, run: &RunId) -> Result<Vec<FileStatus>, StoreError>;

    /// Completion events that no broker has acknowledged, oldest first.
    async fn unsent(&self, worker: &WorkerId) -> Result<Vec<FileStatus>, StoreError>;

    /// Records a broker's acknowledgement. Harmless when repeated.
    async fn mark_sent(
        &self,
        worker: &WorkerId,
        date: BusinessDate,
        file: &FileId,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Keeps a person's change for ever.
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Keeps an event that was passed over. Harmless when repeated.
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError>;

    /// The latest events that were passed over, newest first: by one worker's trigger, or by all.
    async fn dead_letters(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;

    /// The latest changes by their own time, newest first; of one time, the one that was written last.
    async fn audits(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;
}
