//! One transfer's metrics, each with the label `transfer`.

use crate::core::kind::FailureKind;
use crate::core::model::peer::Insecure;
use crate::core::model::transfer::Side;
use crate::telemetry::metrics::{Late, Scope};
use metrics::{Counter, Gauge, Histogram};
use std::collections::BTreeMap;
use std::time::Duration;

/// What becomes of a file on a side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Outcome {
    /// It arrived, or its source was dealt with.
    Done,
    /// It failed for good.
    Failed,
    /// It had arrived before.
    Again,
    /// It changed while it was read.
    Dropped,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Done, Self::Failed, Self::Again, Self::Dropped];

    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Again => "again",
            Self::Dropped => "dropped",
        }
    }
}

/// The metrics of one transfer.
#[derive(Debug)]
pub struct TransferMetrics {
    scope: Scope,
    processed: BTreeMap<(Side, Outcome), Counter>,
    bytes: Counter,
    took: Late<Histogram>,
    waiting: Gauge,
    errors: BTreeMap<&'static str, Counter>,
}

impl TransferMetrics {
    /// Declares them.
    pub fn new(transfer: &str) -> Self {
        let scope = Scope::new("transfer", transfer);
        let processed = |side: Side, outcome: Outcome| {
            let scope = scope.with("side", side.as_str()).with("outcome", outcome.word());
            (
                (side, outcome),
                scope.counter("files_processed_total", "Files at their end on a side, by what became of them."),
            )
        };
        let pairs = Side::ALL.into_iter().flat_map(|side| Outcome::ALL.map(|outcome| (side, outcome)));
        let error = |kind: FailureKind| {
            let scope = scope.with("kind", kind.as_str());
            (kind.as_str(), scope.counter("transfer_errors_total", "Failures, passing and lasting, by their kind."))
        };
        Self {
            processed: pairs.map(|(side, outcome)| processed(side, outcome)).collect(),
            bytes: scope.counter("bytes_written_total", "Bytes written at the target."),
            took: scope.times("transfer_seconds", "From a file's being seen to its final name at the target."),
            waiting: scope.gauge("files_waiting", "Files that are not at their end, as the ledger has it."),
            errors: FailureKind::ALL.into_iter().map(error).collect(),
            scope,
        }
    }

    pub(super) fn processed(&self, side: Side, outcome: Outcome) {
        if let Some(counter) = self.processed.get(&(side, outcome)) {
            counter.increment(1);
        }
    }

    pub(super) fn insecure(&self, found: &[Insecure]) {
        self.scope.insecure(found);
    }

    pub(super) fn written(&self, bytes: u64) {
        self.bytes.increment(bytes);
    }

    pub(super) fn arrived(&self, took: Duration) {
        self.took.record(took);
    }

    pub(super) fn failed(&self, kind: &str) {
        if let Some(counter) = self.errors.get(kind) {
            counter.increment(1);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    pub(super) fn waiting(&self, files: u64) {
        self.waiting.set(files as f64);
    }

    /// Whether a dependency answered, and how fast.
    pub(super) fn dependency(&self, name: &'static str, up: bool, took: Duration) {
        let scope = self.scope.with("dependency", name);
        let up = f64::from(u8::from(up));
        scope.late_gauge("transfer_dependency_up", "1 when the dependency answered the last question.").set(up);
        let help = "How long its last answer took.";
        scope.late_gauge("transfer_dependency_latency_seconds", help).set(took.as_secs_f64());
    }
}
