//! Whether a topic is there.

use super::{MemoryBroker, describe};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::probe::{TopicProbe, TopicUse};
use async_trait::async_trait;

/// Asks for a topic. Whoever reaches it may use it.
pub struct MemoryProbe {
    broker: MemoryBroker,
    topic: String,
}

impl MemoryProbe {
    pub(super) fn new(broker: MemoryBroker, topic: &str) -> Self {
        Self { broker, topic: topic.to_owned() }
    }
}

#[async_trait]
impl TopicProbe for MemoryProbe {
    fn describe(&self) -> String {
        describe(&self.topic)
    }

    async fn check(&self) -> Result<usize, BrokerError> {
        let mut state = self.broker.state();
        state.answer(&self.topic)?;
        state.partitions(&self.topic)
    }

    async fn may(&self, _: TopicUse) -> Result<(), BrokerError> {
        self.check().await.map(drop)
    }
}
