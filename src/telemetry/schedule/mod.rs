//! The flow schedule, observed: its events as log lines and metrics, and who leads.

pub mod metrics;
pub mod sources;

use crate::core::election::ElectionEvent;
use crate::core::model::schedule::{Execution, Outcome};
use crate::core::model::shown;
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::store::OddRecord;
use crate::core::schedule::event::ScheduleEvent;
use metrics::ScheduleMetrics;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::{info, warn};

/// What JSON and text lines call their `target`.
const TARGET: &str = "filegen::telemetry::schedule";

/// One scheduler in this process.
#[derive(Debug)]
pub struct SchedulerStatus {
    scheduler: String,
    metrics: ScheduleMetrics,
    /// The token that it leads with; 0 while it stands by.
    token: AtomicU64,
    /// The first record that cannot be read; empty where there is none.
    odd: Mutex<String>,
}

impl SchedulerStatus {
    /// Declares its metrics.
    pub fn new(scheduler: &str) -> Self {
        Self {
            scheduler: scheduler.to_owned(),
            metrics: ScheduleMetrics::new(scheduler),
            token: AtomicU64::new(0),
            odd: Mutex::default(),
        }
    }

    /// The token that this process leads with. `None` while it stands by.
    pub fn token(&self) -> Option<u64> {
        Some(self.token.load(Ordering::Relaxed)).filter(|token| *token > 0)
    }

    /// A record that the leader cannot read. `None` where there is none, and while this process stands by.
    pub fn odd_record(&self) -> Option<String> {
        self.token()?;
        Some(self.odd().clone()).filter(|text| !text.is_empty())
    }

    fn odd(&self) -> MutexGuard<'_, String> {
        self.odd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, it: &Execution) {
        self.metrics.ended(it.outcome);
        let (scheduler, schedule, due) = (self.scheduler.as_str(), it.schedule_id.as_str(), it.due_time);
        let (outcome, execution) = (it.outcome.as_str(), it.id.as_str());
        match it.outcome {
            Outcome::Failed => {
                let error = it.error.as_deref();
                warn!(target: TARGET, scheduler, schedule, %due, execution, outcome, error, "execution failed");
            }
            Outcome::Missed | Outcome::Interrupted => {
                let reason = it.reason.as_deref();
                warn!(target: TARGET, scheduler, schedule, %due, execution, outcome, reason, "due time not made");
            }
            Outcome::Skipped => {
                let reason = it.reason.as_deref();
                info!(target: TARGET, scheduler, schedule, %due, execution, outcome, reason, "due time left out");
            }
            Outcome::Succeeded | Outcome::Queued | Outcome::Running => {
                let (seen, new) = (it.files_seen, it.files_new);
                info!(target: TARGET, scheduler, schedule, %due, execution, outcome, seen, new, "execution ended");
            }
        }
    }
}

impl Observer<ScheduleEvent> for SchedulerStatus {
    fn observe(&self, event: &ScheduleEvent) {
        let scheduler = self.scheduler.as_str();
        match event {
            ScheduleEvent::Began { execution, late } => self.metrics.began(execution.cause, *late),
            ScheduleEvent::Ended { execution } => self.ended(execution),
            ScheduleEvent::Paused { schedule, reason } => {
                warn!(target: TARGET, scheduler, %schedule, reason, "schedule paused by itself");
            }
            ScheduleEvent::Unusable { schedule, reason } => {
                warn!(target: TARGET, scheduler, %schedule, reason, "schedule cannot be used");
            }
            ScheduleEvent::DeadlineMissed { schedule, day } => {
                self.metrics.deadline_missed();
                warn!(target: TARGET, scheduler, %schedule, %day, "no execution had succeeded by the deadline");
            }
            ScheduleEvent::Skew { millis } => {
                warn!(target: TARGET, scheduler, millis, "the clocks of this host and the state store disagree");
            }
            ScheduleEvent::Odd { records } => {
                for OddRecord { id, reason } in records {
                    warn!(target: TARGET, scheduler, record = id.as_str(), reason, "a record cannot be read, and is passed over");
                }
                let first = records.first();
                *self.odd() = first.map(|it| format!("{} cannot be read: {}", it.id, it.reason)).unwrap_or_default();
            }
            ScheduleEvent::Counted { counts } => self.metrics.counted(*counts),
        }
    }
}

impl Observer<ElectionEvent> for SchedulerStatus {
    fn observe(&self, event: &ElectionEvent) {
        let scheduler = self.scheduler.as_str();
        match event {
            ElectionEvent::Waiting { holder, token, .. } => {
                info!(target: TARGET, scheduler, %holder, token = token.0, "standing by");
            }
            ElectionEvent::Odd { record } => {
                let (record, reason) = (&record.id, shown::text(&record.reason));
                warn!(target: TARGET, scheduler, record, reason, "a record is odd");
            }
            ElectionEvent::Leading { token } => {
                self.token.store(token.0, Ordering::Relaxed);
                info!(target: TARGET, scheduler, token = token.0, "leading");
            }
            ElectionEvent::Renewed => {}
            ElectionEvent::Lost { token, why } => {
                self.token.store(0, Ordering::Relaxed);
                self.metrics.counted([0; 3]);
                warn!(target: TARGET, scheduler, token = token.0, why, "lease lost");
            }
            ElectionEvent::Released { token } => {
                self.token.store(0, Ordering::Relaxed);
                self.metrics.counted([0; 3]);
                info!(target: TARGET, scheduler, token = token.0, "lease released");
            }
            ElectionEvent::NotReleased { reason } => {
                warn!(target: TARGET, scheduler, reason, "lease not released: it runs out by itself");
            }
            ElectionEvent::Retrying(retrying) => self.observe(retrying),
        }
    }
}

impl Observer<Retrying> for SchedulerStatus {
    fn observe(&self, Retrying { reason, attempt, after }: &Retrying) {
        let (scheduler, wait_ms) = (self.scheduler.as_str(), after.as_millis());
        warn!(target: TARGET, scheduler, attempt, wait_ms, reason, "trying again");
    }
}
