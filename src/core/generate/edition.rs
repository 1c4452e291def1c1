//! Which version of a date's files is made: the first, or a correction that is wanted or begun.
//!
//! The volume decides. A switch to a later version that has begun is finished before anything else, also where the state store
//! was lost: the journal in the version's folder says that it is complete, and why it was made.

use super::fence::{self, read_journal};
use super::layout::{MANIFEST, kept_dir, parse_name, parse_version, run_dir, staging_dir_in, version_dir};
use super::manifests::manifest_at;
use super::model::file_name::{manifest_name, with_version};
use super::model::journal::Journal;
use super::model::manifest::Manifest;
use super::publish::published_durably;
use super::spec::FileSpec;
use super::{GenerateError, Job, Ports, Start, decision, record};
use crate::core::model::correction::{Correction, FIRST_VERSION};
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::model::term::Term;
use crate::core::ports::volume::{EntryKind, Volume, VolumeError};
use std::sync::Arc;

/// Which version of a date's files a job makes. The default is the first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Edition {
    /// What is corrected. `None` for the first version.
    pub correction: Option<Correction>,
    /// The version that stands before this one. `None` for the first, and where nothing is known of it.
    pub before: Option<Manifest>,
}

impl Edition {
    /// From 1.
    pub fn version(&self) -> u32 {
        self.correction.as_ref().map_or(FIRST_VERSION, |correction| correction.version)
    }

    /// Whether the files stand beside those of earlier versions, under names of their own.
    pub fn has_suffix(&self) -> bool {
        self.correction.as_ref().is_some_and(|correction| correction.suffix)
    }

    /// The final name of one file.
    pub fn file_name(&self, run: &RunId, file: &FileSpec) -> String {
        let name = file.name.render(run, &file.id);
        if self.has_suffix() { with_version(&name, self.version()) } else { name }
    }

    /// The final name of the manifest.
    pub fn manifest_name(&self, run: &RunId) -> String {
        let suffix = self.has_suffix().then(|| self.version());
        manifest_name(run, suffix.unwrap_or(FIRST_VERSION))
    }

    /// Whether the version before has a file of this name.
    pub fn had(&self, name: &str) -> bool {
        let before = self.before.iter().flat_map(|before| &before.files);
        before.filter_map(|file| file.name.as_deref()).any(|had| had == name)
    }

    /// The names that the version before gives up for this one.
    pub fn withdrawn(&self) -> impl Iterator<Item = &str> {
        let before = self.before.iter().filter(|_| !self.has_suffix()).flat_map(|before| &before.files);
        before.filter(|file| self.makes(&file.id)).filter_map(|file| file.name.as_deref())
    }

    /// Whether a file is made anew, and not taken over from the version before.
    pub fn makes(&self, id: &str) -> bool {
        self.correction
            .as_ref()
            .is_none_or(|correction| correction.files.is_empty() || correction.files.iter().any(|wanted| wanted == id))
    }
}

impl Job {
    /// The folder of the holders of its version.
    pub(super) fn dir(&self) -> String {
        version_dir(&self.run, self.edition.version())
    }

    /// The staging folder of one holder.
    pub(super) fn staging_dir(&self, term: &Term) -> String {
        staging_dir_in(&self.dir(), term.token())
    }
}

/// What there is to do.
pub(super) enum Found {
    /// Nothing: this is the newest version, and none is wanted behind it.
    Published(Box<Manifest>),
    /// This job's files.
    ToMake(Box<Job>),
}

/// Finds out which version is to be made.
///
/// # Errors
/// When volume or store cannot be read, or a correction names a file that the worker does not have.
pub(super) async fn find(ports: &Ports, job: &Job, term: &Term) -> Result<Found, GenerateError> {
    let volume = &*ports.volume;
    let published = published_durably(volume, term, &job.run).await?;
    let version = published.as_ref().map_or(0, |manifest| manifest.version);
    let record = ports.state.runs.run(&job.run).await?;
    let wanted =
        record.as_ref().and_then(|record| record.wanted_correction()).filter(|it| it.version > version).cloned();
    if let Some(manifest) = settled(ports, &job.run, term, record.as_ref(), published.as_ref()).await? {
        return Ok(Found::Published(Box::new(manifest)));
    }
    if published.is_none() {
        taken(record.as_ref(), job.start).map_or(Ok(()), Err)?;
    }
    let begun = begun(volume, &job.run).await?.filter(|begun| begun.correction.version > version);
    let begun_complete = begun.as_ref().is_some_and(|begun| begun.is_complete);
    let correction = match (wanted, begun) {
        // Without a manifest the switch to it has begun. A complete one needs only to be made visible.
        (_, Some(begun)) if published.is_none() || begun.is_complete => Some(begun.correction),
        (Some(wanted), _) => Some(wanted),
        (None, _) => None,
    };
    if begun_complete && job.start != Start::Resume {
        let run = &job.run;
        let reason = format!(
            "the next version of run {run} is complete and about to appear; `filegen run --date {}` ends that",
            run.date
        );
        return Err(GenerateError::Staged { reason });
    }
    match (correction, published) {
        (None, Some(manifest)) => Ok(Found::Published(Box::new(manifest))),
        (None, None) => Ok(Found::ToMake(Box::new(with_edition(job, Edition::default())?))),
        (Some(correction), published) => {
            let before = match published {
                Some(manifest) => Some(manifest),
                None => last_kept(volume, &job.run, correction.version).await?,
            };
            Ok(Found::ToMake(Box::new(with_edition(job, Edition { correction: Some(correction), before })?)))
        }
    }
}

