//! From staged to visible: finish the files, then give each its final name by `link`, and the manifest last.
//!
//! `link` never replaces. No process ever opens a published file for writing; a file that is already there is compared.

use super::decision;
use super::deliver::files_due;
use super::digest::of_file;
use super::layout::MANIFEST;
use super::manifests::{folder_of, manifest_at};
use super::plan::read_mode;
use super::staging::Staging;
use super::translate_pages::{FilePipeline, within};
use super::{Edition, GenerateError, Job, Ports, switch};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::model::file_name::manifest_name;
use crate::core::generate::model::header::Header;
use crate::core::generate::model::journal::{Complete, Entry, FileComplete};
use crate::core::generate::model::manifest::{Manifest, ManifestFile};
use crate::core::generate::spec::{FileSpec, WhenEmpty, Worker};
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::run::RunId;
use crate::core::model::term::Term;
use crate::core::ports::volume::{Volume, VolumeError};
use std::collections::BTreeMap;

/// Writes what stands behind the last page, and makes everything durable.
///
/// # Errors
/// When an empty view is not allowed, policies changed too many values, or the volume refuses.
pub async fn complete(
    volume: &dyn Volume,
    job: &Job,
    term: &Term,
    staging: &mut Staging,
    pipelines: Vec<FilePipeline>,
    source_moved: Option<bool>,
) -> Result<Complete, GenerateError> {
    if staging.source_rows() == 0 && job.worker.output.when_empty == WhenEmpty::Fail {
        return Err(GenerateError::Staged {
            reason: format!("view {} has no rows, and output.when_empty is `fail`", job.worker.source.view),
        });
    }
    let page = staging.page();
    let mut files = Vec::new();
    for (index, pipeline) in pipelines.into_iter().enumerate() {
        within(&pipeline.limits, &pipeline.replaced, Some(staging.files[index].commit.rows))
            .map_err(|reason| GenerateError::Data { file: pipeline.file.to_string(), row: None, reason })?;
        files.push(complete_file(job, term, staging, index, pipeline, page).await?);
    }
    crash_point!("complete.synced");
    decision::to_appear(volume, job, term).await?;
    let complete = Complete { source_moved, files };
    staging.journal.append(term, &[Entry::Complete(complete.clone())]).await?;
    crash_point!("complete.journaled");
    Ok(complete)
}

/// Compares the totals in first records with those of their files. A file whose first record says otherwise is wrong about itself.
pub(super) fn untrue_first_record(job: &Job, staging: &Staging, pipelines: &[FilePipeline]) -> Option<GenerateError> {
    pipelines.iter().enumerate().find_map(|(index, pipeline)| {
        let why = untrue(staging, index, pipeline)?;
        let reason = format!(
            "the view moved while it was read: the first record says {why}; nothing is published. Set `isolation: snapshot`, or \
             put the totals into last_record"
        );
        Some(GenerateError::Data { file: job.worker.files[index].id.to_string(), row: None, reason })
    })
}

/// What a file's first record says, and what is so.
fn untrue(staging: &Staging, index: usize, pipeline: &FilePipeline) -> Option<String> {
    if !pipeline.translator.first_needs_totals() {
        return None;
    }
    let (promised_rows, promised) = (staging.begin.file_rows[index], &staging.begin.first_totals[index]);
    let rows = staging.files[index].commit.rows;
    let totals = final_totals(staging, index, pipeline);
    let kept = |(column, total): (&String, &String)| {
        totals.get(column).is_some_and(|written| without_zeros(written) == without_zeros(total))
    };
    if promised_rows == rows && promised.iter().all(kept) {
        return None;
    }
    Some(format!("{promised_rows} rows and totals {promised:?}, but {rows} rows were written with totals {totals:?}"))
}

/// Totals behind the last page; zero at its scale for every sum when there was none.
fn final_totals(staging: &Staging, index: usize, pipeline: &FilePipeline) -> BTreeMap<String, String> {
    if staging.last.is_some() { staging.files[index].commit.totals.clone() } else { pipeline.translator.totals() }
}

