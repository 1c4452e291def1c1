//! The queue of dead letters, as people search, replay and clear it.

use super::store::{Found, OddRecord, StoreError};
use crate::core::model::finding::Finding;
use crate::core::model::letter::DeadLetter;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A page ends early when its entries reach this many bytes.
pub const PAGE_BYTES: usize = 8 << 20;

/// Some entries of the queue.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LetterPage {
    /// Those that can be read, newest first.
    pub letters: Vec<DeadLetter>,
    /// Those that cannot: the first of them. They stay.
    pub odd: Vec<OddRecord>,
    /// How many entries these are, with the odd ones.
    pub passed: u64,
}

impl LetterPage {
    /// Adds an entry, or what is wrong with it.
    pub fn add(&mut self, id: impl FnOnce() -> String, letter: Result<DeadLetter, String>) {
        self.passed += 1;
        match letter {
            Ok(letter) => self.letters.push(letter),
            Err(reason) if self.odd.len() < Found::<DeadLetter>::ODD_MAX => {
                self.odd.push(OddRecord { id: id(), reason });
            }
            Err(_) => {}
        }
    }
}

/// An entry of the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// It can be read.
    Letter(Box<DeadLetter>),
    /// It cannot, for this reason.
    Odd(String),
}

impl From<Result<DeadLetter, String>> for Entry {
    fn from(read: Result<DeadLetter, String>) -> Self {
        read.map_or_else(Self::Odd, |letter| Self::Letter(Box::new(letter)))
    }
}

/// What became of an entry that was to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removed {
    /// It has left.
    Done,
    /// It was not there.
    Gone,
    /// It is there, and is no longer as it was, or cannot be read. It stays.
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

    /// About how many bytes the entries have. `None` where the store does not tell.
    async fn bytes(&self) -> Result<Option<u64>, StoreError>;

    /// At most `max` entries, and about [`PAGE_BYTES`], behind the newest `skip`, newest first. None are passed only where there are no
    /// more.
    async fn page(&self, skip: u64, max: usize) -> Result<LetterPage, StoreError>;

    /// The entry of this index.
    async fn get(&self, index: &str) -> Result<Option<Entry>, StoreError>;

    /// Takes an entry away if it still has this digest.
    async fn remove(&self, index: &str, digest: &str) -> Result<Removed, StoreError>;

    /// Keeps a line about what was done.
    async fn audit(&self, line: &QueueAudit) -> Result<(), StoreError>;

    /// The newest lines, newest first.
    async fn audits(&self, max: usize) -> Result<Found<QueueAudit>, StoreError>;

    /// What of the store's settings decides whether entries are kept.
    async fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        Ok(Vec::new())
    }
}
