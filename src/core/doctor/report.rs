//! The list of findings, which grows check by check.

use crate::core::model::finding::{CheckVerdict, Finding};
use std::time::Duration;

/// A finding, and where it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckResult {
    /// Where: source, output, state, kafka.
    pub area: Area,
    /// What, how it ended, and what to do about it.
    pub finding: Finding,
    /// How long it took, where that matters.
    pub took: Option<Duration>,
    /// Whether it failed because a dependency cannot be reached.
    pub unreachable: bool,
}

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// The view and where it is.
    Source,
    /// The files and how they are made.
    Files,
    /// The output folder.
    Output,
    /// The state store.
    State,
    /// The topics.
    Kafka,
}

impl Area {
    /// For tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Files => "files",
            Self::Output => "output",
            Self::State => "state",
            Self::Kafka => "kafka",
        }
    }
}

/// Gathers findings, and reports each at once.
pub struct Report<'a> {
    /// All so far.
    pub found: Vec<CheckResult>,
    tell: &'a (dyn Fn(&CheckResult) + Send + Sync),
}

impl<'a> Report<'a> {
    /// Starts with no finding; `tell` is called with each.
    pub fn new(tell: &'a (dyn Fn(&CheckResult) + Send + Sync)) -> Self {
        Self { found: Vec::new(), tell }
    }

    /// Adds a finding whose duration does not matter.
    pub(crate) fn add(&mut self, area: Area, check: &str, verdict: CheckVerdict, detail: impl Into<String>) {
        let finding = Finding { check: check.to_owned(), verdict, detail: detail.into() };
        self.push(CheckResult { area, finding, took: None, unreachable: false });
    }

    /// Adds a finding.
    pub(crate) fn push(&mut self, found: CheckResult) {
        (self.tell)(&found);
        self.found.push(found);
    }
}
