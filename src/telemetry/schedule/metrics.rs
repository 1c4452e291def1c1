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
    overdue: Gauge,
    skew: Gauge,
    leader: Gauge,
    paused: Counter,
    odd_records: Gauge,
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
            overdue: scope.gauge(
                "schedule_overdue_seconds",
                "How long the first due time has waited that is late and has not begun, where this instance leads; 0 elsewhere.",
            ),
            skew: scope.gauge(
                "schedule_clock_skew_seconds",
                "The state store's clock less this host's, as this leader saw it when its term began; 0 elsewhere.",
            ),
            leader: scope.gauge("schedule_leader", "1 where this instance leads, else 0."),
            paused: scope.counter("schedule_paused_total", "Schedules that paused by themselves after failures."),
            odd_records: scope.gauge(
                "schedule_unreadable_records",
                "Records of schedules and data sources that cannot be read, where this instance leads; 0 elsewhere.",
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

    pub(super) fn leads(&self) {
        self.leader.set(1.0);
    }

    /// What it has told of its leading holds no more.
    pub(super) fn stands_by(&self) {
        for gauge in [&self.leader, &self.overdue, &self.skew, &self.odd_records] {
            gauge.set(0.0);
        }
        self.counted([0; 3]);
    }

    pub(super) fn paused(&self) {
        self.paused.increment(1);
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn odd_records(&self, count: usize) {
        self.odd_records.set(count as f64);
    }

    pub(super) fn overdue(&self, late: Duration) {
        self.overdue.set(late.as_secs_f64());
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn skew(&self, millis: i64) {
        self.skew.set(millis as f64 / 1000.0);
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn counted(&self, counts: [usize; 3]) {
        for (gauge, count) in self.schedules.iter().zip(counts) {
            gauge.set(count as f64);
        }
    }
}
