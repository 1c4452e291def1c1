//! What kind of error it is: what a caller can do about it. The kind alone picks the exit code and whether something is tried
//! again.

use std::error::Error;

/// What a caller can do about an error.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FailureKind {
    /// Nobody answered, or the outcome is unknown: the same call may succeed a moment later.
    Unreachable,
    /// There is nothing at the address. Another call at once does not help, a later one may.
    Absent,
    /// The other side refused, for a reason that does not pass by itself.
    Refused,
    /// The right to write belongs to another instance, or has ended. The present holder goes on.
    Lease,
    /// A value cannot be written as the worker file demands. A person mends the value or the file.
    Data,
    /// What exists does not fit what is asked. A person decides.
    Conflict,
    /// What is there is not what is recorded or claimed of it. A person looks which of them is right.
    Difference,
    /// The worker file names something that does not exist or is not allowed. A person changes the file or the rights.
    Config,
    /// Somebody asked for a stop.
    Stopped,
    /// Anything else, such as a full disk or a damaged store. The same call may work once the fault is gone.
    Failed,
}

impl FailureKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Unreachable,
        Self::Absent,
        Self::Refused,
        Self::Lease,
        Self::Data,
        Self::Conflict,
        Self::Difference,
        Self::Config,
        Self::Stopped,
        Self::Failed,
    ];

    /// The word in the state store and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Absent => "absent",
            Self::Refused => "refused",
            Self::Lease => "lease",
            Self::Data => "data",
            Self::Conflict => "conflict",
            Self::Difference => "difference",
            Self::Config => "config",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Reads the word back. A word of another build is any other failure.
    pub fn of_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(Self::Failed)
    }

    /// Whether the same call may succeed a moment later. A run then tries it again.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Unreachable => true,
            Self::Absent
            | Self::Refused
            | Self::Lease
            | Self::Data
            | Self::Conflict
            | Self::Difference
            | Self::Config
            | Self::Stopped
            | Self::Failed => false,
        }
    }

    /// Whether nobody answered at all.
    pub fn is_away(self) -> bool {
        match self {
            Self::Unreachable | Self::Absent => true,
            Self::Refused
            | Self::Lease
            | Self::Data
            | Self::Conflict
            | Self::Difference
            | Self::Config
            | Self::Stopped
            | Self::Failed => false,
        }
    }

    /// Whether the same call may work later although nobody does anything. A service tries these kinds again with growing waits,
    /// and the other kinds much later.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Unreachable | Self::Absent | Self::Lease | Self::Failed => true,
            Self::Refused | Self::Data | Self::Conflict | Self::Difference | Self::Config | Self::Stopped => false,
        }
    }
}

/// An error that knows its kind. Each implementation stands beside its enum and has no `_` arm: the compiler asks for the kind
/// of a new variant.
pub trait HasKind: Error {
    /// What a caller can do about it.
    fn kind(&self) -> FailureKind;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_work_a_moment_later_is_away_and_what_is_away_passes() {
        for kind in FailureKind::ALL {
            assert!(!kind.is_transient() || kind.is_away(), "{kind:?}");
            assert!(!kind.is_away() || kind.is_passing(), "{kind:?}");
        }
    }

    #[test]
    fn words_read_back() {
        for kind in FailureKind::ALL {
            assert_eq!(FailureKind::of_word(kind.as_str()), kind);
        }
        assert_eq!(FailureKind::of_word("a word of a later build"), FailureKind::Failed);
    }

    #[test]
    fn what_needs_a_hand_does_not_pass() {
        let passing: Vec<FailureKind> = FailureKind::ALL.into_iter().filter(|kind| kind.is_passing()).collect();
        assert_eq!(passing, [FailureKind::Unreachable, FailureKind::Absent, FailureKind::Lease, FailureKind::Failed]);
    }
}
