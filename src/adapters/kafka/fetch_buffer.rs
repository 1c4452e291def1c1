//! The buffer between the consumer's thread and the async side: fetched messages, and the partitions assigned to this member.

use super::settings::{KafkaClientConfig, Told};
use crate::core::model::message::{Partition, Position, Received};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::Polled;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tracing::info;

/// Fewest messages in the buffer at which fetching pauses.
const FULL: usize = 64;

/// Most bytes of payload in the buffer before fetching pauses.
const FULL_BYTES: usize = 8 << 20;

/// The number of an assignment. A message that was delivered under an earlier assignment can no longer be committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AssignmentEpoch(u64);

/// The buffer, shared by the consumer's thread and the async side.
pub(super) struct FetchBuffer {
    state: Mutex<State>,
    /// Notified of each message, change and error.
    pub(super) news: Notify,
    /// Notified when messages were taken.
    taken: Condvar,
}

/// Positions to go on from, and who waits for it.
pub(super) struct Seek {
    pub(super) positions: Vec<Position>,
    pub(super) done: oneshot::Sender<Result<(), BrokerError>>,
}

enum Item {
    Message(Received, AssignmentEpoch),
    /// A change of the assignment; never [`Polled::Messages`].
    Change(Polled),
}

/// The buffer's content.
pub(super) struct State {
    queue: VecDeque<Item>,
    messages: usize,
    bytes: usize,
    full: usize,
    /// The latest error that was not delivered yet.
    error: Option<BrokerError>,
    ours: HashMap<i32, AssignmentEpoch>,
    epochs: u64,
    /// Whether partitions were assigned whose pause is not set yet.
    pub(super) fresh: bool,
    /// Partitions that the reader has paused.
    pub(super) paused: BTreeSet<i32>,
    /// Seeks that the thread has still to make.
    pub(super) seeks: Vec<Seek>,
    /// The client, while its thread runs.
    pub(super) client: Weak<BaseConsumer<Member>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            messages: 0,
            bytes: 0,
            full: FULL,
            error: None,
            ours: HashMap::new(),
            epochs: 0,
            fresh: false,
            paused: BTreeSet::new(),
            seeks: Vec::new(),
            client: Weak::new(),
        }
    }
}

impl State {
    /// A change, else messages, else the last error. Messages of paused partitions stay.
    fn take(&mut self, max: usize, epochs: &mut HashMap<i32, AssignmentEpoch>) -> Option<Result<Polled, BrokerError>> {
        let mut batch = Vec::new();
        let mut kept = VecDeque::new();
        while batch.len() < max {
            match self.queue.pop_front() {
                None => break,
                Some(Item::Change(change)) if batch.is_empty() => {
                    self.put_back(kept);
                    return Some(Ok(change));
                }
                Some(change @ Item::Change(_)) => {
                    self.queue.push_front(change);
                    break;
                }
                Some(Item::Message(message, epoch)) if self.paused.contains(&message.id.partition) => {
                    kept.push_back(Item::Message(message, epoch));
                }
                Some(Item::Message(message, epoch)) => {
                    self.messages -= 1;
                    self.bytes -= message.payload.len();
                    epochs.insert(message.id.partition, epoch);
                    batch.push(message);
                }
            }
        }
        self.put_back(kept);
        if batch.is_empty() { self.error.take().map(Err) } else { Some(Ok(Polled::Messages(batch))) }
    }

    fn put_back(&mut self, mut kept: VecDeque<Item>) {
        if !kept.is_empty() {
            kept.append(&mut self.queue);
            self.queue = kept;
        }
    }

    /// Whether fetching should pause. Messages of partitions that the reader has paused do not count.
    pub(super) fn is_full(&self) -> bool {
        let theirs =
            |item: &&Item| matches!(item, Item::Message(message, _) if self.paused.contains(&message.id.partition));
        let paused = if self.paused.is_empty() { 0 } else { self.queue.iter().filter(theirs).count() };
        self.messages - paused >= self.full || (paused == 0 && self.bytes >= FULL_BYTES)
    }

