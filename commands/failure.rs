//! Why a command failed: its exit code, what went wrong, and what to do next.

use super::exit::Code;
use super::hints::Hint;
use crate::config::ConfigError;
use crate::config::calendar::CalendarError;
use crate::core::kind::HasKind;
use std::error::Error;

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    pub(super) code: Code,
    /// What went wrong, then its causes, outermost first: a line each.
    pub(super) messages: Vec<String>,
    /// Lines of our own below them.
    pub(super) details: Vec<String>,
    pub(super) hint: Option<String>,
    /// A report that points into the worker file, shown in place of the messages.
    pub(super) report: Option<miette::Report>,
    /// What is wrong with the worker file, for programs.
    pub(super) problems: Option<serde_json::Value>,
}

impl Failure {
    /// A failure in plain words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, messages: vec![message.into()], details: Vec::new(), hint: None, report: None, problems: None }
    }

    /// A failure by an error and its causes.
    pub fn caused(code: Code, error: &dyn Error) -> Self {
        let mut messages = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if messages.last() != Some(&text) {
                messages.push(text);
            }
            cause = error.source();
        }
        Self { code, messages, details: Vec::new(), hint: None, report: None, problems: None }
    }

    /// Adds what to do next. `{c}` becomes the worker file's option as it was given.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds lines that belong to the message.
    #[must_use]
    pub fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// Says what was being done; the reason moves behind it.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        self.messages.insert(0, doing.into());
        self
    }
}

/// The kind picks the exit code; the hint stands with the commands.
impl<E: HasKind + Hint> From<E> for Failure {
    fn from(error: E) -> Self {
        let failure = Self::caused(error.kind().into(), &error);
        Self { hint: error.hint().map(str::to_owned), ..failure }
    }
}

impl From<CalendarError> for Failure {
    fn from(error: CalendarError) -> Self {
        Self::caused(error.kind().into(), &error).hint(&error.hint)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let messages = vec![error.report().to_string()];
        let problems = Some(error.to_json());
        Self {
            code: error.kind().into(),
            messages,
            details: Vec::new(),
            hint: None,
            problems,
            report: Some(error.report()),
        }
    }
}

#[cfg(test)]
mod tests;
