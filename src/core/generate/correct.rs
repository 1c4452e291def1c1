//! A published date is wanted once more, as its next version. Whoever leads makes it, as it makes any run.

use super::decision::{self, Decision};
use super::layout::version_dir;
use super::manifests::manifest_at;
use super::model::file_name::manifest_name;
use super::model::manifest::Manifest;
use super::publish::published;
use super::run::{Identity, RunError, execute};
use super::spec::{Corrections, Worker};
use super::{Edition, GenerateError, Job, Ports, edition, marker, params};
use crate::core::model::correction::{Correction, FIRST_VERSION};
use crate::core::model::names::FileId;
use crate::core::model::param::Params;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::model::shown;
use crate::core::model::term::{Term, Token};
use crate::core::ports::audit::AuditEntry;
use crate::core::ports::volume::Volume;
use std::sync::Arc;
use std::time::Duration;

/// What a person asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Why.
    pub reason: String,
    /// Who asks, for the audit trail.
    pub who: String,
    /// The files to make anew. Empty for all.
    pub files: Vec<FileId>,
}

/// What becomes of a date that is asked to be corrected.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    /// The correction that is wanted now.
    pub correction: Correction,
    /// Whether it was asked for before, with the same files and parameters. Its reason stays.
    pub was_begun: bool,
}

/// Records that a published date is wanted as its next version, and in the audit trail who wants it and why. A correction that
/// was asked for before and is not made yet is the one that is wanted.
///
/// # Errors
/// When the date is not published or in the work, the worker has no such file, or a correction of other files or with other
/// parameters is not made yet.
pub async fn want(
    ports: &Ports,
    job: &Job,
    identity: &Identity,
    asked: &Asked,
    wait: bool,
) -> Result<Wanted, RunError> {
    let run = &job.run;
    let mut record = ports.state.runs.run(run).await?;
    let next = next(ports, &job.worker, run, asked, record.as_ref()).await?;
    let correction = match next {
        Next::Begun(correction) => return Ok(Wanted { correction, was_begun: true }),
        Next::New(correction) => correction,
    };
    if record.as_ref().is_none_or(|record| record.status != RunStatus::Published) {
        // Published and not recorded: by a holder that died in between, or before the store was lost.
        let plain = params::without_given(job);
        execute(ports, &plain, identity, wait).await?;
        record = ports.state.runs.run(run).await?;
    }
    let Some(record) = record else {
        return Err(refused(format!("run {run} is not in the state store")));
    };
    let given = given(job, &record);
    let by = format!("command:{}", identity.instance);
    let (at, reason) = (ports.clock.now(), correction.reason.clone());
    // First the trail: a change that nobody can explain is worse than a recorded try.
    let detail = format!("run {run}, {}", describe(&correction));
    let entry = AuditEntry::new(at, &asked.who, "correct", &detail, &reason);
    ports.state.audit.audit(&entry).await?;
    let new = record.reopened(correction.clone(), given, &by, at);
    if !ports.state.runs.reopen(&record, &new).await? {
        // Perhaps by this very call, whose answer was lost.
        let now = ports.state.runs.run(run).await?;
        let is_mine = now.as_ref().and_then(RunRecord::wanted_correction) == Some(&correction);
        if !is_mine {
            let reason = format!("run {run} is being corrected by somebody else just now; look at `filegen status`");
            return Err(refused(reason));
        }
    }
    Ok(Wanted { correction, was_begun: false })
}

/// `version 2 of all files`, for people.
pub fn describe(correction: &Correction) -> String {
    let files = if correction.files.is_empty() { "all files".to_owned() } else { correction.files.join(", ") };
    format!("version {} of {files}", correction.version)
}

/// What a correction would be.
enum Next {
    /// It was asked for before.
    Begun(Correction),
    /// It is new.
    New(Correction),
}

