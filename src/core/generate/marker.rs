//! Whether a run's marker, its manifest, is to be believed.
//!
//! Anybody who may write on the volume can put a manifest there, or copy another day's. So it counts only where the state store
//! recorded the very same files, or where it is the one that a holder made and each file proves it: there, regular, of this size
//! and digest, under the name that this run gives it, made with these settings. What was proved is recorded, so it is read once.
//!
//! Files cannot prove everything that a manifest says: the rows of a file without header line, the rows read, the totals. The
//! holder's original of the manifest does, in its own folder in `.filegen`, where nobody else may write.

use super::digest::FileDigest;
use super::fence::read_journal;
use super::layout::{MANIFEST, parse_name, staging_dir_in, version_dir};
use super::manifests::manifest_at;
use super::plan::Plan;
use super::shape::Fit;
use super::staging::header_bytes;
use super::{GenerateError, Job, Ports};
use crate::core::failpoints::planted::planted;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::model::file_name::{manifest_name, with_version};
use crate::core::generate::model::header::{HEADER_BYTES, Header};
use crate::core::generate::model::journal::Journal;
use crate::core::generate::model::manifest::{Manifest, ManifestFile};
use crate::core::generate::spec::{WhenEmpty, Worker};
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::model::term::Token;
use crate::core::ports::runs::FileStatus;
use crate::core::ports::volume::{EntryKind, Volume, VolumeError};
use jiff::Timestamp;

/// Bytes of a file between two looks at whether to stop, and between two words about the progress.
const PIECE: u64 = 64 << 20;

