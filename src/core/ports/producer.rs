//! Sending messages.

use super::broker::BrokerError;
use crate::core::model::message::{EventId, Message};
use async_trait::async_trait;

/// A topic that takes messages.
#[async_trait]
pub trait Producer: Send + Sync {
    /// Sends a message, and waits until all in-sync replicas have it. An unknown outcome is an error; the message may still
    /// arrive. Whoever sends it again sends the same bytes. Returns where it stands.
    async fn send(&self, message: &Message) -> Result<EventId, BrokerError> {
        let mut answers = self.send_all(std::slice::from_ref(message)).await;
        let none = || BrokerError::Unreachable { topic: String::new(), reason: "no answer".to_owned() };
        answers.pop().unwrap_or_else(|| Err(none()))
    }

    /// Sends many messages without waiting for each. Returns an answer for each, in their order, as [`send`](Self::send) does.
    /// Messages of one key arrive in their order. One may fail although the next one arrives.
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<EventId, BrokerError>>;
}
