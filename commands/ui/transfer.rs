//! A transfer on stderr: a bar for all and one for each large file on a terminal, a line now and then elsewhere.

use super::Ui;
use super::table::{bytes, counted};
use crate::core::model::shown;
use crate::core::model::transfer::{FileRecord, Side};
use crate::core::ports::observer::Observer;
use crate::core::transfer::event::TransferEvent;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Files from this size on have a bar of their own.
const OWN_BAR: u64 = 16 << 20;

/// Failures that the closing table names.
const FAILURES: usize = 20;

/// A file that failed in this run.
#[derive(Clone, Debug, Serialize)]
pub struct FailedFile {
    /// The version.
    pub id: String,
    /// Its path.
    pub path: String,
    /// The kind of failure.
    pub kind: String,
    /// What is wrong.
    pub reason: String,
}

/// What a run moved.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Moved {
    /// Files whose source was dealt with.
    pub collected: u64,
    /// Files under their final names.
    pub delivered: u64,
    /// Files that lay there again and had arrived before.
    pub again: u64,
    /// Files that changed or vanished while they were read.
    pub dropped: u64,
    /// Files that failed for good.
    pub failed: u64,
    /// Records of the ledger that cannot be read: their versions are left.
    pub unreadable: u64,
    /// Bytes of the delivered files; of the collected ones where nothing is delivered here.
    pub bytes: u64,
    /// The first of the failed ones.
    pub failures: Vec<FailedFile>,
}

impl Moved {
    /// Whether nothing happened.
    pub fn is_nothing(&self) -> bool {
        self.collected + self.delivered + self.again + self.dropped + self.failed + self.unreadable == 0
    }
}

#[derive(Default)]
struct Seen {
    moved: Moved,
    collected_bytes: u64,
    failed: HashSet<String>,
    own: HashMap<(Side, String), ProgressBar>,
    next_line: Option<Instant>,
}

/// Shows what becomes of files.
pub struct TransferProgress {
    bars: MultiProgress,
    all: ProgressBar,
    quiet: bool,
    warning: String,
    seen: Mutex<Seen>,
}

impl TransferProgress {
    /// Shows nothing yet.
    pub fn new(ui: &Ui, quiet: bool) -> Self {
        let shows = !quiet && std::io::stderr().is_terminal();
        let target = if shows { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        let all = bars.add(ProgressBar::new(0));
        style(&all, "{percent:>3} % {wide_bar} {bytes} of {total_bytes} {bytes_per_sec} {msg}");
        let seen = Seen { next_line: Some(Instant::now() + LINE_EVERY), ..Seen::default() };
        Self { bars, all, quiet, warning: ui.paint_warning("warning:"), seen: Mutex::new(seen) }
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        for (_, bar) in self.seen().own.drain() {
            bar.finish_and_clear();
        }
        self.all.finish_and_clear();
    }

    /// What was moved so far.
    pub fn moved(&self) -> Moved {
        let seen = self.seen();
        let mut moved = seen.moved.clone();
        if moved.delivered == 0 {
            moved.bytes = seen.collected_bytes;
        }
        moved
    }

    /// Says something above the bars.
    pub fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        let text = shown::line(text, true);
        if self.all.is_hidden() {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        } else {
            let _ = self.bars.println(text);
        }
    }

    /// Warns above the bars.
    pub fn warn(&self, text: &str) {
        self.line(&format!("{} {text}", self.warning));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // What a panicking thread left is still good enough to show.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, side: Side, id: &str, path: &str, (size, resumed): (u64, u64)) {
        if resumed > 0 && resumed < size {
            self.line(&format!("`{}` goes on behind {} of {}", shown::name(path), bytes(resumed), bytes(size)));
        }
        if size < OWN_BAR {
            return;
        }
        let bar = self.bars.add(ProgressBar::new(size));
        style(&bar, "      {wide_bar} {bytes} of {total_bytes} {msg}");
        bar.set_position(resumed);
        bar.set_message(format!("{} {}", side.as_str(), shown::name(path)));
        self.seen().own.insert((side, id.to_owned()), bar);
    }

