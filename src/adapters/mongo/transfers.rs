//! The ledger of transfers: `TransferFile`, a document for each side of a version. Its steps stand in it, so that one write keeps both.
//!
//! Who works on a version first is whoever inserts its document. Later claims are updates of it as it was seen. Should a server let two
//! win one of these, the document names the later one, and the other's next write is refused.

mod documents;
mod lists;

use super::MongoState;
use super::documents::bson_date;
use super::error::{MongoError, is_duplicate};
use crate::core::model::transfer::{FileRecord, FileStep, Side};
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::store::{Found, OddRecord, StoreError};
use crate::core::ports::transfer_ledger::{Claim, Entry, Holder, KnownFile, StateCount, Total, TransferLedger, Wanted};
use async_trait::async_trait;
use documents::{COLLECTION, document, key, read, step};
use jiff::{SignedDuration, Timestamp};
use mongodb::Collection;
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::options::{ReadConcern, ReturnDocument};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Tries of a claim that others cross; each try of theirs has then been won by somebody.
const TRIES: usize = 3;

/// Time between two looks at the server's clock.
const CLOCK: Duration = Duration::from_mins(5);

/// Most steps that are kept of one side of a version: the latest.
const STEPS: i32 = 200;

/// Collection, name and keys of each index. The first one alone answers what counts.
pub(super) fn indexes() -> [(&'static str, &'static str, Document); 2] {
    let by_state = doc! { "transfer": 1, "side": 1, "state": 1, "changedAt": -1, "id": 1, "size": 1, "seenAt": 1 };
    [
        (COLLECTION, "by_state", by_state),
        (COLLECTION, "by_path", doc! { "transfer": 1, "side": 1, "path": 1, "changedAt": -1 }),
    ]
}

impl MongoState {
    fn transfer_files<T: Send + Sync>(&self) -> Collection<T> {
        self.collection(COLLECTION)
    }

    /// How far the server's clock is ahead of this host's: claims of all hosts end by one clock.
    async fn ahead(&self) -> Result<SignedDuration, StoreError> {
        let known = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((looked, ahead)) = known
            && looked.elapsed() < CLOCK
        {
            return Ok(ahead);
        }
        let (asked, before) = (Instant::now(), Timestamp::now());
        let theirs = self.server_time().await?;
        let half = SignedDuration::try_from(asked.elapsed() / 2).unwrap_or_default();
        let ahead = theirs.map(|theirs| theirs.duration_since(before) - half).unwrap_or_default();
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some((asked, ahead));
        Ok(ahead)
    }

    /// Inserts the document, or claims what is there.
    async fn claim_file(
        &self,
        fresh: &FileRecord,
        holder: &Holder,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Claim, MongoError> {
        let (files, raw) = (self.transfer_files::<Document>(), self.transfer_files::<RawDocumentBuf>());
        let id = key(&fresh.transfer, fresh.side, &fresh.id);
        let held = doc! { "holder": &holder.name, "heldBy": &holder.shown, "heldUntil": bson_date(until) };
        let mut new = document(fresh)?;
        new.extend(held.clone());
        new.insert("steps", vec![step(fresh, holder)]);
        for _ in 0..TRIES {
            match files.insert_one(&new).await {
                Ok(_) => return Ok(Claim::Yours(fresh.clone())),
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(error.into()),
            }
            // What the majority does not have yet counts too: the update behind it waits for that.
            let there = raw.find_one(doc! { "_id": &id });
            let there = there.projection(doc! { "steps": 0 }).read_concern(ReadConcern::local()).await?;
            // It was forgotten meanwhile.
            let Some(there) = there else { continue };
            if let Err(reason) = read(&there) {
                return Ok(Claim::Odd { reason });
            }
            let there = Document::try_from(there).map_err(|error| documents::unreadable(&error.to_string()))?;
            let by = there.get_str("holder").ok();
            let ends = there.get_datetime("heldUntil").map(|ends| ends.timestamp_millis()).ok();
            if by.is_some_and(|by| by != holder.name) && ends.is_some_and(|ends| ends > now.as_millisecond()) {
                return Ok(Claim::Held { by: there.get_str("heldBy").unwrap_or_default().to_owned() });
            }
            let mut seen = doc! { "_id": &id };
            for field in ["holder", "heldUntil", "changedAt"] {
                seen.insert(field, there.get(field).cloned().unwrap_or(Bson::Null));
            }
            let claimed = raw.find_one_and_update(seen, doc! { "$set": held.clone() });
            let claimed = claimed.projection(doc! { "steps": 0 }).return_document(ReturnDocument::After).await?;
            if let Some(claimed) = claimed {
                return Ok(read(&claimed).map_or_else(|reason| Claim::Odd { reason }, Claim::Yours));
            }
        }
        Err(MongoError::Contended)
    }

    /// Replaces the record, with a step where its state is another one.
    async fn advance_file(
        &self,
        record: &FileRecord,
        holder: &Holder,
        until: Option<Timestamp>,
    ) -> Result<bool, MongoError> {
        let (files, mut change) = (self.transfer_files::<Document>(), document(record)?);
        let id = change.remove("_id").unwrap_or_default();
        change.insert("heldUntil", until.map(bson_date));
        if until.is_none() {
            change.extend(doc! { "holder": Bson::Null, "heldBy": Bson::Null });
        }
        let state = record.state.as_str();
        let other = doc! { "_id": id.clone(), "holder": &holder.name, "state": { "$ne": state } };
        let pushed = doc! { "steps": { "$each": [step(record, holder)], "$slice": -STEPS } };
        let stepped = files.update_one(other, doc! { "$set": change.clone(), "$push": pushed }).await?;
        if stepped.matched_count == 1 {
            return Ok(true);
        }
        let same = doc! { "_id": id, "holder": &holder.name, "state": state };
        Ok(files.update_one(same, doc! { "$set": change }).await?.matched_count == 1)
    }
}

#[async_trait]
impl TransferLedger for MongoState {
    /// Holders are on other hosts: nothing tells a dead one from a slow one but time.
    async fn join(&self, shown: &str) -> Result<Holder, StoreError> {
        Ok(Holder { name: crate::adapters::host::nonce(), shown: shown.to_owned() })
    }

