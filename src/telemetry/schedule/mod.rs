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
use std::time::Duration;
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
    course: Mutex<Course>,
}

/// How the leading goes.
#[derive(Default, Debug)]
struct Course {
    /// When schedules were looked at last, or the term began.
    looked: Option<Duration>,
    /// How long the first late due time waits.
    overdue: Option<Duration>,
    /// Terms that a fault has ended, one behind the other, and the last fault.
    failed: u32,
    reason: String,
    /// Tries in a row to lead, or to write as a leader, that have failed; the time until the next one, and when that was seen first.
    tries: u32,
    wait: Duration,
    tried: Option<Duration>,
}

/// So many failed tries in a row to lead, or to write as a leader, are told: a store may be away for a moment.
const TRIES_TOLD: u32 = 4;

/// A leader that looks at nothing for so long stands still.
const STANDS_AFTER: Duration = Duration::from_mins(1);

/// A difference of the clocks that is told.
const SKEW_TOLD_MS: u64 = 1_000;

impl SchedulerStatus {
    /// Declares its metrics.
    pub fn new(scheduler: &str) -> Self {
        Self {
            scheduler: scheduler.to_owned(),
            metrics: ScheduleMetrics::new(scheduler),
            token: AtomicU64::new(0),
            odd: Mutex::default(),
            course: Mutex::default(),
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

    /// Why due times are not fired here although this instance leads, or tries to. `now`: on the clock that is never set.
    pub fn fault(&self, now: Duration) -> Option<String> {
        let mut course = self.course();
        if course.failed > 1 {
            let (terms, reason) = (course.failed, shown::text(&course.reason));
            return Some(format!(
                "due times are not fired: the last {terms} terms as leader ended by a fault: {reason}"
            ));
        }
        // Who stands by hears of failures alone: when no more come, it is well again.
        let tried = *course.tried.get_or_insert(now);
        if now.saturating_sub(tried) > course.wait.saturating_add(STANDS_AFTER) {
            course.tries = 0;
        }
        if course.tries >= TRIES_TOLD {
            let (tries, reason) = (course.tries, shown::text(&course.reason));
            return Some(format!("due times are not fired: the last {tries} tries to lead have failed: {reason}"));
        }
        self.token()?;
        if let Some(late) = course.overdue {
            return Some(format!(
                "due and not done: the first due time that has not begun is {} s late",
                late.as_secs()
            ));
        }
        let silent = now.saturating_sub(*course.looked.get_or_insert(now));
        (silent > STANDS_AFTER)
            .then(|| format!("due times are not fired: the leader has looked at none for {} s", silent.as_secs()))
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No longer leading: what it has told of its leading holds no more.
    fn stands_by(&self) {
        self.token.store(0, Ordering::Relaxed);
        self.metrics.stands_by();
        self.odd().clear();
        let mut course = self.course();
        (course.looked, course.overdue) = (None, None);
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
                self.metrics.paused();
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
                self.metrics.skew(*millis);
                if millis.unsigned_abs() <= SKEW_TOLD_MS {
                    return;
                }
                warn!(target: TARGET, scheduler, millis, "the clocks of this host and the state store disagree");
            }
            ScheduleEvent::Odd { records } => {
                for OddRecord { id, reason } in records {
                    warn!(target: TARGET, scheduler, record = id.as_str(), reason, "a record cannot be read, and is passed over");
                }
                self.metrics.odd_records(records.len());
                let first = records.first();
                *self.odd() = first.map(|it| format!("{} cannot be read: {}", it.id, it.reason)).unwrap_or_default();
            }
            ScheduleEvent::Looked { at, overdue, is_steady } => {
                self.metrics.overdue(overdue.unwrap_or_default());
                let mut course = self.course();
                (course.looked, course.overdue, course.tries) = (Some(*at), *overdue, 0);
                if *is_steady {
                    course.failed = 0;
                }
            }
            ScheduleEvent::TermEnded { reason } => {
                let mut course = self.course();
                course.failed = course.failed.saturating_add(1);
                course.reason.clone_from(reason);
                warn!(target: TARGET, scheduler, reason, terms = course.failed, "a term as leader has ended by a fault");
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
                self.course().tries = 0;
                info!(target: TARGET, scheduler, %holder, token = token.0, "standing by");
            }
            ElectionEvent::Odd { record } => {
                let (record, reason) = (&record.id, shown::text(&record.reason));
                warn!(target: TARGET, scheduler, record, reason, "a record is odd");
            }
            ElectionEvent::Leading { token } => {
                self.token.store(token.0, Ordering::Relaxed);
                self.metrics.leads();
                info!(target: TARGET, scheduler, token = token.0, "leading");
            }
            ElectionEvent::Renewed => {}
            ElectionEvent::Lost { token, why } => {
                self.stands_by();
                warn!(target: TARGET, scheduler, token = token.0, why, "lease lost");
            }
            ElectionEvent::Released { token } => {
                self.stands_by();
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
        let mut course = self.course();
        (course.tries, course.wait, course.tried) = (*attempt, *after, None);
        course.reason.clone_from(reason);
        drop(course);
        warn!(target: TARGET, scheduler, attempt, wait_ms, reason, "trying again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::names::InstanceId;
    use crate::core::model::term::Token;

    #[test]
    fn what_is_due_and_not_done_is_told_and_forgotten_when_it_is() {
        let (status, seconds) = (SchedulerStatus::new("intake"), Duration::from_secs);
        let looked = |at, overdue, is_steady| ScheduleEvent::Looked { at: seconds(at), overdue, is_steady };
        let leads = || ElectionEvent::Leading { token: Token(1) };
        let ended = || ScheduleEvent::TermEnded { reason: "no such command".to_owned() };
        let says = |now, words: &str| {
            let fault = status.fault(seconds(now));
            assert!(fault.as_ref().is_some_and(|fault| fault.contains(words)), "{fault:?}");
        };
        assert_eq!(status.fault(seconds(1000)), None, "it stands by");
        status.observe(&leads());
        assert_eq!(status.fault(seconds(1000)), None);
        says(1100, "has looked at none for 100 s");
        status.observe(&looked(1100, Some(seconds(90)), false));
        says(1100, "90 s late");
        status.observe(&looked(1101, None, false));
        assert_eq!(status.fault(seconds(1102)), None);
        status.observe(&ended());
        assert_eq!(status.fault(seconds(1103)), None, "a lease may be lost once");
        // A store that takes nothing: nobody comes to lead.
        let retrying = |attempt| Retrying { reason: "disk full".to_owned(), attempt, after: seconds(1) };
        status.observe(&retrying(TRIES_TOLD - 1));
        assert_eq!(status.fault(seconds(1103)), None, "for a moment");
        status.observe(&retrying(TRIES_TOLD));
        says(1103, "the last 4 tries to lead have failed: disk full");
        let (holder, token) = (InstanceId::new("b"), Token(1));
        status.observe(&ElectionEvent::Waiting { holder, token, at_most: seconds(1) });
        assert_eq!(status.fault(seconds(1103)), None, "somebody else leads");
        status.observe(&ElectionEvent::Released { token: Token(1) });
        status.observe(&retrying(TRIES_TOLD));
        says(1103, "disk full");
        assert_eq!(status.fault(seconds(1165)), None, "no more have failed");
        status.observe(&ended());
        says(1104, "the last 2 terms");
        says(1104, "no such command");
        status.observe(&leads());
        status.observe(&looked(1105, None, false));
        says(1105, "the last 2 terms");
        status.observe(&looked(1150, None, true));
        assert_eq!(status.fault(seconds(1151)), None);
    }
}
