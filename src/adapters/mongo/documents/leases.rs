//! Leases and claims as documents.

use super::{Read, bson_date, count, epoch_id, long, maybe_timestamp, odd, parsed, timestamp};
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::term::Token;
use crate::core::ports::leases::{EpochClaim, LeaseRecord};
use mongodb::bson::{DateTime, Document, deserialize_from_document};
use serde::{Deserialize, Serialize};

/// `worker_leases`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::adapters::mongo) struct LeaseDocument {
    #[serde(rename = "_id")]
    id: String,
    worker_id: String,
    instance_id: String,
    token: i64,
    seq: i64,
    acquired_at: DateTime,
    renewed_at: DateTime,
    expires_at: DateTime,
    released_at: Option<DateTime>,
    release_reason: Option<String>,
}

impl LeaseDocument {
    pub(in crate::adapters::mongo) fn new(record: &LeaseRecord) -> Read<Self> {
        Ok(Self {
            id: record.key.to_string(),
            worker_id: record.key.to_string(),
            instance_id: record.instance.to_string(),
            token: long(record.token.0)?,
            seq: long(record.seq)?,
            acquired_at: bson_date(record.acquired_at),
            renewed_at: bson_date(record.renewed_at),
            expires_at: bson_date(record.expires_at),
            released_at: record.released.as_ref().map(|(at, _)| bson_date(*at)),
            release_reason: record.released.as_ref().map(|(_, reason)| reason.clone()),
        })
    }

    /// A document that others may have written.
    pub(in crate::adapters::mongo) fn read_whole(document: Document) -> Read<LeaseRecord> {
        let id = document.get_str("_id").unwrap_or_default().to_owned();
        let record = parsed(deserialize_from_document::<Self>(document))?.read()?;
        if record.key.as_str() == id {
            Ok(record)
        } else {
            Err(odd(&format!("it is of {}, and its id says otherwise", record.key)))
        }
    }

    pub(in crate::adapters::mongo) fn read(self) -> Read<LeaseRecord> {
        let reason = self.release_reason.unwrap_or_default();
        Ok(LeaseRecord {
            key: parsed(LeaseKey::new(self.worker_id))?,
            instance: InstanceId::new(self.instance_id),
            token: Token(count(self.token)?),
            seq: count(self.seq)?,
            acquired_at: timestamp(self.acquired_at)?,
            renewed_at: timestamp(self.renewed_at)?,
            expires_at: timestamp(self.expires_at)?,
            released: maybe_timestamp(self.released_at)?.map(|at| (at, reason)),
        })
    }
}

/// `worker_epochs`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::adapters::mongo) struct EpochDocument {
    #[serde(rename = "_id")]
    id: String,
    worker_id: String,
    token: i64,
    instance_id: String,
    nonce: String,
    claimed_at: DateTime,
}

impl EpochDocument {
    pub(in crate::adapters::mongo) fn new(claim: &EpochClaim) -> Read<Self> {
        Ok(Self {
            id: epoch_id(&claim.key, claim.token),
            worker_id: claim.key.to_string(),
            token: long(claim.token.0)?,
            instance_id: claim.instance.to_string(),
            nonce: claim.nonce.clone(),
            claimed_at: bson_date(claim.claimed_at),
        })
    }

    /// A document that others may have written.
    pub(in crate::adapters::mongo) fn read_whole(document: Document) -> Read<EpochClaim> {
        parsed(deserialize_from_document::<Self>(document))?.read()
    }

    pub(in crate::adapters::mongo) fn read(self) -> Read<EpochClaim> {
        Ok(EpochClaim {
            key: parsed(LeaseKey::new(self.worker_id))?,
            token: Token(count(self.token)?),
            instance: InstanceId::new(self.instance_id),
            nonce: self.nonce,
            claimed_at: timestamp(self.claimed_at)?,
        })
    }
}
