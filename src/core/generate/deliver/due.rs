//! What of a published version is to be handed over: its files in their order, and its manifest behind all of them.

use crate::core::generate::digest::of_file;
use crate::core::generate::manifests::manifest_at;
use crate::core::generate::model::file_name::manifest_name;
use crate::core::generate::model::manifest::Manifest;
use crate::core::generate::record::completion_event;
use crate::core::generate::spec::Worker;
use crate::core::generate::{GenerateError, Ports};
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::delivery::{Delivery, DeliveryState};
use crate::core::model::names::FileId;
use crate::core::model::run::RunId;
use crate::core::ports::volume::Volume;
use jiff::Timestamp;

/// Records what is to be handed over of a published version, if the worker's files are. A repeat changes nothing.
///
/// # Errors
/// When the manifest cannot be read, or the store refuses or is away.
pub async fn record_due(ports: &Ports, worker: &Worker, run: &RunId, manifest: &Manifest) -> Result<(), GenerateError> {
    let Some(to) = &worker.deliver else { return Ok(()) };
    let mut due = files_due(to, run, manifest)?;
    due.push(of_manifest(&*ports.volume, to, run, manifest, &due).await?);
    Ok(ports.state.deliveries.add_due(&due).await?)
}

/// The files of a published version.
pub(in crate::core::generate) fn files_due(
    to: &str,
    run: &RunId,
    manifest: &Manifest,
) -> Result<Vec<Delivery>, GenerateError> {
    let mut due = Vec::new();
    for (position, entry) in (0..).zip(&manifest.files) {
        let Some(event) = completion_event(manifest, &entry.id, None) else { continue };
        let file = FileId::new(entry.id.as_str());
        let file = file.map_err(|error| GenerateError::Staged { reason: format!("the manifest of {run}: {error}") })?;
        due.push(Delivery {
            version: entry.version,
            position,
            path: event.path,
            bytes: entry.bytes,
            sha256: entry.sha256.clone(),
            correlation_id: Some(event.correlation_id),
            ..fresh(to, run, Some(file), manifest)
        });
    }
    Ok(due)
}

async fn of_manifest(
    volume: &dyn Volume,
    to: &str,
    run: &RunId,
    manifest: &Manifest,
    files: &[Delivery],
) -> Result<Delivery, GenerateError> {
    let behind = files.iter().map(Delivery::id).collect::<Vec<_>>();
    // A version that took the place of the one before has its name too.
    for name in [manifest_name(run, manifest.version), manifest_name(run, FIRST_VERSION)] {
        if manifest_at(volume, &name).await?.is_some_and(|there| there.version == manifest.version) {
            let (bytes, sha256) = of_file(&volume.open(&name).await?).await?;
            let position = u32::try_from(manifest.files.len()).unwrap_or(u32::MAX);
            return Ok(Delivery { path: name, bytes, sha256, position, behind, ..fresh(to, run, None, manifest) });
        }
    }
    let reason = format!("the manifest of version {} of run {run} is not there any more", manifest.version);
    Err(GenerateError::Staged { reason })
}

fn fresh(to: &str, run: &RunId, file: Option<FileId>, manifest: &Manifest) -> Delivery {
    Delivery {
        run: run.clone(),
        file,
        version: manifest.version,
        position: 0,
        to: to.to_owned(),
        path: String::new(),
        bytes: 0,
        sha256: String::new(),
        correlation_id: None,
        behind: Vec::new(),
        state: DeliveryState::Due,
        done: false,
        reason: None,
        transfer_id: None,
        due_at: manifest.completed_at.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        handed_at: None,
        delivered_at: None,
        event: None,
        sent_at: None,
        revision: 0,
    }
}
