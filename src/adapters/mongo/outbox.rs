//! The outbox: the completion events that `file_status` holds, and behind them the events of arrivals.

use super::MongoState;
use super::documents::{FileDocument, bson_date};
use super::lists::found;
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::delivery::OUTBOX;
use crate::core::model::names::LeaseKey;
use crate::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use crate::core::ports::runs::{FileStatus, file_and_version};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc};

/// The owner of the changes of data sources: their events stand in `DataSource`.
const CHANGES: &str = "schedule:changes";

/// The owner of the events of new files: they stand in `DiscoveredFile`.
const DISCOVERED: &str = "schedule:discovered";

#[async_trait]
impl Outbox for MongoState {
    async fn pending(&self, owner: &LeaseKey) -> Result<Found<OutboxEntry>, StoreError> {
        let waiting = self.call(async {
            match owner.as_str() {
                CHANGES => return self.waiting_changes().await,
                DISCOVERED => return self.waiting_files().await,
                _ => {}
            }
            let waiting = doc! { "workerId": owner.as_str(), "event": { "$ne": Bson::Null }, "sentAt": Bson::Null };
            let files = self.collection::<Document>("file_status");
            let files = files.find(waiting).sort(doc! { "completedAt": 1, "date": 1, "fileId": 1 }).await?;
            let Found { records, odd } = found(files, usize::MAX, FileDocument::read_whole).await?;
            // Behind the completion events.
            let mut arrived = self.waiting_arrivals(owner).await?;
            arrived.records.splice(0..0, records.iter().filter_map(FileStatus::outbox_entry));
            arrived.odd.splice(0..0, odd);
            Ok(arrived)
        });
        waiting.await
    }

    async fn mark_sent(&self, id: &OutboxId, at: Timestamp) -> Result<(), StoreError> {
        self.call(async {
            match id.as_str().split_once('/') {
                Some((CHANGES, event)) => return self.mark_change_sent(id, event).await,
                Some((OUTBOX, delivery)) => return self.mark_arrival_sent(delivery, at).await,
                Some((DISCOVERED, file)) => return self.mark_file_sent(id, file).await,
                _ => {}
            }
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
