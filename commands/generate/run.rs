//! `filegen run`: one run in the foreground.

use super::foreground::{self, Order};
use super::preview;
use crate::commands::context::{Context, DateArg, ParamArgs};
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::core::generate::Start;
use crate::core::generate::window::Window;
use crate::wiring;

/// Make a worker's files for one business date
///
/// Reads the view once, page by page, and writes all files of the worker file. A run that was interrupted goes on behind
/// its last committed page; files appear under their final names complete or not at all; a run that is already published
/// is left alone. Waits while another instance holds the worker's lease.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_help = "Examples:
  filegen run -c loans.yaml
  filegen run -c loans.yaml --date 2026-11-21 --no-wait
  filegen run -c loans.yaml --param region=EU
  filegen run -c loans.yaml --date 2019-12-31 --force --reason \"audit, INC-4711\"
  filegen run -c loans.yaml --dry-run")]
pub struct Args {
    #[command(flatten)]
    date: DateArg,
    #[command(flatten)]
    params: ParamArgs,
    /// Do not wait for the lease: exit code 5 when another instance holds it
    #[arg(long)]
    no_wait: bool,
    /// Throw staged pages away and start with the first; who did it is kept
    #[arg(long)]
    restart: bool,
    /// Make a date that `business_date.accept` does not take, or a run that a service has given up; who did it and why is kept
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Connect and count; show what would be read and written, and do neither
    #[arg(long)]
    dry_run: bool,
}

/// Runs.
pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker = context.worker_with(&args.params)?;
    let run = context.run_id(&worker, args.date)?;
    let window = Window::at(&worker.business_date, wiring::clock().now(), None);
    if let Some(early) = window.early(&worker.business_date, run.date) {
        context.ui.status(&format!("{} {early}", context.ui.paint_warning("warning:")));
    }
    let start = if args.restart { Start::FromStart } else { Start::Resume };
    let (wait, force, reason) = (!args.no_wait, args.force, args.reason.clone());
    let order = Order { worker, run, start, wait, force, reason, correction: None };
    if args.dry_run { preview::show(context, &order) } else { foreground::run(context, &order) }
}
