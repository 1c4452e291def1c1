//! The queue of dead letters, as people search, replay and clear it.

use super::store::StoreError;
use crate::core::model::finding::Finding;
use crate::core::model::letter::DeadLetter;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A page ends early when its entries reach this many bytes.
pub const PAGE_BYTES: usize = 8 << 20;

/// What became of an entry that was to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removed {
    /// It has left.
    Done,
    /// It was not there.
    Gone,
    /// It is there, and is no longer as it was. It stays.
    Changed,
}

/// A line about what somebody did to the queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QueueAudit {
    /// When.
    #[serde(with = "crate::core::model::moment::instant")]
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// `apply`, `drop` or `edit`.
    pub action: String,
    /// Why, in their words.
    pub reason: String,
    /// To what, and how it ended.
    pub detail: String,
}

/// The queue. Entries are told apart by [`DeadLetter::index`].
#[async_trait]
pub trait LetterQueue: Send + Sync {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// Adds entries, each once, however often the call is repeated. Newer ones stand in front.
    async fn add(&self, letters: &[DeadLetter]) -> Result<(), StoreError>;

    /// How many there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// At most `max` entries, and about [`PAGE_BYTES`], behind the newest `skip`, newest first. Empty only where there are no more.
    async fn page(&self, skip: u64, max: usize) -> Result<Vec<DeadLetter>, StoreError>;

    /// The entry of this index.
    async fn get(&self, index: &str) -> Result<Option<DeadLetter>, StoreError>;

    /// Takes an entry away if it still has this digest.
    async fn remove(&self, index: &str, digest: &str) -> Result<Removed, StoreError>;

    /// Keeps a line about what was done.
    async fn audit(&self, line: &QueueAudit) -> Result<(), StoreError>;

    /// The newest lines, newest first.
    async fn audits(&self, max: usize) -> Result<Vec<QueueAudit>, StoreError>;

    /// What of the store's settings decides whether entries are kept.
    async fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        Ok(Vec::new())
    }
}
