//! Runs, and how far each of their files has come.

use super::outbox::{OutboxEntry, OutboxId};
use super::store::{Found, StoreError};
use crate::core::model::correction::FIRST_VERSION;
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
    /// What the outbox calls the completion event of a file: `LoanWorker:2026-11-21:Loan0`, and of a later version
    /// `LoanWorker:2026-11-21:Loan0#2`. So an acknowledgement that comes late is not taken for one of the next version's event.
    pub fn outbox_id(run: &RunId, file: &FileId, version: u32) -> OutboxId {
        Self::outbox_id_of(run, file.as_str(), version)
    }

    /// The same, of the id as a text.
    pub fn outbox_id_of(run: &RunId, file: &str, version: u32) -> OutboxId {
        OutboxId::new(match version {
            FIRST_VERSION => format!("{run}:{file}"),
            version => format!("{run}:{file}#{version}"),
        })
    }

    /// The completion event as the outbox sends it. `None` before there is one.
    pub fn outbox_entry(&self) -> Option<OutboxEntry> {
        let event = &self.event.as_ref()?.event;
        let id = Self::outbox_id(&self.run, &self.file, event.version);
        Some(OutboxEntry { id, key: event.file_id.clone(), payload: event.payload() })
    }
}

/// The file's id and the version in the last part of an [outbox id](FileStatus::outbox_id).
pub fn file_and_version(last_part: &str) -> (&str, u32) {
    let later = last_part.split_once('#').and_then(|(file, version)| Some((file, version.parse().ok()?)));
    later.unwrap_or((last_part, FIRST_VERSION))
}

/// A completion event and whether a broker has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Announcement {
    /// What is sent; the same at every try.
    pub event: CompletionEvent,
    /// When a broker acknowledged it.
    pub sent_at: Option<Timestamp>,
}

/// A place in a worker's list of runs: behind a date, in the store's order. Bytes, because a record may hold anything for a date.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Behind(pub Vec<u8>);

impl From<BusinessDate> for Behind {
    fn from(date: BusinessDate) -> Self {
        Self(date.to_string().into_bytes())
    }
}

/// A stretch of a worker's list of runs. It ends early behind [`Stretch::BYTES`]: what others wrote into the records makes no look long.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stretch {
    /// Its records.
    pub found: Found<RunRecord>,
    /// Where the next one begins. `None`: nothing is behind it.
    pub next: Option<Behind>,
}

impl Stretch {
    /// Bytes of records that are read for one.
    pub const BYTES: usize = 16 << 20;
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

    /// The latest runs, newest business date first: of one worker, or of all. At most `limit` of them.
    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Found<RunRecord>, StoreError>;

    /// A worker's runs that are not published, oldest business date first: `limit` records behind `after`, or fewer long ones,
    /// those that cannot be read among them. However many runs are published or due later, it finds these by an index, and reads no more.
    async fn unpublished(&self, worker: &WorkerId, after: Option<&Behind>, limit: usize)
    -> Result<Stretch, StoreError>;

    /// Asks again for a run that is not published: from now on it is this one's request, of this moment. Changes nothing else, and
    /// no run that is published or not there.
    async fn ask_again(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Writes a run's progress or end. `record.token` is set from the term. A record of an older version never replaces one of a
    /// newer: it is late, and changes nothing.
    async fn save_run(&self, term: &Term, record: &RunRecord) -> Result<(), StoreError>;

    /// Writes `new` in place of a run that is published with the correction that `old` has, in one step, and keeps its token. False
    /// when the run is not there or not as `old` says: it is being corrected, or was corrected meanwhile.
    async fn reopen(&self, old: &RunRecord, new: &RunRecord) -> Result<bool, StoreError>;

    /// Writes one file's status and its completion event in one write. A status without an event never replaces one with an event
    /// under the same token, nor an older version's event a newer one: it is late, and changes nothing.
    async fn save_file(&self, term: &Term, status: &FileStatus) -> Result<(), StoreError>;

    /// All files of a run, by id.
    async fn files(&self, run: &RunId) -> Result<Vec<FileStatus>, StoreError>;
}
