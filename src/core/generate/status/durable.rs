//! What the volume knows better than the state store: how much of a run is durable, and whether its files are still there.

use crate::core::generate::inspect::find;
use crate::core::generate::model::journal::Journal;
use crate::core::generate::publish::gone;
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::names::WorkerId;
use crate::core::model::run::{RunRecord, RunStatus};
use crate::core::ports::clock::Clock;
use crate::core::ports::runs::{FileState, FileStatus};
use crate::core::ports::volume::Volume;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest wait for a volume. The state store's word is shown without it.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a worker file that is at hand says of its worker.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Which worker.
    pub worker: &'a WorkerId,
    /// Its output root.
    pub volume: &'a dyn Volume,
    /// Whether its completion events have a topic. Without one, no event waits for a broker.
    pub has_outbox: bool,
}

/// What the volume said of a run.
#[derive(Default)]
pub(super) struct Seen {
    /// The newest journal of a run that is not published.
    pub journal: Option<Journal>,
    /// Published files that are no longer there, by id.
    pub gone: BTreeSet<String>,
}

/// Looks at a run on the volume. A volume that does not answer has said nothing.
pub(super) async fn look(known: Known<'_>, clock: &dyn Clock, record: &RunRecord, files: &[FileStatus]) -> Seen {
    tokio::select! {
        biased;
        seen = seen(known.volume, record, files) => seen,
        () = clock.sleep(PATIENCE) => Seen::default(),
    }
}

async fn seen(volume: &dyn Volume, record: &RunRecord, files: &[FileStatus]) -> Seen {
    if record.status != RunStatus::Published {
        let found = find::run(volume, &record.id).await.ok();
        let version = record.wanted_correction().map_or(FIRST_VERSION, |correction| correction.version);
        let newest = found.and_then(|run| run.folders.into_iter().find(|folder| folder.version == version));
        let journal = newest.map(|folder| folder.journal);
        return Seen { journal, gone: BTreeSet::new() };
    }
    let published = files.iter().filter(|file| file.state == FileState::Published);
    let named: Vec<_> =
        published.filter_map(|file| Some((&file.file, file.event.as_ref()?.event.path.as_str()))).collect();
    let missing = gone(volume, named.iter().map(|(_, path)| *path).collect()).await;
    let is_missing = named.iter().filter(|(_, path)| missing.contains(path));
    Seen { journal: None, gone: is_missing.map(|(file, _)| file.to_string()).collect() }
}

/// Puts what is durable in place of what was saved last. The store is behind the journal by up to a second, and by more after a
/// fault.
pub(super) fn correct(record: &mut RunRecord, files: &mut [FileStatus], journal: &Journal) {
    let Some(begin) = journal.begin() else { return };
    let last = journal.last_page();
    record.last_page = last.map_or(0, |page| page.page);
    record.rows = last.map_or(0, |page| page.source_rows);
    record.rows_expected = begin.rows();
    if begin.correction.is_some() {
        // The files are those of the version before until this one is whole.
        return;
    }
    for file in files {
        let index = begin.files.iter().position(|id| id == file.file.as_str());
        if let Some(index) = index {
            file.last_page = record.last_page;
            file.rows = last.and_then(|page| page.files.get(index)).map_or(0, |commit| commit.rows);
        }
    }
}
