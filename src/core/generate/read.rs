//! Pages from the source, until its end or until asked to stop.

use super::GenerateError;
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::ports::source::{Extent, PageSource, Position, Query, SourceError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

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

/// Sends pages until there are no more, or until `stop` is set.
///
/// # Errors
/// What the source said.
pub(super) async fn pages(
    source: &dyn PageSource,
    query: &Query,
    from: &Position,
    until: Option<&Key>,
    stop: &CancellationToken,
    out: mpsc::Sender<Arrived>,
) -> Result<ReadEnd, GenerateError> {
    // The sender goes with the call: the next loop sees the end at once.
    if !all_pages(source, query, from, until, stop, out).await? {
        return Ok(ReadEnd::Early);
    }
    Ok(ReadEnd::All(source.extent(query, &[]).await))
}

/// Whether all pages were sent.
async fn all_pages(
    source: &dyn PageSource,
    query: &Query,
    from: &Position,
    until: Option<&Key>,
    stop: &CancellationToken,
    out: mpsc::Sender<Arrived>,
) -> Result<bool, GenerateError> {
    if until.is_none() && !query.key.is_empty() {
        // Counted as empty: rows that came since belong to the next run.
        return Ok(true);
    }
    let mut stream = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(false),
        stream = source.open(query, from, until) => stream?,
    };
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(false),
            () = out.closed() => return Ok(false),
            next = stream.next() => next?,
        };
        let Some(page) = next else { return Ok(true) };
        let columns = stream.columns().unwrap_or_default();
        if out.send(Arrived { page, columns }).await.is_err() {
            return Ok(false);
        }
    }
}
