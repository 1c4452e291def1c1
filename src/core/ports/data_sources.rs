//! Data sources: who describes a folder, and that each change is told.

use super::outbox::OutboxEntry;
use super::store::{OddRecord, Page, StoreError};
use crate::core::model::data_source::{DataSource, DataSourceId};
use async_trait::async_trait;

/// What became of a change.
#[derive(Clone, PartialEq, Debug)]
pub enum Written {
    /// It is durable, and so is its event.
    Done,
    /// Another data source has the name. Nothing was changed.
    NameTaken,
    /// Somebody was faster: this is what is there now. Nothing was changed.
    Changed(Box<DataSource>),
    /// There is no such data source.
    Gone,
}

/// Which data sources are wanted. They come in the order of their names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Part of the name, the description, the path or the pattern, in any case. Empty for all.
    pub text: String,
    /// Those that are active, or those that are not. `None` for both.
    pub active: Option<bool>,
    /// Those with these ids. `None` for all.
    pub only: Option<Vec<DataSourceId>>,
    /// And none of these.
    pub but: Vec<DataSourceId>,
    /// So many are passed over.
    pub skip: u64,
    /// At most so many come.
    pub most: u32,
}

/// Some of the data sources.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Listed {
    /// How many there are that fit, whatever `skip` and `most` say.
    pub total: u64,
    /// Those that were asked for.
    pub sources: Vec<DataSource>,
    /// Those among them that cannot be read, by their ids: they stop no other.
    pub odd: Vec<OddRecord>,
}

/// Data sources and the events of their changes. A change and its event are one write: neither is there without the other. Events wait
/// in the outbox of the same store, under the ids that their entries have.
#[async_trait]
pub trait DataSources: Send + Sync {
    /// Keeps a new data source. [`Written::Done`] also when the very same one is there already: a try whose answer was lost.
    async fn create(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError>;

    /// Puts a data source in the place of its version before, which is one less. When another version is there, nothing is changed.
    async fn replace(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError>;

    /// Takes a data source of this version away. Its name is free then.
    async fn delete(&self, id: &DataSourceId, version: u64, event: &OutboxEntry) -> Result<Written, StoreError>;

    /// One data source. `None` when there is none.
    async fn data_source(&self, id: &DataSourceId) -> Result<Option<DataSource>, StoreError>;

    /// The data source of this name. `None` when there is none.
    async fn named(&self, name: &str) -> Result<Option<DataSource>, StoreError>;

    /// Those whose ids come behind `after`, up to and with `until`, by id; at most `most`. Each id comes behind the empty text.
    async fn sources_behind(
        &self,
        after: &str,
        until: Option<&str>,
        most: usize,
    ) -> Result<Page<DataSource>, StoreError>;

    /// Some of them.
    async fn data_sources(&self, wanted: &Wanted) -> Result<Listed, StoreError>;
}
