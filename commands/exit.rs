//! How a command ends: the one place that knows the exit codes and turns errors into words.

use super::context::Context;
use super::ui::json;
use crate::config::ConfigError;
use crate::core::election::ElectionError;
use crate::core::generate::GenerateError;
use crate::core::lease::ReleaseError;
use crate::core::model::term::TermEnded;
use crate::core::ports::leases::StoreError;
use crate::core::ports::source::SourceError;
use crate::core::ports::volume::VolumeError;
use crate::core::run::RunError;
use crate::wiring::WiringError;
use serde::Serialize;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// The documented exit codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// Done.
    Done = 0,
    /// Failed for a reason that has no code of its own.
    Failed = 1,
    /// The arguments do not fit.
    Usage = 2,
    /// The worker file or environment is wrong.
    Config = 3,
    /// A check ran and found a difference.
    Difference = 4,
    /// The lease is held by another, or was lost.
    Lease = 5,
    /// A dependency cannot be reached: safe to run again.
    Unreachable = 6,
    /// A value cannot be written as the file demands.
    Data = 7,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

/// How a command ended that did what it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All is well.
    Done,
    /// The answer is not "all is well"; it is printed already.
    Ended(Code),
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    /// What went wrong, then its causes, outermost first.
    messages: Vec<String>,
    hint: Option<String>,
    /// A report that points into the worker file, shown in place of the messages.
    report: Option<miette::Report>,
    /// What is wrong with the worker file, for programs.
    problems: Option<serde_json::Value>,
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
            WiringError::NotInBuild { .. } => Self::caused(Code::Config, &error),
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

/// Prints a failure, if there is one, and gives the process its exit code.
pub fn end(context: &Context, ended: Result<Verdict, Failure>) -> ExitCode {
    let code = match ended {
        Ok(Verdict::Done) => Code::Done,
        Ok(Verdict::Ended(code)) => code,
        Err(failure) => {
            show(context, &failure);
            failure.code
        }
    };
    ExitCode::from(code as u8)
}

/// An error as JSON on stderr.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorLine<'a> {
    error: &'a str,
    causes: &'a [String],
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<&'a serde_json::Value>,
    exit_code: u8,
}

fn show(context: &Context, failure: &Failure) {
    let hint = failure.hint.as_ref().map(|hint| hint.replace("{c}", &context.config_option()));
    let (first, causes) = failure.messages.split_first().map_or(("failed", &[][..]), |(f, c)| (f.as_str(), c));
    if context.ui.is_json() {
        let problems = failure.problems.as_ref();
        let line = ErrorLine { error: first, causes, hint, problems, exit_code: failure.code as u8 };
        context.ui.error_line(&json::line(&line));
        return;
    }
    let mut text = String::new();
    match &failure.report {
        Some(report) => text.push_str(&context.ui.render_report(report)),
        None => {
            let _ = writeln!(text, "{} {first}", context.ui.paint_error("error:"));
            for cause in causes {
                let _ = writeln!(text, "  caused by: {cause}");
            }
        }
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "{} {hint}", context.ui.paint_hint("hint:"));
    }
    context.ui.error_line(text.trim_end());
}

/// Prints what clap has to say (help and version to stdout, wrong usage to stderr) and gives the exit code.
pub(super) fn usage(error: &clap::Error, as_json: bool) -> ExitCode {
    if error.use_stderr() && as_json {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = "`filegen --help` shows the commands and options".to_owned();
        let line =
            ErrorLine { error: &first, causes: &[], hint: Some(hint), problems: None, exit_code: Code::Usage as u8 };
        let _ = writeln!(std::io::stderr(), "{}", json::line(&line));
    } else {
        // A closed pipe is no error of ours.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { Code::Usage as u8 } else { Code::Done as u8 })
}
