//! The metrics, by name. Each has the label `worker`, but for `filegen_build_info`.

use crate::core::ports::clock::Clock;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::trace;

/// Upper bounds in seconds for what a disk or a source does in one page.
const SHORT: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Upper bounds in seconds for whole runs.
const LONG: [f64; 12] = [1.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0];

/// Time between two of them: a fast run times some thousand things a second, of eight bytes each.
const TAKE_IN_EVERY: Duration = Duration::from_secs(10);

/// Starts recording for the whole process; the handle gives the text that Prometheus reads.
///
/// # Errors
/// When something else records already.
pub fn start() -> Result<PrometheusHandle, BuildError> {
    let whole_runs = Matcher::Full("filegen_run_seconds".to_owned());
    let handle =
        PrometheusBuilder::new().set_buckets(&SHORT)?.set_buckets_for_metric(whole_runs, &LONG)?.install_recorder()?;
    describe();
    gauge!("filegen_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

/// Takes what was timed into the histograms now and then until `stop`. That happens when somebody asks for the metrics, too;
/// but where nobody does, every time would be kept one by one, for ever.
pub async fn keep_small(metrics: &PrometheusHandle, clock: &dyn Clock, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(TAKE_IN_EVERY) => {}
        }
        metrics.run_upkeep();
        trace!("what was timed is taken in");
    }
}

fn describe() {
    describe_gauge!("pages_per_second", "Pages committed a second, lately.");
    describe_gauge!("rows_per_second", "Rows of the source committed a second, lately.");
    describe_counter!("lease_renewals_total", "Renewals of the lease that the state store confirmed.");
    describe_counter!("files_completed_total", "Files published.");
    describe_gauge!(
        "time_to_completion_seconds",
        Unit::Seconds,
        "Left of the run under way at its live rate; 0 without one."
    );
    describe_histogram!("filegen_run_seconds", Unit::Seconds, "From a run's first page to its manifest.");
    describe_histogram!("filegen_commit_seconds", Unit::Seconds, "One commit: bodies, journal and headers.");
    describe_histogram!("filegen_fsync_seconds", Unit::Seconds, "The slowest file's sync in a commit.");
    describe_histogram!("filegen_page_fetch_seconds", Unit::Seconds, "From asking for a page to having it.");
    describe_counter!("filegen_retries_total", "Passing faults after which the same was tried again.");
    describe_gauge!("filegen_lease_age_seconds", Unit::Seconds, "Since the holder's last renewal; 0 when standing by.");
    describe_gauge!("filegen_leader", "1 while this instance holds the lease.");
    describe_counter!("filegen_takeovers_total", "Runs that went on behind another holder's pages.");
    describe_gauge!("filegen_outbox_depth", "Completion events that wait for the broker.");
    describe_counter!("filegen_duplicate_triggers_total", "Events that asked for a run that was there already.");
    describe_counter!("filegen_odd_events_total", "Events that were not understood, kept, and passed over.");
    describe_counter!("filegen_runs_failed_total", "Runs that ended without their files.");
    describe_gauge!("filegen_last_success_timestamp_seconds", Unit::Seconds, "When a run was last published here.");
    describe_gauge!("filegen_dependency_up", "1 when the dependency answered the last question.");
    describe_gauge!("filegen_dependency_latency_seconds", Unit::Seconds, "How long its last answer took.");
    describe_gauge!("filegen_deadline_seconds", Unit::Seconds, "Until the files are due; negative when they are late.");
    describe_gauge!("filegen_deadline_at_risk", "1 when the files will not be there in time, as it looks.");
    describe_gauge!("filegen_run_rows", "Rows of the source that are durable in the run under way.");
    describe_gauge!("filegen_run_rows_expected", "Rows that the run under way is to have.");
    describe_gauge!("filegen_build_info", "1, with the version.");
}

/// One worker's metrics.
#[derive(Clone, Debug)]
pub struct WorkerMetrics {
    worker: String,
}

impl WorkerMetrics {
    /// Makes every counter and gauge of the worker visible, at zero: an alert can tell zero from missing.
    pub fn new(worker: &str) -> Self {
        let metrics = Self { worker: worker.to_owned() };
        for name in [
            "lease_renewals_total",
            "files_completed_total",
            "filegen_retries_total",
            "filegen_takeovers_total",
            "filegen_duplicate_triggers_total",
            "filegen_odd_events_total",
            "filegen_runs_failed_total",
        ] {
            metrics.add(name, 0);
        }
        for name in [
            "pages_per_second",
            "rows_per_second",
            "time_to_completion_seconds",
            "filegen_leader",
            "filegen_lease_age_seconds",
            "filegen_outbox_depth",
            "filegen_run_rows",
            "filegen_run_rows_expected",
        ] {
            metrics.set(name, 0.0);
        }
        metrics
    }

    /// Adds to a counter.
    pub fn add(&self, name: &'static str, amount: u64) {
        counter!(name, "worker" => self.worker.clone()).increment(amount);
    }

    /// Sets a gauge.
    pub fn set(&self, name: &'static str, value: f64) {
        gauge!(name, "worker" => self.worker.clone()).set(value);
    }

    /// Adds to a histogram.
    pub fn time(&self, name: &'static str, took: Duration) {
        histogram!(name, "worker" => self.worker.clone()).record(took.as_secs_f64());
    }

    /// Whether a dependency answered, and how fast.
    pub fn dependency(&self, name: &'static str, up: bool, took: Duration) {
        let worker = &self.worker;
        gauge!("filegen_dependency_up", "worker" => worker.clone(), "dependency" => name).set(f64::from(u8::from(up)));
        gauge!("filegen_dependency_latency_seconds", "worker" => worker.clone(), "dependency" => name)
            .set(took.as_secs_f64());
    }
}
