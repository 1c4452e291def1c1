//! The buffer between the consumer's thread and the async side: fetched messages, and the partitions assigned to this member.

use super::settings::{KafkaClientConfig, Told};
use crate::core::model::message::{Partition, Received, TopicPosition};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::{BATCH_BYTES, Polled};
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

/// Fetching goes on when this share of either limit is left.
const LOW: usize = 8;

/// The number of an assignment. A message that was delivered under an earlier assignment can no longer be committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AssignmentEpoch(u64);

/// The number of a client's membership in the group. A client that is on its way out may still report changes and messages; they
/// are no longer this buffer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Membership(u64);

/// The buffer, shared by the consumer's thread and the async side.
pub(super) struct FetchBuffer {
    state: Mutex<BufferState>,
    /// Notified of each message, change and error.
    pub(super) news: Notify,
    /// Notified when messages were taken.
    taken: Condvar,
}

/// Positions to go on from, and who waits for it.
pub(super) struct Seek {
    pub(super) positions: Vec<TopicPosition>,
    pub(super) done: oneshot::Sender<Result<(), BrokerError>>,
}

enum Item {
    Message(Received, AssignmentEpoch),
    /// A change of the assignment; never [`Polled::Messages`].
    Change(Polled),
}

/// The buffer's content.
pub(super) struct BufferState {
    queue: VecDeque<Item>,
    messages: usize,
    bytes: usize,
    full: usize,
    /// The latest error that was not delivered yet.
    error: Option<BrokerError>,
    ours: HashMap<i32, AssignmentEpoch>,
    epochs: u64,
    /// The client whose messages these are. Earlier ones change nothing.
    membership: u64,
    /// Whether partitions were assigned whose pause is not set yet.
    pub(super) fresh: bool,
    /// Partitions that the reader has paused.
    pub(super) paused: BTreeSet<i32>,
    /// Seeks that the thread has still to make.
    pub(super) seeks: Vec<Seek>,
    /// The client, while its thread runs.
    pub(super) client: Weak<BaseConsumer<Member>>,
}

impl Default for BufferState {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            messages: 0,
            bytes: 0,
            full: FULL,
            error: None,
            ours: HashMap::new(),
            epochs: 0,
            membership: 0,
            fresh: false,
            paused: BTreeSet::new(),
            seeks: Vec::new(),
            client: Weak::new(),
        }
    }
}

