//! A page source that tries passing faults again: waits, opens anew, and goes on behind the last page it delivered.

#[cfg(test)]
mod tests;

use crate::core::backoff::{Backoff, Jitter, Pause};
use crate::core::model::column::Column;
use crate::core::model::finding::Finding;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::policy::RetrySpec;
use crate::core::model::query::Isolation;
use crate::core::model::sql::Relation;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use async_trait::async_trait;
use std::sync::Arc;

/// Wraps a source. Only errors that may pass are tried again ([`SourceError::is_transient`]). When as many tries in a row have failed
/// as the policy allows, the last error is returned. A delivered page begins the count anew.
///
/// With [`Isolation::Snapshot`] a read is tried again only until its first page: another connection cannot go on at the same point
/// in time. `examine` is not tried again, because a person waits for it.
#[derive(Clone)]
pub struct Retry {
    source: Arc<dyn PageSource>,
    retries: Retries,
}

impl Retry {
    /// Wraps `source`. Each retry is reported to `observer`.
    pub fn new(
        source: Arc<dyn PageSource>,
        policy: RetrySpec,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer<Retrying>>,
    ) -> Self {
        let backoff = Backoff::new(policy).with_jitter(Arc::new(fastrand::f64));
        Self { source, retries: Retries { backoff, clock, observer } }
    }

    /// Sets the jitter, so that a test knows the waits.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.retries.backoff = self.retries.backoff.with_jitter(jitter);
        self
    }
}

/// Reports failures in a row, and waits between them.
#[derive(Clone)]
struct Retries {
    backoff: Backoff,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer<Retrying>>,
}

impl Retries {
    /// Waits before another try. Returns the error when the policy allows no further try.
    async fn failed(&mut self, error: SourceError) -> Result<(), SourceError> {
        if !error.is_transient() || self.backoff.is_exhausted() {
            return Err(error);
        }
        let Pause { attempt, after } = self.backoff.failed();
        self.observer.observe(&Retrying { reason: error.to_string(), attempt, after });
        self.clock.sleep(after).await;
        Ok(())
    }
}

#[async_trait]
impl PageSource for Retry {
    fn describe(&self) -> String {
        self.source.describe()
    }

    fn folds_names(&self) -> bool {
        self.source.folds_names()
    }

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        let mut retries = self.retries.clone();
        loop {
            match self.source.columns(view).await {
                Ok(columns) => return Ok(columns),
                Err(error) => retries.failed(error).await?,
            }
        }
    }

    async fn kinds(&self, query: &Query) -> Result<Vec<Column>, SourceError> {
        let mut retries = self.retries.clone();
        loop {
            match self.source.kinds(query).await {
                Ok(columns) => return Ok(columns),
                Err(error) => retries.failed(error).await?,
            }
        }
    }

    async fn rest(&self) {
        self.source.rest().await;
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        let mut retries = self.retries.clone();
        loop {
            match self.source.extent(query).await {
                Ok(extent) => return Ok(extent),
                Err(error) => retries.failed(error).await?,
            }
        }
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let mut retries = self.retries.clone();
        loop {
            match self.source.extent_after(query, until).await {
                Ok(after) => return Ok(after),
                Err(error) => retries.failed(error).await?,
            }
        }
    }

    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError> {
        let mut stream = RetryStream {
            source: Arc::clone(&self.source),
            retries: self.retries.clone(),
            query: query.clone(),
            position: from.clone(),
            until: until.cloned(),
            open: None,
            columns: None,
            delivered: false,
            done: false,
        };
        stream.opened().await?;
        Ok(Box::new(stream))
    }

    fn query_text(&self, query: &Query) -> Result<Option<String>, SourceError> {
        self.source.query_text(query)
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        self.source.examine(query).await
    }

    async fn doubts(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        self.source.doubts(query).await
    }
}

/// A read that outlives its connections.
struct RetryStream {
    source: Arc<dyn PageSource>,
    retries: Retries,
    query: Query,
    /// Behind the last page delivered.
    position: Position,
    until: Option<Key>,
    open: Option<Box<dyn PageStream>>,
    columns: Option<Vec<Column>>,
    delivered: bool,
    done: bool,
}

impl RetryStream {
    /// Opens the read if it is not open.
    async fn opened(&mut self) -> Result<(), SourceError> {
        while self.open.is_none() {
            match self.source.open(&self.query, &self.position, self.until.as_ref()).await {
                Ok(stream) => self.open = Some(stream),
                Err(error) => self.retries.failed(error).await?,
            }
        }
        Ok(())
    }

    async fn page(&mut self) -> Result<Option<Page>, SourceError> {
        loop {
            self.opened().await?;
            let Some(stream) = &mut self.open else { continue };
            let outcome = stream.next().await;
            let columns = stream.columns();
            self.columns = columns.or_else(|| self.columns.take());
            match outcome {
                Ok(page) => return Ok(page),
                Err(error) => {
                    self.open = None;
                    if self.delivered && self.query.isolation == Isolation::Snapshot {
                        return Err(error);
                    }
                    self.retries.failed(error).await?;
                }
            }
        }
    }

    /// A page has gone out: what follows starts behind it, with the kinds it had.
    fn moved(&mut self, page: &Page) {
        self.retries.backoff.succeeded();
        self.delivered = true;
        self.position.rows += page.rows();
        if !page.last_key.0.is_empty() {
            self.position.after = Some(page.last_key.clone());
        }
        if self.query.kinds.is_none() {
            self.query.kinds.clone_from(&self.columns);
        }
    }
}

#[async_trait]
impl PageStream for RetryStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.columns.clone()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        if self.done {
            return Ok(None);
        }
        let outcome = self.page().await;
        if let Ok(Some(page)) = &outcome {
            self.moved(page);
        } else {
            self.done = true;
            self.open = None;
        }
        outcome
    }
}