/// Why a run without a manifest is not made: it was published, and nobody has said that it is to be made once more all the same. Of a
/// corrected one, the version before would be made.
pub(super) fn taken(record: Option<&RunRecord>, start: Start) -> Option<GenerateError> {
    let record = record.filter(|record| record.status == RunStatus::Published)?;
    let version = record.version();
    let is_wanted = start == Start::FromStart && version == FIRST_VERSION;
    (!is_wanted).then(|| GenerateError::Taken { run: record.id.to_string(), version })
}

/// Records a wanted correction that was cancelled, and throws away what is staged of it. Returns the manifest that stands; `None` where
/// nothing was cancelled.
///
/// # Errors
/// When volume or store cannot be read or written.
async fn settled(
    ports: &Ports,
    run: &RunId,
    term: &Term,
    record: Option<&RunRecord>,
    published: Option<&Manifest>,
) -> Result<Option<Manifest>, GenerateError> {
    let (Some(record), Some(manifest)) = (record, published) else { return Ok(None) };
    let wanted = record.wanted_correction().filter(|wanted| wanted.version > manifest.version);
    let Some(version) = wanted.map(|wanted| wanted.version) else { return Ok(None) };
    let Some(why) = decision::cancelled(&*ports.volume, run, version).await? else { return Ok(None) };
    throw_away(ports, run, version, term).await?;
    record::cancelled(ports, term, record.clone(), why, manifest).await?;
    Ok(Some(manifest.clone()))
}

/// Throws away what holders have staged of a cancelled version. None of them can write there any more.
async fn throw_away(ports: &Ports, run: &RunId, version: u32, term: &Term) -> Result<(), GenerateError> {
    let dir = version_dir(run, version);
    for dead in fence::fence_in(ports, dir.clone(), term).await? {
        fence::remove(ports, &dead, term).await?;
    }
    Ok(ports.volume.sync_dir(term, &dir).await?)
}

/// The job with the files of its version alone.
fn with_edition(job: &Job, edition: Edition) -> Result<Job, GenerateError> {
    let mut worker = Arc::clone(&job.worker);
    let wanted = edition.correction.as_ref().map_or(&[] as &[String], |correction| &correction.files);
    if let Some(missing) = wanted.iter().find(|id| !worker.files.iter().any(|file| file.id.as_str() == **id)) {
        let (run, version) = (&job.run, edition.version());
        let reason =
            format!("version {version} of run {run} is to make file `{missing}`, which the worker file has no more");
        return Err(GenerateError::Staged { reason });
    }
    if !wanted.is_empty() {
        Arc::make_mut(&mut worker).files.retain(|file| edition.makes(file.id.as_str()));
    }
    let (registry, observer) = (Arc::clone(&job.registry), Arc::clone(&job.observer));
    Ok(Job { worker, run: job.run.clone(), registry, start: job.start, stop: job.stop.clone(), observer, edition })
}

/// A version beyond the first that a holder has begun.
pub(super) struct Begun {
    /// What it corrects.
    pub correction: Correction,
    /// Whether all its files are finished and durable, and only their names are missing.
    pub is_complete: bool,
}

/// The highest version that a holder has begun, as its newest journal says. `None` where there is only the first.
///
/// # Errors
/// When the volume cannot be read.
pub(super) async fn begun(volume: &dyn Volume, run: &RunId) -> Result<Option<Begun>, VolumeError> {
    let mut versions: Vec<u32> =
        volume.list(&run_dir(run)).await?.iter().filter_map(|entry| parse_version(&entry.name)).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    for version in versions.into_iter().filter(|version| *version > FIRST_VERSION) {
        let dir = version_dir(run, version);
        let mut holders = Vec::new();
        for entry in volume.list(&dir).await?.into_iter().filter(|entry| entry.kind == EntryKind::Dir) {
            if let Some(name) = parse_name(&entry.name) {
                holders.push((name.token(), entry.name));
            }
        }
        holders.sort_by(|a, b| b.cmp(a));
        for (token, name) in holders {
            let journal = Journal::parse(&read_journal(volume, &format!("{dir}/{name}")).await?);
            let correction = journal.begin().filter(|_| journal.was_opened_by(token.0));
            if let Some(correction) = correction.and_then(|begin| begin.correction.clone()) {
                return Ok(Some(Begun { correction: *correction, is_complete: journal.complete().is_some() }));
            }
        }
    }
    Ok(None)
}

/// The newest manifest below `version` that was kept.
async fn last_kept(volume: &dyn Volume, run: &RunId, version: u32) -> Result<Option<Manifest>, GenerateError> {
    for version in (FIRST_VERSION..version).rev() {
        if let Some(manifest) = kept(volume, run, version).await? {
            return Ok(Some(manifest));
        }
    }
    Ok(None)
}

/// The manifest of a version that was kept when the next one was made.
///
/// # Errors
/// When it is there but cannot be read.
pub(super) async fn kept(volume: &dyn Volume, run: &RunId, version: u32) -> Result<Option<Manifest>, GenerateError> {
    manifest_at(volume, &format!("{}/{MANIFEST}", kept_dir(run, version))).await
}
