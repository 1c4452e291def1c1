//! `filegen resume`: a run goes on from a page that a person chose.

use super::foreground::{self, Order};
use super::preview;
use crate::commands::context::{Context, DateArg};
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::core::generate::Start;
use std::num::NonZeroU64;

/// Roll a run's staged files back to a page, and go on from there
///
/// Pages from N on are thrown away, read and written again; the run then ends as `filegen run` ends it. Without
/// --from-page nobody needs this: `filegen run` goes on by itself. Published files never change. Who did it and why is kept.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen resume --from-page 12 -c loans.yaml --date 2026-11-21 --dry-run
  filegen resume --from-page 12 -c loans.yaml --date 2026-11-21 --reason INC-4711")]
pub struct Args {
    /// First page to write again, from 1; pages before it are kept
    #[arg(long, value_name = "N")]
    from_page: NonZeroU64,
    #[command(flatten)]
    date: DateArg,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Do not wait for the lease: exit code 5 when another instance holds it
    #[arg(long)]
    no_wait: bool,
    /// Show what would be kept, read and written, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Rolls back and goes on.
pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker = context.worker()?;
    let run = context.run_id(&worker, args.date)?;
    let page = args.from_page.get();
    let (start, wait, reason) = (Start::FromPage(page), !args.no_wait, args.reason.clone());
    let order = Order { worker, run, start, wait, force: false, reason, correction: None };
    if args.dry_run {
        return preview::show(context, &order);
    }
    let question = format!("Throw away pages from {page} on of run {}, and write them again?", order.run);
    if !context.confirmed(args.yes, &question)? {
        context.ui.status("nothing changed");
        return Ok(CommandEnd::DECLINED);
    }
    foreground::run(context, &order)
}
