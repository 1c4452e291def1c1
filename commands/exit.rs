//! The exit codes, and the code of each kind of error. Commands pick a code themselves only for wrong usage, an answer that is not
//! "all is well", and a stop.

use crate::core::kind::FailureKind;

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
    /// A check ran and found a difference, or a part was left out and is named.
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

impl From<FailureKind> for Code {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Unreachable => Self::Unreachable,
            FailureKind::Lease => Self::Lease,
            FailureKind::Data => Self::Data,
            // A file that is not at its address is a wrong address until somebody says otherwise.
            FailureKind::Config | FailureKind::Absent => Self::Config,
            FailureKind::Difference => Self::Difference,
            FailureKind::Stopped => Self::Interrupted,
            FailureKind::Refused | FailureKind::Conflict | FailureKind::Failed => Self::Failed,
        }
    }
}

impl Code {
    /// The code of a report that found several things to fail of: what cannot be reached hides the rest, and what a person mends in
    /// the worker file or its rights comes before what is wrong with the data. `None` when there are none.
    pub fn of_all(kinds: impl IntoIterator<Item = FailureKind>) -> Option<Self> {
        const FIRST: [Code; 4] = [Code::Unreachable, Code::Config, Code::Data, Code::Lease];
        let codes: Vec<Self> = kinds.into_iter().map(Self::from).collect();
        FIRST.into_iter().find(|code| codes.contains(code)).or_else(|| codes.first().copied())
    }
}

/// How a command ended that did its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandEnd {
    /// All is well.
    Done,
    /// The answer is not "all is well". It is printed already.
    Ended(Code),
}

impl CommandEnd {
    /// A person was asked and said no. Nothing has changed.
    pub const DECLINED: Self = Self::Ended(Code::Failed);

    /// Done, unless there is a difference or something was left out.
    pub fn unless(differs: bool) -> Self {
        if differs { Self::Ended(Code::Difference) } else { Self::Done }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_several_failures_is_that_of_the_one_to_be_mended_first() {
        use FailureKind::{Absent, Config, Data, Failed, Unreachable};
        assert_eq!(Code::of_all([]), None);
        assert_eq!(Code::of_all([Failed, Data]), Some(Code::Data));
        assert_eq!(Code::of_all([Data, Failed, Absent]), Some(Code::Config));
        assert_eq!(Code::of_all([Config, Unreachable, Data]), Some(Code::Unreachable));
        assert_eq!(Code::of_all([Failed]), Some(Code::Failed));
    }
}