/// What a correction of this date would be. Asks volume and store, and changes nothing.
///
/// # Errors
/// As [`want`].
async fn next(
    ports: &Ports,
    worker: &Worker,
    run: &RunId,
    asked: &Asked,
    record: Option<&RunRecord>,
) -> Result<Next, RunError> {
    let (volume, files) = (&*ports.volume, files(worker, asked)?);
    let published = published(volume, run).await.map_err(RunError::Generate)?;
    if let Some(manifest) = &published {
        marker::check_before(ports, worker, run, manifest).await.map_err(RunError::Generate)?;
    }
    let version = published.as_ref().map_or(0, |manifest| manifest.version);
    let begun = edition::begun(volume, run).await.map_err(GenerateError::from)?.map(|begun| begun.correction);
    let wanted = record.and_then(RunRecord::wanted_correction).filter(|it| it.version > version).cloned();
    let is_switching = |begun: &Correction| published.is_none() && begun.version > FIRST_VERSION;
    if let Some(begun) = wanted.or_else(|| begun.filter(is_switching)) {
        let has = record.and_then(|record| record.given.clone()).unwrap_or_default();
        let others = params::given(worker).iter().any(|(name, value)| has.get(name) != Some(value));
        if begun.files != files || others {
            return Err(refused(format!(
                "{} of run {run} was begun by {} and is not made yet, with other files or parameters: let `filegen run --date \
                 {}` end it first",
                describe(&begun),
                begun.by,
                run.date
            )));
        }
        return Ok(Next::Begun(begun));
    }
    let Some(manifest) = published else { return Err(refused(unpublished(run, record))) };
    let suffix = worker.output.corrections == Corrections::Suffix || is_beside(volume, run, &manifest).await?;
    let (reason, by) = (shown::text(&asked.reason), shown::text(&asked.who));
    let version = next_version(volume, run, &manifest, record).await?;
    let stands = Some(manifest.version).filter(|stands| *stands != version - 1);
    Ok(Next::New(Correction { version, reason, by, files, suffix, stands, cancelled: None }))
}

/// The number behind all that were given, cancelled ones among them.
async fn next_version(
    volume: &dyn Volume,
    run: &RunId,
    manifest: &Manifest,
    record: Option<&RunRecord>,
) -> Result<u32, RunError> {
    let mut version = record.map_or(FIRST_VERSION, RunRecord::newest_version).max(manifest.version);
    loop {
        let next = version.checked_add(1);
        version = next.ok_or_else(|| refused(format!("run {run} has version {version}, and no number is left")))?;
        if decision::cancelled(volume, run, version).await?.is_none() {
            return Ok(version);
        }
    }
}

/// A correction that will not appear.
#[derive(Clone, PartialEq, Debug)]
pub struct Cancelled {
    /// What was wanted.
    pub correction: Correction,
    /// Whether the state store says so already. Else whoever leads records it at the next look at the run.
    pub is_recorded: bool,
}

