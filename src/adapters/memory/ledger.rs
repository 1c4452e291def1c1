//! The ledger of discovered files in memory.

use super::state::MemoryState;
use crate::core::model::data_source::DataSourceId;
use crate::core::ports::ledger::{Home, Ledger, ToldFile};
use crate::core::ports::outbox::OutboxEntry;
use crate::core::ports::store::StoreError;
use async_trait::async_trait;

#[async_trait]
impl Ledger for MemoryState {
    async fn tell(&self, file: &ToldFile, event: Option<&OutboxEntry>) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if let Some(told) = tables.told.get_mut(&file.id) {
            told.stamp.clone_from(&file.stamp);
            return Ok(false);
        }
        tables.told.insert(file.id.clone(), file.clone());
        if let Some(event) = event {
            tables.record(event);
        }
        Ok(true)
    }

    async fn is_told(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.tables().told.contains_key(id))
    }

    async fn home(&self, source: &DataSourceId, folder: &Home) -> Result<Home, StoreError> {
        Ok(self.tables().homes.entry(source.clone()).or_insert_with(|| folder.clone()).clone())
    }

    async fn told(&self, source: &DataSourceId, first: &str, last: &str) -> Result<Vec<(String, String)>, StoreError> {
        let tables = self.tables();
        let wanted = |file: &&ToldFile| file.source == *source && (first..=last).contains(&file.path.as_str());
        Ok(tables.told.values().filter(wanted).map(|file| (file.path.clone(), file.stamp.clone())).collect())
    }
}
