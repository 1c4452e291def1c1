//! Why a command failed: the library's errors, each with its exit code and what to do next.

use super::exit::Code;
use crate::config::ConfigError;
use crate::core::election::ElectionError;
use crate::core::election::release::ReleaseError;
use crate::core::generate::GenerateError;
use crate::core::generate::drill::DrillError;
use crate::core::generate::run::RunError;
use crate::core::model::term::TermEnded;
use crate::core::outbox::OutboxError;
use crate::core::ports::events::BrokerError;
use crate::core::ports::leases::StoreError;
use crate::core::ports::source::SourceError;
use crate::core::ports::trial::TrialError;
use crate::core::ports::volume::VolumeError;
use crate::wiring::WiringError;
use std::error::Error;

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    pub(super) code: Code,
    /// What went wrong, then its causes, outermost first.
    pub(super) messages: Vec<String>,
    pub(super) hint: Option<String>,
    /// A report that points into the worker file, shown in place of the messages.
    pub(super) report: Option<miette::Report>,
    /// What is wrong with the worker file, for programs.
    pub(super) problems: Option<serde_json::Value>,
}

impl Failure {
    /// A failure in plain words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, messages: vec![message.into()], hint: None, report: None, problems: None }
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
        Self { code, messages, hint: None, report: None, problems: None }
    }

    /// Adds what to do next. `{c}` becomes the worker file's option as it was given.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what was being done; the reason moves behind it.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        self.messages.insert(0, doing.into());
        self
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let (code, hint) = match &error {
            SourceError::Unreachable { .. } | SourceError::Absent { .. } => {
                (Code::Unreachable, Some("`filegen doctor{c}` shows what can be reached"))
            }
            SourceError::Refused { .. } => {
                (Code::Config, Some("`filegen doctor{c}` compares the worker file with the view"))
            }
            SourceError::Changed { .. } => {
                (Code::Failed, Some("put the view back as it was, or start over with `filegen run{c} --restart`"))
            }
            SourceError::Key { .. } => (
                Code::Data,
                Some(
                    "`source.key` must name columns that are unique and not null together; `filegen doctor{c}` looks for it",
                ),
            ),
            SourceError::Value { .. } => (Code::Data, None),
            SourceError::Failed { .. } => (Code::Failed, None),
        };
        with_hint(Self::caused(code, &error), hint)
    }
}

impl From<VolumeError> for Failure {
    fn from(error: VolumeError) -> Self {
        let (code, hint) = match &error {
            VolumeError::TermEnded(_) => (Code::Lease, Some(LEASE_HINT)),
            VolumeError::Full { .. } => (
                Code::Failed,
                Some("make room, then run the same command again: it goes on behind the last committed page"),
            ),
            VolumeError::Denied { .. } => (Code::Failed, Some("`filegen doctor{c}` checks the output folder")),
            VolumeError::Exists { .. }
            | VolumeError::NotFound { .. }
            | VolumeError::NotEmpty { .. }
            | VolumeError::Io { .. } => (Code::Failed, None),
        };
        with_hint(Self::caused(code, &error), hint)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (code, hint) = match &error {
            StoreError::Unreachable { .. } => {
                (Code::Unreachable, Some("`filegen doctor{c}` shows what can be reached"))
            }
            StoreError::Stale { .. } | StoreError::TermEnded(_) => (Code::Lease, Some(LEASE_HINT)),
            StoreError::Failed { .. } => (Code::Failed, None),
        };
        with_hint(Self::caused(code, &error), hint)
    }
}

impl From<TermEnded> for Failure {
    fn from(error: TermEnded) -> Self {
        Self::caused(Code::Lease, &error).hint(LEASE_HINT)
    }
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        match error {
            GenerateError::Source(error) => error.into(),
            GenerateError::Volume(error) => error.into(),
            GenerateError::Store(error) => error.into(),
            GenerateError::TermEnded(error) => error.into(),
            GenerateError::Data { .. } => Self::caused(Code::Data, &error),
            GenerateError::Conflict { .. } => Self::caused(Code::Failed, &error)
                .hint("published files are never replaced: move that file away if it is not wanted, then run again"),
            GenerateError::Staged { .. } => Self::caused(Code::Failed, &error),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let messages = vec![error.report().to_string()];
        Self { code: Code::Config, messages, hint: None, problems: Some(error.to_json()), report: Some(error.report()) }
    }
}

impl From<WiringError> for Failure {
    fn from(error: WiringError) -> Self {
        match error {
            WiringError::Source(error) => error.into(),
            WiringError::Store(error) => error.into(),
            WiringError::Broker(error) => error.into(),
        }
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        match &error {
            BrokerError::Unreachable { .. } => Self::caused(Code::Unreachable, &error)
                .hint("nothing is lost: the events wait, and this command can be given again"),
            BrokerError::Refused { .. } => Self::caused(Code::Config, &error),
        }
    }
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Broker(error) => error.into(),
            OutboxError::Store(error) => error.into(),
        }
    }
}

impl From<ElectionError> for Failure {
    fn from(error: ElectionError) -> Self {
        match error {
            ElectionError::Store(error) => error.into(),
            ElectionError::HeldByOther { .. } => Self::caused(Code::Lease, &error).hint(LEASE_HINT),
            ElectionError::Stopped { .. } => Self::caused(Code::Interrupted, &error),
            ElectionError::NoTokenLeft { .. } => Self::caused(Code::Failed, &error),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Election(error) => error.into(),
            RunError::Generate(error) => error.into(),
        }
    }
}

impl From<DrillError> for Failure {
    fn from(error: DrillError) -> Self {
        match error {
            DrillError::Run(error) => error.into(),
            DrillError::Volume(error) => error.into(),
            DrillError::Trial(error) => error.into(),
            DrillError::Moved { .. } => {
                Self::caused(Code::Failed, &error).hint("drill when the view stands still, or on a copy of its rows")
            }
        }
    }
}

impl From<TrialError> for Failure {
    fn from(error: TrialError) -> Self {
        Self::caused(Code::Failed, &error)
    }
}

impl From<ReleaseError> for Failure {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::Store(error) => error.into(),
            ReleaseError::Alive { .. } => Self::caused(Code::Lease, &error).hint(
                "stop that process, or add --force: it then loses the lease at its next renewal and stops writing",
            ),
            ReleaseError::Changed => Self::caused(Code::Lease, &error).hint(LEASE_HINT),
            ReleaseError::NoLease { .. } | ReleaseError::AlreadyFree { .. } => Self::caused(Code::Failed, &error),
        }
    }
}

const LEASE_HINT: &str = "`filegen lease show{c}` says who holds the lease now";

fn with_hint(failure: Failure, hint: Option<&str>) -> Failure {
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