    /// Whether the buffer is empty enough for fetching to go on.
    pub(super) fn is_low(&self) -> bool {
        self.paused.is_empty() && self.messages <= self.full / 8 || !self.paused.is_empty() && !self.is_full()
    }

    /// Whether a partition still has the assignment under which a message was delivered.
    pub(super) fn is_ours(&self, partition: i32, epoch: AssignmentEpoch) -> bool {
        self.ours.get(&partition) == Some(&epoch)
    }

    /// Whether a partition is assigned to this member.
    pub(super) fn has(&self, partition: i32) -> bool {
        self.ours.contains_key(&partition)
    }

    fn assigned(&mut self, partitions: Vec<Partition>) {
        for partition in &partitions {
            self.epochs += 1;
            self.ours.insert(partition.number, AssignmentEpoch(self.epochs));
        }
        self.fresh = true;
        self.queue.push_back(Item::Change(Polled::Assigned(partitions)));
    }

    /// Drops what was fetched of these partitions. It comes again, to their new member.
    fn revoked(&mut self, partitions: Vec<Partition>) {
        for partition in &partitions {
            self.ours.remove(&partition.number);
            self.paused.remove(&partition.number);
            self.forget(partition.number);
        }
        self.queue.push_back(Item::Change(Polled::Revoked(partitions)));
    }

    /// Drops what was fetched of a partition and not taken.
    pub(super) fn forget(&mut self, partition: i32) {
        let (messages, bytes) = (&mut self.messages, &mut self.bytes);
        self.queue.retain(|item| match item {
            Item::Message(message, _) if message.id.partition == partition => {
                *messages -= 1;
                *bytes -= message.payload.len();
                false
            }
            _ => true,
        });
    }
}

impl FetchBuffer {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), news: Notify::new(), taken: Condvar::new() }
    }

    /// Takes at most `max` messages, or a change, or the latest error. Puts each partition's assignment into `epochs`.
    pub(super) fn take(
        &self,
        max: usize,
        epochs: &mut HashMap<i32, AssignmentEpoch>,
    ) -> Option<Result<Polled, BrokerError>> {
        let mut state = self.state();
        state.full = state.full.max(max.saturating_mul(2));
        let taken = state.take(max, epochs);
        self.taken.notify_one();
        taken
    }

    /// Waits until it is not full, but not longer than this.
    pub(super) fn room(&self, limit: Duration) -> MutexGuard<'_, State> {
        let waited = self.taken.wait_timeout_while(self.state(), limit, |state| state.is_full());
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message. Drops it if its partition is not assigned to this member.
    pub(super) fn put(&self, message: Received) {
        let mut state = self.state();
        let Some(epoch) = state.ours.get(&message.id.partition).copied() else { return };
        state.messages += 1;
        state.bytes += message.payload.len();
        state.queue.push_back(Item::Message(message, epoch));
        self.news.notify_one();
    }

    pub(super) fn fail(&self, error: BrokerError) {
        self.state().error = Some(error);
        self.news.notify_one();
    }

    /// Drops all messages and assignments, because the client is gone.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        let (error, full) = (state.error.take(), state.full);
        *state = State { error, full, epochs: state.epochs, ..State::default() };
        self.news.notify_one();
    }
}

/// The callbacks by which librdkafka reports assignments, errors and log lines.
pub(super) struct Member {
    pub(super) told: Told,
    pub(super) link: Arc<KafkaClientConfig>,
    pub(super) buffer: Arc<FetchBuffer>,
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.told.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.told.error(error, reason);
    }
}

