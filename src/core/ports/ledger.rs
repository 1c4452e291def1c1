//! The ledger of discovered files: which versions of which files were told.

use super::outbox::OutboxEntry;
use super::store::StoreError;
use crate::core::model::data_source::DataSourceId;
use async_trait::async_trait;
use jiff::Timestamp;

/// A version of a file that was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToldFile {
    /// Which: made of data source, path and content.
    pub id: String,
    /// By which data source it was found.
    pub source: DataSourceId,
    /// Its path below the data source's [home](Ledger::home); of a file elsewhere, below its root, whose number stands before it:
    /// `/0/out/a.csv`.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Of its whole content.
    pub sha256: String,
    /// What the file system said of the file when its content was read last.
    pub stamp: String,
    /// When its content was changed, as its writer says.
    pub modified_at: Timestamp,
    /// When it was told.
    pub discovered_at: Timestamp,
    /// By which execution.
    pub execution: String,
}

/// The folder that a data source's files were looked for in at first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Home {
    /// As the data source said it.
    pub words: String,
    /// The number of its root, and its path below that: `0/in`. Empty where it lay in none.
    pub place: String,
}

/// The ledger of a state store. It is only added to; what was told once is never told again.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records a version of a file, and its event in the same write. False when it was told before: then no event is recorded, and
    /// its stamp is kept in place of the one before.
    async fn tell(&self, file: &ToldFile, event: Option<&OutboxEntry>) -> Result<bool, StoreError>;

    /// Whether a version was told.
    async fn is_told(&self, id: &str) -> Result<bool, StoreError>;

    /// The folder that a data source's files were looked for in at first. It is `folder` when none is known: that is kept, and stays
    /// whatever the data source says later.
    async fn home(&self, source: &DataSourceId, folder: &Home) -> Result<Home, StoreError>;

    /// Paths and stamps of what a data source has told, of all paths from `first` to `last`, both included.
    async fn told(&self, source: &DataSourceId, first: &str, last: &str) -> Result<Vec<(String, String)>, StoreError>;
}
