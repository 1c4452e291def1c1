//! The outbox: messages that are recorded with their effect and sent behind it.

use super::store::{Found, StoreError};
use crate::core::model::names::LeaseKey;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;

/// The unique id of an outbox entry. It is made of what the entry is about, so it is the same at every try.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OutboxId(String);

impl OutboxId {
    /// Takes any text; the flow that records the entry makes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OutboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message that waits to be sent. Its bytes are the same at every try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxEntry {
    /// Which entry.
    pub id: OutboxId,
    /// The message's key.
    pub key: String,
    /// The message's bytes.
    pub payload: Vec<u8>,
}

/// The outbox of a state store. A flow records an entry through a port of its own, in the write that records the effect. This
/// port knows what to send, and not what it is about.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The entries that no broker has acknowledged, oldest first.
    async fn pending(&self, owner: &LeaseKey) -> Result<Found<OutboxEntry>, StoreError>;

    /// Records a broker's acknowledgement. It is durable when this answers. The first acknowledgement stays. An id that is not
    /// in the outbox changes nothing.
    async fn mark_sent(&self, id: &OutboxId, at: Timestamp) -> Result<(), StoreError>;
}
