//! Where the daemon's traces go.

use super::TARGET;
use crate::config::Traces;
use crate::core::model::trace::Sampler;
use crate::core::ports::spans::SpanSink;
use crate::telemetry::traces::SpanActivity;
use crate::wiring;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// Longest time that the end waits for spans to be sent.
const FLUSH: Duration = Duration::from_secs(5);

/// The way to the collector, and which traces are kept.
pub(super) struct Sink {
    pub(super) spans: Arc<dyn SpanSink>,
    pub(super) sampler: Sampler,
}

/// Starts sending, where the environment says whereto. What is wrong with it is told: the work goes on without traces.
pub(super) fn start(traces: Traces) -> Option<Sink> {
    for reason in traces.problems {
        warn!(target: TARGET, reason, "traces are not as they were asked for");
    }
    let spec = traces.spec?;
    let (endpoint, sampler) = (wiring::collector_shown(&spec), spec.sampler);
    if let (_, Some(weak)) = wiring::collector_doubts(&spec) {
        warn!(target: TARGET, variable = weak.field, instead = weak.instead, "{}", weak.what);
    }
    match wiring::spans(&spec, Arc::new(SpanActivity::new(endpoint.clone()))) {
        Ok(spans) => {
            info!(target: TARGET, endpoint, "traces are sent");
            Some(Sink { spans, sampler })
        }
        Err(reason) => {
            warn!(target: TARGET, reason, "no traces are sent");
            None
        }
    }
}

impl Sink {
    /// Sends what is left, within a bound.
    pub(super) async fn close(self) {
        self.spans.close(FLUSH).await;
    }
}
