//! What is to be handed over, in memory.

use super::state::{MemoryState, Tables};
use crate::core::model::delivery::{Delivery, OUTBOX};
use crate::core::model::names::{LeaseKey, WorkerId};
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::ports::deliveries::Deliveries;
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeSet;

#[async_trait]
impl Deliveries for MemoryState {
    async fn add_due(&self, due: &[Delivery]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for delivery in due {
            tables.deliveries.entry(delivery.id()).or_insert_with(|| delivery.clone());
        }
        Ok(())
    }

    async fn undone(&self, worker: &WorkerId) -> Result<Found<BusinessDate>, StoreError> {
        let tables = self.tables();
        let undone = tables.deliveries.values().filter(|delivery| delivery.run.worker == *worker && !delivery.done);
        let dates: BTreeSet<BusinessDate> = undone.map(|delivery| delivery.run.date).collect();
        Ok(Found { records: dates.into_iter().collect(), odd: Vec::new() })
    }

    async fn of_run(&self, run: &RunId) -> Result<Found<Delivery>, StoreError> {
        let tables = self.tables();
        let mut records: Vec<_> = tables.deliveries.values().filter(|delivery| delivery.run == *run).cloned().collect();
        records.sort_by_key(|delivery| (delivery.version, delivery.position));
        Ok(Found { records, odd: Vec::new() })
    }

    async fn advance(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(there) = tables.deliveries.get_mut(&delivery.id()) else { return Ok(false) };
        if there.revision != delivery.revision {
            return Ok(false);
        }
        let sent_at = there.sent_at;
        *there = Delivery { revision: delivery.revision + 1, sent_at, ..delivery.clone() };
        Ok(true)
    }
}

impl Tables {
    /// The events of arrivals that wait, oldest first.
    pub(super) fn arrived(&self, owner: &LeaseKey) -> Vec<OutboxEntry> {
        let waits = |delivery: &&Delivery| delivery.run.worker.as_str() == owner.as_str() && delivery.sent_at.is_none();
        let mut waiting: Vec<_> = self.deliveries.values().filter(waits).collect();
        waiting.sort_by_key(|delivery| delivery.delivered_at);
        waiting.into_iter().filter_map(Delivery::outbox_entry).collect()
    }

    /// Records that an arrival's event was sent.
    pub(super) fn mark_arrival_sent(&mut self, id: &OutboxId, at: Timestamp) {
        if let Some((OUTBOX, delivery)) = id.as_str().split_once('/')
            && let Some(delivery) = self.deliveries.get_mut(delivery).filter(|delivery| delivery.event.is_some())
        {
            delivery.sent_at.get_or_insert(at);
        }
    }
}
