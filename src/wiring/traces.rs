//! Where the spans of traces go.

use crate::adapters::otlp::{self, Otlp};
use crate::core::model::peer::Insecure;
use crate::core::model::peer::MASK;
use crate::core::model::trace::TraceSpec;
use crate::core::ports::observer::Observer;
use crate::core::ports::spans::{SpanEvent, SpanSink};
use std::sync::Arc;

/// The way to the collector; a task begins to send. Within a runtime.
///
/// # Errors
/// Why its address cannot be read.
pub fn spans(spec: &TraceSpec, observer: Arc<dyn Observer<SpanEvent>>) -> Result<Arc<dyn SpanSink>, String> {
    match Otlp::start(spec.clone(), observer) {
        Ok(otlp) => Ok(Arc::new(otlp)),
        Err(why) => Err(format!("{}: {why}: no traces are made", spec.variable)),
    }
}

/// The collector's address as others may see it.
pub fn collector_shown(spec: &TraceSpec) -> String {
    otlp::shown(spec).unwrap_or_else(|| MASK.to_owned())
}

/// What is to be said of the collector's address: why it cannot be read, or that the connection to it is weaker than it should be.
pub fn collector_doubts(spec: &TraceSpec) -> (Option<String>, Option<Insecure>) {
    (otlp::refused(spec).map(|why| format!("{}: {why}: no traces are made", spec.variable)), otlp::weakness(spec))
}
