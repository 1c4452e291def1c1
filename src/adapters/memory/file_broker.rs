//! What carries files from one side to the other, in memory.

use crate::core::ports::broker::BrokerError;
use crate::core::ports::file_broker::{Answer, FileReceiver, FileSender, Parcel, Standing};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Messages, chunks and answers. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryFileBroker(Arc<(Mutex<Kept>, Notify, Line)>);

/// Calls that take their time go through it one by one, in the order in which they came.
type Line = tokio::sync::Mutex<()>;

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    messages: Vec<Parcel>,
    chunks: BTreeMap<(String, u64), Vec<u8>>,
    answers: BTreeMap<String, Answer>,
    /// Questions that find no message, whatever is there.
    overlooked: u32,
    /// Questions how a version stands that get no answer.
    unanswered: u32,
    /// When all answers were given.
    said_at: Timestamp,
    /// What each chunk, and each question for messages or answers, takes.
    slowness: Duration,
}

impl Kept {
    fn message(&self, id: &str) -> Option<&Parcel> {
        self.messages.iter().find(|parcel| parcel.id == id)
    }

    fn drop_message(&mut self, id: &str) {
        self.messages.retain(|parcel| parcel.id != id);
    }

    fn drop_chunks(&mut self, id: &str) {
        self.chunks.retain(|(of, _), _| of != id);
    }
}

impl MemoryFileBroker {
    /// The next questions for messages, so many, find none.
    pub fn overlook(&self, questions: u32) {
        self.kept().overlooked = questions;
    }

    /// The next questions how a version stands, so many, get no answer.
    pub fn be_silent(&self, questions: u32) {
        self.kept().unanswered = questions;
    }

    /// All answers are of this time; of 1970 where nobody says so.
    pub fn said_at(&self, at: Timestamp) {
        self.kept().said_at = at;
    }

    /// Puts an answer there behind everybody's back.
    pub fn forge(&self, id: &str, answer: Answer) {
        self.kept().answers.insert(id.to_owned(), answer);
    }

    /// Each chunk, and each question for messages or answers, takes so long, one by one: as over one connection.
    pub fn slow(&self, each: Duration) {
        self.kept().slowness = each;
    }

    async fn in_line(&self) {
        let each = self.kept().slowness;
        if !each.is_zero() {
            let _in_front = self.0.2.lock().await;
            tokio::time::sleep(each).await;
        }
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
        let mut kept = self.kept();
        if let Some(left) = kept.unanswered.checked_sub(1) {
            kept.unanswered = left;
            return Err(BrokerError::Unreachable { topic: "memory".to_owned(), reason: "no answer".to_owned() });
        }
        let mut chunks = 0;
        while kept.chunks.contains_key(&(id.to_owned(), chunks)) {
            chunks += 1;
        }
        let sent = kept.message(id).cloned();
        Ok(Standing { chunks, sent, answer: kept.answers.get(id).cloned() })
    }

    async fn put_chunk(&self, id: &str, number: u64, _: u64, bytes: Vec<u8>) -> Result<(), BrokerError> {
        self.in_line().await;
        self.kept().chunks.insert((id.to_owned(), number), bytes);
        Ok(())
    }

    async fn settle_chunks(&self, _: &str) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn send(&self, parcel: Parcel) -> Result<(), BrokerError> {
        let mut kept = self.kept();
        kept.drop_message(&parcel.id);
        kept.messages.push(parcel);
        self.0.1.notify_one();
        Ok(())
    }

    async fn answered(&self, ids: &[String]) -> Result<Vec<String>, BrokerError> {
        self.in_line().await;
        let kept = self.kept();
        Ok(ids.iter().filter(|id| kept.answers.contains_key(*id)).cloned().collect())
    }

    async fn answers(&self, most: usize) -> Result<Vec<(String, Timestamp)>, BrokerError> {
        let kept = self.kept();
        Ok(kept.answers.keys().take(most).map(|id| (id.clone(), kept.said_at)).collect())
    }

    async fn answer(&self, id: &str) -> Result<Option<Answer>, BrokerError> {
        let kept = self.kept();
        Ok(kept.answers.get(id).filter(|_| kept.message(id).is_none()).cloned())
    }

    async fn take_back(&self, id: &str) -> Result<(), BrokerError> {
        self.kept().drop_message(id);
        Ok(())
    }

    async fn forget(&self, id: &str) -> Result<(), BrokerError> {
        let mut kept = self.kept();
        if kept.message(id).is_none() {
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
        self.in_line().await;
        let mut kept = self.kept();
        if let Some(left) = kept.overlooked.checked_sub(1) {
            kept.overlooked = left;
            return Ok(Vec::new());
        }
        let free = kept.messages.iter().filter(|parcel| !busy.contains(&parcel.id));
        Ok(free.take(most).cloned().collect())
    }

    async fn chunk(&self, id: &str, number: u64, _: u64) -> Result<Option<Vec<u8>>, BrokerError> {
        self.in_line().await;
        Ok(self.kept().chunks.get(&(id.to_owned(), number)).cloned())
    }

    async fn is_whole(&self, id: &str, chunks: u64, _: u64, size: u64) -> Result<bool, BrokerError> {
        let kept = self.kept();
        let own: Vec<&Vec<u8>> = kept.chunks.iter().filter(|((of, _), _)| of == id).map(|(_, bytes)| bytes).collect();
        Ok(own.len() as u64 >= chunks && own.iter().map(|bytes| bytes.len() as u64).sum::<u64>() >= size)
    }

    async fn end_foreign(&self, id: &str) -> Result<(), BrokerError> {
        self.kept().drop_message(id);
        Ok(())
    }

    async fn answer(&self, id: &str, answer: &Answer) -> Result<(), BrokerError> {
        let mut kept = self.kept();
        kept.answers.insert(id.to_owned(), answer.clone());
        kept.drop_message(id);
        kept.drop_chunks(id);
        Ok(())
    }

    async fn wait(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.0.1.notified()).await;
    }
}
