//! What a check found: whether a run would work, and what to do about it.

/// One thing that was checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was looked at: `key is unique`.
    pub check: String,
    /// Whether a run would work.
    pub verdict: CheckVerdict,
    /// What was found, and what to do about it.
    pub detail: String,
}

/// How a check ended, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CheckVerdict {
    /// Fine.
    Pass,
    /// Works, but a person should know.
    Warn,
    /// A run would fail.
    Fail,
}
