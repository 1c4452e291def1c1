//! The outbox: the completion events that `file_status` holds.

use super::MongoState;
use super::documents::{FileDocument, bson_date};
use super::runs::found;
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::names::LeaseKey;
use crate::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use crate::core::ports::runs::{FileStatus, file_and_version};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc};

#[async_trait]
impl Outbox for MongoState {
    async fn pending(&self, owner: &LeaseKey) -> Result<Found<OutboxEntry>, StoreError> {
        let waiting = self.call(async {
            let waiting = doc! { "workerId": owner.as_str(), "event": { "$ne": Bson::Null }, "sentAt": Bson::Null };
            let files = self.collection::<Document>("file_status");
            let files = files.find(waiting).sort(doc! { "completedAt": 1, "date": 1, "fileId": 1 }).await?;
            found(files, usize::MAX, FileDocument::read_whole).await
        });
        let Found { records, odd } = waiting.await?;
        Ok(Found { records: records.iter().filter_map(FileStatus::outbox_entry).collect(), odd })
    }

    async fn mark_sent(&self, id: &OutboxId, at: Timestamp) -> Result<(), StoreError> {
        self.call(async {
            let (id, version) = file_and_version(id.as_str());
            let mut waiting = doc! { "_id": id, "event": { "$ne": Bson::Null }, "sentAt": Bson::Null };
            waiting.extend(match version {
                // Events of builds that knew of one version only have none.
                FIRST_VERSION => doc! { "$or": [{ "event.version": 1 }, { "event.version": Bson::Null }] },
                version => doc! { "event.version": i64::from(version) },
            });
            let sent = doc! { "$set": { "sentAt": bson_date(at) } };
            self.collection::<Document>("file_status").update_one(waiting, sent).await?;
            Ok(())
        })
        .await
    }
}
