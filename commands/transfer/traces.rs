//! Traces of a transfer that runs in the foreground, and whether their collector answers.

use crate::commands::ui::transfer::TransferProgress;
use crate::config::{self, Environment};
use crate::core::doctor::report::{Area, CheckResult};
use crate::core::kind::FailureKind;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::peer::Insecure;
use crate::core::model::trace::{Sampler, TraceSpec};
use crate::core::ports::observer::{Observer, Observers, Unobserved};
use crate::core::ports::spans::{SpanEvent, SpanSink};
use crate::core::transfer::event::TransferEvent;
use crate::core::transfer::spec::Transfer;
use crate::telemetry::transfer::traces::TransferTraces;
use crate::wiring;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest time that the end of a run waits for spans to be sent.
const FLUSH: Duration = Duration::from_secs(5);

/// A run, with its traces where the environment asks for them.
pub(super) struct Traced {
    pub(super) observer: Arc<dyn Observer<TransferEvent>>,
    pub(super) sampler: Option<Sampler>,
    spans: Option<Arc<dyn SpanSink>>,
}

/// Watches a run. What is wrong with its traces is told once: the work goes on.
pub(super) fn watch(transfer: &Transfer, progress: &Arc<TransferProgress>) -> Traced {
    let own: Arc<dyn Observer<TransferEvent>> = Arc::clone(progress) as _;
    let traces = config::traces(&Environment);
    for problem in &traces.problems {
        progress.warn(problem);
    }
    let Some(spec) = traces.spec else { return Traced { observer: own, sampler: None, spans: None } };
    if let (_, Some(weak)) = wiring::collector_doubts(&spec) {
        progress.warn(&format!("{}; {}", weak.what, weak.instead));
    }
    let (told, is_told) = (Arc::clone(progress), AtomicBool::new(false));
    let tell = move |event: &SpanEvent| {
        let what = match event {
            SpanEvent::Away(why) => format!("the collector of traces does not answer: {why}"),
            SpanEvent::Refused(_, why) => format!("spans of traces are lost: {why}"),
            SpanEvent::Dropped(_) => {
                "spans of traces are lost: the collector is slower than the work, or away".to_owned()
            }
            SpanEvent::Sent(_) | SpanEvent::Back => return,
        };
        if !is_told.swap(true, Ordering::Relaxed) {
            told.warn(&format!("{what}; the work goes on"));
        }
    };
    match wiring::spans(&spec, Arc::new(tell)) {
        Ok(spans) => {
            let name = transfer.id.as_str();
            let made = TransferTraces::new(name, spec.sampler, Arc::clone(&spans), wiring::clock());
            let observer = Arc::new(Observers(vec![own, Arc::new(made)]));
            Traced { observer, sampler: Some(spec.sampler), spans: Some(spans) }
        }
        Err(why) => {
            progress.warn(&why);
            Traced { observer: own, sampler: None, spans: None }
        }
    }
}

impl Traced {
    /// Sends what is left, within a bound.
    pub(super) async fn close(self) {
        if let Some(spans) = self.spans {
            spans.close(FLUSH).await;
        }
    }
}

/// What `doctor` tells of the collector, where the environment asks for traces. A transfer does not fail of it.
pub(super) async fn examine() -> Vec<CheckResult> {
    let traces = config::traces(&Environment);
    let mut found: Vec<(&str, CheckVerdict, String)> =
        traces.problems.into_iter().map(|problem| ("settings", CheckVerdict::Warn, problem)).collect();
    if let Some(spec) = traces.spec {
        if let (_, Some(Insecure { field, what, instead, .. })) = wiring::collector_doubts(&spec) {
            found.push(("is encrypted and verified", CheckVerdict::Warn, format!("`{field}`: {what}; {instead}")));
        }
        found.push(match answer(&spec).await {
            Ok(at) => ("collector", CheckVerdict::Pass, format!("{at} takes spans")),
            Err(why) => ("collector", CheckVerdict::Warn, format!("{why}; files are moved without traces")),
        });
    }
    let result = |(check, verdict, detail): (&str, CheckVerdict, String)| {
        CheckResult::new(Area::Traces, Finding { check: check.to_owned(), verdict, detail }, FailureKind::Failed)
    };
    found.into_iter().map(result).collect()
}

async fn answer(spec: &TraceSpec) -> Result<String, String> {
    wiring::spans(spec, Arc::new(Unobserved))?.probe().await
}
