//! Data sources for whoever makes their schedules.

use super::sync::Feed;
use crate::core::model::data_source::DataSource;
use crate::core::ports::data_sources::{DataSources, Listed, Wanted};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use std::sync::Arc;

/// The data sources of a store.
pub struct StoreFeed(pub Arc<dyn DataSources>);

#[async_trait]
impl Feed for StoreFeed {
    /// All in one answer: between two, a data source may move to where it is not read.
    async fn sources(&self) -> Result<Found<DataSource>, StoreError> {
        let wanted = Wanted { most: u32::MAX, ..Wanted::default() };
        let Listed { sources, odd, .. } = self.0.data_sources(&wanted).await?;
        Ok(Found { records: sources, odd })
    }
}
