//! The status of workers: lease, runs, files, unsent events and dead letters. Only reads; wall clocks are good enough.

mod durable;
pub mod view;

pub use durable::Known;

use crate::core::election::report::{LeaseReport, LeaseState, lease_of};
use crate::core::generate::record::is_tried_again;
use crate::core::generate::walk::STRETCH;
use crate::core::model::delivery::Delivery;
use crate::core::model::names::{LeaseKey, WorkerId};
use crate::core::model::run::{RunRecord, RunStatus};
use crate::core::ports::clock::Clock;
use crate::core::ports::dead_letters::DeadLetter;
use crate::core::ports::outbox::OutboxEntry;
use crate::core::ports::runs::FileStatus;
use crate::core::ports::state::StateStore;
use crate::core::ports::store::{Found, OddRecord, StoreError};
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
pub struct StatusReport {
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
    /// Records of the state store that cannot be read. Nothing is made of them, and the others go on.
    pub odd: Vec<OddRecord>,
}

/// A run and its files.
#[derive(Clone, PartialEq, Debug)]
pub struct RunReport {
    /// As it is stored, with what the journal says is durable.
    pub record: RunRecord,
    /// What becomes of it now.
    pub state: RunState,
    /// Its files, by id.
    pub files: Vec<FileStatus>,
    /// Source rows a second since it was first started. `None` before that, after a failure, and when nobody writes.
    pub rows_per_second: Option<f64>,
    /// Ids of published files that are no longer there.
    pub gone: BTreeSet<String>,
    /// How its versions are on their way to their transfer, in their order.
    pub deliveries: Vec<Delivery>,
}

/// What becomes of a run now: its recorded status, held against the lease. A record alone says `running` for ever when its holder
/// has died.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunState {
    /// Asked for; no holder has started it.
    Pending,
    /// A living holder writes its files.
    Running,
    /// Its holder was asked to stop, and has released the lease.
    Stopped,
    /// Its holder is gone, or another one leads and has not taken it over yet.
    Interrupted,
    /// All files and the manifest are visible.
    Published,
    /// Ended with an error.
    Failed,
}

impl RunState {
    fn of(record: &RunRecord, lease: &LeaseReport) -> Self {
        let is_holder = lease.record.as_ref().is_some_and(|lease| Some(lease.token) == record.token);
        match (record.status, lease.state) {
            (RunStatus::Pending, _) => Self::Pending,
            (RunStatus::Published, _) => Self::Published,
            (RunStatus::Failed, _) => Self::Failed,
            (RunStatus::Running, LeaseState::Held) if is_holder => Self::Running,
            (RunStatus::Running, LeaseState::Released) if is_holder => Self::Stopped,
            (RunStatus::Running, _) => Self::Interrupted,
        }
    }

    /// The word in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Published => "published",
            Self::Failed => "failed",
        }
    }
}

/// Reports one worker, or all that have a lease, a recent run or a recent dead letter. `known` says more of the worker whose file is
/// at hand.
///
/// # Errors
/// When the store cannot be read.
pub async fn report(
    state: &StateStore,
    clock: &dyn Clock,
    worker: Option<&WorkerId>,
    known: Option<Known<'_>>,
) -> Result<StatusReport, StoreError> {
    let (runs, at) = (&*state.runs, clock.now());
    let names = if let Some(worker) = worker {
        BTreeSet::from([worker.clone()])
    } else {
        // One that cannot be read hides no other worker.
        let leases = state.leases.list().await?;
        let odd = leases.odd.iter().filter_map(|odd| LeaseKey::new(odd.id.rsplit(' ').next()?).ok()?.worker());
        let holders = leases.records.iter().filter_map(|lease| lease.key.worker()).chain(odd);
        let ran = runs.runs(None, SEARCHED).await?.records.into_iter().map(|run| run.id.worker);
        let heard = state.dead_letters.dead_letters(None, SEARCHED).await?.records;
        let heard = heard.into_iter().filter_map(|event| event.owner.worker());
        holders.chain(ran).chain(heard).collect()
    };
    let mut workers = Vec::with_capacity(names.len());
    for worker in names {
        let known = known.filter(|known| *known.worker == worker);
        workers.push(worker_report(state, clock, worker, known, at).await?);
    }
    Ok(StatusReport { at, workers })
}

