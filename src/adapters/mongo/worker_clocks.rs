//! How far workers' own clocks have come: `worker_clocks`.

use super::MongoState;
use super::documents::{Odd, bson_date};
use super::error::is_duplicate;
use crate::core::model::names::WorkerId;
use crate::core::ports::store::StoreError;
use crate::core::ports::worker_clocks::{ClockMark, WorkerClocks};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

const COLLECTION: &str = "worker_clocks";

#[async_trait]
impl WorkerClocks for MongoState {
    async fn clock_mark(&self, worker: &WorkerId) -> Result<Option<ClockMark>, StoreError> {
        self.call(async {
            let found = self.collection::<Document>(COLLECTION).find_one(doc! { "_id": worker.as_str() }).await?;
            Ok(found.as_ref().map(|mark| read(mark).ok_or_else(|| odd(worker))).transpose()?)
        })
        .await
    }

    async fn keep_clock_mark(&self, worker: &WorkerId, mark: &ClockMark) -> Result<(), StoreError> {
        self.call(async {
            let until = bson_date(mark.decided_until);
            let is_behind = doc! {
                "_id": worker.as_str(),
                "$or": [{ "setAs": { "$ne": &mark.set_as } }, { "decidedUntil": { "$lt": until } }],
            };
            let kept = doc! { "$set": { "setAs": &mark.set_as, "decidedUntil": until } };
            match self.collection::<Document>(COLLECTION).update_one(is_behind, kept).upsert(true).await {
                // The mark that is there is as far, or further.
                Err(error) if is_duplicate(&error) => Ok(()),
                written => Ok(written.map(|_| ())?),
            }
        })
        .await
    }
}

fn read(mark: &Document) -> Option<ClockMark> {
    let until = mark.get_datetime("decidedUntil").ok()?.timestamp_millis();
    Some(ClockMark {
        set_as: mark.get_str("setAs").ok()?.to_owned(),
        decided_until: Timestamp::from_millisecond(until).ok()?,
    })
}

fn odd(worker: &WorkerId) -> Odd {
    Odd(format!("the document {worker} of {COLLECTION} cannot be read; remove it, and the clock begins anew"))
}
