//! The queue of dead letters in memory.

use crate::core::model::letter::DeadLetter;
use crate::core::ports::queue::{LetterQueue, QueueAudit, Removed};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries and lines about them. Clones share both.
#[derive(Clone, Default)]
pub struct MemoryQueue(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// Oldest first.
    letters: Vec<DeadLetter>,
    audits: Vec<QueueAudit>,
    is_away: bool,
}

impl MemoryQueue {
    /// Answers no call while it is away.
    pub fn set_away(&self, is_away: bool) {
        self.kept().is_away = is_away;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answering(&self) -> Result<MutexGuard<'_, Kept>, StoreError> {
        let kept = self.kept();
        if kept.is_away {
            return Err(StoreError::Unreachable { store: "memory".to_owned(), reason: "it is away".to_owned() });
        }
        Ok(kept)
    }
}

#[async_trait]
impl LetterQueue for MemoryQueue {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn add(&self, letters: &[DeadLetter]) -> Result<(), StoreError> {
        let mut kept = self.answering()?;
        for letter in letters {
            if kept.letters.iter().all(|other| other.index() != letter.index()) {
                kept.letters.push(letter.clone());
            }
        }
        Ok(())
    }

    async fn count(&self) -> Result<u64, StoreError> {
        Ok(self.answering()?.letters.len() as u64)
    }

    async fn page(&self, skip: u64, max: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Ok(self.answering()?.letters.iter().rev().skip(skip).take(max).cloned().collect())
    }

    async fn get(&self, index: &str) -> Result<Option<DeadLetter>, StoreError> {
        Ok(self.answering()?.letters.iter().find(|letter| letter.index() == index).cloned())
    }

    async fn remove(&self, index: &str, digest: &str) -> Result<Removed, StoreError> {
        let mut kept = self.answering()?;
        let Some(at) = kept.letters.iter().position(|letter| letter.index() == index) else { return Ok(Removed::Gone) };
        if kept.letters[at].digest() != digest {
            return Ok(Removed::Changed);
        }
        kept.letters.remove(at);
        Ok(Removed::Done)
    }

    async fn audit(&self, line: &QueueAudit) -> Result<(), StoreError> {
        self.answering()?.audits.push(line.clone());
        Ok(())
    }

    async fn audits(&self, max: usize) -> Result<Vec<QueueAudit>, StoreError> {
        Ok(self.answering()?.audits.iter().rev().take(max).cloned().collect())
    }
}
