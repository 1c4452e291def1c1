//! What is wrong with a worker file, where, and what to do about it.

use super::redact::{looks_secret, masked};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::peer::MASK;
use crate::core::model::shown;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// A short name for programs: `unknown-field`.
    pub code: &'static str,
    /// What is wrong, without secrets.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The field, when one is to blame: `files[0].name`.
    pub field: Option<String>,
    /// Where in the file, when it is there.
    pub place: Option<SourcePosition>,
}

/// A piece of the worker file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourcePosition {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In bytes, from the start of the file.
    pub offset: usize,
    /// In bytes.
    pub length: usize,
}

/// Bytes of the text that a value or a name takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// Line and column of a span within the text that it was cut from.
    pub(super) fn place(self, text: &str) -> SourcePosition {
        let mut start = self.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        SourcePosition {
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            offset: start,
            length: self.end.min(text.len()).saturating_sub(start),
        }
    }
}

/// Problems reported in one file. Later ones are most often consequences of these.
const PROBLEMS_MAX: usize = 100;

/// The problems found so far. Nothing that looks like a password comes into a message.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Notes one more, up to a limit.
    pub(super) fn report(&mut self, problem: Problem) {
        self.report_harmless(Problem { message: masked(&problem.message), ..problem });
    }

    /// Notes one more whose message holds nothing of a password.
    pub(super) fn report_harmless(&mut self, problem: Problem) {
        if !self.is_full() {
            self.found.push(Problem {
                message: shown::text(&problem.message),
                field: problem.field.map(|field| if looks_secret(&field) { MASK.to_owned() } else { field }),
                ..problem
            });
        }
    }

    /// Whether further problems would not be reported.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= PROBLEMS_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether any is about this field or what lies in it.
    pub(super) fn are_within(&self, path: &str) -> bool {
        let within =
            |field: &String| field.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.found.iter().any(|problem| problem.field.as_ref().is_some_and(within))
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// All of them in the order of the file, then what is missing from it.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        let offset = |problem: &Problem| problem.place.map(|place| place.offset);
        self.found.sort_by_key(|problem| (problem.code == "missing-field", offset(problem)));
        self.found
    }
}

/// A worker file that cannot be used, with everything that is wrong with it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The worker file, as it was named.
    pub path: PathBuf,
    /// At least one, at most a hundred; in the order of the file, what is missing last.
    pub problems: Vec<Problem>,
    /// The file's text with its secrets masked, byte for byte as long as the original.
    pub(super) masked_text: Option<String>,
}

impl ConfigError {
    /// An error without a place: the file cannot be read at all.
    pub(super) fn whole_file(path: &Path, code: &'static str, message: String, hint: &str) -> Self {
        let problem = Problem { code, message, hint: hint.to_owned(), field: None, place: None };
        Self { path: path.to_owned(), problems: vec![problem], masked_text: None }
    }
}

impl fmt::Display for ConfigError {
    /// A line per problem: `worker.yaml:3:5: what is wrong (what to do)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.path.display())?;
            if let Some(place) = problem.place {
                write!(f, ":{}:{}", place.line, place.column)?;
            }
            write!(f, ": {} ({})", problem.message, problem.hint)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigError")
            .field("path", &self.path)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for ConfigError {}

impl HasKind for ConfigError {
    fn kind(&self) -> FailureKind {
        FailureKind::Config
    }
}
