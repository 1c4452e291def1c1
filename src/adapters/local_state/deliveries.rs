//! What is to be handed over: `run_deliveries`. Each row has its whole record as JSON, and beside it what rows are found by.

use super::LocalState;
use super::error::SqliteStateError;
use super::runs::found;
use super::value::time;
use crate::core::model::delivery::{Delivery, DeliveryDocument, OUTBOX};
use crate::core::model::names::{LeaseKey, WorkerId};
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::ports::deliveries::Deliveries;
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Row, named_params};

pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS run_deliveries (
    id TEXT PRIMARY KEY NOT NULL, workerId TEXT NOT NULL, date TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
    done INTEGER NOT NULL, revision INTEGER NOT NULL, record TEXT NOT NULL, deliveredAt TEXT, hasEvent INTEGER NOT NULL, sentAt TEXT)
    STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS run_deliveries_of_run ON run_deliveries (workerId, date, version, position);
CREATE INDEX IF NOT EXISTS run_deliveries_unsent ON run_deliveries (workerId, deliveredAt) WHERE hasEvent = 1 AND sentAt IS NULL;
CREATE INDEX IF NOT EXISTS run_deliveries_undone ON run_deliveries (workerId, date) WHERE done = 0;
";

const ADD: &str = "
INSERT INTO run_deliveries (id, workerId, date, version, position, done, revision, record, deliveredAt, hasEvent)
VALUES (:id, :worker, :date, :version, :position, :done, :revision, :record, :delivered, :event) ON CONFLICT (id) DO NOTHING";

const ADVANCE: &str = "
UPDATE run_deliveries SET done = ?2, revision = ?3 + 1, record = ?4, deliveredAt = ?5, hasEvent = ?6 WHERE id = ?1 AND revision = ?3";

const UNDONE: &str = "SELECT DISTINCT date FROM run_deliveries WHERE workerId = ?1 AND done = 0 ORDER BY date";

const OF_RUN: &str = "
SELECT id, record, sentAt FROM run_deliveries WHERE workerId = ?1 AND date = ?2 ORDER BY version, position";

const PENDING: &str = "
SELECT id, record, sentAt FROM run_deliveries WHERE workerId = ?1 AND hasEvent = 1 AND sentAt IS NULL ORDER BY deliveredAt, id";

#[async_trait]
impl Deliveries for LocalState {
    async fn add_due(&self, due: &[Delivery]) -> Result<(), StoreError> {
        let due = due.to_vec();
        self.change(move |db, _| {
            for delivery in &due {
                db.prepare_cached(ADD)?.execute(named_params! {
                    ":id": delivery.id(),
                    ":worker": delivery.run.worker.as_str(),
                    ":date": delivery.run.date.to_string(),
                    ":version": delivery.version,
                    ":position": delivery.position,
                    ":done": delivery.done,
                    ":revision": delivery.revision,
                    ":record": written(delivery)?,
                    ":delivered": delivery.delivered_at.map(time),
                    ":event": delivery.event.is_some(),
                })?;
            }
            Ok(())
        })
        .await
    }

    async fn undone(&self, worker: &WorkerId) -> Result<Found<BusinessDate>, StoreError> {
        let worker = worker.clone();
        self.look(move |db, _| {
            if !is_there(db)? {
                return Ok(Found::default());
            }
            let mut query = db.prepare_cached(UNDONE)?;
            let id = |row: &Row<'_>| format!("run_deliveries {worker}:{}", row.get::<_, String>(0).unwrap_or_default());
            let date = |row: &Row<'_>| {
                let text: String = row.get(0)?;
                BusinessDate::parse(&text).ok_or_else(|| odd(format!("`{text}` is no date")))
            };
            Ok(found(query.query([worker.as_str()])?, usize::MAX, id, date)?)
        })
        .await
    }

    async fn of_run(&self, run: &RunId) -> Result<Found<Delivery>, StoreError> {
        let run = run.clone();
        self.look(move |db, _| {
            if !is_there(db)? {
                return Ok(Found::default());
            }
            let mut query = db.prepare_cached(OF_RUN)?;
            let rows = query.query((run.worker.as_str(), run.date.to_string()))?;
            Ok(found(rows, usize::MAX, id_of, delivery)?)
        })
        .await
    }

    async fn advance(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let delivery = delivery.clone();
        self.change(move |db, _| {
            let next = Delivery { revision: delivery.revision + 1, ..delivery.clone() };
            let at = delivery.delivered_at.map(time);
            let values =
                (delivery.id(), delivery.done, delivery.revision, written(&next)?, at, delivery.event.is_some());
            Ok(db.prepare_cached(ADVANCE)?.execute(values)? == 1)
        })
        .await
    }
}

/// The events of arrivals that wait, oldest first.
pub(super) fn pending(db: &Connection, owner: &LeaseKey) -> Result<Found<OutboxEntry>, SqliteStateError> {
    if !is_there(db)? {
        return Ok(Found::default());
    }
    let mut query = db.prepare_cached(PENDING)?;
    let Found { records, odd } = found(query.query([owner.as_str()])?, usize::MAX, id_of, delivery)?;
    Ok(Found { records: records.iter().filter_map(Delivery::outbox_entry).collect(), odd })
}

/// Records that an arrival's event was sent. `false` when the id is of no such event.
pub(super) fn mark_sent(db: &Connection, id: &OutboxId, at: Timestamp) -> Result<bool, SqliteStateError> {
    let Some((OUTBOX, id)) = id.as_str().split_once('/') else { return Ok(false) };
    let mark = "UPDATE run_deliveries SET sentAt = ?2 WHERE id = ?1 AND hasEvent = 1 AND sentAt IS NULL";
    db.prepare_cached(mark)?.execute((id, time(at)))?;
    Ok(true)
}

/// Whether the file of an earlier build has the table by now: who only looks makes none.
fn is_there(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'run_deliveries'")?.exists([])
}

fn written(delivery: &Delivery) -> rusqlite::Result<String> {
    serde_json::to_string(&DeliveryDocument::from(delivery))
        .map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

fn id_of(row: &Row<'_>) -> String {
    format!("run_deliveries {}", row.get::<_, String>("id").unwrap_or_default())
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let document: DeliveryDocument =
        serde_json::from_str(&row.get::<_, String>("record")?).map_err(|error| odd(error.to_string()))?;
    let sent_at = super::value::maybe_timestamp(row, "sentAt")?;
    let read = Delivery { sent_at, ..document.read().map_err(odd)? };
    if read.id() == row.get::<_, String>("id")? {
        return Ok(read);
    }
    Err(odd(format!("it is of {}, and its id says otherwise", read.id())))
}

fn odd(reason: String) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, reason.into())
}
