//! Data sources for whoever makes their schedules.

use super::sync::Feed;
use crate::core::model::data_source::DataSource;
use crate::core::ports::data_sources::DataSources;
use crate::core::ports::store::{Page, StoreError};
use async_trait::async_trait;
use std::sync::Arc;

/// The data sources of a store.
pub struct StoreFeed(pub Arc<dyn DataSources>);

#[async_trait]
impl Feed for StoreFeed {
    async fn sources_behind(
        &self,
        after: &str,
        until: Option<&str>,
        most: usize,
    ) -> Result<Page<DataSource>, StoreError> {
        self.0.sources_behind(after, until, most).await
    }
}
