//! The files of a running daemon, and the watch over them: it reads them again when they change and at SIGHUP. The daemon goes on with the
//! files as they were at its start, and logs what a restart would change.

use super::TARGET;
use crate::config::{self, ConfigError, Environment, Flow};
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::Signal;
use tracing::{info, warn};

/// Time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What a file declares, and the file.
pub struct ServedFile {
    /// The file.
    pub path: PathBuf,
    /// As it was at the start.
    pub flow: Flow,
}

/// All that one process serves.
pub struct Served {
    /// Its files, in the order in which they were named.
    pub files: Vec<ServedFile>,
    /// What of its ingests.
    pub parts: IngestParts,
}

impl Served {
    /// What the files of one kind declare, by what takes it out of a flow.
    pub(super) fn each<'a, T>(&'a self, kind: fn(&'a Flow) -> Option<&'a Arc<T>>) -> impl Iterator<Item = &'a Arc<T>> {
        self.files.iter().filter_map(move |file| kind(&file.flow))
    }

    /// The ids of the files of one kind, as a log line has them.
    pub(super) fn ids(&self, key: &str) -> String {
        let ids = self.files.iter().filter(|file| file.flow.key() == key).map(|file| file.flow.id());
        ids.collect::<Vec<_>>().join(",")
    }
}

/// What of an ingest an instance serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IngestParts {
    /// The door for events.
    pub produce: bool,
    /// Reading the log into tables, and sending dead letters.
    pub ingest: bool,
    /// The door for readers.
    pub read: bool,
}

/// Watches the files for ever.
pub(super) async fn watch(files: &[ServedFile], registry: &Registry, mut hangups: Signal) {
    let mut seen: Vec<_> = files.iter().map(|file| changed_at(&file.path)).collect();
    loop {
        let asked = tokio::select! {
            _ = hangups.recv() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
        for (file, seen) in files.iter().zip(&mut seen) {
            let now = changed_at(&file.path);
            if std::mem::replace(seen, now) != now || asked {
                let now = config::load(&file.path, &Environment, registry).and_then(|now| now.of_kind(&file.flow));
                match &file.flow {
                    Flow::Generate(worker) => tell_worker(worker, &file.path, &now),
                    flow @ (Flow::Ingest(_) | Flow::Schedule(_) | Flow::Transfer(_)) => tell(flow, &file.path, &now),
                }
            }
        }
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// Tells of a worker file whether it is as it was served, and which sections differ.
fn tell_worker(served: &Worker, path: &Path, now: &Result<Flow, ConfigError>) {
    let (worker, path) = (served.id.as_str(), path.display());
    match now {
        Err(problem) => {
            warn!(target: TARGET, worker, file = %path, %problem, "the worker file is wrong now: a restart would fail");
        }
        Ok(Flow::Generate(now)) if **now != *served => {
            let sections = changed_sections(served, now).join(",");
            warn!(target: TARGET, worker, file = %path, sections, "the worker file has changed: a restart would apply it");
        }
        Ok(_) => info!(target: TARGET, worker, file = %path, "the worker file says what is served"),
    }
}

/// Tells of a file of another kind whether it is as it was served.
fn tell(served: &Flow, path: &Path, now: &Result<Flow, ConfigError>) {
    let (kind, id, path) = (served.key(), served.id(), path.display());
    match now {
        Err(problem) => {
            warn!(target: TARGET, kind, id, file = %path, %problem, "the file is wrong now: a restart would fail");
        }
        Ok(now) if now == served => info!(target: TARGET, kind, id, file = %path, "the file says what is served"),
        Ok(_) => warn!(target: TARGET, kind, id, file = %path, "the file has changed: a restart would apply it"),
    }
}

/// The sections in which two worker files differ. A new section must be named here: without it, this does not compile.
fn changed_sections(before: &Worker, after: &Worker) -> Vec<&'static str> {
    let Worker {
        id,
        source,
        params,
        output,
        files,
        business_date,
        state,
        trigger,
        schedule,
        completion,
        deadline,
        deliver,
        commit,
        policies,
    } = before;
    let differs = [
        ("worker", *id != after.id),
        ("source", *source != after.source),
        ("params", *params != after.params),
        ("output", *output != after.output),
        ("files", *files != after.files),
        ("business_date", *business_date != after.business_date),
        ("state", *state != after.state),
        ("trigger", *trigger != after.trigger || *schedule != after.schedule),
        ("completion", *completion != after.completion),
        ("deadline", *deadline != after.deadline),
        ("deliver", *deliver != after.deliver),
        ("commit", *commit != after.commit),
        ("policies", *policies != after.policies),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
