//! What both sides of a transfer remember: which version of a file is how far, and which process works on it.

use super::store::{Found, OddRecord, StoreError};
use crate::core::model::transfer::{FileRecord, FileState, FileStep, Side};
use async_trait::async_trait;
use jiff::Timestamp;

/// A process that works on files. Its name is its own: no other process ever has it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Holder {
    /// The name that claims carry.
    pub name: String,
    /// Host and process, for people.
    pub shown: String,
}

/// A claim that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives for one call")]
pub enum Claim {
    /// It is the asker's until it ends. The record as it stands.
    Yours(FileRecord),
    /// Another process works on it.
    Held {
        /// Host and process.
        by: String,
    },
    /// Its record cannot be read: nobody works on it.
    Odd {
        /// What is wrong with it, and what to do.
        reason: String,
    },
}

/// What is remembered of a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// The record.
    Record(Box<FileRecord>),
    /// It cannot be read, for this reason.
    Odd(String),
}

impl Entry {
    /// The record, where it can be read.
    pub fn record(self) -> Option<FileRecord> {
        match self {
            Self::Record(record) => Some(*record),
            Self::Odd(_) => None,
        }
    }
}

/// A path that was dealt with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownFile {
    /// The path.
    pub path: String,
    /// The version's id.
    pub id: String,
    /// How far it is; or what is wrong with its record.
    pub state: Result<FileState, String>,
    /// What its folder said of it.
    pub stamp: String,
}

/// Which records.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// One side only.
    pub side: Option<Side>,
    /// These states only; all when empty.
    pub states: Vec<FileState>,
    /// Changed at this time or later.
    pub since: Option<Timestamp>,
    /// Ids that begin so.
    pub id: Option<String>,
    /// Those behind this one, in the order of the answer. Only where `side` is given.
    pub behind: Option<Place>,
    /// At most so many: the ones that changed last.
    pub limit: usize,
}

impl Wanted {
    /// One side's records in one state.
    pub fn of(side: Side, state: FileState, limit: usize) -> Self {
        Self { side: Some(side), states: vec![state], limit, ..Self::default() }
    }
}

/// A record's place among one side's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Its id.
    pub id: String,
}

impl Place {
    /// The place of a record.
    pub fn of(record: &FileRecord) -> Self {
        Self { changed_at: record.changed_at, id: record.id.clone() }
    }
}

/// How many files, and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Total {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How many files are in a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateCount {
    /// Whose.
    pub side: Side,
    /// Which state.
    pub state: FileState,
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest of them was seen.
    pub oldest: Timestamp,
}

/// The ledger of both sides, shared by all instances. What it answers with success is durable.
#[async_trait]
pub trait TransferLedger: Send + Sync {
    /// Makes this process known. What a process that has ended had claimed is free at once where that can be known, else when its
    /// claims end.
    async fn join(&self, shown: &str) -> Result<Holder, StoreError>;

    /// A record.
    async fn find(&self, transfer: &str, side: Side, id: &str) -> Result<Option<Entry>, StoreError>;

    /// The collecting side's latest record of each of these paths that has one.
    async fn known(&self, transfer: &str, paths: Vec<String>) -> Result<Vec<KnownFile>, StoreError>;

    /// Claims a version until `until`. Where there is no record, `record` becomes it, in the same write. `now` is compared with the
    /// end of others' claims. A record that cannot be read takes no claim.
    async fn claim(
        &self,
        record: &FileRecord,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, StoreError>;

    /// Replaces a record that the holder has claimed. Without `until` the claim ends. `false`, and nothing is changed, when the claim
    /// is another's.
    async fn advance(&self, record: &FileRecord, holder: &Holder, until: Option<Timestamp>)
    -> Result<bool, StoreError>;

    /// Forgets a version that the holder has claimed, and that no longer exists. `false` when the claim is another's.
    async fn forget(&self, record: &FileRecord, holder: &Holder) -> Result<bool, StoreError>;

    /// Records, the latest change first, those of one time by their ids. One that cannot be read hides no other.
    async fn records(&self, transfer: &str, wanted: &Wanted) -> Result<Found<FileRecord>, StoreError>;

    /// How many files fit, whatever `limit` and `behind` say.
    async fn total(&self, transfer: &str, wanted: &Wanted) -> Result<Total, StoreError>;

    /// How many files are in each state that is known. It looks at every record: for people, not for what asks each few seconds.
    async fn counts(&self, transfer: &str) -> Result<Vec<StateCount>, StoreError>;

    /// Records of a side or state that nobody knows: the first of them.
    async fn strange(&self, transfer: &str) -> Result<Vec<OddRecord>, StoreError>;

    /// A version's steps on both sides, oldest first, as far as they can be read.
    async fn steps(&self, transfer: &str, id: &str) -> Result<Vec<FileStep>, StoreError>;
}