/// `12.50` and `12.5` are one number.
fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

async fn complete_file(
    job: &Job,
    term: &Term,
    staging: &Staging,
    index: usize,
    mut pipeline: FilePipeline,
    page: u64,
) -> Result<FileComplete, GenerateError> {
    let file = &staging.files[index];
    let spec = &job.worker.files[index];
    let mut tail = pipeline.first_record.take().unwrap_or_default();
    let totals = final_totals(staging, index, &pipeline);
    let last = pipeline.translator.last_record(&job.run, file.commit.rows, &totals);
    let last = last.map_err(|error| GenerateError::Data {
        file: spec.id.to_string(),
        row: None,
        reason: format!("last_record: {}", error.reason),
    })?;
    tail.extend(last.unwrap_or_default());
    pipeline.digest.update(&tail);
    let bytes = file.commit.bytes + tail.len() as u64;
    if !tail.is_empty() {
        file.handle.write_at(term, file.commit.bytes, tail).await.1?;
    }
    let header = Header { page, rows: file.commit.rows };
    file.write_header(term, header).await?;
    file.handle.sync_data(term).await?;
    let sha256 = match pipeline.digest.finish(spec.progress_header.then_some(header)) {
        Some(sha256) => sha256,
        // The view moved, or pages were cut short: the file ends with another header than was expected.
        None => of_file(&file.handle).await?.1,
    };
    let totals = if staging.last.is_some() { BTreeMap::new() } else { totals };
    Ok(FileComplete { bytes, sha256, totals })
}

/// Makes all files visible, then the manifest.
///
/// # Errors
/// [`GenerateError::Conflict`] when a file of another content has one of the names.
pub async fn publish(
    ports: &Ports,
    job: &Job,
    term: &Term,
    staging: Staging,
    complete: &Complete,
) -> Result<Manifest, GenerateError> {
    let volume = &*ports.volume;
    let (mut manifest, dir) = (manifest(ports, job, term, &staging, complete), staging.dir.clone());
    let staged = closed(staging);
    switch::withdraw(ports, job, term, &manifest).await?;
    if planted("handed over before published")
        && let Some(to) = &job.worker.deliver
    {
        ports.state.deliveries.add_due(&files_due(to, &job.run, &manifest)?).await?;
    }
    if planted("manifest first") {
        manifest = publish_manifest(ports, job, term, manifest).await?;
    }
    for (index, spec) in job.worker.files.iter().enumerate() {
        let Some(entry) = manifest.files.iter().find(|entry| entry.id == spec.id.as_str()) else { continue };
        let Some(name) = &entry.name else { continue };
        let staged = &staged[index];
        volume.make_read_only(term, staged).await?;
        let folder = folder_of(name);
        volume.make_dirs(term, folder).await?;
        crash_point!("publish.linking");
        link_or_compare(volume, term, staged, name, &complete.files[index]).await?;
        if !planted("no folder sync") {
            volume.sync_dir(term, folder).await?;
        }
        crash_point!("publish.linked");
        job.observer.observe(&GenerateEvent::Published {
            file: spec.id.clone(),
            path: name.clone(),
            rows: entry.rows,
            bytes: entry.bytes,
        });
    }
    let manifest = publish_manifest(ports, job, term, manifest).await?;
    crash_point!("publish.manifest");
    for file in manifest.files.iter().filter(|file| file.version == manifest.version) {
        if let Some(changed) = file.replaced.describe() {
            job.observer.observe(&GenerateEvent::Warning { text: format!("{}: {changed}", file.id) });
        }
    }
    remove_staged(volume, term, &staged).await;
    if job.edition.before.is_some() {
        switch::tidy_up(volume, term, &dir).await;
    }
    Ok(manifest)
}

/// Closes the staged files and returns their paths. A final name shares its inode with the staged name, so from the first link on
/// nobody may hold a descriptor that can write to it.
fn closed(staging: Staging) -> Vec<String> {
    staging.files.into_iter().map(|file| file.path).collect()
}

