//! How far workers' own clocks have come: what passed while nobody ran is known by it.

use super::store::StoreError;
use crate::core::model::names::WorkerId;
use async_trait::async_trait;
use jiff::Timestamp;

/// How far a worker's own clock has decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockMark {
    /// How the clock was set: a mark of another setting says nothing of this one's due times.
    pub set_as: String,
    /// All its due times up to here are decided.
    pub decided_until: Timestamp,
}

/// The marks of a state store, one a worker. A write is durable when it answers.
#[async_trait]
pub trait WorkerClocks: Send + Sync {
    /// A worker's mark. `None` where its clock never began.
    async fn clock_mark(&self, worker: &WorkerId) -> Result<Option<ClockMark>, StoreError>;

    /// Keeps a mark in place of the one before, unless that is of the same setting and further on: whoever is late takes nothing back.
    async fn keep_clock_mark(&self, worker: &WorkerId, mark: &ClockMark) -> Result<(), StoreError>;
}
