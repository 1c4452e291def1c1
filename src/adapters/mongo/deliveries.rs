//! What is to be handed over: `run_deliveries`.

use super::MongoState;
use super::documents::{Odd, odd};
use super::error::{MongoError, is_duplicate};
use super::lists::{found, named};
use crate::core::model::delivery::{Delivery, DeliveryDocument};
use crate::core::model::names::{LeaseKey, WorkerId};
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::ports::deliveries::Deliveries;
use crate::core::ports::outbox::OutboxEntry;
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, deserialize_from_document, doc, serialize_to_document};
use std::collections::BTreeSet;

/// The collection.
pub(super) const COLLECTION: &str = "run_deliveries";

#[async_trait]
impl Deliveries for MongoState {
    async fn add_due(&self, due: &[Delivery]) -> Result<(), StoreError> {
        self.call(async {
            for delivery in due {
                let mut new = doc! { "_id": delivery.id() };
                new.extend(document(delivery)?);
                match self.deliveries().insert_one(new).await {
                    Err(error) if is_duplicate(&error) => {}
                    made => drop(made?),
                }
            }
            Ok(())
        })
        .await
    }

    async fn undone(&self, worker: &WorkerId) -> Result<Found<BusinessDate>, StoreError> {
        self.call(async {
            let wanted = doc! { "workerId": worker.as_str(), "done": false };
            let dates = self.deliveries().distinct("date", wanted).await?;
            let dates: BTreeSet<String> =
                dates.into_iter().map(|date| date.as_str().unwrap_or_default().to_owned()).collect();
            let mut found = Found::default();
            for date in dates {
                let read = BusinessDate::parse(&date).ok_or_else(|| format!("`{date}` is no date; mend the document"));
                found.add(|| format!("{COLLECTION} {worker}:{date}"), read);
            }
            Ok(found)
        })
        .await
    }

    async fn of_run(&self, run: &RunId) -> Result<Found<Delivery>, StoreError> {
        self.call(async {
            let wanted = doc! { "workerId": run.worker.as_str(), "date": run.date.to_string() };
            let cursor = self.deliveries().find(wanted).sort(doc! { "version": 1, "position": 1 }).await?;
            Ok(named(COLLECTION, found(cursor, usize::MAX, read_whole).await?))
        })
        .await
    }

    async fn advance(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        self.call(async {
            let revision = super::documents::long(delivery.revision)?;
            let mut change = document(&Delivery { revision: delivery.revision + 1, ..delivery.clone() })?;
            change.remove("sentAt");
            let wanted = doc! { "_id": delivery.id(), "revision": revision };
            Ok(self.deliveries().update_one(wanted, doc! { "$set": change }).await?.matched_count == 1)
        })
        .await
    }
}

impl MongoState {
    fn deliveries(&self) -> Collection<Document> {
        self.collection(COLLECTION)
    }

    /// The events of arrivals that wait, oldest first.
    pub(super) async fn waiting_arrivals(&self, owner: &LeaseKey) -> Result<Found<OutboxEntry>, MongoError> {
        let waiting = doc! { "workerId": owner.as_str(), "event": { "$ne": Bson::Null }, "sentAt": Bson::Null };
        let Found { mut records, odd } = found(self.deliveries().find(waiting).await?, usize::MAX, read_whole).await?;
        records.sort_by_key(|delivery| (delivery.delivered_at, delivery.id()));
        let records = records.iter().filter_map(Delivery::outbox_entry).collect();
        Ok(named(COLLECTION, Found { records, odd }))
    }

    /// Records that an arrival's event was sent.
    pub(super) async fn mark_arrival_sent(&self, id: &str, at: Timestamp) -> Result<(), MongoError> {
        let waiting = doc! { "_id": id, "event": { "$ne": Bson::Null }, "sentAt": Bson::Null };
        self.deliveries().update_one(waiting, doc! { "$set": { "sentAt": at.to_string() } }).await?;
        Ok(())
    }
}

fn document(delivery: &Delivery) -> Result<Document, MongoError> {
    serialize_to_document(&DeliveryDocument::from(delivery))
        .map_err(|error| Odd(format!("this cannot be kept: {error}")).into())
}

fn read_whole(document: Document) -> Result<Delivery, Odd> {
    let id = document.get_str("_id").unwrap_or_default().to_owned();
    let read: DeliveryDocument = deserialize_from_document(document).map_err(|error| odd(&error.to_string()))?;
    let delivery = read.read().map_err(|reason| odd(&reason))?;
    if delivery.id() == id {
        Ok(delivery)
    } else {
        Err(odd(&format!("it is of {}, and its id says otherwise", delivery.id())))
    }
}
