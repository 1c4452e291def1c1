//! One worker's metrics, each with the label `worker`: a method for each event that moves one.

use crate::core::generate::deliver::Standing;
use crate::core::model::peer::Insecure;
use crate::telemetry::metrics::{Late, Scope};
use jiff::Timestamp;
use metrics::{Counter, Gauge, Histogram};
use std::collections::BTreeMap;
use std::time::Duration;

/// What becomes of a published file on its way to a transfer.
const OUTCOMES: [&str; 3] = ["delivered", "failed", "replaced"];

fn delivered(scope: &Scope, outcome: &'static str) -> Counter {
    let scope = scope.with("outcome", outcome);
    scope.counter("filegen_deliveries_total", "Published files and manifests, by what became of them.")
}

/// The metrics of one worker.
#[derive(Debug)]
pub struct GenerateMetrics {
    scope: Scope,
    pages_per_second: Gauge,
    rows_per_second: Gauge,
    time_to_completion: Gauge,
    run_rows: Gauge,
    run_rows_expected: Gauge,
    run_time: Late<Histogram>,
    commit_time: Late<Histogram>,
    sync_time: Late<Histogram>,
    fetch_time: Late<Histogram>,
    files_completed: Counter,
    runs_failed: Counter,
    last_success: Late<Gauge>,
    takeovers: Counter,
    retries: Counter,
    leader: Gauge,
    lease_age: Gauge,
    lease_renewals: Counter,
    outbox_depth: Gauge,
    duplicate_triggers: Counter,
    runs_waiting: Gauge,
    oldest_waiting: Gauge,
    runs_refused: Gauge,
    odd_records: Gauge,
    odd_events: Counter,
    deliveries_waiting: Gauge,
    deliveries_failed: Gauge,
    oldest_delivery: Gauge,
    deliveries: BTreeMap<&'static str, Counter>,
    deadline: Late<Gauge>,
    deadline_at_risk: Late<Gauge>,
}

impl GenerateMetrics {
    /// Declares them.
    pub fn new(worker: &str) -> Self {
        let scope = Scope::new("worker", worker);
        Self {
            pages_per_second: scope.gauge("pages_per_second", "Pages committed a second, lately."),
            rows_per_second: scope.gauge("rows_per_second", "Rows of the source committed a second, lately."),
            time_to_completion: scope
                .gauge("time_to_completion_seconds", "Left of the run under way at its live rate; 0 without one."),
            run_rows: scope.gauge("filegen_run_rows", "Rows of the source that are durable in the run under way."),
            run_rows_expected: scope.gauge("filegen_run_rows_expected", "Rows that the run under way is to have."),
            run_time: scope.times("filegen_run_seconds", "From a run's first page to its manifest."),
            commit_time: scope.times("filegen_commit_seconds", "One commit: bodies, journal and headers."),
            sync_time: scope.times("filegen_fsync_seconds", "The slowest file's sync in a commit."),
            fetch_time: scope.times("filegen_page_fetch_seconds", "From asking for a page to having it."),
            files_completed: scope.counter("files_completed_total", "Files published."),
            runs_failed: scope.counter("filegen_runs_failed_total", "Runs that ended without their files."),
            last_success: scope
                .late_gauge("filegen_last_success_timestamp_seconds", "When a run was last published here."),
            takeovers: scope.counter("filegen_takeovers_total", "Runs that went on behind another holder's pages."),
            retries: scope.counter("filegen_retries_total", "Passing faults after which the same was tried again."),
            leader: scope.gauge("filegen_leader", "1 while this instance holds the lease."),
            lease_age: scope.gauge("filegen_lease_age_seconds", "Since the holder's last renewal; 0 when standing by."),
            lease_renewals: scope
                .counter("lease_renewals_total", "Renewals of the lease that the state store confirmed."),
            outbox_depth: scope.gauge("filegen_outbox_depth", "Completion events that wait for the broker."),
            runs_waiting: scope.gauge("filegen_pending_runs", "Runs that are wanted and that nobody makes just now."),
            oldest_waiting: scope.gauge(
                "filegen_oldest_pending_run_seconds",
                "Time that the one of them has been due that has waited longest.",
            ),
            runs_refused: scope
                .gauge("filegen_refused_runs", "Recorded runs outside business_date.accept; nobody makes them."),
            odd_records: scope
                .gauge("filegen_unreadable_records", "Runs in the state store whose records cannot be read."),
            duplicate_triggers: scope
                .counter("filegen_duplicate_triggers_total", "Events that asked for a run that was there already."),
            odd_events: scope
                .counter("filegen_odd_events_total", "Events that were not understood, kept, and passed over."),
            deliveries_waiting: scope
                .gauge("filegen_deliveries_waiting", "Published files and manifests that have no receipt yet."),
            deliveries_failed: scope
                .gauge("filegen_deliveries_failed", "Published files and manifests that their transfer refused."),
            deliveries: OUTCOMES.map(|outcome| (outcome, delivered(&scope, outcome))).into(),
            oldest_delivery: scope.gauge(
                "filegen_oldest_delivery_seconds",
                "Since the run was published whose file has waited longest for its receipt.",
            ),
            deadline: scope
                .late_gauge("filegen_deadline_seconds", "Until the files are due; negative when they are late."),
            deadline_at_risk: scope
                .late_gauge("filegen_deadline_at_risk", "1 when the files will not be there in time, as it looks."),
            scope,
        }
    }