/// Cancels a correction that is wanted and not about to appear; the version before it stays. Needs no lease: who leads, and is
/// making it, finds it cancelled at its end at the latest.
///
/// # Errors
/// When none is wanted, or its files are whole already and it appears.
pub async fn cancel(ports: &Ports, job: &Job, identity: &Identity, asked: &Asked) -> Result<Cancelled, RunError> {
    let (volume, run) = (&*ports.volume, &job.run);
    let record = ports.state.runs.run(run).await?;
    let published = published(volume, run).await.map_err(RunError::Generate)?;
    let version = published.as_ref().map_or(0, |manifest| manifest.version);
    let wanted = record.as_ref().and_then(RunRecord::wanted_correction).filter(|it| it.version > version).cloned();
    let late = |correction: &Correction| {
        let reason = format!(
            "{} of run {run} is whole and about to appear; let `filegen run --date {}` end it, and correct the date again",
            describe(correction),
            run.date
        );
        refused(reason)
    };
    let correction = match (wanted, &published) {
        (Some(correction), Some(_)) => correction,
        (Some(correction), None) => return Err(late(&correction)),
        (None, _) => {
            return Err(refused(format!("no correction of run {run} is wanted; `filegen status` shows what is")));
        }
    };
    let detail = format!("run {run}, {}", describe(&correction));
    let entry = AuditEntry::new(ports.clock.now(), &asked.who, "cancel-correction", &detail, &asked.reason);
    ports.state.audit.audit(&entry).await?;
    // No lease stands behind it: the name is given once, whoever comes first.
    let term = Term::new(Token(0), Duration::MAX, Arc::new(|| Duration::ZERO));
    let dir = version_dir(run, correction.version);
    volume.make_dirs(&term, &dir).await.map_err(GenerateError::from)?;
    let own = format!("{dir}/.cancel-{}", (identity.nonce)());
    let why = Decision { cancelled: Some(format!("{}: {}", asked.who, asked.reason)) };
    let decided = decision::decide(volume, &term, (run, correction.version), &own, &why).await?;
    if decided.cancelled.is_none() {
        return Err(late(&correction));
    }
    // Where nobody leads, this call records it; else whoever does, since no other may write the run's record.
    let is_recorded = execute(ports, &params::without_given(job), identity, false).await.is_ok();
    Ok(Cancelled { correction, is_recorded })
}

/// The edition that a correction would make. Asks volume and store, and changes nothing.
///
/// # Errors
/// As [`want`].
pub async fn preview(ports: &Ports, worker: &Worker, run: &RunId, asked: &Asked) -> Result<Edition, RunError> {
    let record = ports.state.runs.run(run).await?;
    let (Next::Begun(correction) | Next::New(correction)) = next(ports, worker, run, asked, record.as_ref()).await?;
    Ok(Edition { correction: Some(correction), before: published(&*ports.volume, run).await? })
}

/// Whether the newest version stands beside the one before. The next one then does so too: names are never given twice.
async fn is_beside(volume: &dyn Volume, run: &RunId, manifest: &Manifest) -> Result<bool, RunError> {
    if manifest.version == FIRST_VERSION {
        return Ok(false);
    }
    let beside = manifest_at(volume, &manifest_name(run, manifest.version)).await.map_err(RunError::Generate)?;
    Ok(beside.is_some())
}

fn files(worker: &Worker, asked: &Asked) -> Result<Vec<String>, RunError> {
    let there = &worker.files;
    if let Some(missing) = asked.files.iter().find(|id| !there.iter().any(|file| file.id == **id)) {
        let ids: Vec<&str> = there.iter().map(|file| file.id.as_str()).collect();
        return Err(refused(format!("worker {} has no file `{missing}`; it has {}", worker.id, ids.join(", "))));
    }
    // In the worker file's order, each once.
    let wanted = there.iter().filter(|file| asked.files.contains(&file.id));
    Ok(wanted.map(|file| file.id.to_string()).collect())
}

/// The given parameters of the version: those of the one before, with what this call gives in place of them.
fn given(job: &Job, record: &RunRecord) -> Option<Params> {
    let mut given = record.given.clone().unwrap_or_default();
    given.extend(params::given(&job.worker));
    (!given.is_empty()).then_some(given)
}

fn unpublished(run: &RunId, record: Option<&RunRecord>) -> String {
    match record.map(|record| record.status) {
        None => format!("run {run} was never published; `filegen run --date {}` makes it", run.date),
        Some(RunStatus::Published) => {
            format!("the manifest of run {run} is gone from the output root: put it back from a copy, then correct it")
        }
        Some(status) => format!(
            "run {run} is not published yet, it is {}; `filegen run --date {}` makes its first version",
            status.as_str(),
            run.date
        ),
    }
}

fn refused(reason: String) -> RunError {
    RunError::Generate(GenerateError::Staged { reason })
}
