//! All pages of a run, read until what was read can be published.
//!
//! Two equal counts do not show that one row came and another went meanwhile. So when other rows were read than counted, or a first
//! record is not true of its file, the same holder reads all pages again. Rows that are missing each time are lost by no movement.

use super::digest::FileDigest;
use super::event::GenerateEvent;
use super::plan::{FilePlan, Plan};
use super::read::Recount;
use super::staging::Staging;
use super::translate_pages::FilePipeline;
use super::{GenerateError, Job, Ports, begin, pipeline, publish, record_start, translate_pages};
use crate::core::generate::model::journal::{Begin, Complete};
use crate::core::model::query::Fetch;
use crate::core::model::term::Term;
use crate::core::ports::source::{After, SourceError};

/// Times that a run reads its view before a difference that is there each time ends it.
pub(super) const READS_MAX: u32 = 3;

/// Reads, translates and commits all that is left, and makes the files durable. Gives no [`Complete`] when asked to stop.
///
/// # Errors
/// What ended it. After a difference that was there each time nothing staged counts any more.
pub(super) async fn read_all(
    ports: &Ports,
    job: &Job,
    term: &Term,
    mut plan: Plan,
    mut staging: Staging,
) -> Result<(Staging, Option<Complete>), GenerateError> {
    let mut tries = 0;
    loop {
        let pipelines = pipelines(job, &mut plan, &staging)?;
        let view = plan.query.view.clone();
        let read = pipeline::run(ports, job, term, plan.query, staging, pipelines).await?;
        let mut pipelines = read.pipelines;
        staging = read.staging;
        let Some(after) = read.after else { return Ok((staging, None)) };
        let difference = match source_moved(job, after, &staging)? {
            Read::AsCounted { moved } => {
                if staging.page() == 0 {
                    let bound = tokio::select! {
                        biased;
                        () = job.stop.cancelled() => return Ok((staging, None)),
                        bound = translate_pages::bind_without_page(ports, &view, &mut pipelines) => bound,
                    };
                    bound?;
                }
                match publish::untrue_first_record(job, &staging, &pipelines) {
                    None => {
                        let complete =
                            publish::complete(&*ports.volume, job, term, &mut staging, pipelines, moved).await?;
                        return Ok((staging, Some(complete)));
                    }
                    Some(error) => error,
                }
            }
            Read::Miscounted(error) => error.into(),
        };
        staging.discard(term).await?;
        tries += 1;
        if tries >= READS_MAX {
            return Err(difference);
        }
        job.observer.observe(&GenerateEvent::Warning { text: format!("{difference}; all pages are read again") });
        plan = Plan::new(&job.worker, &job.registry, &staging.begin.params)?;
        let Some(begin) = begin(ports, job, term, &plan).await? else { return Ok((staging, None)) };
        staging.start_over(job, term, begin).await?;
        record_start(ports, job, term, &staging).await?;
    }
}

/// Each file's pipeline from rows to bytes, positioned behind what is durable.
fn pipelines(job: &Job, plan: &mut Plan, staging: &Staging) -> Result<Vec<FilePipeline>, GenerateError> {
    let mut pipelines = Vec::new();
    for (index, FilePlan { translator, predicate }) in plan.files.drain(..).enumerate() {
        let spec = &job.worker.files[index];
        let begin = &staging.begin;
        let first_record = if staging.page() == 0 {
            let first = translator.first_record(&job.run, begin.file_rows[index], &begin.first_totals[index]);
            first.map_err(|error| GenerateError::Data {
                file: spec.id.to_string(),
                row: None,
                reason: format!("first_record: {}", error.reason),
            })?
        } else {
            None
        };
        let file = &staging.files[index];
        pipelines.push(FilePipeline {
            file: spec.id.clone(),
            translator,
            predicate,
            totals: file.commit.totals.clone(),
            digest: FileDigest::clone(&file.digest),
            page_bytes: 0,
            first_record,
            replaced: file.commit.replaced.clone(),
            limits: spec.limits,
        });
    }
    Ok(pipelines)
}

/// What the number of rows read says beside the number of rows counted.
enum Read {
    /// As many as were counted, or the view is known to have moved. `None`: it could not be asked, or is not counted.
    AsCounted { moved: Option<bool> },
    /// Other rows were read than counted, and nothing says that the view moved.
    Miscounted(SourceError),
}

/// Holds rows read against rows counted: the last line of defence against rows that a page's start passes over, whatever the
/// source and whatever the reason.
///
/// # Errors
/// When other rows were read, and the view cannot be asked again.
fn source_moved(job: &Job, after: Recount, staging: &Staging) -> Result<Read, GenerateError> {
    let Some(after) = after else { return Ok(Read::AsCounted { moved: None }) };
    let (begin, read) = (&staging.begin, staging.source_rows());
    let as_counted = read == begin.rows;
    match after {
        Ok(After { within, .. }) if !as_counted && within == begin.rows => {
            Ok(Read::Miscounted(miscounted(job, begin, read)))
        }
        Ok(After { extent, .. }) => {
            let moved = extent.rows != begin.rows || extent.range != begin.range || !as_counted;
            Ok(Read::AsCounted { moved: Some(moved) })
        }
        Err(error) if !as_counted => Err(error.into()),
        Err(error) => {
            let text = format!("whether the view moved meanwhile could not be asked: {error}");
            job.observer.observe(&GenerateEvent::Warning { text });
            Ok(Read::AsCounted { moved: None })
        }
    }
}

fn miscounted(job: &Job, begin: &Begin, read: u64) -> SourceError {
    let source = &job.worker.source;
    let (view, rows) = (&source.view, begin.rows);
    let counted = format!(
        "view `{view}` has {rows} rows in the range of this run, before the read and after it, but {read} were read"
    );
    let advice = if source.key.is_empty() || source.fetch == Fetch::Offset {
        "without an order that stays, rows are missed or doubled; name a key, or set `isolation: snapshot`".to_owned()
    } else {
        let key = source.key.join(", ");
        format!(
            "the order of its key `{key}` cannot be trusted: keys that its collation takes for one, an index that is \
             damaged or older than its collation, or a UNION of columns with different types, which SQLite compares in two \
             ways (CAST each to one type in the view); choose another key, or, if rows come and go all the time, set \
             `isolation: snapshot`"
        )
    };
    SourceError::Key { reason: format!("{counted}; nothing is published. {advice}") }
}
