//! Pages from the source, until its end or until asked to stop.

use super::GenerateError;
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::ports::source::{PageSource, Position, Query};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A page and the kinds of its columns.
pub(super) struct Arrived {
    /// The rows.
    pub page: Page,
    /// The wanted columns, on every page.
    pub columns: Vec<Column>,
}

/// Sends pages until there are no more; true when it ended because `stop` was set. When the next loop has ended, so
/// does this one: that loop knows why.
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
) -> Result<bool, GenerateError> {
    if until.is_none() && !query.key.is_empty() {
        // Counted as empty: rows that came since belong to the next run.
        return Ok(false);
    }
    let mut stream = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(true),
        stream = source.open(query, from, until) => stream?,
    };
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(true),
            () = out.closed() => return Ok(false),
            next = stream.next() => next?,
        };
        let Some(page) = next else { return Ok(false) };
        let columns = stream.columns().unwrap_or_default();
        if out.send(Arrived { page, columns }).await.is_err() {
            return Ok(false);
        }
    }
}
