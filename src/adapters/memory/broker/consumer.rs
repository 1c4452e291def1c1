//! A member of a group.

use super::group::Member;
use super::{BrokerState, MemoryBroker, describe};
use crate::core::model::message::{Partition, TopicPosition};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::{Consumer, Polled, Watermarks};
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A topic, read by one member of a group.
pub struct MemoryConsumer {
    broker: MemoryBroker,
    topic: String,
    group: String,
    /// Since it has joined.
    number: Option<u64>,
}

impl MemoryConsumer {
    pub(super) fn new(broker: MemoryBroker, topic: &str, group: &str) -> Self {
        Self { broker, topic: topic.to_owned(), group: group.to_owned(), number: None }
    }

    fn key(&self) -> (String, String) {
        (self.group.clone(), self.topic.clone())
    }

    /// What there is now. `None` when there is nothing.
    fn look(&mut self, max: usize) -> Result<Option<Polled>, BrokerError> {
        let broker = self.broker.clone();
        let state = &mut *broker.state();
        state.answer(&self.topic)?;
        let partitions = state.partitions(&self.topic)?;
        let number = *self.number.get_or_insert_with(|| {
            state.members += 1;
            state.groups.entry((self.group.clone(), self.topic.clone())).or_default().join(
                state.members,
                &self.topic,
                partitions,
            );
            broker.shared.news.notify_waiters();
            state.members
        });
        let mut group = state.groups.remove(&self.key()).unwrap_or_default();
        let polled = group.member(number).and_then(|member| member.take(state, &self.topic, max));
        state.groups.insert(self.key(), group);
        Ok(polled)
    }

    /// Changes what the broker knows of this member; nothing before it has joined.
    fn change(&mut self, change: impl FnOnce(&mut Member)) -> Result<(), BrokerError> {
        let (key, mut state) = (self.key(), self.broker.state());
        state.answer(&self.topic)?;
        if let (Some(number), Some(group)) = (self.number, state.groups.get_mut(&key))
            && let Some(member) = group.member(number)
        {
            change(member);
        }
        drop(state);
        self.broker.shared.news.notify_waiters();
        Ok(())
    }

    fn leave(&mut self) {
        let Some(number) = self.number.take() else { return };
        let (key, mut state) = (self.key(), self.broker.state());
        let partitions = state.partitions(&self.topic).unwrap_or(0);
        if let Some(group) = state.groups.get_mut(&key) {
            group.leave(number, &self.topic, partitions);
        }
        drop(state);
        self.broker.shared.news.notify_waiters();
    }
}

impl Member {
    fn take(&mut self, state: &BrokerState, topic: &str, max: usize) -> Option<Polled> {
        if let Some(change) = self.changes.pop_front() {
            return Some(change);
        }
        let mut batch = Vec::new();
        for (number, position) in self.positions.iter_mut().filter(|(number, _)| !self.paused.contains(number)) {
            let messages = state.from(topic, *number, *position, max - batch.len());
            if let Some(last) = messages.last() {
                *position = last.id.offset + 1;
                self.handed.insert(*number);
                batch.extend_from_slice(messages);
            }
        }
        (!batch.is_empty()).then_some(Polled::Messages(batch))
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Polled, BrokerError> {
        let (broker, until) = (self.broker.clone(), Instant::now() + wait);
        loop {
            let news = broker.shared.news.notified();
            tokio::pin!(news);
            // Before the look, so that nothing is missed in between.
            news.as_mut().enable();
            if let Some(polled) = self.look(max)? {
                return Ok(polled);
            }
            if timeout_at(until, news).await.is_err() {
                return Ok(Polled::Messages(Vec::new()));
            }
        }
    }

    async fn commit(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError> {
        let (key, mut state) = (self.key(), self.broker.state());
        state.answer(&self.topic)?;
        let (Some(number), Some(group)) = (self.number, state.groups.get_mut(&key)) else { return Ok(()) };
        for TopicPosition { partition, offset } in positions {
            if group.member(number).is_some_and(|member| member.handed.contains(&partition.number)) {
                group.committed.insert(partition.number, *offset);
            }
        }
        Ok(())
    }

    async fn seek(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError> {
        self.change(|member| {
            for TopicPosition { partition, offset } in positions {
                if let Some(position) = member.positions.get_mut(&partition.number) {
                    *position = *offset;
                }
            }
        })
    }

    async fn pause(&mut self, partitions: &[Partition]) -> Result<(), BrokerError> {
        self.change(|member| {
            let ours = partitions.iter().map(|part| part.number).filter(|number| member.positions.contains_key(number));
            member.paused.extend(ours);
        })
    }

    async fn resume(&mut self, partitions: &[Partition]) -> Result<(), BrokerError> {
        self.change(|member| member.paused.retain(|number| partitions.iter().all(|part| part.number != *number)))
    }

    async fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks, BrokerError> {
        let mut state = self.broker.state();
        state.answer(&self.topic)?;
        let number = usize::try_from(partition.number).ok();
        let log = state.topics.get(&partition.topic).and_then(|logs| logs.get(number?));
        let next = log.and_then(|log| i64::try_from(log.len()).ok()).ok_or_else(|| BrokerError::Refused {
            topic: describe(&partition.topic),
            reason: format!("there is no partition {}", partition.number),
        })?;
        Ok(Watermarks { first: 0, next })
    }

    async fn close(&mut self) {
        self.leave();
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.leave();
    }
}