/// Whether a manifest is to be believed: the state store knows its files, or the files prove it. False when asked to stop before
/// all files were read.
///
/// # Errors
/// [`GenerateError::Unproved`] for a manifest that is not this run's, or whose files are not there as it says.
pub(super) async fn is_proved(ports: &Ports, job: &Job, manifest: &Manifest) -> Result<bool, GenerateError> {
    if planted("marker believed") {
        return Ok(true);
    }
    speaks_of(&job.worker, &job.run, manifest)?;
    let recorded = ports.state.runs.files(&job.run).await?;
    let unknown = unknown(&job.run, manifest, &recorded)?;
    if unknown.is_empty() && is_recorded(ports, &job.run, manifest, &recorded).await? {
        is_no_other(&*ports.volume, &job.run, manifest).await?;
        return Ok(true);
    }
    made_here(ports, job, manifest).await?;
    is_original(&*ports.volume, &job.run, manifest).await?;
    for file in unknown {
        if !is_file_proved(ports, job, manifest, file).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Checks a version that is about to give up its names: whoever names other files in it would have them taken away. What stands
/// under the names is held against its digests later, right before it is moved.
///
/// # Errors
/// [`GenerateError::Unproved`] for a manifest that is not this run's, or whose files the state store does not know under these
/// names, and this run would give them others.
pub(super) async fn check_before(
    ports: &Ports,
    worker: &Worker,
    run: &RunId,
    before: &Manifest,
) -> Result<(), GenerateError> {
    speaks_of(worker, run, before)?;
    let recorded = ports.state.runs.files(run).await?;
    // The next version's number follows this one's: it is not believed for the files alone.
    if unknown(run, before, &recorded)?.is_empty() && is_recorded(ports, run, before, &recorded).await? {
        return Ok(());
    }
    has_names(worker, run, before)?;
    is_original(&*ports.volume, run, before).await
}

/// What the holder who made a manifest left of it: each has the original in its own folder, also once another holder has taken that
/// away.
enum Original {
    /// It says the same.
    Same,
    /// It says something else. Where it is.
    Other(String),
    /// There is none. The folder that would have it.
    Missing(String),
}

async fn original(volume: &dyn Volume, run: &RunId, manifest: &Manifest) -> Result<Original, GenerateError> {
    let (dir, token) = (version_dir(run, manifest.version), Token(manifest.token));
    let mut found = None;
    for entry in volume.list(&dir).await? {
        let is_holders =
            entry.kind == EntryKind::Dir && parse_name(&entry.name).is_some_and(|name| name.token() == token);
        if !is_holders {
            continue;
        }
        let path = format!("{dir}/{}/{MANIFEST}", entry.name);
        match manifest_at(volume, &path).await {
            Ok(Some(original)) if original == *manifest => return Ok(Original::Same),
            Ok(None) => {}
            Ok(Some(_)) | Err(GenerateError::Conflict { .. }) => found = Some(path),
            Err(error) => return Err(error),
        }
    }
    Ok(found.map_or(Original::Missing(dir), Original::Other))
}

/// Whether a manifest says what its holder wrote.
///
/// # Errors
/// [`GenerateError::Unproved`] when there is no original, or it says something else.
async fn is_original(volume: &dyn Volume, run: &RunId, manifest: &Manifest) -> Result<(), GenerateError> {
    let why = match original(volume, run, manifest).await? {
        Original::Same => return Ok(()),
        Original::Other(path) => other(manifest, &path),
        Original::Missing(dir) => format!(
            "the state store does not know it, and `{dir}` has no manifest of holder {}; where the volume was restored, restore \
             `.filegen` with it",
            manifest.token
        ),
    };
    Err(unproved(run, &why))
}

/// For a manifest whose files the store knows: it keeps no totals. An original that is gone by now is no reproach.
///
/// # Errors
/// [`GenerateError::Unproved`] when the holder wrote something else.
pub(super) async fn is_no_other(volume: &dyn Volume, run: &RunId, manifest: &Manifest) -> Result<(), GenerateError> {
    match differs(volume, run, manifest).await? {
        Some(why) => Err(unproved(run, &why)),
        None => Ok(()),
    }
}

/// What a manifest says otherwise than the original that its holder left. `None` when it says the same, or no original is there.
///
/// # Errors
/// When the volume cannot be read.
pub(super) async fn differs(
    volume: &dyn Volume,
    run: &RunId,
    manifest: &Manifest,
) -> Result<Option<String>, GenerateError> {
    Ok(match original(volume, run, manifest).await? {
        Original::Other(path) => Some(other(manifest, &path)),
        Original::Same | Original::Missing(_) => None,
    })
}

fn other(manifest: &Manifest, path: &str) -> String {
    format!("it differs from what holder {} wrote, `{path}`", manifest.token)
}

/// Whether the state store knows this version as published.
async fn is_recorded(
    ports: &Ports,
    run: &RunId,
    manifest: &Manifest,
    recorded: &[FileStatus],
) -> Result<bool, GenerateError> {
    let mut events = recorded.iter().filter_map(|status| status.event.as_ref());
    if events.any(|entry| entry.event.version >= manifest.version) {
        return Ok(true);
    }
    let record = ports.state.runs.run(run).await?;
    Ok(record.is_some_and(|record| is_published(&record, manifest)))
}

/// Whether a record says that this version is published: one without files has nothing else in the store.
fn is_published(record: &RunRecord, manifest: &Manifest) -> bool {
    let version = record.correction.as_ref().map_or(FIRST_VERSION, |correction| correction.version);
    record.status == RunStatus::Published && version >= manifest.version
}

/// Whether the state store recorded all files of this manifest, as they stand in it. For those who may not read whole files.
///
/// # Errors
/// [`GenerateError::Unproved`] when it is another run's manifest, the store recorded other files, or its holder wrote something else.
pub(super) async fn is_known(
    volume: &dyn Volume,
    worker: &Worker,
    manifest: &Manifest,
    record: &RunRecord,
    recorded: &[FileStatus],
) -> Result<bool, GenerateError> {
    speaks_of(worker, &record.id, manifest)?;
    let is_known = unknown(&record.id, manifest, recorded)?.is_empty() && is_published(record, manifest);
    if is_known {
        is_no_other(volume, &record.id, manifest).await?;
    }
    Ok(is_known)
}

/// The files of a manifest that the state store does not know.
fn unknown<'a>(
    run: &RunId,
    manifest: &'a Manifest,
    recorded: &[FileStatus],
) -> Result<Vec<&'a ManifestFile>, GenerateError> {
    let announced = |status: &&FileStatus| status.event.as_ref().is_some_and(|it| it.event.version == manifest.version);
    let is_listed =
        |status: &FileStatus| manifest.files.iter().any(|file| file.id == status.file.as_str() && file.name.is_some());
    if let Some(missing) = recorded.iter().filter(announced).find(|status| !is_listed(status)) {
        return Err(unproved(run, &format!("it leaves out file {}, which the state store recorded", missing.file)));
    }
    let mut unknown = Vec::new();
    for file in &manifest.files {
        let Some(name) = &file.name else { continue };
        let status = recorded.iter().find(|status| status.file.as_str() == file.id);
        let Some(event) = status.and_then(|status| status.event.as_ref()).map(|entry| &entry.event) else {
            unknown.push(file);
            continue;
        };
        if event.version < file.version {
            // A correction that is published and not recorded yet.
            unknown.push(file);
            continue;
        }
        if (&event.path, event.total_rows, event.bytes, &event.sha256) != (name, file.rows, file.bytes, &file.sha256) {
            let (path, rows, bytes, sha256) = (&event.path, event.total_rows, event.bytes, &event.sha256);
            return Err(unproved(
                run,
                &format!(
                    "the state store recorded another file {}: `{path}`, {rows} rows, {bytes} bytes, sha256 {sha256}",
                    file.id
                ),
            ));
        }
    }
    Ok(unknown)
}

