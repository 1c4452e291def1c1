//! Views of a Microsoft SQL Server (2012 and later) or Azure SQL database.
//!
//! Types come from the server's answer to a statement without rows. A read has its own connection and its own
//! task; dropping the read drops the connection, wherever it was.

mod address;
mod cells;
mod civil;
mod connect;
mod describe;
mod error;
mod extent;
mod kept;
mod keys;
pub mod numbers;
mod pairs;
mod read;
mod render;
mod run_params;
mod shown;
mod tds;
#[cfg(test)]
mod tests;

use crate::adapters::sql::Waiting;
use crate::core::model::column::Column;
use crate::core::model::finding::Finding;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::query::Isolation;
use crate::core::model::secret::Secret;
use crate::core::model::sql::Relation;
use crate::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use address::Address;
use async_trait::async_trait;
use describe::Seen;
use kept::Kept;
use read::{Reader, Told};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, channel};

/// Pages that wait between a read's task and whoever takes them: one is there while the next is read.
const PAGES_IN_FLIGHT: usize = 1;

/// The views of one database.
#[derive(Clone)]
pub struct SqlServerSource {
    address: Arc<Address>,
    /// A run's session between two questions.
    waiting: Waiting<Kept>,
}

impl SqlServerSource {
    /// Reads `sqlserver://user:password@host:1433/database?key=value` or an ADO connection string
    /// (`Server=tcp:host,1433;Database=…;User Id=…;Password=…`); both take the same keys, blanks and case do not count:
    /// `Encrypt` (`true`: everything, the default; `false`: the login only; `off`; `strict`), `TrustServerCertificate`,
    /// `TrustServerCertificateCA` (a file), `HostNameInCertificate`, `ApplicationIntent`, `Application Name`,
    /// `Packet Size` (bytes, 32767), and in seconds `Connect Timeout` (15), `Query Timeout` (600, to the first row) and
    /// `Idle Timeout` (60, between rows); 0 waits without end. Nothing is opened yet.
    ///
    /// # Errors
    /// [`SourceError::Refused`] for an address that cannot be used, without the address.
    pub fn new(address: &Secret) -> Result<Self, SourceError> {
        Ok(Self { address: Arc::new(Address::parse(address)?), waiting: Waiting::default() })
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

/// Keys of an address that change nothing here, though other clients know them. None where it cannot be read.
pub fn ignored(url: &Secret) -> Vec<&'static str> {
    Address::parse(url).map(|address| address.ignored).unwrap_or_default()
}

#[async_trait]
impl PageSource for SqlServerSource {
    fn describe(&self) -> String {
        self.address.name.clone()
    }

    /// A column of a type that cannot be carried is given as text, and refused when it is read.
    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        let mut client = self.address.connect(Isolation::Default).await?;
        Ok(self.address.seen(&mut client, view, &[]).await?.iter().map(Seen::column).collect())
    }

    async fn lengths(&self, view: &Relation) -> Result<BTreeMap<String, u32>, SourceError> {
        let mut client = self.address.connect(Isolation::Default).await?;
        let seen = self.address.seen(&mut client, view, &[]).await?;
        Ok(seen.into_iter().filter_map(|seen| Some((seen.name.clone(), seen.characters()?))).collect())
    }

    fn folds_names(&self) -> bool {
        true
    }

    async fn kinds(&self, query: &Query) -> Result<Vec<Column>, SourceError> {
        if let Some(columns) = self.waiting.look(|kept| kept.columns(query)) {
            return Ok(columns);
        }
        let kept = Kept::next(&self.waiting, &self.address, query).await?;
        let columns = kept.plan()?.columns();
        self.waiting.keep(kept);
        Ok(columns)
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        let mut kept = Kept::now(&self.waiting, &self.address, query, true).await?;
        let After { extent, .. } = extent::extent(&mut kept, None).await?;
        self.waiting.keep(kept);
        Ok(extent)
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let mut kept = Kept::now(&self.waiting, &self.address, query, false).await?;
        let after = extent::extent(&mut kept, until).await?;
        self.waiting.keep(kept);
        Ok(after)
    }

    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError> {
        let kept = Kept::next(&self.waiting, &self.address, query).await?;
        let plan = kept.plan()?;
        let columns = plan.columns();
        let reader = Reader::new(Arc::clone(&self.address), query.clone(), plan)?;
        let (tell, pages) = channel(PAGES_IN_FLIGHT);
        // Ends, and with it its connection, when nobody takes pages any more.
        tokio::spawn(reader.run(kept, from.clone(), until.cloned(), tell, self.waiting.clone()));
        let address = Arc::clone(&self.address);
        Ok(Box::new(SqlServerStream { address, pages, columns, begun: false, done: false }))
    }

    async fn rest(&self) {
        self.waiting.end().await;
    }

    fn query_text(&self, query: &Query) -> Result<Option<String>, SourceError> {
        crate::adapters::sql::shown(&crate::adapters::sql::Dialect::SQL_SERVER, query).map(Some)
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        extent::examine(&self.address, query).await
    }
}

/// One open read.
struct SqlServerStream {
    address: Arc<Address>,
    pages: Receiver<Told>,
    columns: Vec<Column>,
    begun: bool,
    done: bool,
}

#[async_trait]
impl PageStream for SqlServerStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.begun.then(|| self.columns.clone())
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        if self.done {
            return Ok(None);
        }
        let told = match self.pages.recv().await {
            Some(told) => told,
            // The task tells its end; without that it has died.
            None => Err(self.address.failed("the read ended unexpectedly; report this".to_owned())),
        };
        self.begun |= told.is_ok();
        self.done = !matches!(told, Ok(Some(_)));
        told
    }
}
