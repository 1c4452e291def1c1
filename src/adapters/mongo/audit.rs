//! The audit trail: `audit`.

use super::MongoState;
use super::documents::AuditDocument;
use super::lists::{found, looked_at, named};
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use mongodb::bson::{Document, doc};

#[async_trait]
impl AuditLog for MongoState {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.call(async {
            self.collection("audit").insert_one(AuditDocument::new(entry)).await?;
            Ok(())
        })
        .await
    }

    async fn audits(&self, limit: usize) -> Result<Found<AuditEntry>, StoreError> {
        let Some(most) = looked_at(limit) else { return Ok(Found::default()) };
        self.call(async {
            // Of one time, the driver's ids grow within a process with each insert.
            let changes = self.collection::<Document>("audit");
            let cursor = changes.find(doc! {}).sort(doc! { "at": -1, "_id": -1 }).limit(most).await?;
            Ok(named("audit", found(cursor, limit, AuditDocument::read_whole).await?))
        })
        .await
    }
}
