//! A page source that tries passing faults again: waits, opens anew, and goes on behind the last page it delivered.

#[cfg(test)]
mod tests;

use crate::core::model::column::Column;
use crate::core::model::finding::Finding;
use crate::core::model::key::Key;
use crate::core::model::names::ViewName;
use crate::core::model::page::Page;
use crate::core::model::policy::RetrySpec;
use crate::core::model::query::Isolation;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError, Sum};
use async_trait::async_trait;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// Gives numbers from 0 to below 1.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Wraps a source. Only errors that may pass are tried again ([`SourceError::is_transient`]); when as many tries in a row
/// have failed as the policy allows, the last error stands. A delivered page begins the count anew.
///
/// [`Isolation::Snapshot`] is one point in time for all that is read, which another connection cannot go on with: there a
/// read is tried again only until its first page. `examine` is for a person who waits, and is not tried again.
#[derive(Clone)]
pub struct Retry {
    source: Arc<dyn PageSource>,
    patience: Patience,
}

impl Retry {
    /// Wraps `source`; each retry is told to `observer`.
    pub fn new(
        source: Arc<dyn PageSource>,
        policy: RetrySpec,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer<Retrying>>,
    ) -> Self {
        Self { source, patience: Patience { policy, clock, observer, jitter: Arc::new(chance), failures: 0 } }
    }

    /// With waits that a test knows beforehand.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.patience.jitter = jitter;
        self
    }
}

/// A new random state's first hash: random enough to keep two pods from knocking at the same moment.
fn chance() -> f64 {
    let bits = u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default();
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

/// Counts failures in a row, and waits between them.
#[derive(Clone)]
struct Patience {
    policy: RetrySpec,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer<Retrying>>,
    jitter: Jitter,
    failures: u32,
}

impl Patience {
    /// Waits before another try; or gives the error back when there is to be none.
    async fn bear(&mut self, error: SourceError) -> Result<(), SourceError> {
        if !error.is_transient() || self.failures >= self.policy.max_retries {
            return Err(error);
        }
        let after = self.wait();
        self.failures += 1;
        self.observer.observe(&Retrying { reason: error.to_string(), attempt: self.failures, after });
        self.clock.sleep(after).await;
        Ok(())
    }

    /// Anything from half of the policy's wait to all of it: pods do not knock at one moment, and a policy outlasts what it is
    /// to outlast, whatever chance says ("equal jitter").
    fn wait(&self) -> Duration {
        self.policy.wait(self.failures.saturating_add(1)).mul_f64(0.5 + (self.jitter)() / 2.0)
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

    async fn columns(&self, view: &ViewName) -> Result<Vec<Column>, SourceError> {
        let mut patience = self.patience.clone();
        loop {
            match self.source.columns(view).await {
                Ok(columns) => return Ok(columns),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn extent(&self, query: &Query, sums: &[Sum]) -> Result<Extent, SourceError> {
        let mut patience = self.patience.clone();
        loop {
            match self.source.extent(query, sums).await {
                Ok(extent) => return Ok(extent),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let mut patience = self.patience.clone();
        loop {
            match self.source.extent_after(query, until).await {
                Ok(after) => return Ok(after),
                Err(error) => patience.bear(error).await?,
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
            patience: self.patience.clone(),
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
    patience: Patience,
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
                Err(error) => self.patience.bear(error).await?,
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
                    self.patience.bear(error).await?;
                }
            }
        }
    }

    /// A page has gone out: what follows starts behind it, with the kinds it had.
    fn moved(&mut self, page: &Page) {
        self.patience.failures = 0;
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
