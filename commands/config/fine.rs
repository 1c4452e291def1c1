//! What `config check` says of a file that is fine.

use crate::config::{Flow, Loaded};
use crate::wiring;
use std::path::Path;

/// A line about a file that is fine; nothing about one that is not.
pub(super) fn fine(path: &Path, loaded: Option<&Loaded>) -> String {
    let what = match loaded.map(|loaded| &loaded.flow) {
        None => return String::new(),
        Some(Flow::Generate(worker)) => {
            let files = worker.files.len();
            let plural = if files == 1 { "file" } else { "files" };
            format!("{} makes {files} {plural} from {}", worker.id, worker.source.view)
        }
        Some(Flow::Ingest(ingest)) => {
            let (types, tables) = (ingest.events.len(), ingest.tables.tables.len());
            format!("{} writes {types} types of events into {tables} tables", ingest.id)
        }
        Some(Flow::Schedule(scheduler)) => {
            format!("{} takes data sources below {}", scheduler.id, scheduler.roots.shown())
        }
        Some(Flow::Transfer(transfer)) => {
            let from = transfer.collect.as_ref().map(|collect| format!(" from {}", collect.directory.display()));
            let to = transfer.deliver.as_ref().map(|deliver| format!(" to {}", wiring::target_shown(&deliver.to)));
            format!("{} moves files{}{}", transfer.id, from.unwrap_or_default(), to.unwrap_or_default())
        }
    };
    format!("{}: ok: {what}\n", path.display())
}
