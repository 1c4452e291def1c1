//! What the consumer's thread has fetched and nobody has taken yet, and which partitions are ours.

use super::settings::{KafkaClientConfig, Told};
use crate::core::ports::events::{BrokerError, Delivery};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tracing::info;

/// How often a partition came to us: what was delivered under an earlier number is no longer ours to mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AssignmentEpoch(u64);

/// Between the consumer's thread and the async side.
pub(super) struct FetchBuffer {
    state: Mutex<State>,
    /// Told of each event and error.
    pub(super) news: Notify,
    /// Told of each event that was taken.
    taken: Condvar,
}

/// What is in it.
#[derive(Default)]
pub(super) struct State {
    queue: VecDeque<(Delivery, AssignmentEpoch)>,
    /// The last one that nobody has heard.
    error: Option<BrokerError>,
    ours: HashMap<i32, AssignmentEpoch>,
    tenures: u64,
    /// Partitions have come that know of no pause.
    pub(super) fresh: bool,
    /// The client, while its thread keeps it.
    pub(super) client: Weak<BaseConsumer<Member>>,
}

impl State {
    fn take(&mut self) -> Option<Result<(Delivery, AssignmentEpoch), BrokerError>> {
        self.queue.pop_front().map(Ok).or_else(|| self.error.take().map(Err))
    }

    /// Events that nobody has taken.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether a partition is ours, and still under the number that an event was delivered under.
    pub(super) fn is_ours(&self, partition: i32, tenure: AssignmentEpoch) -> bool {
        self.ours.get(&partition) == Some(&tenure)
    }

    fn assigned(&mut self, partitions: impl Iterator<Item = i32>) {
        for partition in partitions {
            self.tenures += 1;
            self.ours.insert(partition, AssignmentEpoch(self.tenures));
        }
        self.fresh = true;
    }

    /// What was fetched of them comes again, to whoever has them now.
    fn revoked(&mut self, partitions: impl Iterator<Item = i32>) {
        for partition in partitions {
            self.ours.remove(&partition);
            self.queue.retain(|(delivery, _)| delivery.id.partition != partition);
        }
    }
}

impl FetchBuffer {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), news: Notify::new(), taken: Condvar::new() }
    }

    /// Takes the first event, else the last error.
    pub(super) fn take(&self) -> Option<Result<(Delivery, AssignmentEpoch), BrokerError>> {
        let taken = self.state().take();
        self.taken.notify_one();
        taken
    }

    /// Waits until fewer events are in it than these, but not longer than this.
    pub(super) fn room(&self, most: usize, limit: Duration) -> MutexGuard<'_, State> {
        let waited = self.taken.wait_timeout_while(self.state(), limit, |state| state.waiting() >= most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in. One of a partition that is not ours is not ours to take.
    pub(super) fn put(&self, delivery: Delivery) {
        let mut state = self.state();
        let Some(tenure) = state.ours.get(&delivery.id.partition).copied() else { return };
        state.queue.push_back((delivery, tenure));
        self.news.notify_one();
    }

    pub(super) fn fail(&self, error: BrokerError) {
        self.state().error = Some(error);
        self.news.notify_one();
    }

    /// Nothing is ours any more: the client is gone.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.queue.clear();
        state.ours.clear();
        state.client = Weak::new();
        self.news.notify_one();
    }
}

/// A member of the group, as librdkafka tells it about its partitions.
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
        let topic = &self.link.spec.topic;
        match change {
            Rebalance::Assign(list) => {
                let partitions = numbers(list);
                info!(topic, ?partitions, "partitions came");
                self.buffer.state().assigned(partitions.into_iter());
            }
            Rebalance::Revoke(list) => {
                let partitions = numbers(list);
                info!(topic, ?partitions, "partitions went");
                // The client keeps a pause beyond that, and nobody would end it when the partition comes again.
                if let Err(error) = client.resume(list) {
                    self.buffer.fail(self.link.error(&error));
                }
                self.buffer.state().revoked(partitions.into_iter());
            }
            Rebalance::Error(error) => self.buffer.fail(self.link.error(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ports::events::EventId;

    fn event(partition: i32, offset: i64) -> Delivery {
        Delivery { id: EventId { topic: "t".to_owned(), partition, offset }, payload: Vec::new(), at: None }
    }

    #[test]
    fn what_was_fetched_of_a_partition_goes_with_it() {
        let buffer = FetchBuffer::new();
        buffer.put(event(0, 1));
        assert_eq!(buffer.take(), None, "not ours");
        buffer.state().assigned([0, 1].into_iter());
        for (partition, offset) in [(0, 1), (1, 7), (0, 2)] {
            buffer.put(event(partition, offset));
        }
        buffer.state().revoked([0].into_iter());
        let (delivery, tenure) = buffer.take().unwrap().unwrap();
        assert_eq!(delivery, event(1, 7));
        assert_eq!(buffer.take(), None);
        assert!(buffer.state().is_ours(1, tenure));
        buffer.state().revoked([1].into_iter());
        buffer.state().assigned([1].into_iter());
        assert!(!buffer.state().is_ours(1, tenure), "it came back, and its events come again");
    }

    #[test]
    fn events_are_taken_before_an_error() {
        let buffer = FetchBuffer::new();
        buffer.state().assigned([0].into_iter());
        let error = BrokerError::Unreachable { topic: "t".to_owned(), reason: "gone".to_owned() };
        buffer.fail(error.clone());
        buffer.put(event(0, 1));
        assert_eq!(buffer.take().unwrap().unwrap().0, event(0, 1));
        assert_eq!(buffer.take(), Some(Err(error)));
    }
}