impl ConsumerContext for Member {
    /// Runs in the consumer's thread, before the partitions change.
    fn pre_rebalance(&self, client: &BaseConsumer<Self>, change: &Rebalance<'_>) {
        let numbers = |list: &rdkafka::TopicPartitionList| -> Vec<i32> {
            list.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
        };
        let named = |numbers: Vec<i32>| {
            let topic = &self.link.spec.topic;
            numbers.into_iter().map(|number| Partition { topic: topic.clone(), number }).collect()
        };
        let topic = &self.link.spec.topic;
        match change {
            Rebalance::Assign(list) => {
                let partitions = numbers(list);
                info!(topic, ?partitions, "partitions came");
                self.buffer.state().assigned(named(partitions));
                self.buffer.news.notify_one();
            }
            Rebalance::Revoke(list) => {
                let partitions = numbers(list);
                info!(topic, ?partitions, "partitions went");
                // The client keeps a pause beyond that, and nobody would end it when the partition comes again.
                if let Err(error) = client.resume(list) {
                    self.buffer.fail(self.link.error(&error));
                }
                self.buffer.state().revoked(named(partitions));
                self.buffer.news.notify_one();
            }
            Rebalance::Error(error) => self.buffer.fail(self.link.error(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::message::EventId;

    fn message(partition: i32, offset: i64) -> Received {
        let id = EventId { topic: "t".to_owned(), partition, offset };
        Received { id, key: None, headers: Vec::new(), payload: b"123".to_vec(), at: None }
    }

    fn parts(numbers: &[i32]) -> Vec<Partition> {
        numbers.iter().map(|&number| Partition { topic: "t".to_owned(), number }).collect()
    }

    /// Takes everything from the buffer, in short words.
    fn taken(buffer: &FetchBuffer, epochs: &mut HashMap<i32, AssignmentEpoch>) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(polled) = buffer.take(2, epochs) {
            all.push(match polled {
                Ok(Polled::Messages(batch)) => batch
                    .iter()
                    .map(|message| format!("{}@{}", message.id.partition, message.id.offset))
                    .collect::<Vec<_>>()
                    .join(" "),
                Ok(Polled::Assigned(parts)) => format!("+{}", parts.len()),
                Ok(Polled::Revoked(parts)) => format!("-{}", parts.len()),
                Err(_) => "error".to_owned(),
            });
        }
        all
    }

    #[test]
    fn what_was_fetched_of_a_partition_goes_with_it() {
        let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
        buffer.put(message(0, 1));
        assert_eq!(taken(&buffer, &mut epochs), [""; 0], "not ours");
        buffer.state().assigned(parts(&[0, 1]));
        for (partition, offset) in [(0, 1), (1, 7), (0, 2)] {
            buffer.put(message(partition, offset));
        }
        buffer.state().revoked(parts(&[0]));
        assert_eq!(taken(&buffer, &mut epochs), ["+2", "1@7", "-1"]);
        assert!(buffer.state().is_ours(1, epochs[&1]));
        buffer.state().revoked(parts(&[1]));
        buffer.state().assigned(parts(&[1]));
        assert!(!buffer.state().is_ours(1, epochs[&1]), "it came back, and its messages come again");
        let state = buffer.state();
        assert_eq!((state.messages, state.bytes), (0, 0));
    }

    #[test]
    fn messages_are_taken_before_an_error_and_at_most_so_many() {
        let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
        buffer.state().assigned(parts(&[0]));
        buffer.fail(BrokerError::Unreachable { topic: "t".to_owned(), reason: "gone".to_owned() });
        for offset in 1..=3 {
            buffer.put(message(0, offset));
        }
        assert_eq!(taken(&buffer, &mut epochs), ["+1", "0@1 0@2", "0@3", "error"]);
    }

    #[test]
    fn a_paused_partition_waits_and_takes_no_room() {
        let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
        buffer.state().assigned(parts(&[0, 1]));
        for offset in 0..100 {
            buffer.put(message(0, offset));
        }
        assert!(buffer.state().is_full());
        buffer.state().paused.insert(0);
        assert!(!buffer.state().is_full());
        buffer.put(message(1, 7));
        assert_eq!(taken(&buffer, &mut epochs), ["+2", "1@7"]);
        buffer.state().paused.clear();
        assert_eq!(taken(&buffer, &mut epochs).first().map(String::as_str), Some("0@0 0@1"), "in order");
    }
}
