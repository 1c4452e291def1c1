//! From one version's files to the next one's: the version before is kept, and gives up its names.
//!
//! Names cannot be exchanged together, so they are emptied first, the manifest's before all others: a manifest never stands beside
//! files of another version. Each step is a rename or link into or from the holder's own folder. So a step of an older holder that
//! comes late fails with that folder, and takes away nothing that its successor has published.

use super::digest::of_file;
use super::layout::{MANIFEST, kept_dir};
use super::manifests::{folder_of, manifest_at};
use super::model::manifest::{Manifest, ManifestFile};

use super::{GenerateError, Job, Ports};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::model::file_name::manifest_name;
use crate::core::model::term::Term;
use crate::core::ports::volume::{Volume, VolumeError};
use std::collections::BTreeSet;

/// What stands under a name of the version before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    /// That version's file.
    Old,
    /// What the new version puts there: an earlier holder's, or the same bytes in both.
    New,
    /// Nothing: a receiver took it, or an earlier holder has withdrawn it.
    Nothing,
}

/// A file of the version before, and what stands under its name.
struct OldFile<'a> {
    entry: &'a ManifestFile,
    name: &'a str,
    held: Held,
}

/// Keeps the version before, durably; then, where the new one takes its names, empties them. A repeat changes nothing.
///
/// # Errors
/// [`GenerateError::Conflict`] when somebody else's file has one of the names. Nothing is withdrawn then.
pub(super) async fn withdraw(ports: &Ports, job: &Job, term: &Term, new: &Manifest) -> Result<(), GenerateError> {
    let (volume, edition) = (&*ports.volume, &job.edition);
    let Some(before) = &edition.before else { return Ok(()) };
    let mut files = Vec::new();
    for entry in &before.files {
        let Some(name) = entry.name.as_deref() else { continue };
        let held = match held(volume, entry, name, new).await {
            // Not ours to move, and nothing of the new version is to stand there.
            Err(GenerateError::Conflict { .. }) if edition.has_suffix() || !edition.makes(&entry.id) => Held::Nothing,
            held => held?,
        };
        files.push(OldFile { entry, name, held });
    }
    if !planted("nothing kept") {
        keep(volume, job, term, before, &files).await?;
    }
    crash_point!("correct.kept");
    if edition.has_suffix() {
        return Ok(());
    }
    let withdrawn = |file: &&OldFile<'_>| file.held == Held::Old && edition.makes(&file.entry.id);
    if planted("old files first") {
        withdraw_files(volume, job, term, files.iter().filter(withdrawn)).await?;
    }
    withdraw_manifest(volume, job, term).await?;
    if !planted("old files first") {
        withdraw_files(volume, job, term, files.iter().filter(withdrawn)).await?;
    }
    crash_point!("correct.withdrawn");
    for file in files.iter().filter(|file| file.held == Held::Nothing && edition.makes(&file.entry.id)) {
        let text = format!("{}: `{}` of version {} was not there any more", file.entry.id, file.name, before.version);
        job.observer.observe(&GenerateEvent::Warning { text });
    }
    Ok(())
}

/// Tells by size and digest whose file has a name.
async fn held(volume: &dyn Volume, old: &ManifestFile, name: &str, new: &Manifest) -> Result<Held, GenerateError> {
    let file = match volume.open(name).await {
        Ok(file) => file,
        Err(VolumeError::NotFound { .. }) => return Ok(Held::Nothing),
        Err(error) => return Err(error.into()),
    };
    let (bytes, sha256) = of_file(&file).await?;
    let is = |entry: &ManifestFile| entry.bytes == bytes && entry.sha256 == sha256;
    if new.files.iter().any(|entry| entry.name.as_deref() == Some(name) && is(entry)) {
        return Ok(Held::New);
    }
    if is(old) {
        return Ok(Held::Old);
    }
    let reason =
        format!("it is neither what version {} put there nor what version {} puts there", old.version, new.version);
    Err(GenerateError::Conflict { path: name.to_owned(), reason })
}

