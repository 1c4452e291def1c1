//! A run on stderr: a bar for each file on a terminal, a line now and then elsewhere.

use super::table;
use crate::core::election::ElectionEvent;
use crate::core::generate::event::GenerateEvent;
use crate::core::model::names::FileId;
use crate::core::model::shown;
use crate::core::ports::observer::{Observer, Retrying};
use crate::telemetry::generate::log::EventLog;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wait before a bar is drawn: what is over sooner needs none.
const BARS_AFTER: Duration = Duration::from_millis(250);

/// Time between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// A bar for each file, redrawn in place.
    Bars {
        /// Whether they have colour.
        colour: bool,
    },
    /// A line every few seconds and at each milestone.
    Lines,
    /// Not at all, but for warnings.
    Silent,
    /// As log lines.
    Log,
}

/// Shows a run's events.
pub struct Progress {
    style: Style,
    log: EventLog,
    warning: String,
    state: Mutex<BarState>,
}

#[derive(Default)]
struct BarState {
    bars: Option<MultiProgress>,
    files: Vec<File>,
    started: Option<Instant>,
    next_line: Option<Instant>,
    expected: Option<u64>,
}

struct File {
    bar: Option<ProgressBar>,
    expected: Option<u64>,
    bytes_at_start: u64,
    rows_at_start: u64,
}

impl Progress {
    /// Shows nothing yet. `warning` stands before a warning.
    pub fn new(style: Style, warning: String) -> Self {
        Self { style, log: EventLog::default(), warning, state: Mutex::new(BarState::default()) }
    }

    /// Takes the bars away; what follows on stderr stands below nothing.
    pub fn finish(&self) {
        let state = self.state();
        for bar in state.files.iter().filter_map(|file| file.bar.as_ref()) {
            bar.finish_and_clear();
        }
        if let Some(bars) = &state.bars {
            let _ = bars.clear();
        }
    }

    /// Says something above the bars.
    pub fn say(&self, text: &str) {
        print(&self.state(), text);
    }

    /// How far a file is checked: at its begin, and every few seconds.
    fn check(&self, path: &str, done: u64, bytes: u64) {
        let mut state = self.state();
        let now = Instant::now();
        let is_due = done == 0 || state.next_line.is_some_and(|next| now >= next);
        if !is_due || matches!(self.style, Style::Silent) {
            return;
        }
        state.next_line = Some(now + LINE_EVERY);
        let (done, bytes) = (table::thousands(done), table::thousands(bytes));
        print(&state, &format!("`{path}` is checked, for the state store does not know it: {done} of {bytes} bytes"));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, BarState> {
        // What a panicking thread left is still good enough to show.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, files: &[(FileId, Option<u64>)], rows: Option<u64>, pages: Option<u64>) {
        let mut state = self.state();
        let now = Instant::now();
        state.started = Some(now);
        state.next_line = Some(now + LINE_EVERY);
        state.expected = rows;
        if let Style::Lines = self.style {
            let text = match rows.zip(pages) {
                Some((rows, pages)) => {
                    format!("reading {} in {}", table::counted(rows, "row"), table::counted(pages, "page"))
                }
                None => "reading rows, which are not counted".to_owned(),
            };
            print(&state, &text);
        }
        let bars = match self.style {
            Style::Bars { colour } => Some((MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), colour)),
            Style::Lines | Style::Silent | Style::Log => None,
        };
        let width = files.iter().map(|(id, _)| id.as_str().len()).max().unwrap_or(0);
        state.files = files
            .iter()
            .map(|(id, expected)| File {
                bar: bars.as_ref().map(|(multi, colour)| {
                    let bar = ProgressBar::hidden();
                    if let Some(expected) = expected {
                        bar.set_length(*expected);
                    }
                    let bar = multi.add(bar);
                    bar.set_style(bar_style(width, *colour, expected.is_some()));
                    bar.set_prefix(id.to_string());
                    bar
                }),
                expected: *expected,
                bytes_at_start: 0,
                rows_at_start: 0,
            })
            .collect();
        state.bars = bars.map(|(multi, _)| multi);
    }

    fn resume(&self, page: u64, rows: &[u64], bytes: &[u64]) {
        let mut state = self.state();
        for (index, file) in state.files.iter_mut().enumerate() {
            file.bytes_at_start = bytes.get(index).copied().unwrap_or(0);
            file.rows_at_start = rows.get(index).copied().unwrap_or(0);
            if let Some(bar) = &file.bar {
                bar.set_position(rows.get(index).copied().unwrap_or(0));
                bar.reset_eta();
            }
        }
        if self.style != Style::Silent {
            print(&state, &format!("resumed behind page {}", table::thousands(page)));
        }
    }

    fn commit(&self, page: u64, source_rows: u64, rows: &[u64], bytes: &[u64]) {
        let mut state = self.state();
        let now = Instant::now();
        let begun = *state.started.get_or_insert(now);
        let elapsed = now.duration_since(begun);
        if elapsed >= BARS_AFTER {
            for (index, file) in state.files.iter().enumerate() {
                let Some(bar) = &file.bar else { continue };
                let position = rows.get(index).copied().unwrap_or(0);
                let size = bytes.get(index).copied().unwrap_or(0);
                if let Some(expected) = file.expected {
                    bar.set_length(expected.max(position));
                }
                let rows = rate(position.saturating_sub(file.rows_at_start), elapsed);
                bar.set_message(speed(rows, rate(size.saturating_sub(file.bytes_at_start), elapsed)));
                bar.set_position(position);
            }
        }
        let due = state.next_line.is_some_and(|next| now >= next);
        if self.style == Style::Lines && due {
            state.next_line = Some(now + LINE_EVERY);
            print(&state, &line(&state, page, source_rows, bytes, elapsed));
        }
    }
}

