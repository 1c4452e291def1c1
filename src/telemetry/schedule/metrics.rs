//! One scheduler's metrics, each with the label `scheduler`.

use crate::core::model::schedule::{Cause, Outcome, ScheduleStatus};
use crate::telemetry::metrics::{Late, Scope};
use metrics::{Counter, Gauge, Histogram};
use std::time::Duration;

/// The metrics of one scheduler.
#[derive(Debug)]
pub struct ScheduleMetrics {
    fires: Vec<(Outcome, Counter)>,
    lateness: Late<Histogram>,
    schedules: Vec<Gauge>,
    deadlines_missed: Counter,
}

impl ScheduleMetrics {
    /// Declares them.
    pub fn new(scheduler: &str) -> Self {
        let scope = Scope::new("scheduler", scheduler);
        let fires = |outcome: Outcome| {
            let scope = scope.with("outcome", outcome.as_str());
            (outcome, scope.counter("schedule_fires_total", "Due times by what became of them."))
        };
        let schedules = |status: ScheduleStatus| {
            let scope = scope.with("status", status.as_str());
            scope.gauge("schedules", "Schedules by status, where this instance leads; 0 elsewhere.")
        };
        Self {
            fires: Outcome::ALL.into_iter().filter(|outcome| outcome.is_end()).map(fires).collect(),
            lateness: scope.times("schedule_lateness_seconds", "From a due time to the beginning of its execution."),
            schedules: ScheduleStatus::ALL.into_iter().map(schedules).collect(),
            deadlines_missed: scope.counter(
                "schedule_deadlines_missed_total",
                "Days on which no execution had succeeded by the deadline.",
            ),
        }
    }

    /// What people ask for, and what is made up for, is not late.
    pub(super) fn began(&self, cause: Cause, late: Duration) {
        if cause == Cause::Due {
            self.lateness.record(late);
        }
    }

    pub(super) fn ended(&self, outcome: Outcome) {
        if let Some((_, counter)) = self.fires.iter().find(|(other, _)| *other == outcome) {
            counter.increment(1);
        }
    }

    pub(super) fn deadline_missed(&self) {
        self.deadlines_missed.increment(1);
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn counted(&self, counts: [usize; 3]) {
        for (gauge, count) in self.schedules.iter().zip(counts) {
            gauge.set(count as f64);
        }
    }
}
