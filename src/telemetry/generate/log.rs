//! One worker's events as log lines. Each line has worker, instance, token and run, as far as they are known.

use crate::core::election::ElectionEvent;
use crate::core::generate::completion::Heading;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::trigger::TriggerEvent;
use crate::core::model::shown;
use crate::core::outbox::OutboxEvent;
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::schedule::own::OwnEvent;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::{debug, info, warn};

/// What JSON and text lines call their `target`. People filter by it, so it stays wherever this module stands.
const TARGET: &str = "filegen::telemetry::log";

/// Time between two lines about a run's progress. Each page is logged at debug.
const PROGRESS_EVERY: Duration = Duration::from_mins(1);

/// Logs one worker's events. By default it is a command's only worker, and has no name.
#[derive(Debug, Default)]
pub struct EventLog {
    worker: Option<String>,
    instance: Option<String>,
    context: Mutex<Context>,
}

/// Token and run of the moment, which each line has.
#[derive(Clone, Default, Debug)]
struct Context {
    token: Option<u64>,
    run: Option<String>,
    /// When the run's progress is logged next. `None` before its first page.
    next_progress: Option<Instant>,
}

/// A line with the fields that every line has.
macro_rules! line {
    ($level:ident, $log:expr, $context:expr, $($rest:tt)*) => {
        $level!(
            target: TARGET, worker = $log.worker.as_deref(), instance = $log.instance.as_deref(), token = $context.token,
            run = $context.run.as_deref(), $($rest)*
        )
    };
}

impl EventLog {
    /// For one worker in one instance.
    pub fn new(worker: &str, instance: &str) -> Self {
        Self { worker: Some(worker.to_owned()), instance: Some(instance.to_owned()), context: Mutex::default() }
    }

    /// Whether progress is logged now: at a run's first page, and then once a minute.
    fn is_progress_due(&self, now: Instant) -> bool {
        let mut context = self.context();
        let is_due = context.next_progress.is_none_or(|next| now >= next);
        if is_due {
            context.next_progress = Some(now + PROGRESS_EVERY);
        }
        is_due
    }

