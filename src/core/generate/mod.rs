//! The flow generate, in the order data moves: plan, take over, read, translate, write, publish, record.

pub mod admit;
mod bounded;
pub mod completion;
mod contained;
pub mod correct;
pub mod deadline;
mod decision;
pub mod deliver;
pub(crate) mod digest;
pub mod doctor;
pub mod drill;
pub mod due;
mod edition;
mod error;
pub mod event;
pub mod fence;
pub mod inspect;
pub mod layout;
mod manifests;
mod marker;
pub mod model;
pub mod params;
mod pipeline;
mod places;
pub mod plan;
pub mod predicates;
pub mod preview;
mod promise;
pub mod publish;
mod read;
mod read_all;
pub mod record;
pub mod run;
pub mod sample;
pub mod service;
mod shape;
pub mod spec;
mod staging;
pub mod status;
mod switch;
pub mod translate;
mod translate_pages;
pub mod trigger;
pub mod verify;
mod walk;
pub mod window;
mod write;

pub use edition::Edition;
pub use error::GenerateError;

use crate::core::generate::model::journal::{Begin, Journal};
use crate::core::generate::model::manifest::Manifest;
use crate::core::generate::spec::Worker;
use crate::core::model::param::listed;
use crate::core::model::run::RunId;
use crate::core::model::term::{Term, TermEnded};
use crate::core::ports::clock::Clock;
use crate::core::ports::source::{Extent, PageSource, SourceError};
use crate::core::ports::state::StateStore;
use crate::core::ports::volume::Volume;
use edition::Found;
use event::{GenerateEvent, RunObserver};
use fence::FencedTerm;
use plan::Plan;
use promise::Promised;
use staging::Staging;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use translate::Registry;

/// Everything this flow may reach. Built once per worker, in `wiring`.
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
    /// Which version to make. [`generate`] finds it out; whoever asks leaves the default.
    pub edition: Edition,
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

/// Makes all files of one run under `term`. Takes over what older holders committed, goes on behind it, and publishes.
///
/// # Errors
/// What ended it. Everything committed so far stays, and the next call takes it over.
pub async fn generate(ports: &Ports, job: &Job, term: &Term) -> Result<Outcome, GenerateError> {
    // A failure that is recorded makes the run wanted, and a service would make it with other values than those given.
    let mut is_recorded = params::given(&job.worker).is_empty();
    let job = &match contained::contained(found(ports, job, term)).await {
        Ok(Some(Found::ToMake(job))) => *job,
        Ok(Some(Found::Published(manifest))) => return already_published(ports, job, term, *manifest).await,
        Ok(None) => return Ok(Outcome::Stopped { page: 0 }),
        Err(error) => {
            // Who waits for the run is told, also where it has not begun.
            if is_recorded {
                record::failed(ports, job, term, &error).await;
            }
            staging::distrust(term, &error);
            return Err(error);
        }
    };
    let result = Box::pin(contained::contained(unpublished(ports, job, term, &mut is_recorded))).await;
    ports.source.rest().await;
    if let Err(GenerateError::Volume(_) | GenerateError::Staged { .. }) = &result
        && fence::is_replaced(&*ports.volume, &job.dir(), term.token()).await
    {
        // Nothing is wrong with the volume: what was under way came too late, and found a newer holder's tombstone.
        term.end();
        return Err(TermEnded { token: term.token() }.into());
    }
    if let Err(error) = &result {
        if is_recorded {
            record::failed(ports, job, term, error).await;
        }
        staging::distrust(term, error);
    }
    result
}

/// Which version is to be made, or the newest one's manifest, if it is to be believed. `None` when asked to stop before its files
/// were read.
async fn found(ports: &Ports, job: &Job, term: &Term) -> Result<Option<Found>, GenerateError> {
    let found = edition::find(ports, job, term).await?;
    match &found {
        Found::Published(manifest) if !marker::is_proved(ports, job, manifest).await? => return Ok(None),
        Found::Published(_) => {}
        Found::ToMake(made) => {
            if let Some(before) = &made.edition.before {
                marker::check_before(ports, &job.worker, &job.run, before).await?;
            }
        }
    }
    Ok(Some(found))
}

