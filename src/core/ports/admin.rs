//! What a state store's server needs besides documents. For `doctor`; no run depends on it.

use super::store::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;

/// A state store that lives on a server. Every call answers or fails within the store's timeout.
#[async_trait]
pub trait StoreAdmin: Send + Sync {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// The server's wall clock. `None` when it does not tell.
    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The indexes that are not there, as `collection.name`; changes nothing.
    async fn missing_indexes(&self) -> Result<Vec<String>, StoreError>;

    /// Makes the indexes that are missing. Those that are there stay as they are.
    async fn make_indexes(&self) -> Result<(), StoreError>;
}
