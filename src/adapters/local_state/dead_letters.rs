//! The dead letters: `odd_events`.

use super::LocalState;
use super::runs::at_most;
use super::value::{key, parsed, time};
use crate::core::model::message::EventId;
use crate::core::model::names::LeaseKey;
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use rusqlite::Row;

const KEEP_EVENT: &str = "INSERT INTO odd_events (workerId, topic, partition, eventOffset, at, reason, payload) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";

const DEAD_LETTERS: &str = "SELECT * FROM odd_events WHERE ?1 IS NULL OR workerId = ?1 ORDER BY id DESC LIMIT ?2";

#[async_trait]
impl DeadLetters for LocalState {
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError> {
        let DeadLetter { id, owner, at, reason, payload } = event.clone();
        self.change(move |db, _| {
            let values = (owner.as_str(), id.topic, id.partition, id.offset, time(at), reason, payload);
            db.prepare_cached(KEEP_EVENT)?.execute(values)?;
            Ok(())
        })
        .await
    }

    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let owner = owner.cloned();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(DEAD_LETTERS)?;
            let values = (owner.as_ref().map(LeaseKey::as_str), at_most(limit));
            Ok(query.query_map(values, dead_letter)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: EventId { topic: row.get("topic")?, partition: row.get("partition")?, offset: row.get("eventOffset")? },
        owner: key(row)?,
        at: parsed(row, "at", |text| text.parse())?,
        reason: row.get("reason")?,
        payload: row.get("payload")?,
    })
}
