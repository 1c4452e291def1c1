//! Pages from the source, until its end or until asked to stop.

use super::{GenerateError, Job, Ports};
use crate::core::generate::event::GenerateEvent;
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::query::Fetch;
use crate::core::ports::source::{After, Position, Query, SourceError};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// A page and the kinds of its columns.
pub(super) struct FetchedPage {
    /// The rows.
    pub page: Page,
    /// The wanted columns, on every page.
    pub columns: Vec<Column>,
    /// Held until the page is translated, so that memory stays bounded.
    pub room: OwnedSemaphorePermit,
}

/// Where pages go, and how much may be on its way.
pub(super) struct Ahead {
    /// To the translators.
    out: mpsc::Sender<FetchedPage>,
    /// Bytes of values that are read and not translated yet.
    room: Arc<Semaphore>,
}

impl Ahead {
    /// At most so many pages, and so many bytes, on their way to `out`. A larger page goes alone.
    pub(super) fn new(pages: usize) -> (Self, mpsc::Receiver<FetchedPage>) {
        let (out, pages) = mpsc::channel(pages);
        (Self { out, room: Arc::new(Semaphore::new(BYTES_READ_AHEAD)) }, pages)
    }

    /// Returns when some room is left: nothing is read behind a large page before that is translated.
    async fn has_room(&self) {
        drop(self.room.acquire().await);
    }

    /// Sends a page when there is room for it. `None` when nobody takes it any more.
    async fn send(&self, page: Page, columns: Vec<Column>) -> Option<()> {
        let bytes = u32::try_from(page.memory().min(BYTES_READ_AHEAD)).unwrap_or(u32::MAX);
        let room = tokio::select! {
            () = self.out.closed() => return None,
            room = Arc::clone(&self.room).acquire_many_owned(bytes) => room.ok()?,
        };
        self.out.send(FetchedPage { page, columns, room }).await.ok()
    }
}

/// Bytes of values that are read and not translated yet.
const BYTES_READ_AHEAD: usize = 24 << 20;

/// The part of the view that a run reads: the rows that were there when it began. So a run ends, however fast the view grows.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'a> {
    /// Behind what is durable.
    pub from: &'a Position,
    /// The last key to read. `None` when there is no key range.
    pub until: Option<&'a Key>,
    /// The rows counted at the start. A read by row number ends with this row. `None`: not counted, and the read ends with its
    /// statement.
    pub rows: Option<u64>,
}

impl Bounds<'_> {
    /// Whether there is nothing to read. Rows that came since the start belong to the next run.
    pub(super) fn are_reached(&self, query: &Query, read: u64) -> bool {
        self.left(query, read) == 0 || self.rows.is_some() && query.finds_nothing(self.until)
    }

    /// Rows that may be taken behind so many.
    pub(super) fn left(&self, query: &Query, read: u64) -> u64 {
        match query.fetch {
            Fetch::Offset => self.rows.unwrap_or(u64::MAX).saturating_sub(read),
            Fetch::Stream | Fetch::Paged => u64::MAX,
        }
    }
}

/// What the view holds behind the last page. `None` where it is not counted.
pub(super) type Recount = Option<Result<After, SourceError>>;

/// How reading ended.
pub(super) enum ReadEnd {
    /// All pages were sent. Holds what the view holds now; the source was asked while the last pages were being written.
    All(Recount),
    /// The run was asked to stop, or the next loop has ended and knows why.
    Early,
}

/// Sends pages until there are no more, or until asked to stop; `page` is the number of the first. Waits for nothing once a later loop
/// has a `fault`.
///
/// # Errors
/// What the source said.
pub(super) async fn pages(
    ports: &Ports,
    job: &Job,
    query: &Query,
    bounds: Bounds<'_>,
    page: u64,
    ahead: Ahead,
    fault: &CancellationToken,
) -> Result<ReadEnd, GenerateError> {
    // The sender goes with the call: the next loop sees the end at once.
    let read = tokio::select! {
        biased;
        () = fault.cancelled() => return Ok(ReadEnd::Early),
        read = all_pages(ports, job, query, bounds, page, ahead) => read?,
    };
    let Some(read) = read else { return Ok(ReadEnd::Early) };
    let Some(counted) = bounds.rows else { return Ok(ReadEnd::All(None)) };
    tokio::select! {
        biased;
        () = fault.cancelled() => Ok(ReadEnd::Early),
        () = job.stop.cancelled() => Ok(ReadEnd::Early),
        after = after(ports, query, bounds.until, counted, read) => Ok(ReadEnd::All(Some(after))),
    }
}

/// What the view holds after the last page. If other rows were read than counted and the source says that nothing was written, the
/// view is counted once more: its rows may depend on the clock.
async fn after(
    ports: &Ports,
    query: &Query,
    until: Option<&Key>,
    counted: u64,
    read: u64,
) -> Result<After, SourceError> {
    let after = ports.source.extent_after(query, until).await?;
    if read != counted && after.within == counted {
        return ports.source.extent_after(query, until).await;
    }
    Ok(after)
}

/// The rows read in all, those of earlier terms too, when all pages were sent.
async fn all_pages(
    ports: &Ports,
    job: &Job,
    query: &Query,
    bounds: Bounds<'_>,
    page: u64,
    ahead: Ahead,
) -> Result<Option<u64>, GenerateError> {
    let mut read = bounds.from.rows;
    if bounds.are_reached(query, read) {
        return Ok(Some(read));
    }
    let stop = &job.stop;
    let mut stream = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(None),
        stream = ports.source.open(query, bounds.from, bounds.until) => stream?,
    };
    let mut number = page;
    loop {
        let asked = ports.clock.elapsed();
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(None),
            () = ahead.out.closed() => return Ok(None),
            next = async { ahead.has_room().await; stream.next().await } => next?,
        };
        let Some(page) = next.map(|page| page.first(bounds.left(query, read))) else { return Ok(Some(read)) };
        let took = ports.clock.elapsed().saturating_sub(asked);
        job.observer.observe(&GenerateEvent::Fetched { page: number, rows: page.rows(), took });
        number += 1;
        read += page.rows();
        let columns = stream.columns().unwrap_or_default();
        if ahead.send(page, columns).await.is_none() {
            return Ok(None);
        }
        if bounds.are_reached(query, read) {
            return Ok(Some(read));
        }
    }
}
