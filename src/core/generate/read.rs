//! Pages from the source, until its end or until asked to stop.

use super::{GenerateError, Job, Ports};
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::ports::observer::News;
use crate::core::ports::source::{Extent, Position, Query, SourceError};
use tokio::sync::mpsc;

/// A page and the kinds of its columns.
pub(super) struct Arrived {
    /// The rows.
    pub page: Page,
    /// The wanted columns, on every page.
    pub columns: Vec<Column>,
}

/// How reading ended.
pub(super) enum ReadEnd {
    /// All pages were sent. What the view holds now, asked while the last pages are still being written.
    All(Result<Extent, SourceError>),
    /// It was to stop, or the next loop has ended and knows why.
    Early,
}

/// Sends pages until there are no more, or until asked to stop; `page` is the number of the first.
///
/// # Errors
/// What the source said.
pub(super) async fn pages(
    ports: &Ports,
    job: &Job,
    query: &Query,
    from: &Position,
    until: Option<&Key>,
    page: u64,
    out: mpsc::Sender<Arrived>,
) -> Result<ReadEnd, GenerateError> {
    // The sender goes with the call: the next loop sees the end at once.
    if !all_pages(ports, job, query, from, until, page, out).await? {
        return Ok(ReadEnd::Early);
    }
    tokio::select! {
        biased;
        () = job.stop.cancelled() => Ok(ReadEnd::Early),
        extent = ports.source.extent_after(query) => Ok(ReadEnd::All(extent)),
    }
}

/// Whether all pages were sent.
async fn all_pages(
    ports: &Ports,
    job: &Job,
    query: &Query,
    from: &Position,
    until: Option<&Key>,
    page: u64,
    out: mpsc::Sender<Arrived>,
) -> Result<bool, GenerateError> {
    if query.finds_nothing(until) {
        // Counted as empty: rows that came since belong to the next run.
        return Ok(true);
    }
    let stop = &job.stop;
    let mut stream = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(false),
        stream = ports.source.open(query, from, until) => stream?,
    };
    let mut number = page;
    loop {
        let asked = ports.clock.elapsed();
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(false),
            () = out.closed() => return Ok(false),
            next = stream.next() => next?,
        };
        let Some(page) = next else { return Ok(true) };
        let took = ports.clock.elapsed().saturating_sub(asked);
        job.observer.observe(&News::Fetched { page: number, rows: page.rows(), took });
        number += 1;
        let columns = stream.columns().unwrap_or_default();
        if out.send(Arrived { page, columns }).await.is_err() {
            return Ok(false);
        }
    }
}
