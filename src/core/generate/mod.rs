//! The flow generate, in the order data moves: plan, take over, read, translate, write, publish, record.

pub mod completion;
pub mod deadline;
pub(crate) mod digest;
pub mod doctor;
pub mod drill;
pub mod event;
pub mod inspect;
pub mod layout;
pub mod model;
mod pipeline;
pub mod plan;
pub mod preview;
mod promise;
pub mod publish;
mod read;
pub mod record;
pub mod run;
pub mod service;
mod shape;
pub mod spec;
mod staging;
pub mod status;
pub mod takeover;
pub mod translate;
mod translate_pages;
pub mod trigger;
pub mod verify;
mod write;

use crate::core::generate::model::journal::{Begin, Complete};
use crate::core::generate::model::manifest::Manifest;
use crate::core::generate::spec::Worker;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::query::Fetch;
use crate::core::model::run::RunId;
use crate::core::model::term::{Term, TermEnded};
use crate::core::ports::clock::Clock;
use crate::core::ports::source::{After, PageSource, SourceError};
use crate::core::ports::state::StateStore;
use crate::core::ports::store::StoreError;
use crate::core::ports::volume::{Volume, VolumeError};
use digest::FileDigest;
use event::{GenerateEvent, RunObserver};
use plan::{FilePlan, Plan};
use staging::Staging;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use translate::Registry;
use translate_pages::FilePipeline;

/// Everything a flow may reach. Built once per worker, in `wiring`.
#[derive(Clone)]
pub struct Ports {
    /// The view.
    pub source: Arc<dyn PageSource>,
    /// The output root.
    pub volume: Arc<dyn Volume>,
    /// Who may write, and what has been done.
    pub state: StateStore,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// One generation to be made.
pub struct Job {
    /// What to make.
    pub worker: Arc<Worker>,
    /// For which day.
    pub run: RunId,
    /// Translators that worker files may name.
    pub registry: Arc<Registry>,
    /// Where to begin.
    pub start: Start,
    /// Checked between pages. When cancelled, the commit in hand is finished and [`Outcome::Stopped`] returned.
    pub stop: CancellationToken,
    /// Who watches.
    pub observer: Arc<dyn RunObserver>,
}

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// Behind the last committed page.
    #[default]
    Resume,
    /// With this page, counted from 1. This page and later ones are rolled back. An error when fewer pages are committed.
    FromPage(u64),
    /// With page 1. Whatever is staged is thrown away.
    FromStart,
}

/// How a generation ended without an error.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// All files and the manifest are visible.
    Published(Manifest),
    /// They were visible before. Nothing was done.
    AlreadyPublished(Manifest),
    /// The run was asked to stop.
    Stopped {
        /// Last durable page; 0 when none is.
        page: u64,
    },
}

/// Why a generation ended.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum GenerateError {
    /// The source did not deliver.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The volume failed.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The state store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The right to write has ended.
    #[error(transparent)]
    TermEnded(#[from] TermEnded),
    /// A value cannot be written as the file demands.
    #[error("file {file}{}: {reason}", row.as_ref().map(|key| format!(", row with key {key}")).unwrap_or_default())]
    Data {
        /// Which file.
        file: String,
        /// The key of the row to blame.
        row: Option<String>,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file of another content is already there under the final name.
    #[error("`{path}` is already there and differs from what this run would publish: {reason}")]
    Conflict {
        /// Relative to the output root.
        path: String,
        /// In what.
        reason: String,
    },
    /// What is staged does not fit what is asked.
    #[error("{reason}")]
    Staged {
        /// What does not fit, and what to do.
        reason: String,
    },
}

impl HasKind for GenerateError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Source(error) => error.kind(),
            Self::Volume(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::TermEnded(error) => error.kind(),
            Self::Data { .. } => FailureKind::Data,
            Self::Conflict { .. } | Self::Staged { .. } => FailureKind::Conflict,
        }
    }
}

/// Times that a run reads its view before rows that are missing each time end it.
const READS_MAX: u32 = 3;

/// Makes all files of one run under `term`. Takes over what older holders committed, goes on behind it, and publishes.
///
/// # Errors
/// What ended it. Everything committed so far stays, and the next call takes it over.
pub async fn generate(ports: &Ports, job: &Job, term: &Term) -> Result<Outcome, GenerateError> {
    if let Some(manifest) = publish::published_durably(&*ports.volume, term, &job.run).await? {
        if let Start::FromPage(page) = job.start {
            let reason = format!(
                "cannot go on from page {page}: run {} is published, and published files never change",
                job.run
            );
            return Err(GenerateError::Staged { reason });
        }
        record::published(ports, job, term, &manifest).await?;
        return Ok(Outcome::AlreadyPublished(manifest));
    }
    let result = unpublished(ports, job, term).await;
    if let Err(GenerateError::Volume(_) | GenerateError::Staged { .. }) = &result
        && takeover::is_replaced(&*ports.volume, &job.run, term.token()).await
    {
        // Nothing is wrong with the volume: what was under way came too late, and found a newer holder's tombstone.
        term.end();
        return Err(TermEnded { token: term.token() }.into());
    }
    if let Err(error) = &result {
        record::failed(ports, job, term, error).await;
        staging::distrust(term, error);
    }
    result
}

