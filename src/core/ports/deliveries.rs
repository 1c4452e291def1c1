//! What of published runs is to be handed over, and how far that is.

use super::outbox::{OutboxEntry, OutboxId};
use super::store::{Found, StoreError};
use crate::core::model::delivery::{Delivery, OUTBOX};
use crate::core::model::names::WorkerId;
use crate::core::model::run::{BusinessDate, RunId};
use async_trait::async_trait;

/// The store of deliveries. A write is durable when it answers. The same store's [`Outbox`](super::outbox::Outbox) sends the events
/// that are recorded here, behind the completion events.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Records what is due. What is recorded already stays as it is.
    async fn add_due(&self, due: &[Delivery]) -> Result<(), StoreError>;

    /// The dates of a worker of which something is not done, the oldest first.
    async fn undone(&self, worker: &WorkerId) -> Result<Found<BusinessDate>, StoreError>;

    /// All of a run, the earliest version first, each in its order.
    async fn of_run(&self, run: &RunId) -> Result<Found<Delivery>, StoreError>;

    /// Replaces a record, and counts its revision on. `false`, and nothing is changed, when the record has another revision by now.
    /// A broker's acknowledgement stays.
    async fn advance(&self, delivery: &Delivery) -> Result<bool, StoreError>;
}

impl Delivery {
    /// The event of its arrival as the outbox sends it. `None` before there is one.
    pub fn outbox_entry(&self) -> Option<OutboxEntry> {
        let event = self.event.as_ref()?;
        let id = OutboxId::new(format!("{OUTBOX}/{}", self.id()));
        Some(OutboxEntry { id, key: event.file_id.clone(), payload: event.payload() })
    }
}
