//! Recording and declaring metrics. A metric's name and help text stand in one place: the struct of its flow.

use crate::core::model::peer::{Insecure, Peer};
use crate::core::ports::clock::Clock;
use metrics::{Counter, Gauge, Histogram, Label, Unit};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::trace;

/// Upper bounds in seconds for what a disk or a source does in one page.
const SHORT: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Upper bounds in seconds for whole runs.
const LONG: [f64; 12] = [1.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0];
/// Upper bounds for how many stand in one batch.
const SIZES: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 100_000.0];
/// How the name of a histogram of batches ends, in every flow.
const BATCHES: &str = "_batch_events";
/// How the name of a histogram of whole runs ends, in every flow.
const WHOLE_RUNS: &str = "_run_seconds";

/// Time between two updates of the histograms. A fast run records some thousand times a second, of eight bytes each.
const TAKE_IN_EVERY: Duration = Duration::from_secs(10);

/// Starts recording for the whole process; the handle gives the text that Prometheus reads.
///
/// # Errors
/// When something else records already.
pub fn start() -> Result<PrometheusHandle, BuildError> {
    let whole_runs = Matcher::Suffix(WHOLE_RUNS.to_owned());
    let batches = Matcher::Suffix(BATCHES.to_owned());
    let builder = PrometheusBuilder::new().set_buckets(&SHORT)?.set_buckets_for_metric(whole_runs, &LONG)?;
    let handle = builder.set_buckets_for_metric(batches, &SIZES)?.install_recorder()?;
    Scope::new("version", env!("CARGO_PKG_VERSION")).gauge("filegen_build_info", "1, with the version.").set(1.0);
    Ok(handle)
}

/// Moves recorded times into the histograms now and then, until `stop`. A request for `/metrics` does the same. Without requests
/// and without this task, every recorded time would stay in memory.
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

/// Declares metrics that carry the same labels. A name that ends with `_seconds` is in seconds.
#[derive(Clone, Debug)]
pub struct Scope {
    labels: Vec<Label>,
}

impl Scope {
    /// Metrics without a label.
    pub fn none() -> Self {
        Self { labels: Vec::new() }
    }

    /// Metrics with one label.
    pub fn new(key: &'static str, value: &str) -> Self {
        Self { labels: vec![Label::new(key, value.to_owned())] }
    }

    /// Metrics with one label more.
    #[must_use]
    pub fn with(&self, key: &'static str, value: &str) -> Self {
        let mut labels = self.labels.clone();
        labels.push(Label::new(key, value.to_owned()));
        Self { labels }
    }

    /// A counter. It is shown at once, at zero, so that an alert can tell zero from missing.
    pub fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        describe_counter!(name, help);
        let counter = counter!(name, self.labels.clone());
        counter.increment(0);
        counter
    }

    /// A gauge. It is shown at once, at zero.
    pub fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        let gauge = self.late_gauge(name, help).get().clone();
        gauge.set(0.0);
        gauge
    }

    /// How many connections of each kind somebody on the way may read or answer.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub fn insecure(&self, found: &[Insecure]) {
        for peer in Peer::ALL {
            let count = found.iter().filter(|insecure| insecure.peer == peer).count();
            let help = "Connections that are not encrypted, or whose server is not verified, by the file.";
            self.with("peer", peer.name()).late_gauge("filegen_insecure_connections", help).set(count as f64);
        }
    }

    /// A gauge that is shown from its first value on. Zero would be a false value before.
    pub fn late_gauge(&self, name: &'static str, help: &'static str) -> Late<Gauge> {
        if name.ends_with("_seconds") {
            describe_gauge!(name, Unit::Seconds, help);
        } else {
            describe_gauge!(name, help);
        }
        Late { name, labels: self.labels.clone(), make: |name, labels| gauge!(name, labels), made: OnceLock::new() }
    }

    /// A histogram of times. It is shown from its first value on.
    pub fn times(&self, name: &'static str, help: &'static str) -> Late<Histogram> {
        describe_histogram!(name, Unit::Seconds, help);
        Late { name, labels: self.labels.clone(), make: |name, labels| histogram!(name, labels), made: OnceLock::new() }
    }
}

impl Scope {
    /// A histogram of sizes. It is shown from its first value on.
    pub fn sizes(&self, name: &'static str, help: &'static str) -> Late<Histogram> {
        describe_histogram!(name, help);
        Late { name, labels: self.labels.clone(), make: |name, labels| histogram!(name, labels), made: OnceLock::new() }
    }
}

/// A metric that is declared now and shown from its first value on.
#[derive(Debug)]
pub struct Late<T> {
    name: &'static str,
    labels: Vec<Label>,
    make: fn(&'static str, Vec<Label>) -> T,
    made: OnceLock<T>,
}

impl<T> Late<T> {
    fn get(&self) -> &T {
        self.made.get_or_init(|| (self.make)(self.name, self.labels.clone()))
    }
}

impl Late<Gauge> {
    /// Its value from now on.
    pub fn set(&self, value: f64) {
        self.get().set(value);
    }
}

impl Late<Histogram> {
    /// Records one time.
    pub fn record(&self, took: Duration) {
        self.get().record(took.as_secs_f64());
    }

    /// Records one size.
    pub fn size(&self, size: f64) {
        self.get().record(size);
    }
}
