//! What both sides of a transfer remember: which version of a file is how far, and which process works on it.

use super::store::StoreError;
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
}

/// A path that was dealt with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownFile {
    /// The path.
    pub path: String,
    /// The version's id.
    pub id: String,
    /// How far it is.
    pub state: FileState,
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
    /// At most so many: the ones that changed last.
    pub limit: usize,
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
    async fn find(&self, transfer: &str, side: Side, id: &str) -> Result<Option<FileRecord>, StoreError>;

    /// The collecting side's latest record of each of these paths that has one.
    async fn known(&self, transfer: &str, paths: Vec<String>) -> Result<Vec<KnownFile>, StoreError>;

    /// Claims a version until `until`. Where there is no record, `record` becomes it, in the same write. `now` is compared with the
    /// end of others' claims.
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

    /// Records, the latest change first.
    async fn records(&self, transfer: &str, wanted: &Wanted) -> Result<Vec<FileRecord>, StoreError>;

    /// How many files are in each state.
    async fn counts(&self, transfer: &str) -> Result<Vec<StateCount>, StoreError>;

    /// A version's steps on both sides, oldest first.
    async fn steps(&self, transfer: &str, id: &str) -> Result<Vec<FileStep>, StoreError>;
}
