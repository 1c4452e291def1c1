//! Data sources: `DataSource`, each a row with its JSON; and the outbox of the flow, which the same transaction writes.

use super::LocalState;
use super::error::SqliteStateError;
use super::runs::{at_most, found, page};
use super::value::{parsed, time};
use crate::adapters::sqlite_numbers::Numbered;
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::model::names::LeaseKey;
use crate::core::ports::data_sources::{DataSources, Listed, Wanted, Written};
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use crate::core::ports::store::{Found, Page, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

/// The columns beside `document` are those that are searched.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS DataSource (
    id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL UNIQUE, isActive INTEGER NOT NULL, version INTEGER NOT NULL,
    updatedAt TEXT NOT NULL, words TEXT NOT NULL, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS DataSource_changed ON DataSource (updatedAt);
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, key TEXT NOT NULL,
    payload BLOB NOT NULL, sentAt TEXT) STRICT;
CREATE INDEX IF NOT EXISTS outbox_unsent ON outbox (owner, seq) WHERE sentAt IS NULL;
CREATE INDEX IF NOT EXISTS outbox_sent ON outbox (owner, seq) WHERE sentAt IS NOT NULL;
";

const INSERT: &str = "INSERT INTO DataSource (id, name, isActive, version, words, document, updatedAt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const REPLACE: &str = "UPDATE DataSource SET name = ?2, isActive = ?3, version = ?4, words = ?5, document = ?6, updatedAt = ?7 WHERE id = ?1";

const MESSAGES: Numbered = Numbered::new("outbox.seq");

const RECORD: &str =
    "INSERT INTO outbox (id, owner, key, payload, seq) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING";

/// What was sent is kept so that a repeat of the write does not send again; a thousand are enough. By an index: a thousand more may wait.
const FORGET: &str = "
DELETE FROM outbox WHERE owner = ?1 AND sentAt IS NOT NULL AND seq <= (SELECT seq FROM outbox WHERE id = ?2) - 1000";

pub(super) const PENDING: &str =
    "SELECT id, key, payload FROM outbox WHERE owner = ?1 AND sentAt IS NULL ORDER BY seq LIMIT 1000";

const COUNT: &str = "
SELECT count(*) FROM DataSource WHERE (?1 IS NULL OR isActive = ?1) AND instr(words, ?2) > 0
    AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND id NOT IN (SELECT value FROM json_each(?4))";

/// Where nothing is searched for, the index of names alone is read.
const COUNT_ALL: &str = "SELECT count(*) FROM DataSource";

const LIST: &str = "
SELECT document, id FROM DataSource WHERE (?1 IS NULL OR isActive = ?1) AND instr(words, ?2) > 0
    AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND id NOT IN (SELECT value FROM json_each(?4))
ORDER BY name LIMIT ?5 OFFSET ?6";

const BEHIND: &str =
    "SELECT document, id FROM DataSource WHERE id > ?1 AND (?2 IS NULL OR id <= ?2) ORDER BY id LIMIT ?3";

