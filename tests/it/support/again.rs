//! This binary, started again as another process that plays one part: for what a process decides only once, holds until
//! it dies, or leaves behind.
//!
//! The part is a test that does nothing when the suite runs it:
//! `let Some(given) = again::given("module::part") else { return };`

use super::filegen::in_time;
use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Names the part that a process plays.
const PART: &str = "FILEGEN_TEST_PART";

/// What the part is given.
const GIVEN: &str = "FILEGEN_TEST_PART_GIVEN";

/// The command that starts this binary as one that plays the part: the path of its test.
pub fn command(part: &str, given: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(env::current_exe().expect("this binary has a path"));
    command.args(["--exact", part, "--nocapture"]).env(PART, part).env(GIVEN, given);
    command
}

/// What this process was given for its part. `None` when it was not started for it.
pub fn given(part: &str) -> Option<OsString> {
    if env::var_os(PART)? == *part { env::var_os(GIVEN) } else { None }
}

/// Plays a part to its end, which has to be a good one. What it said on stderr.
#[track_caller]
pub fn play(command: &mut Command) -> String {
    let done = in_time(command);
    let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    // A part that was renamed is no test any more, and does nothing with success.
    assert!(done.status.success() && out.contains("1 passed"), "{out}{said}");
    said.into_owned()
}
