//! One ingest's metrics, each with the label `ingest`.

use crate::core::ingest::event::{Served, Tally};
use crate::core::model::letter::LetterKind;
use crate::core::model::peer::Insecure;
use crate::telemetry::metrics::{Late, Scope};
use metrics::{Counter, Gauge, Histogram};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The label of events whose type the file does not declare: what others write must not become labels.
const OTHER: &str = "other";

/// The metrics of one ingest.
#[derive(Debug)]
pub struct IngestMetrics {
    scope: Scope,
    produced: Counter,
    processed: BTreeMap<String, Counter>,
    dead: Counter,
    dead_by_kind: BTreeMap<LetterKind, Counter>,
    dropped: Counter,
    stale: Counter,
    parked: Counter,
    retries: Counter,
    rivals: Counter,
    odd: Gauge,
    database: Late<Histogram>,
    batch: Late<Histogram>,
    lag: Mutex<BTreeMap<i32, Late<Gauge>>>,
}

impl IngestMetrics {
    /// Declares them, for these types of events.
    pub fn new<'a>(ingest: &str, types: impl Iterator<Item = &'a str>) -> Self {
        let scope = Scope::new("ingest", ingest);
        let processed = |kind: &str| {
            let counter = scope.with("type", kind).counter("messages_processed_total", "Events whose fate is durable.");
            (kind.to_owned(), counter)
        };
        let by_kind = |kind: LetterKind| {
            let scope = scope.with("kind", kind.as_str());
            (kind, scope.counter("ingest_dead_letters_total", "Events that became dead letters, by reason."))
        };
        Self {
            produced: scope.counter("events_produced_total", "Events that the broker took from the door."),
            processed: types.chain([OTHER]).map(processed).collect(),
            dead: scope.counter("dlq_count_total", "Events that became dead letters."),
            dead_by_kind: LetterKind::ALL.into_iter().map(by_kind).collect(),
            dropped: scope.counter(
                "ingest_dead_letters_expired_total",
                "Dead letters that left their queue because they were kept long enough.",
            ),
            stale: scope.counter("ingest_stale_total", "Events that were no newer than their row."),
            parked: scope.counter("ingest_parked_total", "Events that had to wait for their parent."),
            retries: scope.counter("ingest_retries_total", "Batches and reads that were tried again."),
            rivals: scope.counter("ingest_dropped_batches_total", "Batches dropped because a rival was there."),
            odd: scope.gauge(
                "ingest_odd_records",
                "Positions and dead letters in the sink that cannot be read, at most 20 of each.",
            ),
            database: scope.times("db_latency_seconds", "One batch: its transaction in the sink."),
            batch: scope.sizes("ingest_batch_events", "Events of a batch."),
            lag: Mutex::default(),
            scope,
        }
    }

    pub(super) fn produced(&self, count: u64) {
        self.produced.increment(count);
    }

    /// Events of a type, `None` for one that cannot be read.
    pub(super) fn processed(&self, kind: Option<&str>) {
        let known = kind.and_then(|kind| self.processed.get(kind)).or_else(|| self.processed.get(OTHER));
        if let Some(counter) = known {
            counter.increment(1);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a batch has fewer events than a float has digits")]
    pub(super) fn written(&self, tally: &Tally, took: Duration) {
        self.stale.increment(tally.stale);
        self.parked.increment(tally.parked);
        self.database.record(took);
        self.batch.size(tally.all() as f64);
    }

    pub(super) fn dead(&self, kind: LetterKind, count: u64) {
        self.dead.increment(count);
        if let Some(counter) = self.dead_by_kind.get(&kind) {
            counter.increment(count);
        }
    }

    pub(super) fn dropped(&self, count: u64) {
        self.dropped.increment(count);
    }

    pub(super) fn retrying(&self) {
        self.retries.increment(1);
    }

    pub(super) fn rival(&self) {
        self.rivals.increment(1);
    }

    /// How many records of its own cannot be read.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    pub(super) fn odd(&self, records: usize) {
        self.odd.set(records as f64);
    }

    /// How many events wait in a partition.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn lag(&self, partition: i32, behind: u64) {
        let mut all = self.lag.lock().unwrap_or_else(PoisonError::into_inner);
        let gauge = all.entry(partition).or_insert_with(|| {
            let scope = self.scope.with("partition", &partition.to_string());
            scope.late_gauge("ingest_lag", "Events that wait in a partition of this instance.")
        });
        gauge.set(behind as f64);
    }

    /// A request at a door.
    pub(super) fn served(&self, served: &Served) {
        let scope = self.scope.with("route", &served.route);
        scope.times("http_latency_seconds", "From a request's head to its answer.").record(served.took);
        let scope = scope.with("status", &served.status.to_string());
        scope.counter("http_requests_total", "Requests at the doors.").increment(1);
    }

    pub(super) fn insecure(&self, found: &[Insecure]) {
        self.scope.insecure(found);
    }

    /// Whether a dependency answered, and how fast.
    pub(super) fn dependency(&self, name: &'static str, up: bool, took: Duration) {
        let scope = self.scope.with("dependency", name);
        scope
            .late_gauge("ingest_dependency_up", "1 when the dependency answered the last question.")
            .set(f64::from(u8::from(up)));
        scope.late_gauge("ingest_dependency_latency_seconds", "How long its last answer took.").set(took.as_secs_f64());
    }
}