impl Observer<ElectionEvent> for Progress {
    fn observe(&self, event: &ElectionEvent) {
        if self.style == Style::Log {
            return self.log.observe(event);
        }
        match event {
            ElectionEvent::Waiting { holder, token, at_most } => {
                if self.style != Style::Silent {
                    let most = table::span(*at_most);
                    self.say(&format!("waiting for the lease: {holder} holds it with token {token} (at most {most} more, unless it is renewed)"));
                }
            }
            ElectionEvent::Odd { record } => {
                self.say(&format!("{} {} is odd: {}", self.warning, record.id, shown::text(&record.reason)));
            }
            ElectionEvent::Lost { token, why } => {
                self.say(&format!("{} the lease with token {token} is lost: {why}", self.warning));
            }
            ElectionEvent::NotReleased { reason } => {
                let text = format!("the lease could not be given back and runs out by itself: {reason}");
                self.say(&format!("{} {text}", self.warning));
            }
            ElectionEvent::Retrying(retrying) => self.observe(retrying),
            ElectionEvent::Leading { .. } | ElectionEvent::Renewed | ElectionEvent::Released { .. } => {}
        }
    }
}

impl Observer<Retrying> for Progress {
    fn observe(&self, event: &Retrying) {
        if self.style == Style::Log {
            return self.log.observe(event);
        }
        let Retrying { reason, attempt, after } = event;
        self.say(&format!("{} {reason}; try {attempt} in {}", self.warning, table::span(*after)));
    }
}

impl Observer<GenerateEvent> for Progress {
    fn observe(&self, event: &GenerateEvent) {
        if self.style == Style::Log {
            return self.log.observe(event);
        }
        match event {
            GenerateEvent::Started { rows, pages, files, .. } => self.start(files, *rows, *pages),
            GenerateEvent::Resumed { page, rows, bytes, .. } => self.resume(*page, rows, bytes),
            GenerateEvent::Committed { page, source_rows, rows, bytes, .. } => {
                self.commit(*page, *source_rows, rows, bytes);
            }
            GenerateEvent::Published { file, path, rows, .. } => {
                if self.style == Style::Lines {
                    self.say(&format!("published {file} as {path}: {}", table::counted(*rows, "row")));
                }
            }
            GenerateEvent::Checked { path, done, bytes } => self.check(path, *done, *bytes),
            GenerateEvent::Warning { text } => self.say(&format!("{} {text}", self.warning)),
            GenerateEvent::Fetched { .. }
            | GenerateEvent::Synced { .. }
            | GenerateEvent::Failed { .. }
            | GenerateEvent::Done { .. } => {}
        }
    }
}

/// Counts towards a number on a terminal; elsewhere it is silent.
pub struct Counter {
    bar: ProgressBar,
}

impl Counter {
    /// Shows nothing before the first count.
    pub fn new(shown: bool, what: &'static str) -> Self {
        let bar = if shown { ProgressBar::no_length() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg} {pos} of {len}  {eta} left") {
            bar.set_style(style);
        }
        Self { bar: bar.with_message(what) }
    }

    /// So many are done, of so many.
    pub fn at(&self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
    }

    /// Takes it away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Writes a line above the bars; plainly where there are none.
fn print(state: &BarState, text: &str) {
    // The colour of `warning:` is ours.
    let text = &shown::line(text, true);
    match &state.bars {
        Some(bars) if !bars.is_hidden() => {
            let _ = bars.println(text);
        }
        _ => {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}

fn line(state: &BarState, page: u64, source_rows: u64, bytes: &[u64], elapsed: Duration) -> String {
    let size: u64 = bytes.iter().sum();
    let before: u64 = state.files.iter().map(|file| file.bytes_at_start).sum();
    let speed = table::bytes(rate(size.saturating_sub(before), elapsed));
    let page = table::thousands(page);
    let Some(expected) = state.expected else {
        return format!("page {page}: {}, {speed}/s", table::counted(source_rows, "row"));
    };
    let percent = (source_rows * 100).checked_div(expected).unwrap_or(100).min(100);
    let (rows, expected) = (table::thousands(source_rows), table::counted(expected, "row"));
    format!("page {page}: {rows} of {expected} ({percent} %), {speed}/s")
}

/// Rows and bytes a second, always as wide: bars that jump cannot be read.
fn speed(rows: u64, bytes: u64) -> String {
    format!("{:>10} rows/s  {:>10}/s", table::thousands(rows), table::bytes(bytes))
}

fn rate(amount: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    amount.saturating_mul(1000) / millis
}

/// The look of a file's line; without a count there is no share of the rows and no time left to show.
fn bar_style(width: usize, colour: bool, counted: bool) -> ProgressStyle {
    let bar = if colour { "{bar:24.cyan/blue}" } else { "{bar:24}" };
    let template = if counted {
        format!("{{prefix:{width}}} {bar} {{percent:>3}} %  {{human_pos:>13}} rows  {{msg}}  {{eta:>4}} left")
    } else {
        format!("{{prefix:{width}}} {{human_pos:>13}} rows  {{msg}}")
    };
    ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_whole_and_as_wide_at_any_time() {
        assert_eq!(speed(333_333, 12_345_678), format!("{:>10} rows/s  {:>10}/s", "333,333", table::bytes(12_345_678)));
        for (rows, bytes) in [(0, 0), (7, 999), (1_234_567, 1023 << 20), (99_999_999, 5 << 40)] {
            assert_eq!(speed(rows, bytes).chars().count(), 31, "{}", speed(rows, bytes));
        }
    }
}
