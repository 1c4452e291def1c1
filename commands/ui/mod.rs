//! Streams and terminal: results on stdout, everything else on stderr; legible without colour.

pub mod ingest;
pub mod json;
pub mod progress;
pub mod table;
pub mod transfer;

use super::globals::{Format, Globals, When};
use crate::core::model::shown;
use crate::core::ports::store::OddRecord;
use serde::Serialize;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use table::Table;

/// Owns what is printed, and where.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one answer about one stream")]
pub struct Ui {
    format: Format,
    quiet: bool,
    logging: bool,
    colour_out: bool,
    colour_err: bool,
    closed: AtomicBool,
}

impl Ui {
    /// Looks at the options, `NO_COLOR`, and whether the streams are terminals.
    pub fn new(globals: &Globals) -> Self {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = |terminal: bool| match globals.color {
            When::Auto => allowed && !dumb && terminal,
            When::Always => true,
            When::Never => false,
        };
        Self {
            format: globals.output,
            quiet: globals.quiet,
            logging: globals.verbose > 0,
            colour_out: colour(io::stdout().is_terminal()),
            colour_err: colour(io::stderr().is_terminal()),
            closed: AtomicBool::new(false),
        }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether whoever read stdout has gone; nothing more is worth printing then.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Prints a result: the value as one line of JSON, or what `table` makes of it.
    pub fn result<T: Serialize>(&self, value: &T, table: impl FnOnce(&T) -> String) {
        match self.format {
            Format::Json => self.out(&format!("{}\n", json::line(value))),
            Format::Table => self.tell(&table(value)),
        }
    }

    /// Prints for a person on stdout.
    pub fn tell(&self, text: &str) {
        self.out(&shown::lines(text, self.colour_out));
    }

    /// Prints on stdout, as it is: text of our own. A closed pipe ends the printing quietly.
    pub fn out(&self, text: &str) {
        if self.is_closed() {
            return;
        }
        let mut stdout = io::stdout().lock();
        if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Tells a person something on stderr, in one line, unless `--quiet`.
    pub fn status(&self, text: &str) {
        if !self.quiet {
            self.error_line(text);
        }
    }

    /// Tells a person lines of our own on stderr, unless `--quiet`.
    pub fn status_lines(&self, text: &str) {
        if !self.quiet {
            self.error_lines(text);
        }
    }

    /// Tells a person which records cannot be read.
    pub fn unreadable(&self, odd: &[OddRecord]) {
        for record in odd {
            self.status(&record.to_string());
        }
    }

    /// Writes a line to stderr in any case. Whatever stands in it, it is one line.
    pub fn error_line(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", shown::line(text, self.colour_err));
    }

    /// Writes lines of our own to stderr in any case.
    pub fn error_lines(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", shown::lines(text, self.colour_err));
    }

    /// An empty table in the right colours.
    pub fn table(&self, columns: &[&str]) -> Table {
        Table::new(columns, self.colour_out)
    }

    /// Whether a person can be asked: both stdin and stderr are terminals.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a yes-or-no question on the terminal; anything but `y` or `yes` is no.
    pub fn ask(&self, question: &str) -> bool {
        let mut stderr = io::stderr().lock();
        let question = shown::lines(question, false);
        let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")
    }

    /// `error:` in its colour.
    pub fn paint_error(&self, text: &str) -> String {
        paint(self.colour_err, "1;31", text)
    }

    /// `hint:` in its colour.
    pub fn paint_hint(&self, text: &str) -> String {
        paint(self.colour_err, "1;36", text)
    }

    /// `warning:` in its colour.
    pub fn paint_warning(&self, text: &str) -> String {
        paint(self.colour_err, "1;33", text)
    }

    /// A word on stdout in its colour.
    pub fn paint_out(&self, text: &str, tone: table::Tone) -> String {
        let code = match tone {
            table::Tone::Plain => return text.to_owned(),
            table::Tone::Good => "32",
            table::Tone::Warn => "33",
            table::Tone::Bad => "31",
            table::Tone::Faint => "90",
        };
        paint(self.colour_out, code, text)
    }

    /// A report that points into a file, as miette draws it.
    pub fn render_report(&self, report: &miette::Report) -> String {
        let theme =
            if self.colour_err { miette::GraphicalTheme::unicode() } else { miette::GraphicalTheme::unicode_nocolor() };
        let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100);
        let mut text = String::new();
        match handler.render_report(&mut text, report.as_ref()) {
            Ok(()) => text,
            Err(_) => format!("error: {report}\n"),
        }
    }

    /// Who watches a run: bars on a terminal, lines elsewhere, nothing with `--quiet`.
    pub fn progress(&self) -> progress::Progress {
        progress::Progress::new(self.progress_style(), self.paint_warning("warning:"))
    }

    /// Counts pages on stderr, where it is a terminal.
    pub fn counter(&self, what: &'static str) -> progress::Counter {
        progress::Counter::new(matches!(self.progress_style(), progress::Style::Bars { .. }), what)
    }

    /// Whether what goes to stderr has colour.
    pub fn has_colour(&self) -> bool {
        self.colour_err
    }

    fn progress_style(&self) -> progress::Style {
        if self.logging {
            progress::Style::Log
        } else if self.quiet {
            progress::Style::Silent
        } else if io::stderr().is_terminal() {
            progress::Style::Bars { colour: self.colour_err }
        } else {
            progress::Style::Lines
        }
    }
}

/// A line of a result, with its end. Whatever stands in it, it is one line.
pub fn one_line(line: fmt::Arguments<'_>) -> String {
    // Colour is ours, or goes where all of the text goes to its stream.
    shown::line(&line.to_string(), true) + "\n"
}

/// Adds a line to a result.
pub fn line(text: &mut String, line: fmt::Arguments<'_>) {
    text.push_str(&one_line(line));
}

fn paint(colour: bool, code: &str, text: &str) -> String {
    if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
