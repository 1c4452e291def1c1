//! `filegen correct`: a published date is made again, as its next version.

use super::foreground::{self, Order};
use super::preview;
use crate::commands::context::{Context, ParamArgs, parse_date};
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::core::generate::Start;
use crate::core::generate::correct::Asked;
use crate::core::model::correction::checked_reason;
use crate::core::model::names::FileId;
use crate::core::model::run::{BusinessDate, RunId};
use crate::wiring;

/// Make a published date again, as its next version
///
/// Reads the view anew and makes all files under staging names; then the files of the version before go aside, and the new ones
/// take their place, the manifest last. With `output.corrections: suffix` the new ones appear beside the old ones, with `_v2` in
/// their names. Old files are kept below `.filegen`. Manifest and completion events carry the version and the reason. What was
/// interrupted goes on with the next call, or where a daemon serves the worker, by itself.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen correct -c loans.yaml --date 2026-11-21 --reason \"late bookings, INC-4711\" --dry-run
  filegen correct -c loans.yaml --date 2026-11-21 --reason \"late bookings, INC-4711\"
  filegen correct -c loans.yaml --date 2026-11-21 --reason \"wrong rate\" --files Loan1,Loan2")]
pub struct Args {
    /// Business date to make again
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    date: BusinessDate,
    /// Why; stands in the manifest, the completion events and the audit trail
    #[arg(long, value_name = "TEXT", value_parser = checked_reason)]
    reason: String,
    /// Files to make anew; the others stay as they are [default: all]
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',', value_parser = file_id)]
    files: Vec<FileId>,
    #[command(flatten)]
    params: ParamArgs,
    /// Do not wait for the lease: exit code 5 when another instance holds it
    #[arg(long)]
    no_wait: bool,
    /// Connect and count; show what would be read and written, and do neither
    #[arg(long)]
    dry_run: bool,
}

fn file_id(text: &str) -> Result<FileId, String> {
    FileId::new(text).map_err(|error| error.to_string())
}

/// Corrects.
pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker = context.worker_with(&args.params)?;
    let run = RunId { worker: worker.id.clone(), date: args.date };
    let asked = Asked { reason: args.reason.clone(), who: wiring::who(), files: args.files.clone() };
    let order = Order {
        worker,
        run,
        start: Start::Resume,
        wait: !args.no_wait,
        force: false,
        reason: args.reason.clone(),
        correction: Some(asked),
    };
    if args.dry_run { preview::show(context, &order) } else { foreground::run(context, &order) }
}
