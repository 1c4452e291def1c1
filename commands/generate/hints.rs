//! What to do next about an error of the flow that makes files.

use crate::commands::hints::Hint;
use crate::core::generate::GenerateError;
use crate::core::generate::drill::DrillError;
use crate::core::generate::run::RunError;
use crate::core::ports::drill::DrillRunnerError;

impl Hint for GenerateError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Volume(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::TermEnded(error) => error.hint(),
            Self::Conflict { .. } => {
                Some("published files are never replaced: move that file away if it is not wanted, then run again")
            }
            Self::Unproved { .. } => Some(
                "put back what is missing from a copy; a manifest that is not this run's is moved away, then run again: files \
                 that are there already are compared and never replaced. `filegen verify{c}` holds files against their manifest",
            ),
            Self::Taken { version: 1, .. } => Some(
                "ask who takes the files, or put them and the manifest back from a copy. To make them once more, from the rows of now: \
                 `filegen run --restart{c}` with this date",
            ),
            Self::Taken { .. } => Some(
                "ask who takes the files, or put them and the manifest back from a copy; its holder's folder in `.filegen` has the \
                 manifest. Then `filegen correct{c}` makes the next version",
            ),
            Self::Panicked { .. } | Self::Data { .. } | Self::Parameter { .. } | Self::Staged { .. } => None,
        }
    }
}

impl Hint for RunError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Election(error) => error.hint(),
            Self::Generate(error) => error.hint(),
            Self::Outside { .. } => None,
            Self::Elsewhere { next_try_at: None, .. } => Some(
                "mend what it says, end the process that holds the lease, and run this again: a service leaves a failed run alone \
                 24 hours after it was asked for. `filegen status{c}` shows the run",
            ),
            Self::Elsewhere { .. } => Some(
                "mend what it says; that process then goes on by itself, at once when it is started again. `filegen status{c}` \
                 shows the run",
            ),
        }
    }
}

impl Hint for DrillError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Run(error) => error.hint(),
            Self::Volume(error) => error.hint(),
            Self::Runner(error) => error.hint(),
            Self::Moved { .. } => Some("drill when the view stands still, or on a copy of its rows"),
        }
    }
}

impl Hint for DrillRunnerError {
    fn hint(&self) -> Option<&'static str> {
        None
    }
}
