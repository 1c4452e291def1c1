//! `filegen transfer`: files from here to there, in the foreground; how they stand, and what failed.

pub(super) mod doctor;
mod hints;
mod list;
mod redrive;
mod run;
mod show;
mod status;
mod traces;
mod verify;

use super::context::Context;
use super::exit::CommandEnd;
use super::failure::Failure;
use crate::core::model::shown;
use crate::core::transfer::spec::Transfer;
use std::sync::Arc;

/// Move files from here to there, each version once
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen transfer run -c sales.yaml")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Move what is there, in the foreground
    Run(run::Args),
    /// Show how many files are how far, what waits, and what failed last
    #[command(after_help = "Example:
  filegen transfer status -c sales.yaml --output json")]
    Status,
    /// List files, the latest change first
    List(list::Args),
    /// Show one file's whole journey
    Show(show::Args),
    /// Let failed files go again
    Redrive(redrive::Args),
    /// Read the target again, and compare it with the ledger
    Verify(verify::Args),
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::Run(args) => run::run(context, args),
        Action::Status => status::run(context, false),
        Action::List(args) => list::run(context, args),
        Action::Show(args) => show::run(context, args),
        Action::Redrive(args) => redrive::run(context, args),
        Action::Verify(args) => verify::run(context, args),
    }
}

/// Shows how many files are how far.
pub(super) fn status(context: &Context, watch: bool) -> Result<CommandEnd, Failure> {
    status::run(context, watch)
}

/// The transfer file, read and checked.
fn load(context: &Context) -> Result<Arc<Transfer>, Failure> {
    Ok(context.load()?.into_transfer()?)
}

/// The first digits of an id: enough to tell files apart, and to name one.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A failed file as one line has it. A message that cannot be read names none.
fn named(id: &str, path: &str) -> String {
    if path.is_empty() {
        format!("the message {}, which names no file", shown::name(short(id)))
    } else {
        shown::name(path)
    }
}
