//! Reading, translating and committing at the same time: three loops with short queues between them.
//!
//! A fault ends its own loop; what is already behind it is still committed, so that the next term goes on from there. What is before it
//! ends at once.

use super::read::{Ahead, Bounds, ReadEnd, Recount};
use super::staging::Staging;
use super::translate_pages::{BYTES_IN_FLIGHT, FilePipeline};
use super::write::Committer;
use super::{GenerateError, Job, Ports, read, translate_pages};
use crate::core::model::term::Term;
use crate::core::ports::source::{Position, Query};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Pages read ahead of the translators.
const PAGES_READ_AHEAD: usize = 1;

/// What is left when all pages are durable.
pub(super) struct PipelineResult {
    /// The open files, behind the last page.
    pub staging: Staging,
    /// The pipelines, with totals and digests behind the last page.
    pub pipelines: Vec<FilePipeline>,
    /// What the view held behind its last page. `None` when it ended because it was asked to stop.
    pub after: Option<Recount>,
}

/// Reads, translates and commits all pages behind what is durable.
///
/// # Errors
/// The first fault in the order commit, translate, read. Everything committed before it stays.
pub(super) async fn run(
    ports: &Ports,
    job: &Job,
    term: &Term,
    mut query: Query,
    staging: Staging,
    pipelines: Vec<FilePipeline>,
) -> Result<PipelineResult, GenerateError> {
    query.kinds.clone_from(&staging.columns);
    let position = Position {
        after: staging.last.as_ref().map(|last| last.key.clone()).filter(|key| !key.0.is_empty()),
        rows: staging.source_rows(),
    };
    let until = staging.begin.range.as_ref().map(|(_, last)| last.clone());
    let bounds = Bounds { from: &position, until: until.as_ref(), rows: staging.begin.rows() };

    let (ahead, pages_out) = Ahead::new(PAGES_READ_AHEAD);
    let (work_in, work_out) = mpsc::channel(job.worker.commit.pages.get().max(4) as usize);
    let budget = Arc::new(Semaphore::new(BYTES_IN_FLIGHT));
    let columns_known = staging.columns.is_some();

    let next_page = staging.page() + 1;
    let committer = Committer::new(ports, job, term, staging);
    let fault = CancellationToken::new();
    let (read, worked, committed) = tokio::join!(
        read::pages(ports, job, &query, bounds, next_page, ahead, &fault),
        telling(&fault, translate_pages::translate(&query, pipelines, columns_known, budget, pages_out, work_in)),
        telling(&fault, committer.commit(work_out)),
    );
    let staging = committed?;
    let pipelines = worked?;
    let after = match read? {
        ReadEnd::All(after) => Some(after),
        ReadEnd::Early => None,
    };
    Ok(PipelineResult { staging, pipelines, after })
}

/// Tells of a fault, so that nobody waits for the source any longer.
async fn telling<T>(
    fault: &CancellationToken,
    work: impl Future<Output = Result<T, GenerateError>>,
) -> Result<T, GenerateError> {
    let result = work.await;
    if result.is_err() {
        fault.cancel();
    }
    result
}
