//! How far workers' own clocks have come, in memory.

use super::state::MemoryState;
use crate::core::model::names::WorkerId;
use crate::core::ports::store::StoreError;
use crate::core::ports::worker_clocks::{ClockMark, WorkerClocks};
use async_trait::async_trait;

#[async_trait]
impl WorkerClocks for MemoryState {
    async fn clock_mark(&self, worker: &WorkerId) -> Result<Option<ClockMark>, StoreError> {
        Ok(self.tables().clocks.get(worker).cloned())
    }

    async fn keep_clock_mark(&self, worker: &WorkerId, mark: &ClockMark) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let kept = tables.clocks.entry(worker.clone()).or_insert_with(|| mark.clone());
        if kept.set_as != mark.set_as || kept.decided_until < mark.decided_until {
            kept.clone_from(mark);
        }
        Ok(())
    }
}
