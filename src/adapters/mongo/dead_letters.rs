//! The dead letters: `odd_events`.

use super::MongoState;
use super::documents::OddEventDocument;
use super::error::is_duplicate;
use super::runs::{at_most, collect};
use crate::core::model::names::LeaseKey;
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use mongodb::bson::{Document, doc};

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

    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let Some(limit) = at_most(limit) else { return Ok(Vec::new()) };
        self.call(async {
            let events = self.collection("odd_events");
            let wanted = owner.map_or_else(Document::new, |owner| doc! { "workerId": owner.as_str() });
            let found = events.find(wanted).sort(doc! { "at": -1, "_id": -1 });
            collect(found.limit(limit).await?, OddEventDocument::read).await
        })
        .await
    }
}
