//! Dead letters: events that could not be used, kept with their reason so that nothing is lost.

use super::store::{Found, StoreError};
use crate::core::model::message::EventId;
use crate::core::model::names::LeaseKey;
use crate::core::model::payload::Payload;
use async_trait::async_trait;
use jiff::Timestamp;

/// An event that could not be used. It is kept, so that nothing is lost, and the trigger goes on behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// Its place in the log. An event is kept once, however often it is delivered.
    pub id: EventId,
    /// Who read it: the part that the reader works for.
    pub owner: LeaseKey,
    /// When it was kept.
    pub at: Timestamp,
    /// What is wrong with it.
    pub reason: String,
    /// What is kept of its bytes. `None` in a list: payloads may hold data that not everybody may see.
    pub payload: Option<Payload>,
}

/// The dead letters of a state store.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps an event. It is durable when this answers. Each owner keeps one place in the log once: a repeat changes nothing.
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError>;

    /// One dead letter, with what is kept of its payload.
    async fn dead_letter(&self, owner: &LeaseKey, id: &EventId) -> Result<Option<DeadLetter>, StoreError>;

    /// Drops an owner's dead letters from before a moment, and all but the newest `most`. Returns how many.
    async fn drop_dead_letters(&self, owner: &LeaseKey, before: Timestamp, most: usize) -> Result<u64, StoreError>;

    /// The latest dead letters, newest first, without their payloads: of one owner, or of all. One that cannot be read hides no other.
    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Result<Found<DeadLetter>, StoreError>;
}
