//! Log lines on stderr, and a run's news as log lines.

use crate::core::ports::observer::{News, Observer};
use tracing::{info, warn};
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

/// Starts logging for the whole process; a second start changes nothing.
pub fn start(level: Level, json: bool, colour: bool) {
    let filter = match level {
        Level::Info => "warn,filegen=info",
        Level::Debug => "info,filegen=debug",
        Level::Trace => "debug,filegen=trace",
    };
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr);
    // A logger that is there already, as in an embedding program, is as good as ours.
    let _ = if json {
        builder.json().flatten_event(true).with_ansi(false).try_init()
    } else {
        builder.with_ansi(colour).try_init()
    };
}

/// Logs a run's news.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoggedNews;

impl Observer for LoggedNews {
    fn observe(&self, news: &News) {
        match news {
            News::Waiting { holder, token, at_most } => {
                info!(%holder, token = token.0, at_most_seconds = at_most.as_secs_f64(), "waiting for the lease");
            }
            News::Leading { token } => info!(token = token.0, "lease acquired"),
            News::Renewed | News::Fetched { .. } | News::Synced { .. } => {}
            News::Lost { token, why } => warn!(token = token.0, why, "leadership lost"),
            News::Failed { run, error, again_in } => {
                warn!(%run, error, again_in_seconds = again_in.as_secs_f64(), "run failed");
            }
            News::Done { run, rows, took } => info!(%run, rows, took_seconds = took.as_secs_f64(), "run published"),
            News::Started { run, rows, pages, .. } => info!(%run, rows, pages, "run started"),
            News::Resumed { from, page, .. } => info!(from_token = from.0, page, "resumed"),
            News::Warning { text } => warn!("{text}"),
            News::Retrying { reason, attempt, after } => {
                warn!(reason, attempt, after_seconds = after.as_secs_f64(), "trying again");
            }
            News::Committed { page, source_rows, took, bytes, .. } => {
                let bytes: u64 = bytes.iter().sum();
                info!(page, source_rows, bytes, took_seconds = took.as_secs_f64(), "page committed");
            }
            News::Published { file, path, rows, bytes } => info!(%file, path, rows, bytes, "file published"),
        }
    }
}
