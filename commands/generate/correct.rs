//! `filegen correct`: a published date is made again, as its next version.

use super::foreground::{self, Order};
use super::preview;
use crate::commands::context::{Context, ParamArgs, parse_date};
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::one_line;
use crate::core::generate::correct::{self, Asked, Cancelled};
use crate::core::generate::spec::Worker;
use crate::core::generate::{Edition, Job, Start};
use crate::core::model::correction::checked_reason;
use crate::core::model::names::FileId;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::model::shown;
use crate::core::ports::observer::Unobserved;
use crate::wiring::{self, Access};
use serde::Serialize;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
  filegen correct -c loans.yaml --date 2026-11-21 --reason \"wrong rate\" --files Loan1,Loan2
  filegen correct -c loans.yaml --date 2026-11-21 --reason \"the wrong date\" --cancel")]
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
    /// Take back a correction that was asked for and has not appeared yet; the version before stays
    #[arg(long, conflicts_with_all = ["files", "params", "dry_run", "no_wait"])]
    cancel: bool,
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
    if args.cancel {
        return cancel(context, worker, &run, &asked);
    }
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

/// What was cancelled.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledView {
    run_id: String,
    version: u32,
    files: Vec<String>,
    asked_by: String,
    asked_because: String,
    reason: String,
    recorded: bool,
}

fn cancel(context: &Context, worker: Arc<Worker>, run: &RunId, asked: &Asked) -> Result<CommandEnd, Failure> {
    let Cancelled { correction, is_recorded } = context.block_on(async {
        let ports = wiring::ports(&worker, Access::Change, Arc::new(Unobserved)).await?;
        let job = Job {
            worker,
            run: run.clone(),
            registry: Arc::clone(&context.registry),
            start: Start::Resume,
            stop: CancellationToken::new(),
            observer: Arc::new(Unobserved),
            edition: Edition::default(),
        };
        Ok(correct::cancel(&ports, &job, &wiring::identity(), asked).await?)
    })?;
    let what = correct::describe(&correction);
    let shown = CancelledView {
        run_id: run.to_string(),
        version: correction.version,
        asked_because: correction.shown_reason(),
        asked_by: correction.by,
        files: correction.files,
        reason: asked.reason.clone(),
        recorded: is_recorded,
    };
    context.ui.result(&shown, |shown| {
        let (run, by, why) = (&shown.run_id, &shown.asked_by, &shown.asked_because);
        one_line(format_args!(
            "cancelled {what} of run {run}, asked for by {}: {}; the version before stays",
            shown::name(by),
            shown::text(why)
        ))
    });
    if !is_recorded {
        context.ui.status("another process leads, and records it when it looks at the run next");
    }
    Ok(CommandEnd::Done)
}
