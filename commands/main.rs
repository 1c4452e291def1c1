//! The `filegen` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Crash tests name the places to die at in `FAILPOINTS`.
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    filegen::commands::main(filegen::Registry::default())
}
