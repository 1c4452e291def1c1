//! An ingest on stderr: a bar on a terminal, a line now and then elsewhere.

use super::Ui;
use super::table::thousands;
use crate::core::ingest::event::{IngestEvent, Tally};
use crate::core::model::shown;
use crate::core::ports::observer::Observer;
use crate::core::ports::store::OddRecord;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What was seen so far.
struct Seen {
    tally: Tally,
    odd: Vec<OddRecord>,
    next_line: Instant,
}

/// Shows what becomes of events.
pub struct IngestProgress {
    bar: ProgressBar,
    quiet: bool,
    warning: String,
    seen: Mutex<Seen>,
}

impl IngestProgress {
    /// Shows nothing yet.
    pub fn new(ui: &Ui, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if !quiet && std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let seen = Seen { tally: Tally::default(), odd: Vec::new(), next_line: Instant::now() + LINE_EVERY };
        Self { bar, quiet, warning: ui.paint_warning("warning:"), seen: Mutex::new(seen) }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Whether records were passed over that cannot be read.
    pub fn is_odd(&self) -> bool {
        !self.seen.lock().unwrap_or_else(PoisonError::into_inner).odd.is_empty()
    }

    /// Each is told once.
    fn odd(&self, records: &[OddRecord]) {
        for record in records {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.odd.contains(record) {
                seen.odd.push(record.clone());
                drop(seen);
                self.line(&format!("{} {record}", self.warning));
            }
        }
    }

    /// Says something above the bar.
    pub fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        let text = shown::line(text, true);
        if self.bar.is_hidden() {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        } else {
            self.bar.println(text);
        }
    }

    fn begin(&self, behind: Option<u64>) {
        let template = match behind {
            Some(all) => {
                self.bar.set_length(all);
                "{percent:>3} % {wide_bar} {msg}  {eta} left"
            }
            None => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    fn count(&self, tally: &Tally, moved: u64) {
        // What a panicking thread left is still good enough to show.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.tally.add(tally);
        self.bar.inc(moved);
        let text = format!("{} events, {} dead", thousands(seen.tally.all()), thousands(seen.tally.dead));
        self.bar.set_message(text.clone());
        if self.bar.is_hidden() && Instant::now() >= seen.next_line {
            seen.next_line = Instant::now() + LINE_EVERY;
            self.line(&text);
        }
    }
}

impl Observer<IngestEvent> for IngestProgress {
    fn observe(&self, event: &IngestEvent) {
        match event {
            IngestEvent::Begun { behind } => self.begin(*behind),
            IngestEvent::Written { tally, moved, .. } => self.count(tally, *moved),
            IngestEvent::Waiting { reason, after, .. } => {
                self.line(&format!("{} {reason}; again in {:.1} s", self.warning, after.as_secs_f64()));
            }
            IngestEvent::Rival { reason } => {
                self.line(&format!("{} another reader moved {reason}; going on from there", self.warning));
            }
            IngestEvent::Odd { records, .. } => self.odd(records),
            IngestEvent::HeldUp { reason: Some(reason) } | IngestEvent::QueueAway { reason } => {
                self.line(&format!("{} {reason}", self.warning));
            }
            IngestEvent::HeldUp { reason: None }
            | IngestEvent::Released { .. }
            | IngestEvent::Expired { .. }
            | IngestEvent::Sent { .. }
            | IngestEvent::Dropped { .. }
            | IngestEvent::Lag { .. }
            | IngestEvent::Revoked { .. } => {}
        }
    }
}
