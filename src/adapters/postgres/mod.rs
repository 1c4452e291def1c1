//! PostgreSQL as a source: a view streamed as text `COPY`, decoded straight into Arrow.
//!
//! Each read has a connection and a read-only transaction of its own. Types are learned by having the server describe the
//! query, which runs nothing. The server alone compares keys: they travel as literals of their column's type.
//! A `COPY` takes no bound values. So a run's parameters are bound to settings of the transaction, and read from there.

mod address;
mod column_type;
mod decode;
mod describe;
mod error;
mod examine;
mod extent;
mod kinds;
mod nested;
mod render;
mod session;
mod settings;
mod snapshot;
mod stream;
mod timeouts;
mod tls;

use crate::adapters::sql::LastCount;
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
use session::Session;
use snapshot::snapshot;
use std::collections::BTreeMap;
use std::fmt;

/// Views of one PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    address: Address,
    counted: LastCount<String>,
}

impl Postgres {
    /// Takes `postgres://…`, `postgresql://…` or `host=… user=…`; connects to nothing yet. Besides what libpq takes: in whole
    /// seconds `connect_timeout` (10, for each host), `query_timeout` (600, to a statement's answer or first row) and
    /// `idle_timeout` (60, between rows, while they are waited for); 0 waits without end.
    ///
    /// # Errors
    /// [`SourceError::Refused`] when the address cannot be read.
    pub fn new(url: &Secret) -> Result<Self, SourceError> {
        Ok(Self { address: Address::parse(url)?, counted: LastCount::default() })
    }
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

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        let mut session = Session::open(&self.address, query.isolation, query.params()).await?;
        // Asked first: what ends between the two questions is counted, and makes the count look older than it is.
        let seen = snapshot(&mut session).await?;
        let After { extent, .. } = extent::extent(&mut session, query, None).await?;
        session.close().await;
        self.counted.keep(query, &extent, seen);
        Ok(extent)
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let before = self.counted.take(query, until);
        let mut session = Session::open(&self.address, query.isolation, query.params()).await?;
        let after = match before {
            Some((after, seen)) if snapshot(&mut session).await?.as_ref() == Some(&seen) => after,
            _ => extent::extent(&mut session, query, until).await?,
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
        Ok(Box::new(stream::Reading::open(&self.address, query, from, until).await?))
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
