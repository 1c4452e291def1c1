//! A broker in memory: topics, partitions, groups of readers that share them, for as long as the process lives.

mod consumer;
mod group;
mod probe;
mod producer;

pub use consumer::MemoryConsumer;
pub use probe::MemoryProbe;
pub use producer::MemoryProducer;

use crate::core::model::message::{EventId, Message, Partition, Received};
use crate::core::ports::broker::BrokerError;
use group::Group;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A broker. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryBroker {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<BrokerState>,
    /// Notified of each change.
    news: Notify,
}

#[derive(Default)]
struct BrokerState {
    topics: BTreeMap<String, Vec<Vec<Received>>>,
    /// By group and topic.
    groups: HashMap<(String, String), Group>,
    members: u64,
    /// Calls that get no answer.
    away: u32,
    /// Where the next message without a key goes.
    turn: usize,
}

impl MemoryBroker {
    /// Makes a topic, or makes it anew: empty, and with no reader's position.
    pub fn create(&self, topic: &str, partitions: usize) {
        let mut state = self.state();
        state.topics.insert(topic.to_owned(), vec![Vec::new(); partitions]);
        let BrokerState { groups, .. } = &mut *state;
        for ((_, _), group) in groups.iter_mut().filter(|((_, of), _)| of == topic) {
            group.committed.clear();
            group.assign(topic, partitions);
        }
        self.shared.news.notify_waiters();
    }

    /// Appends a message to a partition. Returns its offset. `None` when there is no such partition.
    pub fn put(&self, topic: &str, partition: i32, message: &Message) -> Option<i64> {
        let offset = self.state().put(topic, partition, message);
        self.shared.news.notify_waiters();
        offset
    }

    /// All messages of a partition.
    pub fn messages(&self, topic: &str, partition: i32) -> Vec<Received> {
        let state = self.state();
        let log = usize::try_from(partition).ok().and_then(|partition| state.topics.get(topic)?.get(partition));
        log.cloned().unwrap_or_default()
    }

    /// Where a group's next member goes on. `None` when the group has committed nothing of it.
    pub fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let key = (group.to_owned(), topic.to_owned());
        self.state().groups.get(&key).and_then(|group| group.committed.get(&partition).copied())
    }

    /// Makes the next calls of all clients fail without an answer and without an effect.
    pub fn be_away(&self, calls: u32) {
        self.state().away = calls;
        self.shared.news.notify_waiters();
    }

    /// A writer to a topic.
    pub fn producer(&self, topic: &str) -> MemoryProducer {
        MemoryProducer::new(self.clone(), topic)
    }

    /// A member of a group that reads a topic. Dropped without [`close`](crate::core::ports::consumer::Consumer::close) it
    /// is a member that dies.
    pub fn consumer(&self, topic: &str, group: &str) -> MemoryConsumer {
        MemoryConsumer::new(self.clone(), topic, group)
    }

    /// A probe of a topic.
    pub fn probe(&self, topic: &str) -> MemoryProbe {
        MemoryProbe::new(self.clone(), topic)
    }

    fn state(&self) -> MutexGuard<'_, BrokerState> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A topic's name in errors.
fn describe(topic: &str) -> String {
    format!("{topic} in memory")
}

impl BrokerState {
    /// Fails while the broker is away.
    fn answer(&mut self, topic: &str) -> Result<(), BrokerError> {
        if self.away == 0 {
            return Ok(());
        }
        self.away -= 1;
        Err(BrokerError::Unreachable { topic: describe(topic), reason: "away".to_owned() })
    }

    /// How many partitions a topic has.
    fn partitions(&self, topic: &str) -> Result<usize, BrokerError> {
        self.topics.get(topic).map(Vec::len).ok_or_else(|| BrokerError::Refused {
            topic: describe(topic),
            reason: "there is no such topic; create the topic".to_owned(),
        })
    }

    /// The partition of a message: by its key, else each in turn.
    fn partition(&mut self, message: &Message, partitions: usize) -> i32 {
        let number = if let Some(key) = &message.key {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            usize::try_from(hasher.finish() % 1024).unwrap_or(0)
        } else {
            self.turn = self.turn.wrapping_add(1);
            self.turn
        };
        i32::try_from(number % partitions.max(1)).unwrap_or(0)
    }

    fn put(&mut self, topic: &str, partition: i32, message: &Message) -> Option<i64> {
        let log = self.topics.get_mut(topic)?.get_mut(usize::try_from(partition).ok()?)?;
        let offset = i64::try_from(log.len()).ok()?;
        log.push(Received {
            id: EventId { topic: topic.to_owned(), partition, offset },
            key: message.key.clone(),
            headers: message.headers.clone(),
            payload: message.payload.clone(),
            at: Some(message.timestamp.unwrap_or_else(Timestamp::now)),
        });
        Some(offset)
    }

    /// The messages of a partition from a place on, at most so many.
    fn from(&self, topic: &str, partition: i32, offset: i64, max: usize) -> &[Received] {
        let log = usize::try_from(partition).ok().and_then(|partition| self.topics.get(topic)?.get(partition));
        let log = log.map_or(&[][..], Vec::as_slice);
        let rest = log.get(usize::try_from(offset).unwrap_or(0)..).unwrap_or_default();
        &rest[..max.min(rest.len())]
    }
}

fn part(topic: &str, number: i32) -> Partition {
    Partition { topic: topic.to_owned(), number }
}
