//! Named places where a crash test ends the process, as if by SIGKILL: no destructor runs, nothing is flushed.

/// Ends the process here when a test asks for it: `FAILPOINTS="commit.synced=3*off->return"`. Compiled away unless
/// the feature `failpoints` is on.
macro_rules! crash_point {
    ($name:expr) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}
pub(crate) use crash_point;
