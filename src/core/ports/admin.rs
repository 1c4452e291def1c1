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

    /// The missing indexes, as `collection.name`. Changes nothing.
    async fn missing_indexes(&self) -> Result<Vec<String>, StoreError>;

    /// Makes the missing indexes. Existing indexes stay as they are.
    async fn make_indexes(&self) -> Result<(), StoreError>;
}