impl BufferState {
    /// A change, else messages, else the last error. Messages of paused partitions stay.
    fn take(&mut self, max: usize, epochs: &mut HashMap<i32, AssignmentEpoch>) -> Option<Result<Polled, BrokerError>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut kept = VecDeque::new();
        while batch.len() < max && bytes < BATCH_BYTES {
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
                    bytes += message.payload.len();
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

    /// Messages that the reader may take, and their bytes. Those of partitions that it has paused do not count: they wait however
    /// much is fetched of others, and nothing more comes to them.
    fn open(&self) -> (usize, usize) {
        if self.paused.is_empty() {
            return (self.messages, self.bytes);
        }
        let open = self.queue.iter().filter_map(|item| match item {
            Item::Message(message, _) if !self.paused.contains(&message.id.partition) => Some(message.payload.len()),
            _ => None,
        });
        open.fold((0, 0), |(messages, bytes), length| (messages + 1, bytes + length))
    }

    /// Whether fetching should pause.
    pub(super) fn is_full(&self) -> bool {
        let (messages, bytes) = self.open();
        messages >= self.full || bytes >= FULL_BYTES
    }

    /// Whether the buffer is empty enough for fetching to go on. It is never full then.
    pub(super) fn is_low(&self) -> bool {
        let (messages, bytes) = self.open();
        messages <= self.full / LOW && bytes <= FULL_BYTES / LOW
    }

    /// Whether a partition still has the assignment under which a message was delivered.
    pub(super) fn is_ours(&self, partition: i32, epoch: AssignmentEpoch) -> bool {
        self.ours.get(&partition) == Some(&epoch)
    }

    /// Whether a partition is assigned to this member.
    pub(super) fn has(&self, partition: i32) -> bool {
        self.ours.contains_key(&partition)
    }

    /// Whether any partition is.
    pub(super) fn has_any(&self) -> bool {
        !self.ours.is_empty()
    }

    pub(super) fn assigned(&mut self, partitions: Vec<Partition>) {
        for partition in &partitions {
            self.epochs += 1;
            self.ours.insert(partition.number, AssignmentEpoch(self.epochs));
        }
        self.fresh = true;
        self.queue.push_back(Item::Change(Polled::Assigned(partitions)));
    }

    /// Drops what was fetched of these partitions. It comes again, to their new member.
    pub(super) fn revoked(&mut self, partitions: Vec<Partition>) {
        for partition in &partitions {
            self.ours.remove(&partition.number);
            self.paused.remove(&partition.number);
            self.forget(partition.number);
        }
        self.queue.push_back(Item::Change(Polled::Revoked(partitions)));
    }

    /// Nothing of a client, with what outlasts it: an error that nobody has heard, and the numbers.
    fn emptied(&mut self) -> Self {
        let (error, full) = (self.error.take(), self.full);
        Self { error, full, epochs: self.epochs, membership: self.membership, ..Self::default() }
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
    pub(super) fn room(&self, limit: Duration) -> MutexGuard<'_, BufferState> {
        let waited = self.taken.wait_timeout_while(self.state(), limit, |state| state.is_full());
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn state(&self) -> MutexGuard<'_, BufferState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new client fetches from now on. Drops the messages and assignments of the one before, and what it still says.
    pub(super) fn join(&self) -> Membership {
        let mut state = self.state();
        *state = BufferState { membership: state.membership + 1, ..state.emptied() };
        Membership(state.membership)
    }

    /// The state, for a client that is still the present one.
    pub(super) fn of(&self, member: Membership) -> Option<MutexGuard<'_, BufferState>> {
        Some(self.state()).filter(|state| state.membership == member.0)
    }

    /// Adds a message. Drops it if its partition is not assigned to this member.
    pub(super) fn put(&self, member: Membership, message: Received) {
        let Some(mut state) = self.of(member) else { return };
        let Some(epoch) = state.ours.get(&message.id.partition).copied() else { return };
        state.messages += 1;
        state.bytes += message.payload.len();
        state.queue.push_back(Item::Message(message, epoch));
        self.news.notify_one();
    }

    pub(super) fn fail(&self, member: Membership, error: BrokerError) {
        let Some(mut state) = self.of(member) else { return };
        state.error = Some(error);
        self.news.notify_one();
    }

    /// Drops all messages and assignments, because the client is gone.
    pub(super) fn clear(&self, member: Membership) {
        let Some(mut state) = self.of(member) else { return };
        *state = state.emptied();
        self.news.notify_one();
    }
}

/// The callbacks by which librdkafka reports assignments, errors and log lines.
pub(super) struct Member {
    pub(super) told: Told,
    pub(super) link: Arc<KafkaClientConfig>,
    pub(super) buffer: Arc<FetchBuffer>,
    /// Which client of the buffer it is.
    pub(super) membership: Membership,
}

impl Member {
    fn fail(&self, error: &KafkaError) {
        self.buffer.fail(self.membership, self.link.error(error));
    }

    /// Changes what is assigned, unless another client has taken this one's place.
    fn change(&self, change: impl FnOnce(&mut BufferState)) {
        if let Some(mut state) = self.buffer.of(self.membership) {
            change(&mut state);
            self.buffer.news.notify_one();
        }
    }
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
                self.change(|state| state.assigned(named(partitions)));
            }
            Rebalance::Revoke(list) => {
                let partitions = numbers(list);
                info!(topic, ?partitions, "partitions went");
                // The client keeps a pause beyond that, and nobody would end it when the partition comes again.
                if let Err(error) = client.resume(list) {
                    self.fail(&error);
                }
                self.change(|state| state.revoked(named(partitions)));
            }
            Rebalance::Error(error) => self.fail(error),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
