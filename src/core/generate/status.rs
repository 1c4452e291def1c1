//! The status of workers: lease, runs, files, unsent events and dead letters. Only reads; wall clocks are good enough.

pub mod view;

use crate::core::election::report::{LeaseReport, LeaseState, lease_of};
use crate::core::model::names::{LeaseKey, WorkerId};
use crate::core::model::run::{RunRecord, RunStatus};
use crate::core::ports::clock::Clock;
use crate::core::ports::dead_letters::DeadLetter;
use crate::core::ports::outbox::OutboxEntry;
use crate::core::ports::runs::FileStatus;
use crate::core::ports::state::StateStore;
use crate::core::ports::store::StoreError;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Runs shown of each worker, the latest first.
const RUNS: usize = 10;

/// Dead letters shown of each worker, the latest first.
const ODD_EVENTS: usize = 10;

/// Runs and dead letters searched for workers that have no lease.
const SEARCHED: usize = 1000;

/// All that the state store knows, for people.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// When it was asked, on our wall clock.
    pub at: Timestamp,
    /// Each worker that has a lease, a run or a dead letter, by name. A worker that was asked for is always there.
    pub workers: Vec<WorkerReport>,
}

/// One worker.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkerReport {
    /// Which.
    pub worker: WorkerId,
    /// Who writes its files.
    pub lease: LeaseReport,
    /// Its latest runs, newest business date first.
    pub runs: Vec<RunReport>,
    /// Completion events that no broker has acknowledged, oldest first.
    pub unsent: Vec<OutboxEntry>,
    /// The trigger's latest dead letters, newest first.
    pub odd_events: Vec<DeadLetter>,
}

/// A run and its files.
#[derive(Clone, PartialEq, Debug)]
pub struct RunReport {
    /// As it is stored.
    pub record: RunRecord,
    /// Its files, by id.
    pub files: Vec<FileStatus>,
    /// Source rows a second since it was first started. `None` before that, after a failure, and when nobody writes.
    pub rows_per_second: Option<f64>,
}

/// Reports one worker, or all that have a lease, a recent run or a recent dead letter.
///
/// # Errors
/// When the store cannot be read.
pub async fn report(state: &StateStore, clock: &dyn Clock, worker: Option<&WorkerId>) -> Result<Report, StoreError> {
    let (leases, runs, at) = (&*state.leases, &*state.runs, clock.now());
    let names = if let Some(worker) = worker {
        BTreeSet::from([worker.clone()])
    } else {
        let holders = leases.list().await?.into_iter().filter_map(|lease| lease.key.worker());
        let ran = runs.runs(None, SEARCHED).await?.into_iter().map(|run| run.id.worker);
        let heard =
            state.dead_letters.dead_letters(None, SEARCHED).await?.into_iter().filter_map(|event| event.owner.worker());
        holders.chain(ran).chain(heard).collect()
    };
    let mut workers = Vec::with_capacity(names.len());
    for worker in names {
        let key = LeaseKey::from(&worker);
        let lease = lease_of(leases, &key, at).await?;
        let mut reports = Vec::new();
        for record in runs.runs(Some(&worker), RUNS).await? {
            let files = runs.files(&record.id).await?;
            let rows_per_second = rate(&record, lease.state, at);
            reports.push(RunReport { record, files, rows_per_second });
        }
        let unsent = state.outbox.pending(&key).await?;
        let odd_events = state.dead_letters.dead_letters(Some(&key), ODD_EVENTS).await?;
        workers.push(WorkerReport { worker, lease, runs: reports, unsent, odd_events });
    }
    Ok(Report { at, workers })
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people; rows above 2^53 are not countable anyway")]
fn rate(run: &RunRecord, lease: LeaseState, at: Timestamp) -> Option<f64> {
    let end = match run.status {
        RunStatus::Published => run.completed_at?,
        RunStatus::Running if lease == LeaseState::Held => at,
        _ => return None,
    };
    let seconds = end.duration_since(run.started_at?).as_secs_f64();
    (seconds > 0.0).then(|| run.rows as f64 / seconds)
}

#[cfg(test)]
mod tests;