async fn link_or_compare(
    volume: &dyn Volume,
    term: &Term,
    staged: &str,
    name: &str,
    want: &FileComplete,
) -> Result<(), GenerateError> {
    if planted("publish by rename") {
        return Ok(volume.rename(term, staged, name).await?);
    }
    match volume.link(term, staged, name).await {
        Ok(()) => return Ok(()),
        Err(VolumeError::Exists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    // Ours from before a crash, an older holder's of the same content, or somebody else's.
    let file = volume.open(name).await?;
    let conflict = |reason| Err(GenerateError::Conflict { path: name.to_owned(), reason });
    // First: a file of another size is not read at all, however large it is.
    let bytes = file.size().await?;
    if bytes != want.bytes {
        return conflict(format!("{bytes} bytes instead of {}", want.bytes));
    }
    match of_file(&file).await? {
        (bytes, sha256) if bytes == want.bytes && sha256 == want.sha256 => Ok(()),
        (_, sha256) => conflict(format!("same size, but sha256 {sha256} instead of {}", want.sha256)),
    }
}

async fn publish_manifest(
    ports: &Ports,
    job: &Job,
    term: &Term,
    manifest: Manifest,
) -> Result<Manifest, GenerateError> {
    let volume = &*ports.volume;
    let staged = format!("{}/{MANIFEST}", job.staging_dir(term));
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| GenerateError::Staged { reason: format!("the manifest cannot be written: {error}") })?;
    text.push(b'\n');
    let file = volume.create(term, &staged).await?;
    file.write_at(term, 0, text).await.1?;
    file.sync_data(term).await?;
    drop(file);
    volume.make_read_only(term, &staged).await?;
    // Where the state store loses what comes next, the original proves the manifest: its name is durable before the published one.
    volume.sync_dir(term, &job.staging_dir(term)).await?;
    let name = job.edition.manifest_name(&job.run);
    match volume.link(term, &staged, &name).await {
        Ok(()) => {
            if !planted("no folder sync") {
                volume.sync_dir(term, "").await?;
            }
            Ok(manifest)
        }
        // An older holder was here between our look and our lease; its files were compared with ours.
        Err(VolumeError::Exists { .. }) => {
            let theirs = published_durably(volume, term, &job.run).await?;
            let theirs = theirs
                .filter(|there| there.version >= job.edition.version())
                .ok_or_else(|| GenerateError::Conflict { path: name, reason: "it is no manifest".to_owned() })?;
            if theirs.version == manifest.version {
                same_files(&job.run, &manifest, &theirs)?;
            }
            Ok(theirs)
        }
        Err(error) => Err(error.into()),
    }
}

/// Sees that the manifest that another holder of this run has published says the same as ours would, but for who made it and when,
/// and what the view had besides the rows of the files.
fn same_files(run: &RunId, ours: &Manifest, theirs: &Manifest) -> Result<(), GenerateError> {
    let there = theirs.clone();
    let (token, completed_at, pages, source_rows) = (there.token, there.completed_at, there.pages, there.source_rows);
    let read_mode = there.read_mode;
    if (Manifest { token, completed_at, pages, source_rows, read_mode, ..ours.clone() }) == *theirs {
        return Ok(());
    }
    let reason = "it does not list the files of this run as they are".to_owned();
    Err(GenerateError::Unproved { path: manifest_name(run, theirs.version), run: run.to_string(), reason })
}

/// The run's manifest, if it is published. Syncs its folder first: the holder may have died between the link and that sync.
/// Nothing may be recorded or sent before.
///
/// # Errors
/// When it is there but cannot be read, or not made durable.
pub async fn published_durably(
    volume: &dyn Volume,
    term: &Term,
    run: &RunId,
) -> Result<Option<Manifest>, GenerateError> {
    let manifest = published(volume, run).await?;
    if manifest.is_some() && !planted("manifest believed") {
        volume.sync_dir(term, "").await?;
    }
    Ok(manifest)
}

/// Which of these names of published files are no longer there. A volume that does not answer has said nothing.
pub async fn gone<'a>(volume: &dyn Volume, names: Vec<&'a str>) -> Vec<&'a str> {
    let mut gone = Vec::new();
    for name in names {
        if matches!(volume.stat(name).await, Ok(None)) {
            gone.push(name);
        }
    }
    gone
}