/// Whether it is a manifest of this run and of these files.
fn speaks_of(worker: &Worker, run: &RunId, manifest: &Manifest) -> Result<(), GenerateError> {
    let whose = (manifest.worker_id.as_str(), manifest.run_id.as_str(), manifest.business_date.as_str());
    if whose != (worker.id.as_str(), run.to_string().as_str(), run.date.to_string().as_str()) {
        return Err(unproved(
            run,
            &format!("it is the manifest of run {} ({})", manifest.run_id, manifest.business_date),
        ));
    }
    if manifest.completed_at.parse::<Timestamp>().is_err() {
        return Err(unproved(run, "it does not say when it was made"));
    }
    Ok(())
}

/// Whether a manifest that the store does not know lists the worker's files under this run's names, made with its settings.
async fn made_here(ports: &Ports, job: &Job, manifest: &Manifest) -> Result<(), GenerateError> {
    let (worker, run) = (&job.worker, &job.run);
    let refuse = |why: &str| Err(unproved(run, why));
    let has = |id: &str| manifest.files.iter().any(|file| file.id == id);
    // A correction of some files is made by a worker of these alone.
    let is_whole = manifest.files.len() == worker.files.len() || manifest.version > FIRST_VERSION;
    if !is_whole || !worker.files.iter().all(|spec| has(spec.id.as_str())) {
        return refuse("it lists other files than the worker file has now");
    }
    let is_of_this = |id: &str| manifest.files.iter().any(|file| file.id == id && file.version == manifest.version);
    let mut made = worker.as_ref().clone();
    // A correction of some files was made with their settings alone.
    made.files.retain(|spec| is_of_this(spec.id.as_str()));
    let plan = Plan::new(&made, &job.registry, &manifest.parameters)?;
    if let Some(spec) = &manifest.spec
        && plan.shape.fit(spec, manifest.writes.unwrap_or_default(), None) == Fit::Other
    {
        return refuse(
            "it was made with other settings than the worker file has now; run it once with the worker file of that time",
        );
    }
    if manifest.version > FIRST_VERSION {
        // The same bytes under a higher number would be told once more. A later version has a folder of its own in `.filegen`,
        // where nobody else may write.
        let dir = version_dir(run, manifest.version);
        let entry = ports.volume.stat(&dir).await?;
        if entry.is_none_or(|entry| entry.kind != EntryKind::Dir) {
            return refuse(&format!(
                "it is of version {}, and there is no `{dir}` in which that was made",
                manifest.version
            ));
        }
    }
    has_names(worker, run, manifest)?;
    if manifest.files.iter().any(|file| file.name.is_none()) {
        return without_files(ports, job, manifest).await;
    }
    Ok(())
}

