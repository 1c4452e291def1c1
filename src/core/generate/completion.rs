//! A published run's completion events, as the outbox holds them.

use crate::core::generate::GenerateError;
use crate::core::generate::publish::published;
use crate::core::generate::record::completion_event;
use crate::core::generate::spec::Worker;
use crate::core::model::event::{CompletionEvent, FILE_DELIVERED};
use crate::core::model::run::RunId;
use crate::core::ports::outbox::OutboxEntry;
use crate::core::ports::runs::{FileStatus, RunStore};
use crate::core::ports::volume::Volume;
use serde::Deserialize;

/// The events of a run's files, or of one of them. The correlation ids are those of the first sending.
///
/// # Errors
/// When the run is not published, there is no such file, or volume or store cannot be read.
pub async fn events(
    volume: &dyn Volume,
    runs: &dyn RunStore,
    worker: &Worker,
    run: &RunId,
    file: Option<&str>,
) -> Result<Vec<CompletionEvent>, GenerateError> {
    let refuse = |reason: String| GenerateError::Staged { reason };
    let Some(manifest) = published(volume, run).await? else {
        return Err(refuse(format!("run {run} is not published, so there is no completion event yet")));
    };
    if let Some(wanted) = file
        && !worker.files.iter().any(|spec| spec.id.as_str() == wanted)
    {
        let there: Vec<&str> = worker.files.iter().map(|spec| spec.id.as_str()).collect();
        return Err(refuse(format!("worker {} has no file `{wanted}`; it has {}", worker.id, there.join(", "))));
    }
    let outbox = runs.files(run).await?;
    let mut events = Vec::new();
    for spec in worker.files.iter().filter(|spec| file.is_none_or(|wanted| spec.id.as_str() == wanted)) {
        let recorded = outbox.iter().find(|status| status.file == spec.id).and_then(|status| status.event.clone());
        let Some(made) = completion_event(&manifest, spec.id.as_str(), spec.event_type.as_deref()) else { continue };
        // A record of an older version was made before a correction that is published but not recorded yet.
        let Some(event) = recorded.map(|entry| entry.event).filter(|event| event.version == made.version) else {
            // Anybody who may write to the volume could make up a manifest, and with it any event.
            let (id, date) = (&spec.id, run.date);
            return Err(refuse(format!(
                "the state store does not know file {id} of run {run}, only a manifest does; `filegen run --date {date}` checks \
                 the files against it, records them and sends their events"
            )));
        };
        events.push(event);
    }
    Ok(events)
}

/// A run's event as the outbox sends it: JSON, under the file's id. A file's name and its outbox entry are made by
/// [`FileStatus`] in the same way.
pub fn outbox_entry(run: &RunId, event: &CompletionEvent) -> OutboxEntry {
    let id = FileStatus::outbox_id_of(run, &event.file_id, event.version);
    OutboxEntry { id, key: event.file_id.clone(), payload: event.payload() }
}

/// What all events of a worker's files say, of a completion and of an arrival.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heading {
    /// Which file.
    pub file_id: String,
    /// Of which day.
    pub business_date: String,
    /// The same at each try, and in both events of a file.
    pub correlation_id: String,
    /// The file's own, or that of arrivals.
    pub event_type: Option<String>,
}

impl Heading {
    /// Of the event that an entry of a worker's outbox sends. `None` for an entry of another flow.
    pub fn of(entry: &OutboxEntry) -> Option<Self> {
        serde_json::from_slice(&entry.payload).ok()
    }

    /// Whether it tells of an arrival.
    pub fn is_arrival(&self) -> bool {
        self.event_type.as_deref() == Some(FILE_DELIVERED)
    }
}
