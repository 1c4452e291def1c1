//! `filegen schedule`: when something is due.

mod next;

use super::context::Context;
use super::exit::CommandEnd;
use super::failure::Failure;

/// Show when a schedule is due
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen schedule next \"0 30 2 ? * MON-FRI\" --zone Europe/Berlin")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Show the next times of a cron expression, as Quartz reads it
    Next(next::Args),
}

/// Shows.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::Next(args) => next::run(context, args),
    }
}