    fn count(&self, side: Side, id: &str, moved: u64) {
        let mut seen = self.seen();
        if let Some(bar) = seen.own.get(&(side, id.to_owned())) {
            bar.inc(moved);
        }
        self.all.inc(moved);
        let now = Instant::now();
        if self.all.is_hidden() && seen.next_line.is_some_and(|next| now >= next) {
            seen.next_line = Some(now + LINE_EVERY);
            let text =
                format!("{} arrived, {} moved", counted(seen.moved.delivered, "file"), bytes(self.all.position()));
            drop(seen);
            self.line(&text);
        }
    }

    fn end(&self, side: Side, id: &str) {
        if let Some(bar) = self.seen().own.remove(&(side, id.to_owned())) {
            bar.finish_and_clear();
        }
    }

    /// A file fails on both sides; it is one file.
    fn fail(&self, record: &FileRecord) {
        self.end(record.side, &record.id);
        let Some(failure) = &record.failure else { return };
        let mut seen = self.seen();
        if !seen.failed.insert(record.id.clone()) {
            return;
        }
        seen.moved.failed += 1;
        if seen.moved.failures.len() < FAILURES {
            seen.moved.failures.push(FailedFile {
                id: record.id.clone(),
                path: record.path.clone(),
                kind: failure.kind.clone(),
                reason: failure.reason.clone(),
            });
        }
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

impl Observer<TransferEvent> for TransferProgress {
    fn observe(&self, event: &TransferEvent) {
        match event {
            TransferEvent::Found { bytes, .. } => self.all.inc_length(*bytes),
            TransferEvent::Odd { path, what, is_set_aside } => {
                self.seen().moved.failed += u64::from(*is_set_aside);
                self.line(&format!("{} {}: {what}", self.warning, shown::name(path)));
            }
            TransferEvent::Foreign { id, why } => {
                self.line(&format!(
                    "{} a message under the id `{}` is taken away: {why}",
                    self.warning,
                    shown::name(id)
                ));
            }
            TransferEvent::Unreadable { record, reason } => {
                self.seen().moved.unreadable += 1;
                self.line(&format!("{} {record} cannot be read: {reason}", self.warning));
            }
            TransferEvent::Begun { side, id, path, size, resumed } => self.begin(*side, id, path, (*size, *resumed)),
            TransferEvent::Moved { side, id, bytes } => {
                if *side == Side::Collect {
                    self.all.inc_length(*bytes);
                }
                self.count(*side, id, *bytes);
            }
            TransferEvent::Sent(record) => self.end(Side::Collect, &record.id),
            TransferEvent::Again { path, .. } => {
                self.seen().moved.again += 1;
                self.line(&format!("`{}` arrived before, and is not sent again", shown::name(path)));
            }
            TransferEvent::Dropped { path, why, .. } => {
                self.seen().moved.dropped += 1;
                self.line(&format!("{} `{}`: {why}; that version is not sent", self.warning, shown::name(path)));
            }
            TransferEvent::Settled(record) => {
                let mut seen = self.seen();
                seen.moved.collected += 1;
                seen.collected_bytes += record.size;
            }
            TransferEvent::Delivered { record, .. } => {
                self.end(Side::Deliver, &record.id);
                let mut seen = self.seen();
                seen.moved.delivered += 1;
                seen.moved.bytes += record.size;
            }
            TransferEvent::Failed(record) => self.fail(record),
            TransferEvent::Taken { .. }
            | TransferEvent::Stepped { .. }
            | TransferEvent::LetGo { .. }
            | TransferEvent::Looked { .. } => {}
            TransferEvent::Waiting { reason, after, .. } => {
                self.line(&format!("{} {reason}; again in {:.1} s", self.warning, after.as_secs_f64()));
            }
        }
    }
}
