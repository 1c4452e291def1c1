//! Pages through all files' translators, side by side, off the async threads.

use super::digest::FileDigest;
use super::read::FetchedPage;
use super::translate::{FileTranslator, TranslateError};
use super::{GenerateError, Ports};
use crate::core::generate::model::journal::sum_of;
use crate::core::generate::model::manifest::Replaced;
use crate::core::generate::spec::{Limit, Limits};
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::names::FileId;
use crate::core::model::page::Page;
use crate::core::model::sql::Relation;
use crate::core::ports::source::Query;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Translated bytes that wait for their commit, in all files together; a larger page goes alone.
pub(super) const BYTES_IN_FLIGHT: usize = 24 << 20;

/// A page of which more than so many bytes are expected, in all files together, is translated when all before it is durable.
const BYTES_ALONE: usize = 48 << 20;

/// One file's pipeline from rows to bytes. It moves between threads, one page at a time.
pub struct FilePipeline {
    /// Whose bytes.
    pub file: FileId,
    /// Makes the bytes.
    pub translator: FileTranslator,
    /// Index of the file's mask column among the masks.
    pub predicate: Option<usize>,
    /// Totals behind what is durable at the start.
    pub totals: BTreeMap<String, String>,
    /// Digest of all bytes so far.
    pub digest: FileDigest,
    /// Bytes of the last page.
    pub(super) page_bytes: usize,
    /// Written before the first page's records.
    pub first_record: Option<Vec<u8>>,
    /// Values changed by policy so far.
    pub(super) replaced: Replaced,
    /// How many changes the worker file allows.
    pub(super) limits: Limits,
}

/// A page as bytes, ready to be committed.
pub(super) struct Translated {
    /// Rows of the source in it.
    pub source_rows: u64,
    /// Key of its last row.
    pub key: Key,
    /// Columns and kinds, with the run's first page only.
    pub columns: Option<Vec<Column>>,
    /// One per file.
    pub files: Vec<FileChunk>,
    /// Held until the bytes are durable, so that memory stays bounded.
    pub budget: OwnedSemaphorePermit,
}

/// What a page adds to one file.
pub(super) struct FileChunk {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// XXH3-64 of them.
    pub sum: String,
    /// How many records.
    pub records: u64,
    /// Totals behind this page.
    pub totals: BTreeMap<String, String>,
    /// Values changed by policy in this page.
    pub replaced: Replaced,
}

/// Translates pages as they arrive and sends their bytes on. Returns the pipelines at the end.
///
/// # Errors
/// A value that a file cannot hold, with the row's key.
pub(super) async fn translate(
    query: &Query,
    mut pipelines: Vec<FilePipeline>,
    columns_known: bool,
    budget: Arc<Semaphore>,
    mut pages: mpsc::Receiver<FetchedPage>,
    out: mpsc::Sender<Translated>,
) -> Result<Vec<FilePipeline>, GenerateError> {
    let mut bound = false;
    let mut columns_sent = columns_known;
    while let Some(FetchedPage { page, columns, room }) = pages.recv().await {
        if !bound {
            bind(&mut pipelines, &columns)?;
            bound = true;
        }
        let is_alone = page.memory().saturating_mul(pipelines.len()) > BYTES_ALONE;
        let alone = if is_alone { room_for(BYTES_IN_FLIGHT, &budget).await } else { None };
        let page = Arc::new(page);
        let jobs = pipelines.drain(..).map(|pipeline| {
            let page = Arc::clone(&page);
            off_thread(move || one_file(pipeline, &page))
        });
        let mut files = Vec::new();
        for (mut pipeline, result) in join_all(jobs).await {
            let (mut chunk, first_rows) = result.map_err(|error| blame(query, &page, &pipeline, &error))?;
            for (column, row) in first_rows {
                if let Some(changed) = chunk.replaced.columns.get_mut(&column) {
                    changed.first_key = key_of(query, &page, row);
                }
            }
            pipeline.replaced.add(&chunk.replaced);
            within(&pipeline.limits, &pipeline.replaced, None).map_err(|reason| GenerateError::Data {
                file: pipeline.file.to_string(),
                row: None,
                reason,
            })?;
            files.push(chunk);
            pipelines.push(pipeline);
        }
        let bytes: usize = files.iter().map(|piece| piece.bytes.len()).sum();
        let held = if alone.is_some() { alone } else { room_for(bytes, &budget).await };
        let Some(budget) = held else { break };
        let columns = (!columns_sent).then_some(columns);
        columns_sent = true;
        let translated = Translated { source_rows: page.rows(), key: page.last_key.clone(), columns, files, budget };
        drop((page, room));
        if out.send(translated).await.is_err() {
            break;
        }
    }
    Ok(pipelines)
}