/// Gives each file of the version before a second name in that version's folder, and its manifest last.
async fn keep(
    volume: &dyn Volume,
    job: &Job,
    term: &Term,
    before: &Manifest,
    files: &[OldFile<'_>],
) -> Result<(), GenerateError> {
    let (kept, own) = (kept_dir(&job.run, before.version), job.staging_dir(term));
    let manifest = format!("{kept}/{MANIFEST}");
    if volume.stat(&manifest).await?.is_some() {
        // Kept whole by an earlier holder. It may have died before its sync.
        return Ok(volume.sync_dir(term, &kept).await?);
    }
    volume.make_dirs(term, &kept).await?;
    for file in files.iter().filter(|file| file.held != Held::Nothing) {
        keep_one(
            volume,
            term,
            file.name,
            &format!("{own}/.keep.{}", file.entry.id),
            &format!("{kept}/{}", file.entry.id),
        )
        .await?;
        crash_point!("correct.keeping");
    }
    if let Some(name) = manifest_of(volume, job, before).await? {
        volume.sync_dir(term, &kept).await?;
        keep_one(volume, term, &name, &format!("{own}/.keep"), &manifest).await?;
    }
    volume.sync_dir(term, &kept).await?;
    Ok(())
}

/// The name under which the manifest of the version before stands. `None` when it is gone.
async fn manifest_of(volume: &dyn Volume, job: &Job, before: &Manifest) -> Result<Option<String>, GenerateError> {
    for name in [manifest_name(&job.run, 1), manifest_name(&job.run, before.version)] {
        if manifest_at(volume, &name).await?.is_some_and(|manifest| manifest.version == before.version) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Links by way of the holder's own folder, so that a late repeat finds nothing to link.
async fn keep_one(volume: &dyn Volume, term: &Term, name: &str, own: &str, kept: &str) -> Result<(), GenerateError> {
    if volume.stat(kept).await?.is_some() {
        return Ok(());
    }
    for (from, to) in [(name, own), (own, kept)] {
        match volume.link(term, from, to).await {
            Ok(()) | Err(VolumeError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Takes an older version's manifest away from its name. Durable before any other name changes.
async fn withdraw_manifest(volume: &dyn Volume, job: &Job, term: &Term) -> Result<(), GenerateError> {
    let name = job.edition.manifest_name(&job.run);
    let is_older = manifest_at(volume, &name).await?.is_some_and(|old| old.version < job.edition.version());
    if is_older {
        take_away(volume, term, &name, &format!("{}/.old", job.staging_dir(term))).await?;
        crash_point!("correct.manifest");
    }
    // Also where it was gone: who took it away may have died before this step.
    volume.sync_dir(term, "").await?;
    Ok(())
}

/// Takes the old files away from their names, all of them before the first new one appears.
async fn withdraw_files<'a>(
    volume: &dyn Volume,
    job: &Job,
    term: &Term,
    files: impl Iterator<Item = &'a OldFile<'a>>,
) -> Result<(), GenerateError> {
    let mut folders = BTreeSet::new();
    for file in files {
        let own = format!("{}/.old.{}", job.staging_dir(term), file.entry.id);
        take_away(volume, term, file.name, &own).await?;
        folders.insert(folder_of(file.name));
        crash_point!("correct.withdrawing");
    }
    for folder in folders {
        volume.sync_dir(term, folder).await?;
    }
    Ok(())
}

/// Moves a published name into the holder's own folder. An `unlink` that comes late would take away whatever has the name by then.
async fn take_away(volume: &dyn Volume, term: &Term, name: &str, own: &str) -> Result<(), GenerateError> {
    match volume.rename(term, name, own).await {
        Ok(()) | Err(VolumeError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes what [`withdraw`] left in the holder's own folder. Nothing is lost when this fails, so it never does.
pub(super) async fn tidy_up(volume: &dyn Volume, term: &Term, dir: &str) {
    let left = volume.list(dir).await.unwrap_or_default();
    for entry in left.iter().filter(|entry| entry.name.starts_with('.')) {
        if let Err(error) = volume.unlink(term, &format!("{dir}/{}", entry.name)).await {
            tracing::debug!(name = entry.name, %error, "a withdrawn name is left behind");
        }
    }
}
