//! The ledger of discovered files: `DiscoveredFile`.

use super::LocalState;
use super::data_sources::record;
use super::value::time;
use crate::core::model::data_source::DataSourceId;
use crate::core::ports::ledger::{Home, Ledger, ToldFile};
use crate::core::ports::outbox::OutboxEntry;
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row};

pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS DiscoveredFile (
    id TEXT PRIMARY KEY NOT NULL, dataSourceId TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    stamp TEXT NOT NULL, modifiedAt TEXT NOT NULL, discoveredAt TEXT NOT NULL, executionId TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS DiscoveredFile_of_source ON DiscoveredFile (dataSourceId, path, stamp);
";

/// The folder that each data source's files were looked for in at first.
pub(super) const HOMES: &str = "
CREATE TABLE IF NOT EXISTS DiscoveredHome (
    dataSourceId TEXT PRIMARY KEY NOT NULL, path TEXT NOT NULL, place TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

const HOME: &str = "SELECT path, place FROM DiscoveredHome WHERE dataSourceId = ?1";

const TELL: &str = "
INSERT INTO DiscoveredFile (id, dataSourceId, path, size, sha256, stamp, modifiedAt, discoveredAt, executionId)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING";

const TOLD: &str = "
SELECT path, stamp FROM DiscoveredFile WHERE dataSourceId = ?1 AND path BETWEEN ?2 AND ?3";

#[async_trait]
impl Ledger for LocalState {
    async fn tell(&self, file: &ToldFile, event: Option<&OutboxEntry>) -> Result<bool, StoreError> {
        let (file, event) = (file.clone(), event.cloned());
        self.change(move |db, _| {
            let ToldFile { id, source, path, size, sha256, stamp, modified_at, discovered_at, execution } = &file;
            let times = (time(*modified_at), time(*discovered_at));
            let values = (id, source.as_str(), path, size, sha256, stamp, times.0, times.1, execution);
            if db.prepare_cached(TELL)?.execute(values)? == 0 {
                db.prepare_cached("UPDATE DiscoveredFile SET stamp = ?2 WHERE id = ?1")?.execute((id, stamp))?;
                return Ok(false);
            }
            if let Some(event) = &event {
                record(db, event)?;
            }
            Ok(true)
        })
        .await
    }

    async fn is_told(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.look(move |db, _| Ok(db.prepare_cached("SELECT 1 FROM DiscoveredFile WHERE id = ?1")?.exists([id])?)).await
    }

    async fn home(&self, source: &DataSourceId, folder: &Home) -> Result<Home, StoreError> {
        let (source, asked) = (source.clone(), source.clone());
        let known =
            self.look(move |db, _| Ok(db.prepare_cached(HOME)?.query_row([asked.as_str()], read_home).optional()?));
        if let Some(known) = known.await? {
            return Ok(known);
        }
        let folder = folder.clone();
        self.change(move |db, _| {
            let insert =
                "INSERT INTO DiscoveredHome (dataSourceId, path, place) VALUES (?1, ?2, ?3) ON CONFLICT (dataSourceId) DO NOTHING";
            db.prepare_cached(insert)?.execute((source.as_str(), folder.words, folder.place))?;
            Ok(db.prepare_cached(HOME)?.query_row([source.as_str()], read_home)?)
        })
        .await
    }

    async fn told(&self, source: &DataSourceId, first: &str, last: &str) -> Result<Vec<(String, String)>, StoreError> {
        let (source, first, last) = (source.clone(), first.to_owned(), last.to_owned());
        self.look(move |db, _| {
            let mut query = db.prepare_cached(TOLD)?;
            let found = query.query_map((source.as_str(), first, last), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

fn read_home(row: &Row<'_>) -> rusqlite::Result<Home> {
    Ok(Home { words: row.get("path")?, place: row.get("place")? })
}
