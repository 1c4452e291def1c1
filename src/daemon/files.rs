//! Watches the worker files of a running daemon: it reads them again when they change and at SIGHUP. The daemon goes on with the
//! files as they were at its start, and logs what a restart would change.

use super::TARGET;
use crate::config::{self, ConfigError, Environment, Loaded};
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::ingest::spec::Ingest;
use crate::core::schedule::spec::Scheduler;
use crate::core::transfer::spec::Transfer;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::Signal;
use tracing::{info, warn};

/// Time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// A worker and the file that it stands in.
pub struct WorkerFile {
    /// The file.
    pub path: PathBuf,
    /// As it was at the start.
    pub worker: Arc<Worker>,
}

/// An ingest and the file that it stands in.
pub struct IngestFile {
    /// The file.
    pub path: PathBuf,
    /// As it was at the start.
    pub ingest: Arc<Ingest>,
    /// What of it this instance serves.
    pub parts: IngestParts,
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

/// A scheduler and the file that it stands in.
pub struct SchedulerFile {
    /// The file.
    pub path: PathBuf,
    /// As it was at the start.
    pub scheduler: Arc<Scheduler>,
}

/// A transfer and the file that it stands in.
pub struct TransferFile {
    /// The file.
    pub path: PathBuf,
    /// As it was at the start.
    pub transfer: Arc<Transfer>,
}

/// All that one process serves.
#[derive(Default)]
pub struct Served {
    /// Workers.
    pub workers: Vec<WorkerFile>,
    /// Ingests.
    pub ingests: Vec<IngestFile>,
    /// Schedulers.
    pub schedulers: Vec<SchedulerFile>,
    /// Transfers.
    pub transfers: Vec<TransferFile>,
}

enum Watched<'a> {
    Worker(&'a WorkerFile),
    Ingest(&'a IngestFile),
    Scheduler(&'a SchedulerFile),
    Transfer(&'a TransferFile),
}

impl Watched<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::Worker(file) => &file.path,
            Self::Ingest(file) => &file.path,
            Self::Scheduler(file) => &file.path,
            Self::Transfer(file) => &file.path,
        }
    }
}

/// Watches the files for ever.
pub(super) async fn watch(served: &Served, registry: &Registry, mut hangups: Signal) {
    let Served { workers, ingests, schedulers, transfers } = served;
    let workers = workers.iter().map(Watched::Worker);
    let others = ingests.iter().map(Watched::Ingest).chain(schedulers.iter().map(Watched::Scheduler));
    let others = others.chain(transfers.iter().map(Watched::Transfer));
    let files: Vec<Watched<'_>> = workers.chain(others).collect();
    let mut seen: Vec<_> = files.iter().map(|file| changed_at(file.path())).collect();
    loop {
        let asked = tokio::select! {
            _ = hangups.recv() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
        for (file, seen) in files.iter().zip(&mut seen) {
            let now = changed_at(file.path());
            if std::mem::replace(seen, now) != now || asked {
                match file {
                    Watched::Worker(file) => look_again(file, registry),
                    Watched::Ingest(file) => {
                        let now = config::load(&file.path, &Environment, registry).and_then(Loaded::into_ingest);
                        tell(("ingest", file.ingest.id.as_str()), &file.path, &now.map(|now| now == *file.ingest));
                    }
                    Watched::Transfer(file) => {
                        let now = config::load(&file.path, &Environment, registry).and_then(Loaded::into_transfer);
                        tell(
                            ("transfer", file.transfer.id.as_str()),
                            &file.path,
                            &now.map(|now| now == *file.transfer),
                        );
                    }
                    Watched::Scheduler(file) => {
                        let now = config::load(&file.path, &Environment, registry).and_then(Loaded::into_scheduler);
                        let id = ("scheduler", file.scheduler.id.as_str());
                        tell(id, &file.path, &now.map(|now| now == *file.scheduler));
                    }
                }
            }
        }
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

fn look_again(file: &WorkerFile, registry: &Registry) {
    let (worker, path) = (file.worker.id.as_str(), file.path.display());
    let now = config::load(&file.path, &Environment, registry).and_then(Loaded::into_worker);
    match now {
        Err(problem) => {
            warn!(target: TARGET, worker, file = %path, %problem, "the worker file is wrong now: a restart would fail");
        }
        Ok(now) if now == *file.worker => {
            info!(target: TARGET, worker, file = %path, "the worker file says what is served");
        }
        Ok(now) => {
            let sections = changed_sections(&file.worker, &now).join(",");
            warn!(target: TARGET, worker, file = %path, sections, "the worker file has changed: a restart would apply it");
        }
    }
}

/// Tells of a file whether it is as it was served, in a word for its kind and its name.
fn tell((kind, id): (&str, &str), path: &Path, is_same: &Result<bool, ConfigError>) {
    let path = path.display();
    match is_same {
        Err(problem) => {
            warn!(target: TARGET, kind, id, file = %path, %problem, "the file is wrong now: a restart would fail");
        }
        Ok(true) => info!(target: TARGET, kind, id, file = %path, "the file says what is served"),
        Ok(false) => warn!(target: TARGET, kind, id, file = %path, "the file has changed: a restart would apply it"),
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
        ("commit", *commit != after.commit),
        ("policies", *policies != after.policies),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