/// Room for translated bytes, when it is there. `None` when nobody gives any more.
async fn room_for(bytes: usize, budget: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let bytes = u32::try_from(bytes.min(BYTES_IN_FLIGHT)).unwrap_or(u32::MAX);
    Arc::clone(budget).acquire_many_owned(bytes).await.ok()
}

/// Binds the columns of files that got no page, so that an empty total has its column's scale.
///
/// # Errors
/// When the source cannot be asked, or a column does not fit.
pub(super) async fn bind_without_page(
    ports: &Ports,
    view: &Relation,
    pipelines: &mut [FilePipeline],
) -> Result<(), GenerateError> {
    let mut pipelines: Vec<&mut FilePipeline> =
        pipelines.iter_mut().filter(|pipeline| !pipeline.translator.tally().columns().is_empty()).collect();
    if pipelines.is_empty() {
        return Ok(());
    }
    let columns = ports.source.columns(view).await?;
    for pipeline in &mut pipelines {
        let bound = pipeline.translator.bind_empty(&columns);
        bound.map_err(|error| GenerateError::Data {
            file: pipeline.file.to_string(),
            row: None,
            reason: error.reason,
        })?;
    }
    Ok(())
}

fn bind(pipelines: &mut [FilePipeline], columns: &[Column]) -> Result<(), GenerateError> {
    for pipeline in pipelines {
        let mask = pipeline.predicate.map(|index| columns.len() + index);
        pipeline.translator.bind(columns, mask, &pipeline.totals).map_err(|error| GenerateError::Data {
            file: pipeline.file.to_string(),
            row: None,
            reason: error.reason,
        })?;
    }
    Ok(())
}

/// What a page adds to a file, and the first row of each column in which policies changed something.
type Made = Result<(FileChunk, BTreeMap<String, usize>), TranslateError>;

fn one_file(mut pipeline: FilePipeline, page: &Page) -> (FilePipeline, Made) {
    // About as much as the page before, so that the buffer does not grow by copying.
    let buffer = Vec::with_capacity(pipeline.page_bytes + pipeline.page_bytes / 8);
    let result = pipeline.translator.translate(page, buffer).map(|translated| {
        let bytes = match pipeline.first_record.take() {
            Some(mut first) => {
                first.extend_from_slice(&translated.bytes);
                first
            }
            None => translated.bytes,
        };
        pipeline.page_bytes = bytes.len();
        pipeline.digest.update(&bytes);
        let chunk = FileChunk {
            sum: sum_of(&bytes),
            bytes,
            records: translated.records,
            totals: pipeline.translator.totals(),
            replaced: translated.replaced,
        };
        (chunk, translated.first_rows)
    });
    (pipeline, result)
}

/// An error with the row's key in place of its index.
fn blame(query: &Query, page: &Page, pipeline: &FilePipeline, error: &TranslateError) -> GenerateError {
    let row = error.row.map(|row| key_of(query, page, row));
    GenerateError::Data { file: pipeline.file.to_string(), row, reason: error.reason.clone() }
}

/// The key of a row of the page, for people.
fn key_of(query: &Query, page: &Page, row: usize) -> String {
    let schema = page.batch.schema();
    let value = |name: &String| {
        let index = schema.index_of(name).ok()?;
        super::translate::text_of(&page.batch, index, row)
    };
    let key: Option<Vec<String>> = query.key.iter().map(value).collect();
    match key {
        Some(key) if !key.is_empty() => key.join(", "),
        _ => format!("in row {} of the page that ends with {}", row + 1, page.last_key),
    }
}

/// Checks that policies have changed no more values than allowed. A share is checked at the end, against all `rows`.
///
/// # Errors
/// What is too much, and what to do.
pub(super) fn within(limits: &Limits, replaced: &Replaced, rows: Option<u64>) -> Result<(), String> {
    let check = |what: &str, name: &str, limit: Option<Limit>, count: u64| match limit {
        Some(limit) if limit.is_exceeded(count, rows) => Err(format!(
            "{} are more than `{name}` allows ({limit}): {}; mend the data, widen the field, or raise `max`",
            what,
            replaced.describe().unwrap_or_default()
        )),
        _ => Ok(()),
    };
    check("values that were cut", "on_overflow", limits.overflow, replaced.overflow)?;
    check("characters that were replaced", "on_unmappable", limits.unmappable, replaced.unmappable)
}

/// Runs `work` on a thread that may compute for long. A runtime with one thread, as in the simulation, runs it in place.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
