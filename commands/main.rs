//! The `filegen` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    filegen::commands::main(filegen::Registry::default())
}