#[async_trait]
impl DataSources for LocalState {
    async fn create(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError> {
        let (source, event) = (source.clone(), event.clone());
        self.change(move |db, _| {
            if let Some(there) = read(db, &source.id)? {
                return Ok(if there == source { Written::Done } else { Written::Changed(Box::new(there)) });
            }
            write(db, INSERT, &source, &event)
        })
        .await
    }

    async fn replace(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError> {
        let (source, event) = (source.clone(), event.clone());
        self.change(move |db, _| match read(db, &source.id)? {
            None => Ok(Written::Gone),
            Some(there) if there == source => Ok(Written::Done),
            Some(there) if there.version + 1 != source.version => Ok(Written::Changed(Box::new(there))),
            Some(_) => write(db, REPLACE, &source, &event),
        })
        .await
    }

    async fn delete(&self, id: &DataSourceId, version: u64, event: &OutboxEntry) -> Result<Written, StoreError> {
        let (id, event) = (id.clone(), event.clone());
        self.change(move |db, _| match read(db, &id)? {
            None => Ok(Written::Gone),
            Some(there) if there.version != version => Ok(Written::Changed(Box::new(there))),
            Some(_) => {
                db.prepare_cached("DELETE FROM DataSource WHERE id = ?1")?.execute([id.as_str()])?;
                record(db, &event)?;
                Ok(Written::Done)
            }
        })
        .await
    }

    async fn data_source(&self, id: &DataSourceId) -> Result<Option<DataSource>, StoreError> {
        let id = id.clone();
        self.look(move |db, _| Ok(read(db, &id)?)).await
    }

    async fn named(&self, name: &str) -> Result<Option<DataSource>, StoreError> {
        let name = name.to_owned();
        self.look(move |db, _| {
            let mut query = db.prepare_cached("SELECT document FROM DataSource WHERE name = ?1")?;
            Ok(query.query_row([name], document).optional()?)
        })
        .await
    }

    async fn sources_behind(
        &self,
        after: &str,
        until: Option<&str>,
        most: usize,
    ) -> Result<Page<DataSource>, StoreError> {
        let (after, until) = (after.to_owned(), until.map(str::to_owned));
        self.look(move |db, _| {
            let mut query = db.prepare_cached(BEHIND)?;
            page(query.query((after, until, at_most(most)))?, most, str::to_owned, document)
        })
        .await
    }

    async fn data_sources(&self, wanted: &Wanted) -> Result<Listed, StoreError> {
        let wanted = wanted.clone();
        self.look(move |db, _| {
            let text = wanted.text.to_lowercase();
            let (only, but) = (wanted.only.as_deref().map(ids).transpose()?, ids(&wanted.but)?);
            let is_all = wanted.active.is_none() && text.is_empty() && only.is_none() && wanted.but.is_empty();
            let count = |row: &Row<'_>| row.get(0);
            let total = if is_all {
                db.prepare_cached(COUNT_ALL)?.query_row((), count)?
            } else {
                db.prepare_cached(COUNT)?.query_row((wanted.active, &text, &only, &but), count)?
            };
            let skip = i64::try_from(wanted.skip).unwrap_or(i64::MAX);
            let mut query = db.prepare_cached(LIST)?;
            let rows = query.query((wanted.active, &text, only, but, wanted.most, skip))?;
            let id = |row: &Row<'_>| row.get::<_, String>("id").unwrap_or_default();
            let found = found(rows, usize::MAX, id, document)?;
            Ok(Listed { total, sources: found.records, odd: found.odd })
        })
        .await
    }
}

/// A list of ids, as one value of a query.
fn ids(ids: &[DataSourceId]) -> rusqlite::Result<String> {
    serde_json::to_string(ids).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn read(db: &Connection, id: &DataSourceId) -> rusqlite::Result<Option<DataSource>> {
    let mut query = db.prepare_cached("SELECT document FROM DataSource WHERE id = ?1")?;
    query.query_row([id.as_str()], document).optional()
}

fn document(row: &Row<'_>) -> rusqlite::Result<DataSource> {
    parsed(row, "document", |text| serde_json::from_str(&text))
}

fn write(
    db: &Transaction<'_>,
    sql: &str,
    source: &DataSource,
    event: &OutboxEntry,
) -> Result<Written, SqliteStateError> {
    let mut taken = db.prepare_cached("SELECT 1 FROM DataSource WHERE name = ?1 AND id <> ?2")?;
    if taken.exists((&source.name, source.id.as_str()))? {
        return Ok(Written::NameTaken);
    }
    let text = serde_json::to_string(source).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let words = [&*source.name, &source.description, &source.path, &source.pattern].join("\n").to_lowercase();
    let changed = time(source.updated_at);
    let values = (source.id.as_str(), &source.name, source.is_active, source.version, words, text, changed);
    db.prepare_cached(sql)?.execute(values)?;
    record(db, event)?;
    Ok(Written::Done)
}

/// Records a message in the transaction of its effect.
pub(super) fn record(db: &Transaction<'_>, event: &OutboxEntry) -> rusqlite::Result<()> {
    let owner = owner(&event.id);
    let values = (event.id.as_str(), owner, &event.key, &event.payload, MESSAGES.next(db)?);
    db.prepare_cached(RECORD)?.execute(values)?;
    Ok(())
}

/// The owner of an entry of this flow: what stands before the slash of its id. `None` for entries of other flows.
fn owner(id: &OutboxId) -> Option<&str> {
    id.as_str().split_once('/').map(|(owner, _)| owner)
}

/// The entries of this flow that wait.
pub(super) fn pending(db: &Connection, key: &LeaseKey) -> rusqlite::Result<Found<OutboxEntry>> {
    let mut query = db.prepare_cached(PENDING)?;
    let entry = |row: &Row<'_>| {
        Ok(OutboxEntry { id: OutboxId::new(row.get::<_, String>(0)?), key: row.get(1)?, payload: row.get(2)? })
    };
    let id = |row: &Row<'_>| format!("outbox {}", row.get::<_, String>(0).unwrap_or_default());
    found(query.query([key.as_str()])?, usize::MAX, id, entry)
}

/// Marks an entry as sent, if it is one of this flow. Whether it is.
pub(super) fn mark_sent(db: &Transaction<'_>, id: &OutboxId, at: Timestamp) -> rusqlite::Result<bool> {
    let Some(owner) = owner(id) else { return Ok(false) };
    let mark = "UPDATE outbox SET sentAt = ?2 WHERE id = ?1 AND sentAt IS NULL";
    db.prepare_cached(mark)?.execute((id.as_str(), time(at)))?;
    db.prepare_cached(FORGET)?.execute([owner, id.as_str()])?;
    Ok(true)
}
