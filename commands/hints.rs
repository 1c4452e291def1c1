//! What to do next about each error that several groups of commands meet. `{c}` becomes the worker file's option as it was given.

use crate::core::election::ElectionError;
use crate::core::election::release::ReleaseError;
use crate::core::model::term::TermEnded;
use crate::core::outbox::OutboxError;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::source::SourceError;
use crate::core::ports::store::StoreError;
use crate::core::ports::volume::VolumeError;
use crate::wiring::WiringError;

/// An error that knows what to do next.
pub(super) trait Hint {
    /// The hint, as a sentence. `None` when the message says everything.
    fn hint(&self) -> Option<&'static str>;
}

const DOCTOR: &str = "`filegen doctor{c}` shows what can be reached";

const DOCTOR_STATE: &str = "`filegen doctor{c}` checks the state store";

const LEASE: &str = "`filegen lease show{c}` says who holds the lease now";

impl Hint for StoreError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some(DOCTOR),
            Self::Stale { .. } => Some(LEASE),
            Self::TermEnded(error) => error.hint(),
            Self::Denied { .. } | Self::Odd { .. } | Self::Failed { .. } => Some(DOCTOR_STATE),
            Self::Uncounted { .. } => None,
        }
    }
}

impl Hint for TermEnded {
    fn hint(&self) -> Option<&'static str> {
        Some(LEASE)
    }
}

impl Hint for BrokerError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some("nothing is lost: the events wait, and this command can be given again"),
            Self::TooLarge { .. } => Some("the words above name the limit"),
            Self::Damaged { .. } => None,
            Self::Refused { .. } => Some("`filegen doctor{c}` shows the topics, and what the user may do with them"),
        }
    }
}

impl Hint for OutboxError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Broker(error) => error.hint(),
            Self::Store(error) => error.hint(),
        }
    }
}

impl Hint for ElectionError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::HeldByOther { .. } | Self::Odd { .. } => Some(LEASE),
            Self::Stopped { .. } | Self::NoTokenLeft { .. } => None,
        }
    }
}

impl Hint for ReleaseError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Alive { .. } => {
                Some("stop that process, or add --force: it then loses the lease at its next renewal and stops writing")
            }
            Self::Changed => Some(LEASE),
            Self::NoLease { .. } | Self::Odd { .. } | Self::AlreadyFree { .. } => None,
        }
    }
}

impl Hint for WiringError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Broker(error) => error.hint(),
            // Each says what to write.
            Self::Target(_) => None,
            Self::Certificate { .. } => {
                Some("put a certificate with its own key in these files, as PEM and without a passphrase")
            }
        }
    }
}

impl Hint for VolumeError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TermEnded(error) => error.hint(),
            Self::Full { .. } => {
                Some("make room, then run the same command again: it goes on behind the last committed page")
            }
            Self::Denied { .. } => Some("`filegen doctor{c}` checks the output folder"),
            Self::Io { .. } => Some("`filegen doctor{c}` tries on the output folder what a run does"),
            Self::Foreign { .. } => Some(
                "find out who put it there, take it away, and run again; a link to another folder can be a mount instead",
            ),
            Self::Exists { .. } | Self::NotFound { .. } | Self::NotEmpty { .. } => None,
        }
    }
}

impl Hint for SourceError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some(DOCTOR),
            Self::Absent { .. } => Some("check `source.url`: a relative path begins in the folder of the worker file"),
            Self::Denied { .. } => Some("check user, password, database and rights, then try `filegen doctor{c}`"),
            Self::Refused { .. } => Some("`filegen doctor{c}` compares the worker file with the view"),
            Self::Changed { .. } => Some("put the view back as it was, or start over with `filegen run{c} --restart`"),
            Self::Key { .. } => Some(
                "`source.key` must name columns that are unique and not null together; `filegen doctor{c}` looks for it",
            ),
            Self::Failed { .. } => Some("`filegen doctor{c}` asks the source for everything that a run needs"),
            Self::Value { .. } => None,
        }
    }
}