/// The manifest of the run's newest version, if one is published.
///
/// # Errors
/// When it is there but cannot be read.
pub async fn published(volume: &dyn Volume, run: &RunId) -> Result<Option<Manifest>, GenerateError> {
    let mut newest = manifest_at(volume, &manifest_name(run, FIRST_VERSION)).await.map_err(|error| odd(run, error))?;
    // Later versions may stand beside it, each under a name of its own, without a gap.
    while let Some(manifest) = &newest {
        let next = manifest.version.saturating_add(1);
        match manifest_at(volume, &manifest_name(run, next)).await.map_err(|error| odd(run, error))? {
            Some(later) if later.version == next => newest = Some(later),
            _ => break,
        }
    }
    Ok(newest)
}

/// Whatever has a manifest's name says that the run is published.
fn odd(run: &RunId, error: GenerateError) -> GenerateError {
    match error {
        GenerateError::Conflict { path, reason } => GenerateError::Unproved { path, run: run.to_string(), reason },
        error => error,
    }
}

/// The final names are further links to the same bytes, so the staged names only take room in the listing. The
/// journal stays: `verify` reads it. Nothing is lost when this fails, so it never does.
async fn remove_staged(volume: &dyn Volume, term: &Term, staged: &[String]) {
    for path in staged {
        if let Err(error) = volume.unlink(term, path).await {
            tracing::debug!(path, %error, "staged name left behind");
        }
    }
}

fn manifest(ports: &Ports, job: &Job, term: &Term, staging: &Staging, complete: &Complete) -> Manifest {
    let worker: &Worker = &job.worker;
    let no_file = staging.source_rows() == 0 && worker.output.when_empty == WhenEmpty::Skip;
    let edition = &job.edition;
    let file = |(index, spec): (usize, &FileSpec)| {
        let commit = &staging.files[index].commit;
        ManifestFile {
            id: spec.id.to_string(),
            version: edition.version(),
            name: (!no_file).then(|| edition.file_name(&job.run, spec)),
            rows: commit.rows,
            bytes: complete.files[index].bytes,
            sha256: complete.files[index].sha256.clone(),
            control_totals: if staging.last.is_some() { &commit.totals } else { &complete.files[index].totals }.clone(),
            replaced: commit.replaced.clone(),
        }
    };
    // To the second: nobody needs more.
    let now = ports.clock.now();
    let now = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
    Manifest {
        worker_id: worker.id.to_string(),
        run_id: job.run.to_string(),
        business_date: job.run.date.to_string(),
        version: edition.version(),
        reason: edition.correction.as_ref().map(|correction| correction.reason.clone()),
        token: term.token().0,
        completed_at: now.to_string(),
        pages: staging.page(),
        source_rows: staging.source_rows(),
        parameters: staging.begin.params.clone(),
        spec: Some(staging.begin.spec.clone()),
        writes: Some(staging.begin.writes),
        read_mode: read_mode(worker, staging.tokens.clone(), complete.source_moved, staging.begin.counted),
        files: with_others(edition, worker.files.iter().enumerate().map(file).collect()),
    }
}

/// The files of a version: those that it makes, and those of the version before that it leaves alone, in that one's order.
fn with_others(edition: &Edition, mut made: Vec<ManifestFile>) -> Vec<ManifestFile> {
    let is_whole = edition.correction.as_ref().is_none_or(|correction| correction.files.is_empty());
    let Some(before) = edition.before.as_ref().filter(|_| !is_whole) else { return made };
    let mut files = Vec::new();
    for old in &before.files {
        match made.iter().position(|file| file.id == old.id) {
            Some(index) => files.push(made.remove(index)),
            None => files.push(old.clone()),
        }
    }
    files.extend(made);
    files
}
