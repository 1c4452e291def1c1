//! The dead letters: `odd_events`.

use super::LocalState;
use super::runs::{at_most, found, looked_at};
use super::value::{added, key, parsed, time};
use crate::adapters::sqlite_numbers::Numbered;
use crate::core::model::message::EventId;
use crate::core::model::names::LeaseKey;
use crate::core::model::payload::Payload;
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

const LETTERS: Numbered = Numbered::new("odd_events.id");

const KEEP_EVENT: &str = "
INSERT INTO odd_events (workerId, topic, partition, eventOffset, at, reason, payload, payloadBytes, payloadSha256, id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (workerId, topic, partition, eventOffset) DO NOTHING";

/// Without the payload: it may be as long as the event was, in rows of earlier builds.
const DEAD_LETTERS: &str = "
SELECT workerId, topic, partition, eventOffset, at, reason FROM odd_events
WHERE ?1 IS NULL OR workerId = ?1 ORDER BY id DESC LIMIT ?2";

const DEAD_LETTER: &str = "
SELECT * FROM odd_events WHERE workerId = ?1 AND topic = ?2 AND partition = ?3 AND eventOffset = ?4";

const DROP: &str = "
DELETE FROM odd_events WHERE workerId = ?1 AND (at < ?2 OR id <= (
    SELECT id FROM odd_events WHERE workerId = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3))";

#[async_trait]
impl DeadLetters for LocalState {
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError> {
        let DeadLetter { id, owner, at, reason, payload } = event.clone();
        let Payload { text, bytes, sha256 } = payload.unwrap_or_else(|| Payload::of(b""));
        self.change(move |db, _| {
            let (number, at) = (LETTERS.next(db)?, time(at));
            let values = (owner.as_str(), id.topic, id.partition, id.offset, at, reason, text, bytes, sha256, number);
            db.prepare_cached(KEEP_EVENT)?.execute(values)?;
            Ok(())
        })
        .await
    }

    async fn dead_letter(&self, owner: &LeaseKey, id: &EventId) -> Result<Option<DeadLetter>, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.look(move |db, _| {
            let place = (owner.as_str(), id.topic, id.partition, id.offset);
            let found = db
                .prepare_cached(DEAD_LETTER)?
                .query_row(place, |row| Ok(DeadLetter { payload: Some(payload(row)?), ..dead_letter(row)? }));
            Ok(found.optional()?)
        })
        .await
    }

    async fn drop_dead_letters(&self, owner: &LeaseKey, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        let owner = owner.clone();
        self.change(move |db, _| {
            let dropped = db.prepare_cached(DROP)?.execute((owner.as_str(), time(before), at_most(most)))?;
            Ok(dropped as u64)
        })
        .await
    }

    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Result<Found<DeadLetter>, StoreError> {
        let owner = owner.cloned();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(DEAD_LETTERS)?;
            let values = (owner.as_ref().map(LeaseKey::as_str), looked_at(limit));
            Ok(found(query.query(values)?, limit, id, dead_letter)?)
        })
        .await
    }
}

/// `odd_events LoanWorker:loan-data/3/17`, of a row that may be odd.
fn id(row: &Row<'_>) -> String {
    let text = |column| row.get::<_, String>(column).unwrap_or_default();
    let number = |column| row.get::<_, i64>(column).unwrap_or_default();
    format!("odd_events {}:{}/{}/{}", text("workerId"), text("topic"), number("partition"), number("eventOffset"))
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: EventId { topic: row.get("topic")?, partition: row.get("partition")?, offset: row.get("eventOffset")? },
        owner: key(row)?,
        at: parsed(row, "at", |text| text.parse())?,
        reason: row.get("reason")?,
        payload: None,
    })
}

/// Builds before this kept the whole text, which may differ from the event's bytes, and no digest.
fn payload(row: &Row<'_>) -> rusqlite::Result<Payload> {
    let text: String = row.get("payload")?;
    let (bytes, sha256) = (added(row, "payloadBytes")?, added(row, "payloadSha256")?);
    Ok(match (bytes, sha256) {
        (Some(bytes), Some(sha256)) => Payload { text, bytes: Some(bytes), sha256: Some(sha256) },
        _ => Payload::of_text(text),
    })
}