    fn context(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer<ElectionEvent> for EventLog {
    fn observe(&self, event: &ElectionEvent) {
        let mut current = self.context();
        if let ElectionEvent::Leading { token } = event {
            current.token = Some(token.0);
        }
        let context = current.clone();
        // What ends a term is still said of it.
        if matches!(event, ElectionEvent::Lost { .. } | ElectionEvent::Released { .. }) {
            *current = Context::default();
        }
        drop(current);
        match event {
            ElectionEvent::Waiting { holder, token, at_most } => {
                let (holder_token, at_most) = (token.0, at_most.as_secs_f64());
                line!(info, self, context, %holder, holder_token, at_most_seconds = at_most, "waiting for the lease");
            }
            ElectionEvent::Odd { record } => {
                let (record, reason) = (&record.id, shown::text(&record.reason));
                line!(warn, self, context, record, reason, "a record of the state store is odd");
            }
            ElectionEvent::Leading { .. } => line!(info, self, context, "leadership acquired"),
            ElectionEvent::Renewed => line!(debug, self, context, "lease renewed"),
            ElectionEvent::Lost { why, .. } => line!(warn, self, context, why, "leadership lost"),
            ElectionEvent::Released { .. } => line!(info, self, context, "leadership given back"),
            ElectionEvent::NotReleased { reason } => {
                line!(warn, self, context, "the lease could not be given back and runs out by itself: {reason}");
            }
            ElectionEvent::Retrying(retrying) => self.observe(retrying),
        }
    }
}

impl Observer<Retrying> for EventLog {
    fn observe(&self, Retrying { reason, attempt, after }: &Retrying) {
        let context = self.context().clone();
        line!(warn, self, context, reason, attempt, after_seconds = after.as_secs_f64(), "trying again");
    }
}

impl Observer<GenerateEvent> for EventLog {
    fn observe(&self, event: &GenerateEvent) {
        if let GenerateEvent::Started { run, .. } = event {
            let mut context = self.context();
            (context.run, context.next_progress) = (Some(run.to_string()), None);
        }
        let context = self.context().clone();
        match event {
            GenerateEvent::Started { rows: Some(rows), pages: Some(pages), .. } => {
                line!(info, self, context, rows, pages, "total rows and pages");
            }
            GenerateEvent::Started { .. } => line!(info, self, context, "rows are not counted"),
            GenerateEvent::Resumed { from, page, .. } => {
                line!(info, self, context, from_token = from.0, page, "resumed");
            }
            GenerateEvent::Fetched { page, rows, took } => {
                line!(debug, self, context, page, rows, took_seconds = took.as_secs_f64(), "processing page");
            }
            GenerateEvent::Synced { took } => line!(debug, self, context, took_seconds = took.as_secs_f64(), "synced"),
            GenerateEvent::Committed { page, source_rows, took, bytes, .. } => {
                let bytes: u64 = bytes.iter().sum();
                let took = took.as_secs_f64();
                if self.is_progress_due(Instant::now()) {
                    line!(info, self, context, page, source_rows, bytes, took_seconds = took, "progress updated");
                } else {
                    line!(debug, self, context, page, source_rows, bytes, took_seconds = took, "progress updated");
                }
            }
            GenerateEvent::Checked { path, done: 0, bytes } => {
                line!(info, self, context, path, bytes, "published file is checked: the state store does not know it");
            }
            GenerateEvent::Checked { path, done, bytes } => {
                if self.is_progress_due(Instant::now()) {
                    line!(info, self, context, path, done, bytes, "published file is checked");
                }
            }
            GenerateEvent::Published { file, path, rows, bytes } => {
                line!(info, self, context, %file, path, rows, bytes, "file finalized");
            }
            GenerateEvent::Done { rows, took, .. } => {
                line!(info, self, context, rows, took_seconds = took.as_secs_f64(), "run published");
            }
            GenerateEvent::Failed { error, again_in, .. } => {
                line!(
                    warn,
                    self,
                    context,
                    error,
                    again_in_seconds = again_in.map(|time| time.as_secs_f64()),
                    "run failed"
                );
            }
            GenerateEvent::Warning { text } => line!(warn, self, context, "{text}"),
        }
        // What ends a run is still said of it.
        if matches!(event, GenerateEvent::Done { .. } | GenerateEvent::Failed { .. }) {
            self.context().run = None;
        }
    }
}

impl Observer<TriggerEvent> for EventLog {
    fn observe(&self, event: &TriggerEvent) {
        let context = self.context().clone();
        match event {
            TriggerEvent::Requested { run, event } => {
                line!(info, self, context, wanted = %run.id, %event, "run requested");
            }
            TriggerEvent::Repeated { run, event } => {
                line!(info, self, context, wanted = %run.id, %event, "duplicate trigger ignored");
            }
            TriggerEvent::Other { event } => line!(debug, self, context, %event, "event is not for this worker"),
            TriggerEvent::Odd { event, reason } => {
                line!(warn, self, context, %event, reason, "malformed event passed over");
            }
            TriggerEvent::Failing { reason, attempt, after } => {
                let after_seconds = after.as_secs_f64();
                line!(warn, self, context, reason, attempt, after_seconds, "trigger: trying again");
            }
            TriggerEvent::Recovered => line!(info, self, context, "trigger: works again"),
        }
    }
}

impl Observer<OwnEvent> for EventLog {
    fn observe(&self, event: &OwnEvent) {
        let context = self.context().clone();
        match event {
            OwnEvent::Requested { due, run } => {
                line!(info, self, context, wanted = %run, due = %due.at, "run requested by the worker's own clock");
            }
            OwnEvent::Repeated { due, run } => {
                line!(info, self, context, wanted = %run, due = %due.at, "due, and asked for already");
            }
            OwnEvent::Missed { at, reason } => line!(warn, self, context, due = %at, reason, "due time missed"),
            OwnEvent::Began { before } => line!(
                info,
                self,
                context,
                due = %before,
                "own clock begins now: no due time of it is on record, and the one before asked for no run"
            ),
            OwnEvent::LeftOut { at, reason } => line!(info, self, context, at = %at, reason, "due times left out"),
            OwnEvent::Failing { reason, attempt, after } => {
                let after_seconds = after.as_secs_f64();
                line!(warn, self, context, reason, attempt, after_seconds, "own clock: trying again");
            }
            OwnEvent::Recovered => line!(info, self, context, "own clock: works again"),
        }
    }
}

impl Observer<OutboxEvent> for EventLog {
    fn observe(&self, event: &OutboxEvent) {
        let context = self.context().clone();
        match event {
            OutboxEvent::Sent { entry } => {
                let Some(event) = Heading::of(entry) else { return };
                let (file, correlation_id) = (&event.file_id, &event.correlation_id);
                if event.is_arrival() {
                    line!(info, self, context, file, correlation_id, "event of the arrival published");
                } else {
                    line!(info, self, context, file, correlation_id, "event published");
                }
            }
            OutboxEvent::Odd { record } => {
                let (record, reason) = (&record.id, &record.reason);
                line!(warn, self, context, record, reason, "a completion event cannot be read from the state store");
            }
            OutboxEvent::Waiting { events } => line!(debug, self, context, events, "outbox looked at"),
            OutboxEvent::Failing { reason, attempt, after } => {
                let after_seconds = after.as_secs_f64();
                line!(warn, self, context, reason, attempt, after_seconds, "completion: trying again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_logged_at_the_first_page_and_once_a_minute() {
        let (log, start) = (EventLog::default(), Instant::now());
        let due: Vec<u64> =
            (0..200).filter(|second| log.is_progress_due(start + Duration::from_secs(*second))).collect();
        assert_eq!(due, [0, 60, 120, 180]);
    }
}