/// A list, or nothing where one of its records cannot be read; then that is told in its place.
fn readable<T>(
    list: Result<Vec<T>, StoreError>,
    id: &str,
    odd: &mut BTreeSet<OddRecord>,
) -> Result<Vec<T>, StoreError> {
    match list {
        Err(StoreError::Failed { reason, .. }) => {
            odd.insert(OddRecord { id: id.to_owned(), reason });
            Ok(Vec::new())
        }
        list => list,
    }
}

async fn worker_report(
    state: &StateStore,
    clock: &dyn Clock,
    worker: WorkerId,
    known: Option<Known<'_>>,
    at: Timestamp,
) -> Result<WorkerReport, StoreError> {
    let key = LeaseKey::from(&worker);
    let mut reports = Vec::new();
    let latest = state.runs.runs(Some(&worker), RUNS).await?;
    let mut odd: BTreeSet<OddRecord> = latest.odd.into_iter().collect();
    let lease = lease_of(&*state.leases, &key, at).await?;
    odd.extend(lease.odd.clone());
    odd.extend(state.runs.unpublished(&worker, None, STRETCH).await?.found.odd);
    for mut record in latest.records {
        let mut files = readable(state.runs.files(&record.id).await, &record.id.to_string(), &mut odd)?;
        let mut gone = BTreeSet::new();
        if let Some(known) = known {
            let seen = durable::look(known, clock, &record, &files).await;
            gone = seen.gone;
            if let Some(journal) = seen.journal {
                durable::correct(&mut record, &mut files, &journal);
            }
        }
        let deliveries = state.deliveries.of_run(&record.id).await?;
        odd.extend(deliveries.odd);
        let deliveries = deliveries.records;
        let run_state = RunState::of(&record, &lease);
        // A try that was planned and did not come before the service gave the run up.
        record.next_try_at = record.next_try_at.filter(|next| is_tried_again(&record, at.max(*next)));
        let rows_per_second = rate(&record, run_state, at);
        reports.push(RunReport { record, state: run_state, files, rows_per_second, gone, deliveries });
    }
    // Whether a worker has a topic stands in its own file; without that, a worker whose events were sent before has one.
    let has_sent = || reports.iter().flat_map(|run| &run.files).any(is_sent);
    let has_outbox = known.map_or_else(has_sent, |known| known.has_outbox);
    let unsent = if has_outbox { state.outbox.pending(&key).await? } else { Found::default() };
    odd.extend(unsent.odd);
    let odd_events = state.dead_letters.dead_letters(Some(&key), ODD_EVENTS).await?;
    odd.extend(odd_events.odd);
    Ok(WorkerReport {
        worker,
        lease,
        runs: reports,
        unsent: unsent.records,
        odd_events: odd_events.records,
        odd: odd.into_iter().collect(),
    })
}

fn is_sent(file: &FileStatus) -> bool {
    file.event.as_ref().is_some_and(|entry| entry.sent_at.is_some())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people; rows above 2^53 are not countable anyway")]
fn rate(run: &RunRecord, state: RunState, at: Timestamp) -> Option<f64> {
    let end = match state {
        RunState::Published => run.completed_at?,
        RunState::Running => at,
        RunState::Pending | RunState::Stopped | RunState::Interrupted | RunState::Failed => return None,
    };
    let seconds = end.duration_since(run.started_at?).as_secs_f64();
    (seconds > 0.0).then(|| run.rows as f64 / seconds)
}

#[cfg(test)]
mod tests;
