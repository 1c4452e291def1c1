//! `worker_epochs` and `worker_leases`.

use super::LocalState;
use super::runs::found;
use super::value::{instance, key, maybe_timestamp, time, timestamp, token};
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::term::Token;
use crate::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

const LEASE: &str = "SELECT * FROM worker_leases WHERE workerId = ?1";

const CLAIM: &str = "SELECT * FROM worker_epochs WHERE workerId = ?1 AND token = ?2";

/// Refused under a higher token. Under its own token it changes nothing: the same install again, after a lost reply.
const INSTALL: &str = "
INSERT INTO worker_leases (workerId, instanceId, token, seq, acquiredAt, renewedAt, expiresAt, guardedBy)
VALUES (:worker, :instance, :token, :seq, :acquired, :renewed, :expires, :guard)
ON CONFLICT (workerId) DO UPDATE SET
    instanceId = excluded.instanceId, token = excluded.token, seq = excluded.seq, acquiredAt = excluded.acquiredAt,
    renewedAt = excluded.renewedAt, expiresAt = excluded.expiresAt, guardedBy = excluded.guardedBy,
    releasedAt = NULL, releaseReason = NULL
WHERE worker_leases.token < excluded.token OR worker_leases.token > excluded.token + :reach";

const IN_PLACE: &str = "
SELECT 1 FROM worker_leases WHERE workerId = ?1 AND token = ?2 AND instanceId = ?3 AND releasedAt IS NULL";

const RENEW: &str = "
UPDATE worker_leases SET seq = seq + 1, renewedAt = :now, expiresAt = :expires, guardedBy = :guard
WHERE workerId = :worker AND token = :token AND instanceId = :instance AND releasedAt IS NULL";

/// The first reason stays.
const RELEASE: &str = "
UPDATE worker_leases SET releasedAt = coalesce(releasedAt, ?3), releaseReason = coalesce(releaseReason, ?4)
WHERE workerId = ?1 AND token = ?2";

const GUARD: &str = "
SELECT guardedBy FROM worker_leases WHERE workerId = ?1 AND token = ?2 AND instanceId = ?3 AND releasedAt IS NULL";

