//! Data sources for whoever makes their schedules.

use super::sync::Feed;
use crate::core::model::data_source::DataSource;
use crate::core::ports::data_sources::{DataSources, Wanted};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;

/// Data sources that are taken at once.
const AT_ONCE: u32 = 1000;

/// The data sources of a store.
pub struct StoreFeed(pub Arc<dyn DataSources>);

#[async_trait]
impl Feed for StoreFeed {
    async fn sources(&self) -> Result<Vec<DataSource>, StoreError> {
        let mut all = Vec::new();
        loop {
            let wanted = Wanted { skip: all.len() as u64, most: AT_ONCE, ..Wanted::default() };
            let more = self.0.data_sources(&wanted).await?.sources;
            let is_last = more.len() < AT_ONCE as usize;
            all.extend(more);
            if is_last {
                return Ok(all);
            }
        }
    }

    async fn changed_sources(&self, since: Timestamp) -> Result<Vec<DataSource>, StoreError> {
        self.0.changed(since).await
    }
}
