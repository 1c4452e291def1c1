//! A topic: one log, read by one member of its group at a time. What it is sent may be lost on the way, come twice, or come late and
//! behind what was sent later; it may be away, be read from its beginning again, and forget what it has taken.

use super::line::Line;
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::model::message::{EventId, Message, Partition, Received, TopicPosition};
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::consumer::{Consumer, Polled, Watermarks};
use filegen::core::ports::producer::Producer;
use filegen::core::schedule::hear::Applier;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How often a member asks for messages.
const POLL: Duration = Duration::from_secs(4);

/// A member that has not asked for so long has left its group.
const SESSION: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub struct Topic {
    name: &'static str,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    messages: Vec<Received>,
    committed: usize,
    reader: Option<Reader>,
    away_until: Option<Instant>,
    /// Of so many messages, per mille, it loses what it has acknowledged.
    forgets: u64,
}

/// Who reads it.
struct Reader {
    name: String,
    seen: Instant,
    next: usize,
}

impl Log {
    /// The member's next messages. It is the reader when there is no other, or when that one was missed for too long.
    fn poll(&mut self, name: &str, max: usize) -> Vec<Received> {
        let now = Instant::now();
        if self.reader.as_ref().is_some_and(|it| it.name != name && now.duration_since(it.seen) < SESSION) {
            return Vec::new();
        }
        let next = self.reader.as_ref().filter(|it| it.name == name).map_or(self.committed, |it| it.next);
        let messages: Vec<_> = self.messages.iter().skip(next).take(max).cloned().collect();
        self.reader = Some(Reader { name: name.to_owned(), seen: now, next: next + messages.len() });
        messages
    }

    fn commit(&mut self, name: &str, offset: i64) {
        if let Some(reader) = self.reader.as_mut().filter(|it| it.name == name) {
            reader.seen = Instant::now();
            self.committed = usize::try_from(offset).unwrap_or(0);
        }
    }
}

impl Topic {
    pub fn new(name: &'static str, forgets: u64) -> Self {
        Self { name, log: Arc::new(Mutex::new(Log { forgets, ..Log::default() })) }
    }

    pub fn messages(&self) -> Vec<Received> {
        locked(&self.log).messages.clone()
    }

    pub fn be_away(&self, until: Instant) {
        locked(&self.log).away_until = Some(until);
    }

    /// Its group reads it from its beginning.
    pub fn replay(&self) {
        let mut log = locked(&self.log);
        (log.committed, log.reader) = (0, None);
    }

    pub fn calm(&self) {
        let mut log = locked(&self.log);
        (log.away_until, log.forgets) = (None, 0);
    }

    fn is_away(&self) -> bool {
        locked(&self.log).away_until.is_some_and(|until| until > Instant::now())
    }

    fn unreachable(&self) -> BrokerError {
        BrokerError::Unreachable { topic: self.name.to_owned(), reason: "no answer".to_owned() }
    }

    fn append(&self, message: &Message, is_lost: impl FnOnce(u64) -> bool) -> EventId {
        let mut log = locked(&self.log);
        let offset = i64::try_from(log.messages.len()).unwrap_or(i64::MAX);
        let id = EventId { topic: self.name.to_owned(), partition: 0, offset };
        if !is_lost(log.forgets) {
            let Message { key, headers, payload, timestamp, .. } = message.clone();
            log.messages.push(Received { id: id.clone(), key, headers, payload, at: timestamp });
        }
        id
    }
}

/// Writes to a topic.
pub struct Writer {
    pub line: Line,
    pub topic: Topic,
}

#[async_trait]
impl Producer for Writer {
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<EventId, BrokerError>> {
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            let (topic, message, rng) = (self.topic.clone(), message.clone(), Arc::clone(&self.line.rng));
            let is_away = self.topic.is_away();
            let sent = self.line.ask(move || async move {
                let is_lost = |forgets| locked(&rng).chance(forgets);
                Ok((!is_away).then(|| topic.append(&message, is_lost)))
            });
            answers.push(sent.await.ok().flatten().ok_or_else(|| self.topic.unreachable()));
        }
        answers
    }
}

/// Where changes go without a topic: into the schedules, at once.
pub struct Here(pub Applier);

#[async_trait]
impl Producer for Here {
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<EventId, BrokerError>> {
        let place = || EventId { topic: "here".to_owned(), partition: 0, offset: 0 };
        let away = |reason| BrokerError::Unreachable { topic: "here".to_owned(), reason };
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            let applied = self.0.apply(&message.payload).await;
            answers.push(applied.map(|_| place()).map_err(|error| away(error.to_string())));
        }
        answers
    }
}

/// A member of the topic's group.
pub struct Member {
    pub line: Line,
    pub topic: Topic,
    pub name: String,
}

#[async_trait]
impl Consumer for Member {
    async fn next_batch(&mut self, max: usize, _: Duration) -> Result<Polled, BrokerError> {
        loop {
            self.line.stand().await;
            if !self.line.is_cut() && !self.topic.is_away() {
                let messages = locked(&self.topic.log).poll(&self.name, max);
                if !messages.is_empty() {
                    return Ok(Polled::Messages(messages));
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn commit(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError> {
        let (topic, name) = (self.topic.clone(), self.name.clone());
        let (offsets, is_away) = (positions.iter().map(|it| it.offset).max(), self.topic.is_away());
        let committed = self.line.ask(move || async move {
            if let Some(offset) = offsets.filter(|_| !is_away) {
                locked(&topic.log).commit(&name, offset);
            }
            Ok(!is_away)
        });
        if committed.await == Ok(true) { Ok(()) } else { Err(self.topic.unreachable()) }
    }

    async fn seek(&mut self, _: &[TopicPosition]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn pause(&mut self, _: &[Partition]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn resume(&mut self, _: &[Partition]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn watermarks(&mut self, _: &Partition) -> Result<Watermarks, BrokerError> {
        Err(self.topic.unreachable())
    }
}
