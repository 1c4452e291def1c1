//! Ctrl-C and SIGTERM: the first asks to stop behind the page in hand, the second ends the process at once.

use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use super::ui::progress::Progress;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Which signal asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StoppedBy {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl StoppedBy {
    /// The exit code that says so.
    pub(super) fn code(self) -> Code {
        match self {
            Self::Interrupt => Code::Interrupted,
            Self::Terminate => Code::Terminated,
        }
    }
}

/// Says what a signal does.
pub(super) trait SignalReporter: Send + Sync {
    /// One line.
    fn say(&self, text: &str);
    /// Nothing more is said.
    fn finish(&self);
}

impl SignalReporter for Progress {
    fn say(&self, text: &str) {
        Progress::say(self, text);
    }

    fn finish(&self) {
        Progress::finish(self);
    }
}

/// Listens for one signal from now on.
///
/// # Errors
/// When the system refuses to deliver signals.
pub(super) fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::caused(Code::Failed, &error).context("cannot watch for signals"))
}

/// Signals as a value to look at between pages.
pub(super) struct Signals {
    /// Set by the first signal.
    pub stop: CancellationToken,
    by: Arc<AtomicU8>,
}

/// How a command ends that was stopped, by a signal or from within.
pub(super) fn end(by: Option<StoppedBy>) -> CommandEnd {
    CommandEnd::Ended(by.map_or(Code::Interrupted, StoppedBy::code))
}

impl Signals {
    /// Watches in the background, as long as the runtime lives.
    ///
    /// # Errors
    /// When the system refuses to deliver signals.
    pub(super) fn watch(reporter: Arc<dyn SignalReporter>) -> Result<Self, Failure> {
        let mut interrupts = listen(SignalKind::interrupt())?;
        let mut terminates = listen(SignalKind::terminate())?;
        let signals = Self { stop: CancellationToken::new(), by: Arc::new(AtomicU8::new(0)) };
        let (stop, by) = (signals.stop.clone(), Arc::clone(&signals.by));
        tokio::spawn(async move {
            loop {
                let which = tokio::select! {
                    _ = interrupts.recv() => StoppedBy::Interrupt,
                    _ = terminates.recv() => StoppedBy::Terminate,
                };
                if stop.is_cancelled() {
                    reporter.finish();
                    // What is committed is durable, and the lease runs out: nothing needs a tidy end.
                    std::process::exit(i32::from(which.code() as u8));
                }
                by.store(which as u8 + 1, Ordering::Release);
                reporter.say("stopping behind the page in hand; once more ends at once");
                stop.cancel();
            }
        });
        Ok(signals)
    }

    /// The first signal, if there was one.
    pub(super) fn stopped_by(&self) -> Option<StoppedBy> {
        match self.by.load(Ordering::Acquire) {
            0 => None,
            1 => Some(StoppedBy::Interrupt),
            _ => Some(StoppedBy::Terminate),
        }
    }
}
