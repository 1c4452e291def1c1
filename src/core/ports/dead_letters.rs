//! Dead letters: events that could not be used, kept with their reason so that nothing is lost.

use super::store::StoreError;
use crate::core::model::message::EventId;
use crate::core::model::names::WorkerId;
use async_trait::async_trait;
use jiff::Timestamp;

/// An event that asked for no run: kept when it is passed over, so that nothing is lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// Where it stands; keeps it once however often it is delivered.
    pub id: EventId,
    /// Whose trigger heard it.
    pub worker: WorkerId,
    /// When it was passed over.
    pub at: Timestamp,
    /// What is wrong with it.
    pub reason: String,
    /// Its bytes, as UTF-8 as far as they are.
    pub payload: String,
}

/// The dead letters of a state store.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps an event; durable when this answers. One place in the log is kept once per worker: a repeat changes nothing.
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError>;

    /// The latest dead letters, newest first: of one worker, or of all.
    async fn dead_letters(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;
}
