//! PostgreSQL as a source: a view streamed as text `COPY`, decoded straight into Arrow.
//!
//! Each read has a connection and a read-only transaction of its own. Types are learned by having the server describe the
//! query, which runs nothing. The server alone compares keys: they travel as literals of their column's type.
//! A `COPY` takes no bound values. So a run's parameters are bound to settings of the transaction, and read from there.

mod address;
mod auth;
mod column_type;
mod connect;
mod decode;
mod describe;
mod error;
mod examine;
mod extent;
mod kept;
mod kinds;
mod literal;
mod nested;
mod pairs;
pub mod reader;
mod render;
mod session;
mod settings;
pub mod sink;
mod snapshot;
pub mod sqlstates;
mod stream;
mod timeouts;
mod tls;
mod too_long;

use crate::adapters::sql::{LastCount, Waiting};
use crate::core::model::column::Column;
use crate::core::model::finding::Finding;
use crate::core::model::key::Key;
use crate::core::model::param::Params;
use crate::core::model::query::Isolation;
use crate::core::model::secret::Secret;
use crate::core::model::sql::Relation;
use crate::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use address::Address;
use async_trait::async_trait;
use kept::Kept;
use session::Session;
use snapshot::snapshot;
use std::collections::BTreeMap;
use std::fmt;

/// Views of one PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    address: Address,
    counted: LastCount<String>,
    /// A run's session between two questions.
    waiting: Waiting<Kept>,
}

impl Postgres {
    /// Takes `postgres://…`, `postgresql://…` or `host=… user=…`; connects to nothing yet. Besides what libpq takes: in whole
    /// seconds `connect_timeout` (10, for each host), `query_timeout` (600, to a statement's answer or first row) and
    /// `idle_timeout` (60, between rows, while they are waited for); 0 waits without end.
    ///
    /// # Errors
    /// [`SourceError::Refused`] when the address cannot be read.
    pub fn new(url: &Secret) -> Result<Self, SourceError> {
        Ok(Self { address: Address::parse(url)?, counted: LastCount::default(), waiting: Waiting::default() })
    }
}

/// An address as others may see it, and what is weak about a connection to it: what, and what to write instead. `None` when it
/// cannot be read.
pub fn look(url: &Secret) -> Option<(String, Option<(String, &'static str)>)> {
    let address = Address::parse(url).ok()?;
    Some((address.shown(), address.weakness()))
}

/// Why an address cannot be read, without any part of it that may be secret.
pub fn refused(url: &Secret) -> Option<String> {
    Address::parse(url).err().map(|error| error.to_string())
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.address.name).finish()
    }
}

#[async_trait]
impl PageSource for Postgres {
    fn describe(&self) -> String {
        self.address.name.clone()
    }

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        let mut params = Params::new();
        view.sql().into_iter().for_each(|sql| sql.gather(&mut params));
        let mut session = Session::open(&self.address, Isolation::Default, params).await?;
        let columns = describe::columns(&mut session, view).await?;
        session.close().await;
        Ok(columns)
    }

    async fn lengths(&self, view: &Relation) -> Result<BTreeMap<String, u32>, SourceError> {
        let mut session = Session::open(&self.address, Isolation::Default, Params::new()).await?;
        let lengths = describe::lengths(&mut session, view).await?;
        session.close().await;
        Ok(lengths)
    }

    async fn kinds(&self, query: &Query) -> Result<Vec<Column>, SourceError> {
        if let Some(columns) = self.waiting.look(|kept| kept.query.asks_as(query).then(|| kept.columns())) {
            return Ok(columns);
        }
        let kept = Kept::next(&self.waiting, &self.address, query).await?;
        let columns = kept.columns();
        self.waiting.keep(kept);
        Ok(columns)
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        // In a new transaction the view may be another one.
        let (session, _) = Kept::renewed(&self.waiting, &self.address, query).await?;
        let mut kept = Kept::learned(session, query).await?;
        // Asked first: what ends between the two questions is counted, and makes the count look older than it is.
        let seen = snapshot(&mut kept.session).await?;
        let After { extent, .. } = extent::extent(&mut kept.session, query, &kept.types, None).await?;
        self.counted.keep(query, &extent, seen);
        self.waiting.keep(kept);
        Ok(extent)
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let before = self.counted.take(query, until);
        let (mut session, types) = Kept::renewed(&self.waiting, &self.address, query).await?;
        let after = match before {
            Some((after, seen)) if snapshot(&mut session).await?.as_ref() == Some(&seen) => after,
            _ => {
                let types = match types {
                    Some(types) => types,
                    None => describe::types(&mut session, query).await?,
                };
                extent::extent(&mut session, query, &types, until).await?
            }
        };
        session.close().await;
        Ok(after)
    }

    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError> {
        let kept = Kept::next(&self.waiting, &self.address, query).await?;
        Ok(Box::new(stream::Reading::new(kept, from, until, self.waiting.clone())?))
    }

    async fn rest(&self) {
        self.waiting.end().await;
    }

    fn query_text(&self, query: &Query) -> Result<Option<String>, SourceError> {
        crate::adapters::sql::shown(&crate::adapters::sql::Dialect::POSTGRES, query).map(Some)
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        let mut session = Session::open(&self.address, Isolation::Default, query.params()).await?;
        let findings = examine::examine(&mut session, query).await?;
        session.close().await;
        Ok(findings)
    }
}
