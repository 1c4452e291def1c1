//! The list of findings, which grows check by check.

use crate::core::kind::{FailureKind, HasKind};
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
    /// What a run would fail of. `None` unless the verdict is [`CheckVerdict::Fail`].
    pub failure: Option<FailureKind>,
}

impl CheckResult {
    /// A finding whose duration does not matter. If it fails, a run would fail of this `kind`.
    pub fn new(area: Area, finding: Finding, kind: FailureKind) -> Self {
        let failure = (finding.verdict == CheckVerdict::Fail).then_some(kind);
        Self { area, finding, took: None, failure }
    }
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
    /// The tables that events are written to.
    Sink,
    /// The queue of dead letters.
    Queue,
    /// The folders that are looked at.
    Folders,
    /// Schedules and who fires them.
    Schedules,
    /// What carries files from one side to the other.
    Broker,
    /// What is published, on its way to a transfer.
    Deliver,
    /// Where others send and ask.
    Doors,
    /// Where traces go.
    Traces,
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
            Self::Sink => "sink",
            Self::Queue => "queue",
            Self::Folders => "folders",
            Self::Schedules => "schedules",
            Self::Broker => "broker",
            Self::Deliver => "deliver",
            Self::Doors => "doors",
            Self::Traces => "traces",
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

    /// Adds a finding that no error stands behind.
    pub(crate) fn add(&mut self, area: Area, check: &str, verdict: CheckVerdict, detail: impl Into<String>) {
        let finding = Finding { check: check.to_owned(), verdict, detail: detail.into() };
        self.push(CheckResult::new(area, finding, FailureKind::Failed));
    }

    /// Adds what an error says: a run would fail of it.
    pub(crate) fn fail(&mut self, area: Area, check: &str, error: &impl HasKind) {
        let finding = Finding { check: check.to_owned(), verdict: CheckVerdict::Fail, detail: error.to_string() };
        self.push(CheckResult::new(area, finding, error.kind()));
    }

    /// Adds an answer, which took its time, or the error that came in its place.
    pub(crate) fn answered(
        &mut self,
        area: Area,
        check: &str,
        took: Option<Duration>,
        answer: Result<String, &impl HasKind>,
    ) {
        let kind = answer.as_ref().err().map_or(FailureKind::Failed, |error| error.kind());
        let (verdict, detail) = match answer {
            Ok(detail) => (CheckVerdict::Pass, detail),
            Err(error) => (CheckVerdict::Fail, error.to_string()),
        };
        let finding = Finding { check: check.to_owned(), verdict, detail };
        self.push(CheckResult { took, ..CheckResult::new(area, finding, kind) });
    }

    /// Adds a finding.
    pub(crate) fn push(&mut self, found: CheckResult) {
        (self.tell)(&found);
        self.found.push(found);
    }
}
