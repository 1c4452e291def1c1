//! Messages out.

use super::broker::BrokerError;
use crate::core::model::message::Message;
use async_trait::async_trait;

/// A topic that takes messages.
#[async_trait]
pub trait Producer: Send + Sync {
    /// Sends a message and waits until the broker has it on all replicas in step. An unknown outcome is an error, and the
    /// message may still arrive: whoever sends it again sends the same bytes.
    async fn send(&self, message: &Message) -> Result<(), BrokerError> {
        let mut answers = self.send_all(std::slice::from_ref(message)).await;
        answers.pop().unwrap_or(Ok(()))
    }

    /// Sends many at once, without waiting for one before the next is on its way: an answer for each, in their order, as
    /// [`send`](Self::send) gives it. Those of one key that arrive stand in their order, but one may fail and the one
    /// behind it arrive.
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<(), BrokerError>>;
}
