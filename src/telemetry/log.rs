//! Log lines on stderr, and news as log lines: each with worker, instance, token and run, as far as there are any.

use super::logfmt::KeyValue;
use crate::core::generate::trigger::TriggerEvent;
use crate::core::outbox::OutboxEvent;
use crate::core::ports::observer::{News, Observer};
use std::sync::{Mutex, PoisonError};
use tracing::{debug, info, warn};
use tracing_subscriber::EnvFilter;

/// How much is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// What happens.
    Info,
    /// What is looked at on the way.
    Debug,
    /// Everything.
    Trace,
}

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For people, with colour or without.
    Text(bool),
    /// `key=value`.
    KeyValue,
    /// One JSON object a line.
    Json,
}

/// Starts logging for the whole process; a second start changes nothing.
pub fn start(level: Level, form: Form) {
    let filter = match level {
        Level::Info => "warn,filegen=info",
        Level::Debug => "info,filegen=debug",
        Level::Trace => "debug,filegen=trace",
    };
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr);
    // A logger that is there already, as in an embedding program, is as good as ours.
    let _ = match form {
        Form::Json => builder.json().flatten_event(true).with_ansi(false).try_init(),
        Form::KeyValue => builder.with_ansi(false).event_format(KeyValue).try_init(),
        Form::Text(colour) => builder.with_ansi(colour).try_init(),
    };
}

/// Logs one worker's news; by default, that of a command's only worker, unnamed.
#[derive(Debug, Default)]
pub struct LoggedNews {
    worker: Option<String>,
    instance: Option<String>,
    place: Mutex<Place>,
}

/// Where the work stands.
#[derive(Clone, Default, Debug)]
struct Place {
    token: Option<u64>,
    run: Option<String>,
}

/// A line with the fields that every line has.
macro_rules! line {
    ($level:ident, $log:expr, $place:expr, $($rest:tt)*) => {
        $level!(
            worker = $log.worker.as_deref(), instance = $log.instance.as_deref(), token = $place.token,
            run = $place.run.as_deref(), $($rest)*
        )
    };
}

impl LoggedNews {
    /// For one worker in one instance.
    pub fn new(worker: &str, instance: &str) -> Self {
        Self { worker: Some(worker.to_owned()), instance: Some(instance.to_owned()), place: Mutex::default() }
    }

    /// The place behind the news.
    fn place(&self, news: &News) -> Place {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let before = place.clone();
        match news {
            News::Leading { token } => place.token = Some(token.0),
            News::Started { run, .. } => place.run = Some(run.to_string()),
            News::Done { .. } | News::Failed { .. } => place.run = None,
            News::Lost { .. } | News::Released { .. } => *place = Place::default(),
            _ => {}
        }
        // What ends something is still said of it.
        if matches!(news, News::Leading { .. } | News::Started { .. }) { place.clone() } else { before }
    }

    /// Logs what became of an event.
    pub fn trigger(&self, news: &TriggerEvent) {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match news {
            TriggerEvent::Requested { run, event } => {
                line!(info, self, place, wanted = %run.id, %event, "run requested");
            }
            TriggerEvent::Repeated { run, event } => {
                line!(info, self, place, wanted = %run.id, %event, "duplicate trigger ignored");
            }
            TriggerEvent::Other { event } => line!(debug, self, place, %event, "event is not for this worker"),
            TriggerEvent::Odd { event, reason } => {
                line!(warn, self, place, %event, reason, "malformed event passed over");
            }
            TriggerEvent::Failing { reason, attempt, after } => {
                line!(warn, self, place, reason, attempt, after_seconds = after.as_secs_f64(), "trigger: trying again");
            }
            TriggerEvent::Recovered => line!(info, self, place, "trigger: works again"),
        }
    }

    /// Logs what became of completion events.
    pub fn announce(&self, news: &OutboxEvent) {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match news {
            OutboxEvent::Sent { event } => {
                line!(
                    info,
                    self,
                    place,
                    file = event.file_id,
                    correlation_id = event.correlation_id,
                    "event published"
                );
            }
            OutboxEvent::Waiting { events } => line!(debug, self, place, events, "outbox looked at"),
            OutboxEvent::Failing { reason, attempt, after } => {
                line!(
                    warn,
                    self,
                    place,
                    reason,
                    attempt,
                    after_seconds = after.as_secs_f64(),
                    "completion: trying again"
                );
            }
        }
    }
}

impl Observer for LoggedNews {
    fn observe(&self, news: &News) {
        let place = self.place(news);
        match news {
            News::Waiting { holder, token, at_most } => {
                let (holder_token, at_most) = (token.0, at_most.as_secs_f64());
                line!(info, self, place, %holder, holder_token, at_most_seconds = at_most, "waiting for the lease");
            }
            News::Leading { .. } => line!(info, self, place, "leadership acquired"),
            News::Renewed => line!(debug, self, place, "lease renewed"),
            News::Lost { why, .. } => line!(warn, self, place, why, "leadership lost"),
            News::Released { .. } => line!(info, self, place, "leadership given back"),
            News::Started { rows, pages, .. } => line!(info, self, place, rows, pages, "total rows and pages"),
            News::Resumed { from, page, .. } => line!(info, self, place, from_token = from.0, page, "resumed"),
            News::Warning { text } => line!(warn, self, place, "{text}"),
            News::Retrying { reason, attempt, after } => {
                line!(warn, self, place, reason, attempt, after_seconds = after.as_secs_f64(), "trying again");
            }
            News::Fetched { page, rows, took } => {
                line!(info, self, place, page, rows, took_seconds = took.as_secs_f64(), "processing page");
            }
            News::Synced { took } => line!(debug, self, place, took_seconds = took.as_secs_f64(), "synced"),
            News::Committed { page, source_rows, took, bytes, .. } => {
                let bytes: u64 = bytes.iter().sum();
                let took = took.as_secs_f64();
                line!(info, self, place, page, source_rows, bytes, took_seconds = took, "progress updated");
            }
            News::Failed { error, again_in, .. } => {
                line!(warn, self, place, error, again_in_seconds = again_in.as_secs_f64(), "run failed");
            }
            News::Done { rows, took, .. } => {
                line!(info, self, place, rows, took_seconds = took.as_secs_f64(), "run published");
            }
            News::Published { file, path, rows, bytes } => {
                line!(info, self, place, %file, path, rows, bytes, "file finalized");
            }
        }
    }
}