/// Whether each file has the name that this run gives it.
fn has_names(worker: &Worker, run: &RunId, manifest: &Manifest) -> Result<(), GenerateError> {
    for file in &manifest.files {
        let Some(spec) = worker.files.iter().find(|spec| spec.id.as_str() == file.id) else { continue };
        let name = spec.name.render(run, &spec.id);
        let later = with_version(&name, file.version);
        if file.name.as_ref().is_some_and(|found| *found != name && *found != later) {
            let found = file.name.as_deref().unwrap_or_default();
            let why = format!("it names `{found}`, and this run's file {} is `{name}`", spec.id);
            return Err(unproved(run, &why));
        }
    }
    Ok(())
}

/// No file proves a run without files: its journal has to.
async fn without_files(ports: &Ports, job: &Job, manifest: &Manifest) -> Result<(), GenerateError> {
    let no_file = manifest.files.iter().all(|file| file.name.is_none());
    if job.worker.output.when_empty != WhenEmpty::Skip || manifest.source_rows != 0 || !no_file {
        return Err(unproved(&job.run, "it leaves files out that this worker publishes"));
    }
    let dir = staging_dir_in(&version_dir(&job.run, manifest.version), Token(manifest.token));
    let journal = Journal::parse(&read_journal(&*ports.volume, &dir).await?);
    let ended = journal.begin().is_some_and(|begin| begin.run == job.run.to_string() && begin.rows == 0)
        && journal.complete().is_some()
        && journal.last_page().is_none();
    if ended {
        Ok(())
    } else {
        Err(unproved(&job.run, "it lists no file, and no journal shows that the view was empty"))
    }
}

/// Reads one file whole. False when asked to stop meanwhile.
async fn is_file_proved(
    ports: &Ports,
    job: &Job,
    manifest: &Manifest,
    file: &ManifestFile,
) -> Result<bool, GenerateError> {
    let (volume, run) = (&*ports.volume, &job.run);
    let Some(path) = &file.name else { return Ok(true) };
    let refuse = |why: String| Err(unproved(run, &format!("its file `{path}` {why}")));
    match volume.stat(path).await? {
        None => return refuse("is not there".to_owned()),
        Some(entry) if entry.kind != EntryKind::File => return refuse("is no regular file".to_owned()),
        Some(entry) if entry.bytes != file.bytes => {
            return refuse(format!("has {} bytes instead of {}", entry.bytes, file.bytes));
        }
        Some(_) => {}
    }
    let handle = match volume.open(path).await {
        Err(VolumeError::NotFound { .. }) => return refuse("is not there".to_owned()),
        handle => handle?,
    };
    let has_header = job.worker.files.iter().any(|spec| spec.id.as_str() == file.id && header_bytes(spec) > 0);
    if has_header {
        let found = Header::parse(&handle.read_at(0, HEADER_BYTES).await?).ok();
        let is_of_this = file.version == manifest.version;
        if !found.is_some_and(|found| found.rows == file.rows && (found.page == manifest.pages || !is_of_this)) {
            return refuse(format!("does not begin with {} pages and {} rows", manifest.pages, file.rows));
        }
    }
    let mut digest = FileDigest::new(None);
    let mut done = 0;
    loop {
        job.observer.observe(&GenerateEvent::Checked { path: path.clone(), done, bytes: file.bytes });
        if done == file.bytes {
            break;
        }
        let length = PIECE.min(file.bytes - done);
        let piece = tokio::select! {
            biased;
            () = job.stop.cancelled() => return Ok(false),
            piece = digest.read(&handle, done, length) => piece?,
        };
        if piece.is_none() {
            return refuse(format!("is shorter than {} bytes", file.bytes));
        }
        done += length;
    }
    match digest.finish(None) {
        Some(sha256) if sha256 == file.sha256 => Ok(true),
        _ => refuse(format!("has another digest than sha256 {}", file.sha256)),
    }
}

fn unproved(run: &RunId, why: &str) -> GenerateError {
    GenerateError::Unproved { path: manifest_name(run, FIRST_VERSION), run: run.to_string(), reason: why.to_owned() }
}
