//! The audit trail: `audit`.

use super::MongoState;
use super::documents::AuditDocument;
use super::runs::{at_most, collect};
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use mongodb::bson::doc;

#[async_trait]
impl AuditLog for MongoState {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.call(async {
            self.collection("audit").insert_one(AuditDocument::new(entry)).await?;
            Ok(())
        })
        .await
    }

    async fn audits(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let Some(limit) = at_most(limit) else { return Ok(Vec::new()) };
        self.call(async {
            // Of one time, the driver's ids grow within a process with each insert.
            let changes = self.collection("audit");
            let found = changes.find(doc! {}).sort(doc! { "at": -1, "_id": -1 });
            collect(found.limit(limit).await?, AuditDocument::read).await
        })
        .await
    }
}
