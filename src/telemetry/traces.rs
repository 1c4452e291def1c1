//! What becomes of the spans of traces: as log lines, each trouble once, and as metrics.

use super::metrics::Scope;
use crate::core::ports::observer::Observer;
use crate::core::ports::spans::SpanEvent;
use metrics::{Counter, Gauge};
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::{info, warn};

/// What JSON and text lines call their `target`.
const TARGET: &str = "filegen::telemetry::traces";

/// The spans of this process.
#[derive(Debug)]
pub struct SpanActivity {
    endpoint: String,
    sent: Counter,
    refused: Counter,
    dropped: Counter,
    up: Gauge,
    /// Whether it was told that spans are lost. None is lost any more once one is sent.
    is_told: AtomicBool,
}

impl SpanActivity {
    /// Of a collector at an address that may be shown.
    pub fn new(endpoint: String) -> Self {
        let spans = |outcome: &str| {
            let help =
                "Spans of traces, by what became of them: the collector has them, refused them, or they had no place.";
            Scope::new("outcome", outcome).counter("filegen_trace_spans_total", help)
        };
        let up = Scope::none().gauge("filegen_trace_collector_up", "1 when the collector of traces answered last.");
        up.set(1.0);
        Self {
            endpoint,
            sent: spans("sent"),
            refused: spans("refused"),
            dropped: spans("dropped"),
            up,
            is_told: AtomicBool::new(false),
        }
    }

    fn lost(&self, spans: u64, reason: &str) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            let endpoint = self.endpoint.as_str();
            warn!(target: TARGET, endpoint, spans, reason, "spans of traces are lost; the work goes on, and this is told once");
        }
    }
}

impl Observer<SpanEvent> for SpanActivity {
    fn observe(&self, event: &SpanEvent) {
        let endpoint = self.endpoint.as_str();
        match event {
            SpanEvent::Sent(spans) => {
                self.sent.increment(*spans);
                self.is_told.store(false, Ordering::Relaxed);
            }
            SpanEvent::Refused(spans, reason) => {
                self.refused.increment(*spans);
                self.lost(*spans, reason);
            }
            SpanEvent::Dropped(spans) => {
                self.dropped.increment(*spans);
                self.lost(*spans, "the collector is slower than the work, or away");
            }
            SpanEvent::Away(reason) => {
                self.up.set(0.0);
                warn!(target: TARGET, endpoint, reason, "the collector of traces does not answer; the work goes on, and this is told once");
            }
            SpanEvent::Back => {
                self.up.set(1.0);
                info!(target: TARGET, endpoint, "the collector of traces answers again");
            }
        }
    }
}
