//! What carries files from one side to the other, in memory.

use crate::core::ports::broker::BrokerError;
use crate::core::ports::file_broker::{Answer, FileReceiver, FileSender, Parcel, Standing};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Messages, chunks and answers. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryFileBroker(Arc<(Mutex<Kept>, Notify)>);

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    messages: Vec<Parcel>,
    chunks: BTreeMap<(String, u64), Vec<u8>>,
    answers: BTreeMap<String, Answer>,
    /// Questions that find no message, whatever is there.
    overlooked: u32,
}

impl Kept {
    fn drop_chunks(&mut self, id: &str) {
        self.chunks.retain(|(of, _), _| of != id);
    }
}

impl MemoryFileBroker {
    /// The next questions for messages, so many, find none.
    pub fn overlook(&self, questions: u32) {
        self.kept().overlooked = questions;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl FileSender for MemoryFileBroker {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn probe(&self, _: &str) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn message_max(&self) -> Result<usize, BrokerError> {
        Ok(1 << 20)
    }

    async fn standing(&self, id: &str, _: u64) -> Result<Standing, BrokerError> {
        let kept = self.kept();
        let mut chunks = 0;
        while kept.chunks.contains_key(&(id.to_owned(), chunks)) {
            chunks += 1;
        }
        let is_sent = kept.messages.iter().any(|parcel| parcel.id == id);
        Ok(Standing { chunks, is_sent, answer: kept.answers.get(id).cloned() })
    }

    async fn put_chunk(&self, id: &str, number: u64, _: u64, bytes: Vec<u8>) -> Result<(), BrokerError> {
        self.kept().chunks.insert((id.to_owned(), number), bytes);
        Ok(())
    }

    async fn settle_chunks(&self, _: &str) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn send(&self, parcel: Parcel) -> Result<(), BrokerError> {
        let mut kept = self.kept();
        if kept.messages.iter().all(|other| other.id != parcel.id) {
            kept.messages.push(parcel);
        }
        self.0.1.notify_one();
        Ok(())
    }

    async fn answered(&self, most: usize) -> Result<Vec<String>, BrokerError> {
        Ok(self.kept().answers.keys().take(most).cloned().collect())
    }

    async fn answer(&self, id: &str) -> Result<Option<Answer>, BrokerError> {
        Ok(self.kept().answers.get(id).cloned())
    }

    async fn forget(&self, id: &str) -> Result<(), BrokerError> {
        let mut kept = self.kept();
        if kept.messages.iter().all(|parcel| parcel.id != id) {
            kept.drop_chunks(id);
        }
        kept.answers.remove(id);
        Ok(())
    }
}

#[async_trait]
impl FileReceiver for MemoryFileBroker {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn waiting(&self, busy: &[String], most: usize) -> Result<Vec<Parcel>, BrokerError> {
        let mut kept = self.kept();
        if let Some(left) = kept.overlooked.checked_sub(1) {
            kept.overlooked = left;
            return Ok(Vec::new());
        }
        let free = kept.messages.iter().filter(|parcel| !busy.contains(&parcel.id));
        Ok(free.take(most).cloned().collect())
    }

    async fn chunk(&self, id: &str, number: u64, _: u64) -> Result<Option<Vec<u8>>, BrokerError> {
        Ok(self.kept().chunks.get(&(id.to_owned(), number)).cloned())
    }

    async fn answer(&self, id: &str, answer: &Answer) -> Result<(), BrokerError> {
        let mut kept = self.kept();
        kept.answers.insert(id.to_owned(), answer.clone());
        kept.messages.retain(|parcel| parcel.id != id);
        kept.drop_chunks(id);
        Ok(())
    }

    async fn wait(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.0.1.notified()).await;
    }
}
