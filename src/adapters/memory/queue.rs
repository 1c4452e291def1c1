//! The queue of dead letters in memory.

use crate::core::model::letter::DeadLetter;
use crate::core::ports::queue::{Entry, LetterPage, LetterQueue, QueueAudit, Removed};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries and lines about them. Clones share both.
#[derive(Clone, Default)]
pub struct MemoryQueue(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// Oldest first: index and text.
    entries: Vec<(String, String)>,
    audits: Vec<QueueAudit>,
    is_away: bool,
}

impl MemoryQueue {
    /// Answers no call while it is away.
    pub fn set_away(&self, is_away: bool) {
        self.kept().is_away = is_away;
    }

    /// Puts an entry there as somebody else would.
    pub fn put(&self, index: &str, entry: &str) {
        self.kept().entries.push((index.to_owned(), entry.to_owned()));
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
            if kept.entries.iter().all(|(index, _)| *index != letter.index()) {
                kept.entries.push((letter.index(), letter.to_json()));
            }
        }
        Ok(())
    }

    async fn bytes(&self) -> Result<Option<u64>, StoreError> {
        Ok(Some(self.answering()?.entries.iter().map(|(_, entry)| entry.len() as u64).sum()))
    }

    async fn count(&self) -> Result<u64, StoreError> {
        Ok(self.answering()?.entries.len() as u64)
    }

    async fn page(&self, skip: u64, max: usize) -> Result<LetterPage, StoreError> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let mut page = LetterPage::default();
        for (index, entry) in self.answering()?.entries.iter().rev().skip(skip).take(max) {
            page.add(|| index.clone(), DeadLetter::kept(index, Some(entry.as_bytes())));
        }
        Ok(page)
    }

    async fn get(&self, index: &str) -> Result<Option<Entry>, StoreError> {
        let kept = self.answering()?;
        let found = kept.entries.iter().find(|(other, _)| other == index);
        Ok(found.map(|(index, entry)| DeadLetter::kept(index, Some(entry.as_bytes())).into()))
    }

    async fn remove(&self, index: &str, digest: &str) -> Result<Removed, StoreError> {
        let mut kept = self.answering()?;
        let Some(at) = kept.entries.iter().position(|(other, _)| other == index) else { return Ok(Removed::Gone) };
        let letter = DeadLetter::kept(index, Some(kept.entries[at].1.as_bytes()));
        if letter.is_ok_and(|letter| letter.digest() == digest) {
            kept.entries.remove(at);
            return Ok(Removed::Done);
        }
        Ok(Removed::Changed)
    }

    async fn audit(&self, line: &QueueAudit) -> Result<(), StoreError> {
        self.answering()?.audits.push(line.clone());
        Ok(())
    }

    async fn audits(&self, max: usize) -> Result<Found<QueueAudit>, StoreError> {
        let records = self.answering()?.audits.iter().rev().take(max).cloned().collect();
        Ok(Found { records, odd: Vec::new() })
    }
}
