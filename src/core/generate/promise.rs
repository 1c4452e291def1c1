//! What first records promise: totals of values that are not written yet.
//!
//! A total is of the values as the file writes them: rounded, cut, and with the values that stand for NULL. A source cannot
//! compute it. So the summed columns are read once before the first page, and the code that adds up the written values adds
//! them up. The end compares both: a view that moved in between ends the run, so no file is wrong about itself. The journal's
//! first line holds the totals for later holders. A total in the last record costs no second read.

use super::plan::{FilePlan, Plan};
use super::read::Bounds;
use super::translate::{Tally, TranslateError};
use super::{GenerateError, Job, Ports};
use crate::core::model::column::Column;
use crate::core::model::page::Page;
use crate::core::ports::source::{Extent, Position, Query};
use std::collections::BTreeMap;

/// One file's totals on the way.
struct Promise {
    /// The file's place in the worker file.
    file: usize,
    predicate: Option<usize>,
    tally: Tally,
}

/// The totals that first records need before the first row is written, one map per file.
pub(super) enum Promised {
    /// The totals.
    Totals(Vec<BTreeMap<String, String>>),
    /// Other rows were read than counted, so that they say nothing. Holds how many.
    Miscounted(u64),
    /// Asked to stop meanwhile.
    Stopped,
}

/// Adds up what first records need.
///
/// # Errors
/// When a column cannot be added up, or the source does not deliver.
pub(super) async fn first_totals(
    ports: &Ports,
    job: &Job,
    plan: &Plan,
    extent: &Extent,
) -> Result<Promised, GenerateError> {
    let mut promised = vec![BTreeMap::new(); plan.files.len()];
    let wanted = plan.files.iter().enumerate().filter(|(_, file)| file.translator.first_sums());
    let promise =
        |(file, plan): (usize, &FilePlan)| Promise { file, predicate: plan.predicate, tally: plan.translator.tally() };
    let mut promises: Vec<Promise> = wanted.map(promise).collect();
    if promises.is_empty() {
        return Ok(Promised::Totals(promised));
    }
    let read = tokio::select! {
        biased;
        () = job.stop.cancelled() => return Ok(Promised::Stopped),
        read = add_up(ports, job, plan, extent, &mut promises) => read?,
    };
    if read != extent.rows {
        return Ok(Promised::Miscounted(read));
    }
    for promise in promises {
        promised[promise.file] = promise.tally.texts();
    }
    Ok(Promised::Totals(promised))
}

/// Reads what the run itself will read, but only the columns to be added up. Returns the number of rows.
async fn add_up(
    ports: &Ports,
    job: &Job,
    plan: &Plan,
    extent: &Extent,
    promises: &mut [Promise],
) -> Result<u64, GenerateError> {
    let mut columns: Vec<String> = promises.iter().flat_map(|promise| promise.tally.columns()).collect();
    columns.sort_unstable();
    columns.dedup();
    let query = Query { columns, ..plan.query.clone() };
    let position = Position::default();
    let until = extent.range.as_ref().map(|(_, last)| last);
    let bounds = Bounds { from: &position, until, rows: Some(extent.rows) };
    let mut read = 0;
    let mut bound = false;
    if !bounds.are_reached(&query, read) {
        let mut stream = ports.source.open(&query, &position, until).await?;
        while let Some(page) = stream.next().await?.map(|page| page.first(bounds.left(&query, read))) {
            if !bound {
                bind(job, promises, &stream.columns().unwrap_or_default())?;
                bound = true;
            }
            read += page.rows();
            add(job, promises, &page)?;
            if bounds.are_reached(&query, read) {
                break;
            }
        }
    }
    if !bound {
        // Nothing to add up is zero at the column's scale, which only the view's description tells.
        let columns = ports.source.columns(&query.view).await?;
        for promise in promises {
            promise.tally.bind_empty(&columns).map_err(|error| blame(job, promise.file, None, &error))?;
        }
    }
    Ok(read)
}

fn bind(job: &Job, promises: &mut [Promise], columns: &[Column]) -> Result<(), GenerateError> {
    for promise in promises {
        let mask = promise.predicate.map(|index| columns.len() + index);
        promise.tally.bind(columns, mask, &BTreeMap::new()).map_err(|error| blame(job, promise.file, None, &error))?;
    }
    Ok(())
}

fn add(job: &Job, promises: &mut [Promise], page: &Page) -> Result<(), GenerateError> {
    for promise in promises {
        promise.tally.add(page).map_err(|error| blame(job, promise.file, Some(page), &error))?;
    }
    Ok(())
}

fn blame(job: &Job, file: usize, page: Option<&Page>, error: &TranslateError) -> GenerateError {
    let row = error.row.zip(page);
    GenerateError::Data {
        file: job.worker.files[file].id.to_string(),
        row: row.map(|(row, page)| format!("in row {} of the page that ends with {}", row + 1, page.last_key)),
        reason: format!("first_record: {}", error.reason),
    }
}