    pub(super) fn leading(&self) {
        self.leader.set(1.0);
    }

    pub(super) fn renewed(&self) {
        self.lease_renewals.increment(1);
    }

    /// A gauge that grows with time: set when somebody looks.
    pub(super) fn lease_age(&self, age: Duration) {
        self.lease_age.set(age.as_secs_f64());
    }

    pub(super) fn not_leading(&self) {
        self.leader.set(0.0);
        self.lease_age.set(0.0);
        self.at_rest();
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn started(&self, rows: u64) {
        self.run_rows_expected.set(rows as f64);
    }

    pub(super) fn resumed(&self) {
        self.takeovers.increment(1);
    }

    pub(super) fn fetched(&self, took: Duration) {
        self.fetch_time.record(took);
    }

    pub(super) fn synced(&self, took: Duration) {
        self.sync_time.record(took);
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn committed(&self, rows: u64, took: Duration) {
        self.commit_time.record(took);
        self.run_rows.set(rows as f64);
    }

    /// Rows and pages a second, and seconds to the end.
    pub(super) fn rate(&self, (rows, pages): (f64, f64), seconds_left: Option<f64>) {
        self.rows_per_second.set(rows);
        self.pages_per_second.set(pages);
        self.time_to_completion.set(seconds_left.unwrap_or_default());
    }

    pub(super) fn published(&self) {
        self.files_completed.increment(1);
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn done(&self, took: Duration, at: Timestamp) {
        self.at_rest();
        self.run_time.record(took);
        self.last_success.set(at.as_second() as f64);
    }

    pub(super) fn failed(&self) {
        self.at_rest();
        self.runs_failed.increment(1);
    }

    pub(super) fn retrying(&self) {
        self.retries.increment(1);
    }

    pub(super) fn asked_again(&self) {
        self.duplicate_triggers.increment(1);
    }

    pub(super) fn passed_over(&self) {
        self.odd_events.increment(1);
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn outbox(&self, events: usize) {
        self.outbox_depth.set(events as f64);
    }

    /// Runs that wait.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn due(&self, waiting: u64, oldest: Duration, refused: u64, odd: u64) {
        self.runs_waiting.set(waiting as f64);
        self.oldest_waiting.set(oldest.as_secs_f64());
        self.runs_refused.set(refused as f64);
        self.odd_records.set(odd as f64);
    }

    /// What became of a published file on its way.
    pub(super) fn delivery(&self, outcome: &'static str) {
        if let Some(counter) = self.deliveries.get(outcome) {
            counter.increment(1);
        }
    }

    /// How those that are on their way stand.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn deliveries(&self, standing: &Standing) {
        self.deliveries_waiting.set((standing.due + standing.moving) as f64);
        self.deliveries_failed.set(standing.failed as f64);
        self.oldest_delivery.set(standing.oldest.as_secs_f64());
    }

    /// How the deadline looks.
    pub(super) fn deadline(&self, seconds_left: f64, at_risk: bool) {
        self.deadline.set(seconds_left);
        self.deadline_at_risk.set(f64::from(u8::from(at_risk)));
    }

    /// Whether a dependency answered, and how fast.
    pub(super) fn dependency(&self, name: &'static str, up: bool, took: Duration) {
        let scope = self.scope.with("dependency", name);
        scope
            .late_gauge("filegen_dependency_up", "1 when the dependency answered the last question.")
            .set(f64::from(u8::from(up)));
        scope
            .late_gauge("filegen_dependency_latency_seconds", "How long its last answer took.")
            .set(took.as_secs_f64());
    }

    pub(super) fn insecure(&self, found: &[Insecure]) {
        self.scope.insecure(found);
    }

    fn at_rest(&self) {
        self.rate((0.0, 0.0), None);
    }
}
