//! Views in an SQLite file, read by one thread per open read. The file is never written.
//!
//! What a column is comes from the declared type of the table's column behind it (`decltype`), which works through views
//! for plain columns. SQLite itself enforces no type, so each value is held to the declared one. An expression has no
//! declared type; its kind is found from the values of the first page.

mod cells;
mod connect;
mod convert;
mod decimals;
mod declared;
mod examine;
mod extent;
mod keys;
mod params;
mod read;
mod stream;
#[cfg(test)]
mod tests;
mod version;
mod view;
mod worker;

use crate::adapters::sql::LastCount;
use crate::core::model::column::{Column, Kind};
use crate::core::model::finding::Finding;
use crate::core::model::key::Key;
use crate::core::model::sql::Relation;
use crate::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use async_trait::async_trait;
use connect::DatabasePath;
use std::collections::BTreeMap;
use std::path::Path;
use version::Version;

/// The views of one SQLite file.
///
/// A read with [`Fetch::Stream`](crate::core::model::query::Fetch::Stream), or of a snapshot, is one read transaction from its
/// start to its end. With a write-ahead log (`PRAGMA journal_mode = wal`) writers go on meanwhile; without one they wait,
/// and `fetch: paged` lets them in between pages.
#[derive(Clone, Debug)]
pub struct SqliteSource {
    place: DatabasePath,
    counted: LastCount<Version>,
}

impl SqliteSource {
    /// Views of the file at `path`. Nothing is opened yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { place: DatabasePath::new(path.as_ref()), counted: LastCount::default() }
    }
}

#[async_trait]
impl PageSource for SqliteSource {
    fn describe(&self) -> String {
        self.place.describe()
    }

    /// A column without a declared type is given as text; a read finds out what it really is.
    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        let view = view.clone();
        worker::run(&self.place, move |db| {
            let seen = view::columns(db, &view)?;
            Ok(seen.into_iter().map(|seen| Column { name: seen.name, kind: seen.kind.unwrap_or(Kind::Text) }).collect())
        })
        .await
    }

    async fn lengths(&self, view: &Relation) -> Result<BTreeMap<String, u32>, SourceError> {
        let view = view.clone();
        worker::run(&self.place, move |db| {
            let seen = view::columns(db, &view)?;
            Ok(seen.into_iter().filter_map(|seen| Some((seen.name, declared::length(&seen.declared)?))).collect())
        })
        .await
    }

    fn folds_names(&self) -> bool {
        true
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        let asked = query.clone();
        let counted = worker::run_with(&self.place, move |db| {
            let After { extent, .. } = extent::extent(&db, &asked, None)?;
            Ok((extent, Version::seen(db)))
        });
        let (extent, version) = counted.await?;
        self.counted.keep(query, &extent, version);
        Ok(extent)
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let before = self.counted.take(query, until);
        let unchanged = move || before.and_then(|(after, version)| version.is_current().then_some(after));
        if let Some(after) = tokio::task::spawn_blocking(unchanged).await.unwrap_or_default() {
            return Ok(after);
        }
        let (query, until) = (query.clone(), until.cloned());
        worker::run(&self.place, move |db| extent::extent(db, &query, until.as_ref())).await
    }

    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError> {
        Ok(Box::new(stream::SqliteStream::open(&self.place, query.clone(), from.clone(), until.cloned()).await?))
    }

    fn query_text(&self, query: &Query) -> Result<Option<String>, SourceError> {
        crate::adapters::sql::shown(&crate::adapters::sql::Dialect::SQLITE, query).map(Some)
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        let query = query.clone();
        worker::run(&self.place, move |db| examine::examine(db, &query)).await
    }

    async fn doubts(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        let query = query.clone();
        worker::run(&self.place, move |db| decimals::findings(db, &query)).await
    }
}