async fn unpublished(ports: &Ports, job: &Job, term: &Term) -> Result<Outcome, GenerateError> {
    let plan = Plan::new(&job.worker, &job.registry)?;
    let dead = takeover::fence(ports, &job.run, term).await?;
    let begin = async || begin(ports, job, term, &plan).await;
    let Some(staging) = staging::open(ports, job, term, &plan, &dead, begin).await? else {
        return Ok(Outcome::Stopped { page: 0 });
    };
    for dead in &dead {
        takeover::remove(ports, dead, term).await?;
    }
    if !dead.is_empty() {
        ports.volume.sync_dir(term, &layout::run_dir(&job.run)).await?;
    }
    record_start(ports, job, term, &staging).await?;

    let (staging, complete) = match staging.complete.clone() {
        Some(complete) => (staging, Some(complete)),
        None => read_all(ports, job, term, plan, staging).await?,
    };
    let Some(complete) = complete else { return Ok(Outcome::Stopped { page: staging.page() }) };
    let manifest = publish::publish(ports, job, term, staging, &complete).await?;
    record::published(ports, job, term, &manifest).await?;
    Ok(Outcome::Published(manifest))
}

/// Reads, translates and commits all that is left, and makes the files durable. Gives no [`Complete`] when asked to stop.
///
/// Two equal counts do not show that one row came and another went meanwhile. So when other rows were read than counted, all
/// pages are read again. Rows that are missing each time are lost by no movement.
async fn read_all(
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
        match source_moved(job, after, &staging)? {
            Read::AsCounted { moved } => {
                if staging.page() == 0 {
                    translate_pages::bind_without_page(ports, &view, &mut pipelines).await?;
                }
                let complete = publish::complete(job, term, &mut staging, pipelines, moved).await?;
                return Ok((staging, Some(complete)));
            }
            Read::Miscounted(error) => {
                staging.journal.discard(term).await?;
                tries += 1;
                if tries >= READS_MAX {
                    return Err(error.into());
                }
                job.observer.observe(&GenerateEvent::Warning { text: format!("{error}; all pages are read again") });
                plan = Plan::new(&job.worker, &job.registry)?;
                let Some(begin) = begin(ports, job, term, &plan).await? else { return Ok((staging, None)) };
                staging.start_over(job, term, begin).await?;
                record_start(ports, job, term, &staging).await?;
            }
        }
    }
}

/// Counts the view and finds its key range: the one query before the first page. `None` when asked to stop meanwhile: a large
/// view, or a source that is away, may take longer than whoever asks will wait.
async fn begin(ports: &Ports, job: &Job, term: &Term, plan: &Plan) -> Result<Option<Begin>, GenerateError> {
    names_are_free(ports, job).await?;
    let extent = tokio::select! {
        biased;
        () = job.stop.cancelled() => return Ok(None),
        extent = ports.source.extent(&plan.query) => extent?,
    };
    let Some(promised) = promise::first_totals(ports, job, plan, &extent).await? else { return Ok(None) };
    let begin = plan.begin(&job.run, term.token().0, ports.clock.now().as_second(), &job.worker, &extent, promised);
    if !plan.shape.hangs_on_kinds() {
        return Ok(Some(begin));
    }
    let columns = tokio::select! {
        biased;
        () = job.stop.cancelled() => return Ok(None),
        // Without an answer the digest is one that earlier builds refuse; the read has words of its own for the source.
        columns = ports.source.columns(&plan.query.view) => columns.ok(),
    };
    Ok(Some(Begin { spec: plan.shape.digest(columns.as_deref()).to_owned(), ..begin }))
}

/// Refuses a run whose file name, which has no date, still belongs to another day's file. That file stays until its receiver takes
/// it. Checked before anything is read.
async fn names_are_free(ports: &Ports, job: &Job) -> Result<(), GenerateError> {
    let repeating = job.worker.files.iter().filter(|file| job.start != Start::FromStart && file.name.repeats());
    for file in repeating {
        let path = file.name.render(&job.run, &file.id);
        if ports.volume.stat(&path).await?.is_some() {
            let reason = "it is another day's, and its name has no date; the next one is made when its receiver has taken it away, \
                          or with `overwrite: daily_folder`"
                .to_owned();
            return Err(GenerateError::Conflict { path, reason });
        }
    }
    Ok(())
}

async fn record_start(ports: &Ports, job: &Job, term: &Term, staging: &Staging) -> Result<(), GenerateError> {
    let begin = &staging.begin;
    let ids = job.worker.files.iter().map(|file| file.id.clone());
    job.observer.observe(&GenerateEvent::Started {
        run: job.run.clone(),
        rows: begin.rows,
        pages: plan::pages_of(begin.rows, job.worker.source.page_size.get()),
        files: ids.zip(begin.file_rows.iter().copied()).collect(),
    });
    record::started(ports, job, term, begin.rows).await
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

/// What rows read against rows counted say.
enum Read {
    /// All that was counted, or the view is known to have moved (`None`: it could not be asked).
    AsCounted { moved: Option<bool> },
    /// Other rows were read than counted, and nothing says that the view moved.
    Miscounted(SourceError),
}

/// Holds rows read against rows counted: the last line of defence against rows that a page's start passes over, whatever the
/// source and whatever the reason.
///
/// # Errors
/// When other rows were read, and the view cannot be asked again.
fn source_moved(job: &Job, after: Result<After, SourceError>, staging: &Staging) -> Result<Read, GenerateError> {
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
            "the order of its key `{key}` cannot be trusted: keys that its collation takes for one, or an index that is \
             damaged or older than its collation; choose another key, or, if rows come and go all the time, set \
             `isolation: snapshot`"
        )
    };
    SourceError::Key { reason: format!("{counted}; nothing is published. {advice}") }
}
