//! The part of a view that a drill reads: its first pages, as if there were no more.

use crate::core::generate::plan::Plan;
use crate::core::generate::spec::{CommitSpec, Worker};
use crate::core::generate::translate::Registry;
use crate::core::generate::{GenerateError, params};
use crate::core::model::column::Column;
use crate::core::model::finding::Finding;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::policy::Policies;
use crate::core::model::query::Fetch;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::model::secret::Secret;
use crate::core::model::sql::Relation;
use crate::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use arrow_array::{Array as _, BooleanArray};
use async_trait::async_trait;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What of a view is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// The first so many rows.
    pub rows: u64,
    /// Rows of a page: the worker's, or fewer where the view would not make as many pages as were asked for.
    pub page_size: NonZeroU32,
    /// Whether the view has more rows.
    pub more: bool,
}

impl Part {
    /// Reads the first `pages` pages, to know how many rows they are.
    ///
    /// # Errors
    /// When the source does not deliver, or a translator cannot be made.
    pub async fn look(
        source: &dyn PageSource,
        worker: &Worker,
        registry: &Registry,
        date: BusinessDate,
        pages: NonZeroU64,
    ) -> Result<Self, GenerateError> {
        let run = RunId { worker: worker.id.clone(), date };
        let mut query = Plan::new(worker, registry, &params::of(worker, &run)?)?.query;
        query.fetch = page_by_page(&query.key, query.fetch);
        let mut stream = source.open(&query, &Position::default(), None).await?;
        let (mut rows, mut read, mut more) = (0, 0, false);
        while let Some(page) = stream.next().await? {
            if read == pages.get() {
                more = true;
                break;
            }
            read += 1;
            rows += page.rows();
        }
        let smaller = u32::try_from(rows.div_ceil(pages.get())).ok().and_then(NonZeroU32::new);
        let page_size = if read < pages.get() { smaller.unwrap_or(query.page_size) } else { query.page_size };
        Ok(Self { rows, page_size, more })
    }

    /// The worker as the drill runs it: with an output root and a state store of its own, a commit for each page, and no topics.
    pub fn worker(&self, worker: &Worker, root: PathBuf) -> Worker {
        let mut worker = worker.clone();
        worker.source.page_size = self.page_size;
        worker.source.fetch = page_by_page(&worker.source.key, worker.source.fetch);
        // The drill counts its few rows itself.
        worker.source.count = true;
        worker.state = Secret::new(format!("sqlite:{}", root.join(".filegen/state.db").display()));
        worker.output.root = root;
        worker.commit = CommitSpec { pages: NonZeroU32::MIN, interval: Duration::ZERO };
        worker.policies = Policies {
            // A busy machine loses no lease of this length, and nobody waits for it: who was killed is known to be dead.
            lease_ttl: Duration::from_secs(30),
            lease_heartbeat_interval: Duration::from_secs(1),
            takeover_polling_interval: Duration::from_millis(100),
            retry: worker.policies.retry,
            max_pending: worker.policies.max_pending,
        };
        (worker.deadline, worker.trigger, worker.completion, worker.deliver) = (None, None, None, None);
        worker
    }
}

/// A query a page, so that a source need not make ready what is never read.
fn page_by_page(key: &[String], fetch: Fetch) -> Fetch {
    if key.is_empty() { fetch } else { Fetch::Paged }
}

/// A source that ends behind the first rows of another.
pub struct FirstRows {
    /// The other.
    pub source: Arc<dyn PageSource>,
    /// So many rows; the page that reaches them is the last.
    pub rows: u64,
}

#[async_trait]
impl PageSource for FirstRows {
    fn describe(&self) -> String {
        self.source.describe()
    }

    fn folds_names(&self) -> bool {
        self.source.folds_names()
    }

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        self.source.columns(view).await
    }

    /// Counts page by page, because the source's own count would read the whole view.
    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        let mut stream = self.open(query, &Position::default(), None).await?;
        let mut pages: Vec<Page> = Vec::new();
        while let Some(page) = stream.next().await? {
            pages.push(page);
        }
        let mask = |page: &Page, predicate: usize| {
            page.batch.columns().get(query.columns.len() + predicate)?.as_any().downcast_ref::<BooleanArray>().cloned()
        };
        let matching = (0..query.predicates.len()).map(|predicate| {
            let masks = pages.iter().filter_map(|page| mask(page, predicate));
            masks.map(|mask| mask.true_count() as u64).sum()
        });
        let range = pages.first().zip(pages.last()).filter(|(first, _)| !first.first_key.0.is_empty());
        Ok(Extent {
            rows: pages.iter().map(Page::rows).sum(),
            matching: matching.collect(),
            range: range.map(|(first, last)| (first.first_key.clone(), last.last_key.clone())),
        })
    }

    async fn extent_after(&self, query: &Query, _: Option<&Key>) -> Result<After, SourceError> {
        let extent = self.extent(query).await?;
        Ok(After { within: extent.rows, extent })
    }

    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError> {
        let stream = self.source.open(query, from, until).await?;
        Ok(Box::new(FirstPages { stream, left: self.rows.saturating_sub(from.rows) }))
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        self.source.examine(query).await
    }
}

struct FirstPages {
    stream: Box<dyn PageStream>,
    left: u64,
}

#[async_trait]
impl PageStream for FirstPages {
    fn columns(&self) -> Option<Vec<Column>> {
        self.stream.columns()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        if self.left == 0 {
            return Ok(None);
        }
        let page = self.stream.next().await?;
        self.left = self.left.saturating_sub(page.as_ref().map_or(0, Page::rows));
        Ok(page)
    }
}
