//! The ledger of transfers: `TransferFile` and `TransferStep`. Each row has its whole record as JSON, and beside it what rows are
//! found by.
//!
//! A process that works on files keeps the lock of one of a few slots, and its claims carry the slot's number. Whoever gets the lock of
//! a slot, or sees that nobody has it, knows that the process before has ended.

use super::LocalState;
use super::error::SqliteStateError;
use super::guard::Guards;
use super::runs::found;
use super::value::{time, timestamp};
use crate::adapters::sqlite_numbers::Numbered;
use crate::core::model::names::LeaseKey;
use crate::core::model::term::Token;
use crate::core::model::transfer::{FileRecord, FileStep, Side};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use crate::core::ports::transfer_ledger::{Claim, Entry, Holder, KnownFile, StateCount, Total, TransferLedger, Wanted};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row};

pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS TransferFile (
    transfer TEXT NOT NULL, side TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, path TEXT NOT NULL, stamp TEXT NOT NULL,
    size INTEGER NOT NULL, seenAt TEXT NOT NULL, changedAt TEXT NOT NULL, holder TEXT, heldBy TEXT, heldUntil TEXT,
    record TEXT NOT NULL,
    PRIMARY KEY (transfer, side, id)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS TransferFile_path ON TransferFile (transfer, path, changedAt) WHERE side = 'collect';
CREATE TABLE IF NOT EXISTS TransferStep (
    number INTEGER PRIMARY KEY AUTOINCREMENT, transfer TEXT NOT NULL, id TEXT NOT NULL, side TEXT NOT NULL, state TEXT NOT NULL,
    at TEXT NOT NULL, by TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS TransferStep_of ON TransferStep (transfer, id);
CREATE INDEX IF NOT EXISTS TransferFile_state ON TransferFile (transfer, side, state, changedAt);
";

/// Longest record that is read, in bytes: its longest texts are a path and a reason.
macro_rules! columns {
    () => {
        "SELECT CASE WHEN octet_length(record) <= 1048576 THEN record END AS record, transfer, side, id, state, path, stamp, size,
            seenAt, changedAt FROM TransferFile"
    };
}

mod lists;

const FIND: &str = concat!(columns!(), " WHERE transfer = ?1 AND side = ?2 AND id = ?3");

const INSERT: &str = "
INSERT INTO TransferFile (transfer, side, id, state, path, stamp, size, seenAt, changedAt, holder, heldBy, heldUntil, record)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

const HELD: &str = "
SELECT holder, heldBy, heldUntil FROM TransferFile WHERE transfer = ?1 AND side = ?2 AND id = ?3";

const HOLD: &str = "
UPDATE TransferFile SET holder = ?4, heldBy = ?5, heldUntil = ?6 WHERE transfer = ?1 AND side = ?2 AND id = ?3";

const ADVANCE: &str = "
UPDATE TransferFile SET state = ?4, path = ?5, stamp = ?6, size = ?7, changedAt = ?8, record = ?9, holder = ?10, heldUntil = ?11
WHERE transfer = ?1 AND side = ?2 AND id = ?3 AND holder = ?12";

const KNOWN: &str = "
SELECT id, state, stamp FROM TransferFile WHERE transfer = ?1 AND path = ?2 AND side = 'collect' ORDER BY changedAt DESC LIMIT 1";

const STEPS: Numbered = Numbered::new("TransferStep.number");

const STEP: &str =
    "INSERT INTO TransferStep (transfer, id, side, state, at, by, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Most processes of one host that work on the files of one ledger.
const SLOTS: u32 = 256;

/// The lock of a slot. A name that is no key is none of ours.
fn slot_key(slot: u32) -> Option<LeaseKey> {
    LeaseKey::new(format!("transfer:slot-{slot}")).ok()
}

/// `7/NONCE`: the slot, and a text that no other process has. Without a slot only the claim's end counts.
fn slot_of(holder: &str) -> Option<u32> {
    holder.split_once('/')?.0.parse().ok()
}

/// Whether the process of a holder has ended, as far as this host knows.
fn is_gone(guards: &Guards, holder: &str) -> bool {
    let Some(boot) = holder.rsplit('/').next() else { return false };
    slot_of(holder).and_then(slot_key).is_some_and(|key| guards.is_gone(&key, boot))
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// A row whose columns say otherwise than its record takes no change, so it cannot be used.
fn record(row: &Row<'_>) -> rusqlite::Result<FileRecord> {
    let odd = |error| Error::FromSqlConversionFailure(0, Type::Text, error);
    let Some(text) = row.get::<_, Option<String>>(0)? else {
        return Err(odd("its record is longer than 1 MiB".into()));
    };
    let read: FileRecord = serde_json::from_str(&text).map_err(|error| odd(error.into()))?;
    let fits = row.get::<_, String>("transfer")? == read.transfer
        && row.get::<_, String>("side")? == read.side.as_str()
        && row.get::<_, String>("id")? == read.id
        && row.get::<_, String>("state")? == read.state.as_str()
        && row.get::<_, String>("path")? == read.path
        && row.get::<_, String>("stamp")? == read.stamp
        && row.get::<_, u64>("size")? == read.size
        && row.get::<_, String>("seenAt")? == time(read.seen_at)
        && row.get::<_, String>("changedAt")? == time(read.changed_at);
    if fits { Ok(read) } else { Err(odd("its record says otherwise than its other columns".into())) }
}

/// `collect 3f2a91…`, from a row that may be odd.
fn id_of(row: &Row<'_>) -> String {
    let text = |column| row.get::<_, String>(column).unwrap_or_default();
    format!("{} {}", text("side"), text("id"))
}

/// A word of a column, read.
fn word<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

fn find(db: &Connection, transfer: &str, side: Side, id: &str) -> rusqlite::Result<Option<Entry>> {
    let mut asked = db.prepare_cached(FIND)?;
    let Found { records, odd } = found(asked.query((transfer, side.as_str(), id))?, 1, id_of, record)?;
    let odd = odd.into_iter().next().map(|odd| Entry::Odd(odd.reason));
    Ok(records.into_iter().next().map(|record| Entry::Record(Box::new(record))).or(odd))
}

fn step(db: &Connection, it: &FileRecord, by: &str) -> rusqlite::Result<()> {
    let number = STEPS.next(db)?;
    let values = (&it.transfer, &it.id, it.side.as_str(), it.state.as_str(), time(it.changed_at), by, number);
    db.prepare_cached(STEP)?.execute(values).map(drop)
}

fn claim(
    db: &Connection,
    guards: &Guards,
    fresh: &FileRecord,
    holder: &Holder,
    (now, until): (Timestamp, Timestamp),
) -> Result<Claim, SqliteStateError> {
    let key = (&fresh.transfer, fresh.side.as_str(), &fresh.id);
    let held = db
        .prepare_cached(HELD)?
        .query_row(key, |row| {
            let by = (row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?);
            Ok((by, row.get::<_, Option<String>>(2)?))
        })
        .optional()?;
    let there = find(db, &fresh.transfer, fresh.side, &fresh.id)?;
    if let Some(Entry::Odd(reason)) = there {
        return Ok(Claim::Odd { reason });
    }
    let Some(((name, shown), ends)) = held else {
        let it = fresh;
        let place = (&it.transfer, it.side.as_str(), &it.id, it.state.as_str(), &it.path, &it.stamp, it.size);
        let (transfer, side, id, state, path, stamp, size) = place;
        let row = rusqlite::params![
            transfer,
            side,
            id,
            state,
            path,
            stamp,
            size,
            time(it.seen_at),
            time(it.changed_at),
            holder.name,
            holder.shown,
            time(until),
            json(it)?
        ];
        db.prepare_cached(INSERT)?.execute(row)?;
        step(db, it, &holder.shown)?;
        return Ok(Claim::Yours(it.clone()));
    };
    if let Some(name) = name
        && name != holder.name
        && ends.is_some_and(|ends| ends > time(now))
        && !is_gone(guards, &name)
        // Whoever has the slot now has its lock: the one before has ended.
        && (slot_of(&name).is_none() || slot_of(&name) != slot_of(&holder.name))
    {
        return Ok(Claim::Held { by: shown.unwrap_or_default() });
    }
    db.prepare_cached(HOLD)?.execute((key.0, key.1, key.2, &holder.name, &holder.shown, time(until)))?;
    Ok(Claim::Yours(there.and_then(Entry::record).unwrap_or_else(|| fresh.clone())))
}

fn advance(
    db: &Connection,
    it: &FileRecord,
    holder: &Holder,
    until: Option<Timestamp>,
) -> Result<bool, SqliteStateError> {
    let before = find(db, &it.transfer, it.side, &it.id)?.and_then(Entry::record).map(|before| before.state);
    let keeps = until.map(|_| holder.name.as_str());
    let values = rusqlite::params![
        it.transfer,
        it.side.as_str(),
        it.id,
        it.state.as_str(),
        it.path,
        it.stamp,
        it.size,
        time(it.changed_at),
        json(it)?,
        keeps,
        until.map(time),
        holder.name
    ];
    if db.prepare_cached(ADVANCE)?.execute(values)? == 0 {
        return Ok(false);
    }
    if before != Some(it.state) {
        step(db, it, &holder.shown)?;
    }
    Ok(true)
}

#[async_trait]
impl TransferLedger for LocalState {
    async fn join(&self, shown: &str) -> Result<Holder, StoreError> {
        let shown = shown.to_owned();
        self.look(move |_, guards| {
            let nonce = crate::adapters::host::nonce();
            for slot in 0..SLOTS {
                let Some(key) = slot_key(slot) else { continue };
                if let Some(boot) = guards.take(&key, Token(1)) {
                    return Ok(Holder { name: format!("{slot}/{nonce}/{boot}"), shown });
                }
            }
            Ok(Holder { name: format!("-/{nonce}/-"), shown })
        })
        .await
    }

    async fn find(&self, transfer: &str, side: Side, id: &str) -> Result<Option<Entry>, StoreError> {
        let (transfer, id) = (transfer.to_owned(), id.to_owned());
        self.look(move |db, _| Ok(find(db, &transfer, side, &id)?)).await
    }

    async fn known(&self, transfer: &str, paths: Vec<String>) -> Result<Vec<KnownFile>, StoreError> {
        let transfer = transfer.to_owned();
        self.look(move |db, _| {
            let mut asked = db.prepare_cached(KNOWN)?;
            let mut known = Vec::new();
            for path in paths {
                let found = asked
                    .query_row((&transfer, &path), |row| {
                        let state = word(row, 1).map_err(|error| error.to_string());
                        let (id, stamp) = (row.get(0)?, row.get(2)?);
                        Ok(KnownFile { path: path.clone(), id, state, stamp })
                    })
                    .optional()?;
                known.extend(found);
            }
            Ok(known)
        })
        .await
    }

    async fn claim(
        &self,
        record: &FileRecord,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, StoreError> {
        let (record, holder) = (record.clone(), holder.clone());
        self.change(move |db, guards| claim(db, guards, &record, &holder, (now, until))).await
    }

    async fn advance(
        &self,
        record: &FileRecord,
        holder: &Holder,
        until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let (record, holder) = (record.clone(), holder.clone());
        self.change(move |db, _| advance(db, &record, &holder, until)).await
    }

    async fn forget(&self, record: &FileRecord, holder: &Holder) -> Result<bool, StoreError> {
        let (it, holder) = (record.clone(), holder.clone());
        self.change(move |db, _| {
            let sql = "DELETE FROM TransferFile WHERE transfer = ?1 AND side = ?2 AND id = ?3 AND holder = ?4";
            Ok(db.prepare_cached(sql)?.execute((&it.transfer, it.side.as_str(), &it.id, &holder.name))? == 1)
        })
        .await
    }

    async fn records(&self, transfer: &str, wanted: &Wanted) -> Result<Found<FileRecord>, StoreError> {
        let (transfer, wanted) = (transfer.to_owned(), wanted.clone());
        self.look(move |db, _| lists::records(db, &transfer, &wanted)).await
    }

    async fn total(&self, transfer: &str, wanted: &Wanted) -> Result<Total, StoreError> {
        let (transfer, wanted) = (transfer.to_owned(), wanted.clone());
        self.look(move |db, _| lists::total(db, &transfer, &wanted)).await
    }

    async fn counts(&self, transfer: &str) -> Result<Vec<StateCount>, StoreError> {
        let transfer = transfer.to_owned();
        self.look(move |db, _| lists::counts(db, &transfer)).await
    }

    async fn strange(&self, transfer: &str) -> Result<Vec<OddRecord>, StoreError> {
        let transfer = transfer.to_owned();
        self.look(move |db, _| lists::strange(db, &transfer)).await
    }

    async fn steps(&self, transfer: &str, id: &str) -> Result<Vec<FileStep>, StoreError> {
        let (transfer, id) = (transfer.to_owned(), id.to_owned());
        self.look(move |db, _| {
            let sql = "SELECT side, state, at, by FROM TransferStep WHERE transfer = ?1 AND id = ?2 ORDER BY number";
            let mut asked = db.prepare_cached(sql)?;
            let read = |row: &Row<'_>| {
                Ok(FileStep { side: word(row, 0)?, state: word(row, 1)?, at: timestamp(row, "at")?, by: row.get(3)? })
            };
            Ok(found(asked.query((&transfer, &id))?, usize::MAX, |_| String::new(), read)?.records)
        })
        .await
    }
}
