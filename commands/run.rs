//! `filegen run`: one run in the foreground.

use super::context::Context;
use super::exit::{Failure, Verdict};

/// Make a worker's files for one business date
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs.
pub(super) fn run(context: &Context, _args: &Args) -> Result<Verdict, Failure> {
    context.config_path()?;
    Ok(Verdict::Done)
}