#[async_trait]
impl LeaseStore for LocalState {
    async fn read(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, StoreError> {
        let (key, store) = (key.clone(), super::name(&self.path));
        self.look(move |db, _| {
            let mut query = db.prepare_cached(LEASE)?;
            let read = |row: &Row<'_>| Ok(lease(row).map_err(|error| odd(store, id(row), row, &error)));
            Ok(query.query_row([key.as_str()], read).optional()?.transpose()?)
        })
        .await
    }

    async fn list(&self) -> Result<Found<LeaseRecord>, StoreError> {
        self.look(|db, _| {
            let mut query = db.prepare_cached("SELECT * FROM worker_leases ORDER BY workerId")?;
            Ok(found(query.query([])?, usize::MAX, id, lease)?)
        })
        .await
    }

    async fn highest_token(&self, key: &LeaseKey, most: Token) -> Result<Option<Token>, StoreError> {
        let (key, most) = (key.clone(), i64::try_from(most.0).unwrap_or(i64::MAX));
        self.look(move |db, _| {
            let sql = "SELECT max(token) FROM worker_epochs WHERE workerId = ?1 AND token BETWEEN 0 AND ?2";
            let mut query = db.prepare_cached(sql)?;
            Ok(query.query_row((key.as_str(), most), |row| row.get::<_, Option<u64>>(0))?.map(Token))
        })
        .await
    }

    async fn mint(&self, claim: &EpochClaim) -> Result<Mint, StoreError> {
        // Most contenders of a race are late: they learn it without waiting for the write lock.
        if self.claim(&claim.key, claim.token).await?.is_some() {
            return Ok(Mint::Taken);
        }
        let claim = claim.clone();
        self.change(move |db, _| {
            let mut insert = db.prepare_cached(
                "INSERT INTO worker_epochs (workerId, token, instanceId, nonce, claimedAt) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING",
            )?;
            let inserted = insert.execute((
                claim.key.as_str(),
                claim.token.0,
                claim.instance.as_str(),
                &claim.nonce,
                time(claim.claimed_at),
            ))?;
            Ok(if inserted == 1 { Mint::Won } else { Mint::Taken })
        })
        .await
    }

    async fn claim(&self, key: &LeaseKey, token: Token) -> Result<Option<EpochClaim>, StoreError> {
        let (key, store) = (key.clone(), super::name(&self.path));
        self.look(move |db, _| {
            let mut query = db.prepare_cached(CLAIM)?;
            let id = format!("worker_epochs {key}:{token}");
            let read = |row: &Row<'_>| Ok(epoch_claim(row).map_err(|error| odd(store, id, row, &error)));
            Ok(query.query_row((key.as_str(), token.0), read).optional()?.transpose()?)
        })
        .await
    }

    async fn install(&self, record: &LeaseRecord) -> Result<bool, StoreError> {
        let record = record.clone();
        self.change(move |db, guards| {
            // Before the lease says so: a contender must never find the lease guarded and the lock free. After an
            // error it is kept for the same reason: the lease may be in place.
            let guard = guards.take(&record.key, record.token);
            let installed = db.prepare_cached(INSTALL)?.execute(named_params! {
                ":worker": record.key.as_str(),
                ":instance": record.instance.as_str(),
                ":token": record.token.0,
                ":seq": record.seq,
                ":acquired": time(record.acquired_at),
                ":renewed": time(record.renewed_at),
                ":expires": time(record.expires_at),
                ":guard": guard,
                ":reach": Token::REACH,
            })?;
            let in_place = installed == 1 || is_in_place(db, &record)?;
            if !in_place {
                guards.give_back(&record.key, record.token);
            }
            Ok(in_place)
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
        let (key, instance) = (key.clone(), instance.clone());
        self.change(move |db, guards| {
            let guard = guards.take(&key, token);
            let renewed = db.prepare_cached(RENEW)?.execute(named_params! {
                ":worker": key.as_str(),
                ":token": token.0,
                ":instance": instance.as_str(),
                ":now": time(now),
                ":expires": time(expires_at),
                ":guard": guard,
            })?;
            if renewed == 0 {
                guards.give_back(&key, token);
            }
            Ok(renewed == 1)
        })
        .await
    }

    async fn release(&self, key: &LeaseKey, token: Token, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
        let (key, reason) = (key.clone(), reason.to_owned());
        let (name, guards) = (key.clone(), std::sync::Arc::clone(&self.guards));
        let released = self
            .change(move |db, _| {
                let mut update = db.prepare_cached(RELEASE)?;
                Ok(update.execute((key.as_str(), token.0, time(now), reason))? == 1)
            })
            .await?;
        // Only once the release is there for all to see: in between, the lease would look like that of a dead holder.
        guards.give_back(&name, token);
        Ok(released)
    }

    async fn holder_is_gone(&self, lease: &LeaseRecord) -> Result<bool, StoreError> {
        let lease = lease.clone();
        self.look(move |db, guards| {
            let mut query = db.prepare_cached(GUARD)?;
            let key = (lease.key.as_str(), lease.token.0, lease.instance.as_str());
            let guard = query.query_row(key, |row| row.get::<_, Option<String>>(0)).optional()?.flatten();
            Ok(guard.is_some_and(|boot| guards.is_gone(&lease.key, &boot)))
        })
        .await
    }
}

fn is_in_place(db: &Connection, record: &LeaseRecord) -> rusqlite::Result<bool> {
    db.prepare_cached(IN_PLACE)?.exists((record.key.as_str(), record.token.0, record.instance.as_str()))
}

fn id(row: &Row<'_>) -> String {
    format!("worker_leases {}", row.get::<_, String>("workerId").unwrap_or_default())
}

/// A record that cannot be read. Whoever renews a lease changes its mark.
fn odd(store: String, id: String, row: &Row<'_>, error: &rusqlite::Error) -> StoreError {
    let value = |column| row.get_ref(column).map(|value| format!("{value:?}")).unwrap_or_default();
    let mark = ["instanceId", "token", "seq", "renewedAt"].map(value).join(" ");
    let token = row.get::<_, u64>("token").ok().map(Token);
    let record = Box::new(OddRecord { id, reason: reason(row, error) });
    StoreError::Odd { store, record, token, mark: mark.into() }
}

/// What is wrong, by the column's name.
fn reason(row: &Row<'_>, error: &rusqlite::Error) -> String {
    let (column, what) = match error {
        rusqlite::Error::FromSqlConversionFailure(column, _, why) => (*column, why.to_string()),
        rusqlite::Error::IntegralValueOutOfRange(column, value) => (*column, format!("{value} is out of range")),
        rusqlite::Error::InvalidColumnType(column, ..) => (*column, "it is of another type".to_owned()),
        other => return other.to_string(),
    };
    let name = row.as_ref().column_name(column).unwrap_or_default();
    format!("`{name}`: {what}; use the filegen that wrote it, or mend the record")
}

fn lease(row: &Row<'_>) -> rusqlite::Result<LeaseRecord> {
    let released = maybe_timestamp(row, "releasedAt")?;
    let reason: Option<String> = row.get("releaseReason")?;
    Ok(LeaseRecord {
        key: key(row)?,
        instance: instance(row)?,
        token: token(row)?,
        seq: row.get("seq")?,
        acquired_at: timestamp(row, "acquiredAt")?,
        renewed_at: timestamp(row, "renewedAt")?,
        expires_at: timestamp(row, "expiresAt")?,
        released: released.map(|at| (at, reason.unwrap_or_default())),
    })
}

fn epoch_claim(row: &Row<'_>) -> rusqlite::Result<EpochClaim> {
    Ok(EpochClaim {
        key: key(row)?,
        token: token(row)?,
        instance: instance(row)?,
        nonce: row.get("nonce")?,
        claimed_at: timestamp(row, "claimedAt")?,
    })
}
