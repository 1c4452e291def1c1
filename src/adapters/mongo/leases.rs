//! `worker_epochs` and `worker_leases`.

use super::MongoState;
use super::documents::{EpochDocument, LeaseDocument, Odd, bson_date, epoch_id, long};
use super::error::{MongoError, is_duplicate};
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::term::Token;
use crate::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::ReadConcern;

/// Tries of an install that another one crosses; each try of theirs has then been won by somebody.
const TRIES: usize = 3;

impl MongoState {
    fn leases(&self) -> Collection<LeaseDocument> {
        self.collection("worker_leases")
    }

    /// The same, as others may have written them.
    fn written(&self, collection: &str) -> Collection<Document> {
        self.collection(collection)
    }

    pub(super) fn odd(&self, id: String, document: &Document, Odd(reason): Odd) -> StoreError {
        let record = Box::new(OddRecord { id, reason });
        // Whoever renews a lease changes it.
        let mark = document.to_string().into();
        StoreError::Odd { store: self.name.to_string(), record, token: token(document), mark }
    }

    fn epochs(&self) -> Collection<EpochDocument> {
        self.collection("worker_epochs")
    }

    /// The lease as it is now, and durable: a deposed primary does not answer.
    async fn current_lease(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, MongoError> {
        let leases = self.written("worker_leases");
        let found = leases.find_one(doc! { "_id": key.as_str() }).read_concern(ReadConcern::linearizable());
        let found = found.max_time(self.answer_within).await?;
        found.map(|found| self.lease(key, &found)).transpose()
    }

    fn lease(&self, key: &LeaseKey, found: &Document) -> Result<LeaseRecord, MongoError> {
        let odd = |odd| MongoError::Refused(self.odd(format!("worker_leases {key}"), found, odd));
        LeaseDocument::read_whole(found.clone()).map_err(odd)
    }
}

/// The token of a document that others may have written. A number with a fraction is none.
fn token(document: &Document) -> Option<Token> {
    let number = match document.get("token") {
        Some(Bson::Int64(number)) => *number,
        Some(Bson::Int32(number)) => i64::from(*number),
        _ => return None,
    };
    u64::try_from(number).ok().map(Token)
}

#[async_trait]
impl LeaseStore for MongoState {
    async fn read(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, StoreError> {
        self.call(async {
            let found = self.written("worker_leases").find_one(doc! { "_id": key.as_str() }).await?;
            found.map(|found| self.lease(key, &found)).transpose()
        })
        .await
    }

    async fn list(&self) -> Result<Found<LeaseRecord>, StoreError> {
        self.call(async {
            let mut asked = self.written("worker_leases").find(doc! {}).sort(doc! { "_id": 1 }).await?;
            let mut found = Found::default();
            while asked.advance().await? {
                let document = asked.deserialize_current()?;
                let id = document.get("_id").map(Bson::to_string).unwrap_or_default();
                let id = document.get_str("_id").map_or(id, str::to_owned);
                let lease = LeaseDocument::read_whole(document).map_err(|odd| odd.0);
                found.add(|| format!("worker_leases {id}"), lease);
            }
            Ok(found)
        })
        .await
    }

    async fn highest_token(&self, key: &LeaseKey, most: Token) -> Result<Option<Token>, StoreError> {
        self.call(async {
            let most = i64::try_from(most.0).unwrap_or(i64::MAX);
            let tokens = doc! { "workerId": key.as_str(), "token": { "$gte": 0_i64, "$lte": most } };
            let mut found = self.written("worker_epochs").find(tokens).sort(doc! { "token": -1 }).await?;
            while found.advance().await? {
                if let Some(token) = token(&found.deserialize_current()?) {
                    return Ok(Some(token));
                }
            }
            Ok(None)
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
            let (epochs, id) = (self.written("worker_epochs"), epoch_id(key, token));
            let found = epochs.find_one(doc! { "_id": &id }).read_concern(ReadConcern::linearizable());
            let found = found.max_time(self.answer_within).await?;
            let Some(found) = found else { return Ok(None) };
            let odd = |odd| MongoError::Refused(self.odd(format!("worker_epochs {id}"), &found, odd));
            EpochDocument::read_whole(found.clone()).map(Some).map_err(odd)
        })
        .await
    }

    async fn install(&self, record: &LeaseRecord) -> Result<bool, StoreError> {
        self.call(async {
            let id = record.key.as_str();
            for _ in 0..TRIES {
                let token = long(record.token.0)?;
                let reach = token.saturating_add(long(Token::REACH)?);
                // What is no token, and what no counting has come to, holds nothing.
                let replaced = [
                    doc! { "token": { "$lt": token } },
                    doc! { "token": { "$gt": reach } },
                    doc! { "token": { "$not": { "$type": ["long", "int"] } } },
                ];
                let older = doc! { "_id": id, "$or": replaced.to_vec() };
                match self.leases().replace_one(older, LeaseDocument::new(record)?).upsert(true).await {
                    Ok(_) => return Ok(true),
                    // There is a lease with this token or a higher one; or an older one came in between.
                    Err(error) if is_duplicate(&error) => {}
                    Err(error) => return Err(error.into()),
                }
                let there = match self.current_lease(&record.key).await {
                    // It cannot be read, and its token is no lower than ours.
                    Err(MongoError::Refused(StoreError::Odd { token: Some(token), .. })) if token >= record.token => {
                        return Ok(false);
                    }
                    Err(MongoError::Refused(StoreError::Odd { .. })) => continue,
                    there => there?,
                };
                match there {
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
            match self.current_lease(key).await {
                Err(MongoError::Refused(StoreError::Odd { .. })) => Ok(false),
                lease => Ok(lease?.is_some_and(|lease| lease.token == token)),
            }
        })
        .await
    }

    /// Holders are on other hosts: nothing tells a dead one from a slow one but time.
    async fn holder_is_gone(&self, _: &LeaseRecord) -> Result<bool, StoreError> {
        Ok(false)
    }
}
