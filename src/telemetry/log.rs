//! Log lines on stderr: their level and their form.

use super::logfmt::KeyValue;
use crate::core::model::shown;
use std::io::{self, Write};
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
        // The client of PostgreSQL logs statements whole, with the keys of rows in them.
        Level::Trace => "debug,tokio_postgres=info,filegen=trace",
    };
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(move || Stderr(form));
    // A logger that is there already, as in an embedding program, is as good as ours.
    let _ = match form {
        Form::Json => builder.json().flatten_event(true).with_ansi(false).try_init(),
        Form::KeyValue => builder.with_ansi(false).event_format(KeyValue).try_init(),
        Form::Text(colour) => builder.with_ansi(colour).try_init(),
    };
}

/// The process's stderr. What cannot be written is lost: a reader that has gone must not end the work, and the subscriber's own
/// way to tell of a failed write would panic at the next one.
struct Stderr(Form);

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An event is written at once, with its line end.
        let line = String::from_utf8_lossy(bytes);
        let line = match self.0 {
            Form::Json => shown::json(&line),
            Form::Text(colour) => shown::lines(&line, colour),
            Form::KeyValue => shown::lines(&line, false),
        };
        let _ = io::stderr().lock().write_all(line.as_bytes());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