async fn already_published(
    ports: &Ports,
    job: &Job,
    term: &Term,
    manifest: Manifest,
) -> Result<Outcome, GenerateError> {
    let refused = match job.start {
        Start::Resume => None,
        Start::FromPage(page) => Some(format!("cannot go on from page {page}")),
        Start::FromStart => Some("cannot start over".to_owned()),
    };
    if let Some(refused) = refused {
        let reason = format!(
            "{refused}: run {} is published, and published files never change; `filegen correct --date {} --reason TEXT` makes \
             the date again as its next version",
            job.run, job.run.date
        );
        return Err(GenerateError::Staged { reason });
    }
    params::check_given(&job.worker, &job.run, &manifest.parameters)?;
    record::published(ports, job, term, &manifest).await?;
    Ok(Outcome::AlreadyPublished(manifest))
}

async fn unpublished(
    ports: &Ports,
    asked: &Job,
    term: &Term,
    is_recorded: &mut bool,
) -> Result<Outcome, GenerateError> {
    let kept = params::kept(ports, asked).await?;
    let job = &params::with(asked, &kept);
    // A run that has begun has its parameters, whatever they would be now.
    let fresh = params::of(&job.worker, &job.run);
    let known = fresh.clone().unwrap_or_else(|_| params::for_looking(&job.worker, job.run.date));
    let mut plan = Plan::new(&job.worker, &job.registry, &known)?;
    let mut dead = fence::fence_in(ports, job.dir(), term).await?;
    disown(&mut dead, &plan, job);
    // An older holder may have published between the first look and the fence. Behind the fence none can any more.
    if !dead.is_empty()
        && let Some(manifest) = publish::published_durably(&*ports.volume, term, &job.run).await?
        && manifest.version >= job.edition.version()
    {
        if !marker::is_proved(ports, asked, &manifest).await? {
            return Ok(Outcome::Stopped { page: 0 });
        }
        // Recorded first: the original in its folder proves the manifest to whoever comes before that.
        let outcome = already_published(ports, job, term, manifest).await?;
        remove_all(ports, job, term, &dead).await?;
        return Ok(outcome);
    }
    let begun = staging::begun(&dead).filter(|_| job.start != Start::FromStart);
    if let Some(begin) = begun {
        params::check_given(&asked.worker, &job.run, &begin.params)?;
    }
    if job.start == Start::FromStart {
        // Before the values of an earlier call are forgotten.
        fresh.as_ref().map_err(Clone::clone)?;
    }
    params::keep(ports, job, term, &kept).await?;
    *is_recorded = true;
    // The values are kept before a run begins: a journal with others is of before a restart that got no further.
    let is_outdated = begun.is_some_and(|begin| params::check_given(&job.worker, &job.run, &begin.params).is_err());
    let usable = if is_outdated { &[] } else { dead.as_slice() };
    if is_outdated {
        let text = format!("the run was to start over with {}; what was staged before is not used", listed(&kept));
        job.observer.observe(&GenerateEvent::Warning { text });
    }
    let begin = async || {
        fresh.clone()?;
        begin(ports, job, term, &plan).await
    };
    let Some(staging) = staging::open(ports, job, term, &plan, usable, begin).await? else {
        return Ok(Outcome::Stopped { page: 0 });
    };
    if staging.begin.params != plan.params {
        plan = begun_before(job, &staging.begin, fresh.is_ok())?;
    }
    remove_all(ports, job, term, &dead).await?;
    record_start(ports, job, term, &staging).await?;

    let (staging, complete) = match staging.complete.clone() {
        Some(complete) => (staging, Some(complete)),
        None => read_all::read_all(ports, job, term, plan, staging).await?,
    };
    let Some(complete) = complete else { return Ok(Outcome::Stopped { page: staging.page() }) };
    let manifest = publish::publish(ports, job, term, staging, &complete).await?;
    record::published(ports, job, term, &manifest).await?;
    Ok(Outcome::Published(manifest))
}

/// Takes away the journals that no holder of this run wrote. Why is said where their folders are passed over.
fn disown(dead: &mut [FencedTerm], plan: &Plan, job: &Job) {
    for dead in dead {
        if let Some(why) = plan.foreign(&dead.journal, &job.run, &job.worker) {
            dead.journal = Journal { damage: Some(format!("it {why}")), ..Journal::default() };
        }
    }
}

