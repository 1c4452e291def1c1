//! Whether a topic can be used. Nothing is read from it or sent to it.

use super::broker::BrokerError;
use async_trait::async_trait;

/// Asks whether a topic can be reached and is there; for health and `doctor`.
#[async_trait]
pub trait TopicProbe: Send + Sync {
    /// Topic and brokers, without secrets: `loan-data at localhost:9092`.
    fn describe(&self) -> String;

    /// How many partitions the topic has. Answers or fails within its own timeout.
    async fn check(&self) -> Result<usize, BrokerError>;

    /// Whether the broker allows this user the use, as far as it tells without a message read or sent.
    async fn may(&self, wanted: TopicUse) -> Result<(), BrokerError>;
}

/// What a topic is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TopicUse {
    /// Its events are taken, as a member of the group.
    Read,
    /// Events are sent to it.
    Write,
}
