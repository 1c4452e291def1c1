//! `filegen schedule`: when something is due, what became of it, and steering it.

mod act;
mod backfill;
pub(super) mod doctor;
mod hints;
mod list;
mod next;
mod show;
pub(super) mod status;
mod sync;

use super::context::Context;
use super::exit::CommandEnd;
use super::failure::Failure;

/// Show when schedules are due and what became of them; pause, resume, run and make up for them
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen schedule next \"0 30 2 ? * MON-FRI\" --zone Europe/Berlin
  filegen schedule list -c intake.yaml
  filegen schedule pause Loans -c intake.yaml --reason \"the folder moves\"")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Show the next times of a cron expression, as Quartz reads it
    Next(next::Args),
    /// Show all schedules: status, next time, last outcome, how late
    List(list::Args),
    /// Show one schedule with its history
    Show(show::Args),
    /// Stop a schedule from firing
    Pause(act::PauseArgs),
    /// Let a paused schedule go on from now
    Resume(act::ResumeArgs),
    /// Run a schedule once, now
    Run(act::RunArgs),
    /// Run the due times that were missed between two times
    Backfill(backfill::Args),
    /// Hold schedules against data sources, and mend the difference
    Sync(sync::Args),
}

/// Shows or acts.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::Next(args) => next::run(context, args),
        Action::List(args) => list::run(context, args),
        Action::Show(args) => show::run(context, args),
        Action::Pause(args) => act::pause(context, args),
        Action::Resume(args) => act::resume(context, args),
        Action::Run(args) => act::run(context, args),
        Action::Backfill(args) => backfill::run(context, args),
        Action::Sync(args) => sync::run(context, args),
    }
}