/// Removes the folders of older holders.
async fn remove_all(ports: &Ports, job: &Job, term: &Term, dead: &[FencedTerm]) -> Result<(), GenerateError> {
    for dead in dead {
        fence::remove(ports, dead, term).await?;
    }
    if !dead.is_empty() {
        ports.volume.sync_dir(term, &job.dir()).await?;
    }
    Ok(())
}

/// The plan of a run that began with other parameters than it would have now.
fn begun_before(job: &Job, begin: &Begin, has_changed: bool) -> Result<Plan, GenerateError> {
    if has_changed {
        let text = format!("the run goes on with the parameters that it began with: {}", listed(&begin.params));
        job.observer.observe(&GenerateEvent::Warning { text });
    }
    Plan::new(&job.worker, &job.registry, &begin.params)
}

/// Counts the view and finds its key range, unless the worker has `source.count: false`. This is the one query before the first page.
/// `None` when a stop was asked for meanwhile: a large view, or a source that is away, may take longer than whoever asks will wait.
async fn begin(ports: &Ports, job: &Job, term: &Term, plan: &Plan) -> Result<Option<Begin>, GenerateError> {
    names_are_free(ports, job).await?;
    places::check(&*ports.volume, &places::folders(&job.worker, &job.run)).await?;
    let (extent, promised) = if job.worker.source.count {
        let Some((extent, promised)) = counted(ports, job, plan).await? else { return Ok(None) };
        (Some(extent), promised)
    } else {
        // No first record says what only a count tells: the settings are refused then.
        (None, vec![BTreeMap::new(); plan.files.len()])
    };
    let now = ports.clock.now().as_second();
    let begin = plan.begin(&job.run, term.token().0, now, &job.worker, extent.as_ref(), promised);
    let begin = Begin { correction: job.edition.correction.clone().map(Box::new), ..begin };
    if !plan.shape.hangs_on_kinds() {
        return Ok(Some(begin));
    }
    let columns = tokio::select! {
        biased;
        () = job.stop.cancelled() => return Ok(None),
        // Without an answer the digest is one that earlier builds refuse; the read has words of its own for the source.
        columns = ports.source.kinds(&plan.query) => columns.ok(),
    };
    Ok(Some(Begin { spec: plan.shape.digest(columns.as_deref()).to_owned(), ..begin }))
}

/// The count of the view, and the totals that first records promise. Both are of the same rows, or asked for again.
async fn counted(
    ports: &Ports,
    job: &Job,
    plan: &Plan,
) -> Result<Option<(Extent, Vec<BTreeMap<String, String>>)>, GenerateError> {
    let mut tries = 0;
    loop {
        let extent = tokio::select! {
            biased;
            () = job.stop.cancelled() => return Ok(None),
            extent = ports.source.extent(&plan.query) => extent?,
        };
        let read = match promise::first_totals(ports, job, plan, &extent).await? {
            Promised::Totals(promised) => return Ok(Some((extent, promised))),
            Promised::Stopped => return Ok(None),
            Promised::Miscounted(read) => read,
        };
        tries += 1;
        let (view, rows) = (&job.worker.source.view, extent.rows);
        let text = format!(
            "view `{view}` had {rows} rows when it was counted, and {read} when first_record's totals were read"
        );
        if tries >= read_all::READS_MAX {
            let reason = format!(
                "{text}, each of {tries} times; nothing is published. Set `isolation: snapshot`, or put the totals into last_record"
            );
            return Err(SourceError::Key { reason }.into());
        }
        let text = format!("{text}; both are asked for again");
        job.observer.observe(&GenerateEvent::Warning { text });
    }
}

/// Refuses a run whose file name, which has no date, still belongs to another day's file. That file stays until its receiver takes
/// it. Checked before anything is read.
async fn names_are_free(ports: &Ports, job: &Job) -> Result<(), GenerateError> {
    let repeating = job.worker.files.iter().filter(|file| job.start != Start::FromStart && file.name.repeats());
    for file in repeating {
        let path = job.edition.file_name(&job.run, file);
        if ports.volume.stat(&path).await?.is_some() && !job.edition.had(&path) {
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
        rows: begin.rows(),
        pages: begin.rows().map(|rows| plan::pages_of(rows, job.worker.source.page_size.get())),
        files: ids.enumerate().map(|(index, id)| (id, begin.rows_of(index))).collect(),
    });
    record::started(ports, job, term, begin.rows()).await
}
