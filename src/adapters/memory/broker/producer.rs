//! A writer to a topic.

use super::MemoryBroker;
use crate::core::model::message::{EventId, Message};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::producer::Producer;
use async_trait::async_trait;

/// A topic that takes messages.
pub struct MemoryProducer {
    broker: MemoryBroker,
    topic: String,
}

impl MemoryProducer {
    pub(super) fn new(broker: MemoryBroker, topic: &str) -> Self {
        Self { broker, topic: topic.to_owned() }
    }

    fn put(&self, message: &Message) -> Result<EventId, BrokerError> {
        let topic = message.topic.as_deref().unwrap_or(&self.topic);
        let mut state = self.broker.state();
        state.answer(topic)?;
        let partitions = state.partitions(topic)?;
        let partition = state.partition(message, partitions);
        let offset = state.put(topic, partition, message).unwrap_or_default();
        Ok(EventId { topic: topic.to_owned(), partition, offset })
    }
}

#[async_trait]
impl Producer for MemoryProducer {
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<EventId, BrokerError>> {
        let answers = messages.iter().map(|message| self.put(message)).collect();
        self.broker.shared.news.notify_waiters();
        answers
    }
}
