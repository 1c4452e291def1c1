//! `filegen ingest`: events into tables, in the foreground; its state, its tables, and what is wrong with events.

mod check;
pub(super) mod doctor;
mod hints;
pub(super) mod produce;
mod run;
mod schema;
mod status;

use super::context::Context;
use super::exit::CommandEnd;
use super::failure::Failure;
use crate::core::ingest::spec::Ingest;
use std::sync::Arc;

/// Write events into tables, each effect once
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen ingest run -c events.yaml")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Write events into tables, in the foreground
    Run(run::Args),
    /// Show where reading stands, and what waits
    #[command(after_help = "Example:
  filegen ingest status -c events.yaml --output json")]
    Status,
    /// Print the tables as statements of the sink's database, or make those that are missing
    Schema(schema::Args),
    /// Say which events of a file would die, and why; no sink is needed
    Check(check::Args),
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::Run(args) => run::run(context, args),
        Action::Status => status::run(context, false),
        Action::Schema(args) => schema::run(context, args),
        Action::Check(args) => check::run(context, args),
    }
}

/// Shows where reading stands.
pub(super) fn status(context: &Context, watch: bool) -> Result<CommandEnd, Failure> {
    status::run(context, watch)
}

/// The ingest file, read and checked.
pub(super) fn load(context: &Context) -> Result<Arc<Ingest>, Failure> {
    Ok(context.load()?.into_ingest()?)
}
