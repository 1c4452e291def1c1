//! The dead letters: `odd_events`.

use super::MongoState;
use super::documents::{ListedEventDocument, OddEventDocument, odd_event_id};
use super::error::is_duplicate;
use super::lists::{found, looked_at, named};
use crate::core::model::message::EventId;
use crate::core::model::names::LeaseKey;
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{DateTime, Document, doc};

#[async_trait]
impl DeadLetters for MongoState {
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError> {
        self.call(async {
            match self.collection("odd_events").insert_one(OddEventDocument::new(event)).await {
                Err(error) if !is_duplicate(&error) => Err(error.into()),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn dead_letter(&self, owner: &LeaseKey, id: &EventId) -> Result<Option<DeadLetter>, StoreError> {
        self.call(async {
            let events = self.collection::<OddEventDocument>("odd_events");
            let found = events.find_one(doc! { "_id": odd_event_id(owner, id) }).await?;
            Ok(found.map(OddEventDocument::read).transpose()?)
        })
        .await
    }

    async fn drop_dead_letters(&self, owner: &LeaseKey, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        let before = DateTime::from_millis(before.as_millisecond());
        self.call(async {
            let events = self.collection::<Document>("odd_events");
            let ours = doc! { "workerId": owner.as_str() };
            let old = events.delete_many(doc! { "workerId": owner.as_str(), "at": { "$lt": before } }).await?;
            let skipped = u64::try_from(most).unwrap_or(u64::MAX);
            let newest = events.find(ours).sort(doc! { "at": -1, "_id": -1 }).projection(doc! { "_id": 1 });
            let mut too_many = newest.skip(skipped).limit(DROPPED_AT_ONCE).await?;
            let mut ids = Vec::new();
            while too_many.advance().await? {
                ids.extend(too_many.deserialize_current()?.remove("_id"));
            }
            if ids.is_empty() {
                return Ok(old.deleted_count);
            }
            let many = events.delete_many(doc! { "_id": { "$in": ids } }).await?;
            Ok(old.deleted_count + many.deleted_count)
        })
        .await
    }

    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Result<Found<DeadLetter>, StoreError> {
        let Some(most) = looked_at(limit) else { return Ok(Found::default()) };
        self.call(async {
            let events = self.collection::<Document>("odd_events");
            let wanted = owner.map_or_else(Document::new, |owner| doc! { "workerId": owner.as_str() });
            let listed = events.find(wanted).sort(doc! { "at": -1, "_id": -1 }).projection(doc! { "payload": 0 });
            Ok(named("odd_events", found(listed.limit(most).await?, limit, ListedEventDocument::read_whole).await?))
        })
        .await
    }
}

/// Most events beyond the limit that one call drops. A call has a time limit, and the next one goes on.
const DROPPED_AT_ONCE: i64 = 1000;
