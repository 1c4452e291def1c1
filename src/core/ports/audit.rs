//! The audit trail: what people changed by hand, and why.

use super::store::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;

/// A change made by a person: who, when, why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Operating-system user and instance.
    pub who: String,
    /// `lease release`.
    pub action: String,
    /// What was changed, and how.
    pub detail: String,
    /// Their words.
    pub reason: String,
}

/// The audit trail of a state store. Nothing is ever taken out of it.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Keeps an entry for ever. It is durable when this answers. A repeated entry is kept twice.
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The latest entries by their own time, newest first. Of entries with one time, the one written last comes first.
    async fn audits(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;
}