    async fn find(&self, transfer: &str, side: Side, id: &str) -> Result<Option<Entry>, StoreError> {
        self.call(async {
            let wanted = doc! { "_id": key(transfer, side, id) };
            let found =
                self.transfer_files::<RawDocumentBuf>().find_one(wanted).projection(doc! { "steps": 0 }).await?;
            Ok(found.map(|found| read(&found).map_or_else(Entry::Odd, |record| Entry::Record(Box::new(record)))))
        })
        .await
    }

    async fn known(&self, transfer: &str, paths: Vec<String>) -> Result<Vec<KnownFile>, StoreError> {
        self.call(lists::known(&self.transfer_files(), transfer, paths)).await
    }

    async fn claim(
        &self,
        record: &FileRecord,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, StoreError> {
        let ahead = self.ahead().await?;
        let by_server = |at: Timestamp| at.saturating_add(ahead).unwrap_or(at);
        self.call(self.claim_file(record, holder, (by_server(now), by_server(until)))).await
    }

    async fn advance(
        &self,
        record: &FileRecord,
        holder: &Holder,
        until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let ahead = self.ahead().await?;
        let until = until.map(|until| until.saturating_add(ahead).unwrap_or(until));
        self.call(self.advance_file(record, holder, until)).await
    }

    async fn forget(&self, record: &FileRecord, holder: &Holder) -> Result<bool, StoreError> {
        self.call(async {
            let id = key(&record.transfer, record.side, &record.id);
            let ours = doc! { "_id": id, "holder": &holder.name };
            Ok(self.transfer_files::<Document>().delete_one(ours).await?.deleted_count == 1)
        })
        .await
    }

    async fn records(&self, transfer: &str, wanted: &Wanted) -> Result<Found<FileRecord>, StoreError> {
        self.call(lists::records(&self.transfer_files(), transfer, wanted)).await
    }

    async fn total(&self, transfer: &str, wanted: &Wanted) -> Result<Total, StoreError> {
        self.call(lists::total(&self.transfer_files(), transfer, wanted)).await
    }

    async fn counts(&self, transfer: &str) -> Result<Vec<StateCount>, StoreError> {
        self.call(lists::counts(&self.transfer_files(), transfer)).await
    }

    async fn strange(&self, transfer: &str) -> Result<Vec<OddRecord>, StoreError> {
        self.call(lists::strange(&self.transfer_files(), transfer)).await
    }

    async fn steps(&self, transfer: &str, id: &str) -> Result<Vec<FileStep>, StoreError> {
        self.call(lists::steps(&self.transfer_files(), transfer, id)).await
    }
}
