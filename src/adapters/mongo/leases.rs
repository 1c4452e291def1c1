//! `worker_epochs` and `worker_leases`.

use super::MongoState;
use super::documents::{EpochDocument, LeaseDocument, bson_date, epoch_id, long};
use super::error::{MongoError, is_duplicate};
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::term::Token;
use crate::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Bson, doc};
use mongodb::options::ReadConcern;
use tracing::warn;

/// Tries of an install that another one crosses; each try of theirs has then been won by somebody.
const TRIES: usize = 3;

impl MongoState {
    fn leases(&self) -> Collection<LeaseDocument> {
        self.collection("worker_leases")
    }

    fn epochs(&self) -> Collection<EpochDocument> {
        self.collection("worker_epochs")
    }

    /// The lease as it is now, and durable: a deposed primary does not answer.
    async fn current_lease(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, MongoError> {
        let leases = self.leases();
        let found = leases.find_one(doc! { "_id": key.as_str() }).read_concern(ReadConcern::linearizable());
        let found = found.max_time(self.answer_within).await?;
        Ok(found.map(LeaseDocument::read).transpose()?)
    }
}

#[async_trait]
impl LeaseStore for MongoState {
    async fn read(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, StoreError> {
        self.call(async {
            let found = self.leases().find_one(doc! { "_id": key.as_str() }).await?;
            Ok(found.map(LeaseDocument::read).transpose()?)
        })
        .await
    }

    async fn list(&self) -> Result<Vec<LeaseRecord>, StoreError> {
        self.call(async {
            let mut found = self.leases().find(doc! {}).sort(doc! { "_id": 1 }).await?;
            let mut leases = Vec::new();
            while found.advance().await? {
                let lease = found.deserialize_current().map_err(MongoError::from);
                match lease.and_then(|lease| Ok(lease.read()?)) {
                    Ok(lease) => leases.push(lease),
                    Err(error) => {
                        let error = error.into_store(&self.name);
                        warn!(%error, "a record of worker_leases cannot be read");
                    }
                }
            }
            Ok(leases)
        })
        .await
    }

    async fn highest_token(&self, key: &LeaseKey) -> Result<Option<Token>, StoreError> {
        self.call(async {
            let epochs = self.epochs();
            let highest = epochs.find_one(doc! { "workerId": key.as_str() }).sort(doc! { "token": -1 }).await?;
            Ok(highest.map(EpochDocument::read).transpose()?.map(|claim| claim.token))
        })
        .await
    }

    async fn mint(&self, claim: &EpochClaim) -> Result<Mint, StoreError> {
        self.call(async {
            match self.epochs().insert_one(EpochDocument::new(claim)?).await {
                Ok(_) => Ok(Mint::Won),
                Err(error) if is_duplicate(&error) => Ok(Mint::Taken),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Linearizable: an insert whose reply was lost may be there and not yet on the majority's disks. Then this waits
    /// for them, where a majority read would say that there is none.
    async fn claim(&self, key: &LeaseKey, token: Token) -> Result<Option<EpochClaim>, StoreError> {
        self.call(async {
            let (epochs, id) = (self.epochs(), epoch_id(key, token));
            let found = epochs.find_one(doc! { "_id": id }).read_concern(ReadConcern::linearizable());
            let found = found.max_time(self.answer_within).await?;
            Ok(found.map(EpochDocument::read).transpose()?)
        })
        .await
    }

    async fn install(&self, record: &LeaseRecord) -> Result<bool, StoreError> {
        self.call(async {
            let id = record.key.as_str();
            for _ in 0..TRIES {
                let older = doc! { "_id": id, "token": { "$lt": long(record.token.0)? } };
                match self.leases().replace_one(older, LeaseDocument::new(record)?).upsert(true).await {
                    Ok(_) => return Ok(true),
                    // There is a lease with this token or a higher one; or an older one came in between.
                    Err(error) if is_duplicate(&error) => {}
                    Err(error) => return Err(error.into()),
                }
                match self.current_lease(&record.key).await? {
                    // The same install again, after a lost reply: in place unless it was given back meanwhile.
                    Some(lease) if lease.token == record.token => {
                        return Ok(lease.instance == record.instance && lease.released.is_none());
                    }
                    Some(lease) if lease.token > record.token => return Ok(false),
                    _ => {}
                }
            }
            Err(MongoError::Contended)
        })
        .await
    }

    async fn renew(
        &self,
        key: &LeaseKey,
        token: Token,
        instance: &InstanceId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call(async {
            let ours = doc! {
                "_id": key.as_str(),
                "token": long(token.0)?,
                "instanceId": instance.as_str(),
                "releasedAt": Bson::Null,
            };
            let renewed = doc! {
                "$inc": { "seq": 1_i64 },
                "$set": { "renewedAt": bson_date(now), "expiresAt": bson_date(expires_at) },
            };
            Ok(self.leases().update_one(ours, renewed).await?.matched_count == 1)
        })
        .await
    }

    async fn release(&self, key: &LeaseKey, token: Token, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
        self.call(async {
            let held = doc! { "_id": key.as_str(), "token": long(token.0)?, "releasedAt": Bson::Null };
            let released = doc! { "$set": { "releasedAt": bson_date(now), "releaseReason": reason } };
            if self.leases().update_one(held, released).await?.matched_count == 1 {
                return Ok(true);
            }
            // Already given back: the first reason stays.
            Ok(self.current_lease(key).await?.is_some_and(|lease| lease.token == token))
        })
        .await
    }

    /// Holders are on other hosts: nothing tells a dead one from a slow one but time.
    async fn holder_is_gone(&self, _: &LeaseRecord) -> Result<bool, StoreError> {
        Ok(false)
    }
}
