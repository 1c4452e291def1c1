//! The page source of one pod: a real source in memory that takes its time, and whose connection breaks.

use crate::pod::Pod;
use crate::sim::Line;
use async_trait::async_trait;
use filegen::core::model::column::Column;
use filegen::core::model::finding::Finding;
use filegen::core::model::key::Key;
use filegen::core::model::page::Page;
use filegen::core::model::sql::Relation;
use filegen::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use std::sync::Arc;
use std::time::Duration;

pub struct SimSource {
    pub pod: Arc<Pod>,
}

struct SimStream {
    pod: Arc<Pod>,
    inner: Box<dyn PageStream>,
    broken: bool,
}

fn broken() -> SourceError {
    SourceError::Unreachable { source_name: "simulated".to_owned(), reason: "the connection broke".to_owned() }
}

/// Takes up to `most`, and may fail.
async fn reach(pod: &Pod, most: Duration) -> Result<(), SourceError> {
    pod.gate().await;
    let sim = &pod.sim;
    let wait = sim.rng().millis(most);
    sim.sleep_until(sim.now() + wait).await;
    pod.gate().await;
    if pod.weather.is_cut(Line::Source, sim.now()).is_some() || sim.strikes(sim.mix.dropped) {
        return Err(broken());
    }
    Ok(())
}

#[async_trait]
impl PageSource for SimSource {
    fn describe(&self) -> String {
        "simulated".to_owned()
    }

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        self.pod.sim.view.columns(view).await
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        reach(&self.pod, Duration::from_secs(2)).await?;
        self.pod.sim.view.extent(query).await
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        reach(&self.pod, Duration::from_secs(2)).await?;
        self.pod.sim.view.extent_after(query, until).await
    }

    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError> {
        reach(&self.pod, Duration::from_secs(1)).await?;
        let inner = self.pod.sim.view.open(query, from, until).await?;
        Ok(Box::new(SimStream { pod: Arc::clone(&self.pod), inner, broken: false }))
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        self.pod.sim.view.examine(query).await
    }
}

#[async_trait]
impl PageStream for SimStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.inner.columns()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        if self.broken {
            return Ok(None);
        }
        let page_time = if self.pod.sim.is_calm() { Duration::from_secs(1) } else { self.pod.sim.mix.page_time };
        if let Err(error) = reach(&self.pod, page_time).await {
            self.broken = true;
            return Err(error);
        }
        self.inner.next().await
    }
}
