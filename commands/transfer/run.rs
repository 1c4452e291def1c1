//! `filegen transfer run`: both sides in the foreground.

use super::{load, named, traces};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::stop::{SignalReporter, Signals};
use crate::commands::ui::line;
use crate::commands::ui::table;
use crate::commands::ui::transfer::{Moved, TransferProgress};
use crate::core::model::shown;
use crate::core::transfer::error::TransferError;
use crate::core::transfer::service::{self, Until};
use crate::wiring;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Move what is there, in the foreground
///
/// Runs the sides that the file has until all that is there has arrived; files that are still being written are waited for. A run that
/// is killed goes on where it stopped. What fails for good is set aside with its reason, and the run then exits with 4; so it does when a
/// record of the ledger cannot be read: its version is left.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen transfer run -c sales.yaml
  filegen transfer run -c sales.yaml --once --output json")]
pub(super) struct Args {
    /// Leave files that are still being written to the next run
    #[arg(long)]
    once: bool,
}

impl SignalReporter for TransferProgress {
    fn say(&self, text: &str) {
        self.line(text);
    }

    fn finish(&self) {
        Self::finish(self);
    }
}

/// How a run ended.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended<'a> {
    transfer: &'a str,
    #[serde(flatten)]
    moved: Moved,
    seconds: f64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let transfer = load(context)?;
    let until = if args.once { Until::Once } else { Until::Arrived };
    context.block_on(async {
        let clock = wiring::clock();
        let progress = Arc::new(TransferProgress::new(&context.ui, context.globals.quiet));
        let signals = Signals::watch(Arc::clone(&progress) as Arc<dyn SignalReporter>)?;
        let state = wiring::transfer_state(&transfer, wiring::Access::Change).await?;
        let traced = traces::watch(&transfer, &progress);
        let sides = wiring::transfer_sides(&transfer, &state, &traced.observer, traced.sampler).await;
        let (collector, deliverer) = sides?;
        let begun = clock.elapsed();
        let result = service::run(collector, deliverer, until, wiring::jitter(), &signals.stop).await;
        let took = clock.elapsed().saturating_sub(begun);
        traced.close().await;
        progress.finish();
        let moved = progress.moved();
        let has_failed = moved.failed + moved.unreadable > 0;
        show(context, transfer.id.as_str(), moved, took);
        match (result, signals.stopped_by()) {
            (Err(TransferError::Stopped) | Ok(()), Some(by)) => Ok(CommandEnd::Ended(by.code())),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Ok(CommandEnd::unless(has_failed)),
        }
    })
}

fn show(context: &Context, transfer: &str, moved: Moved, took: Duration) {
    let ended = Ended { transfer, moved, seconds: took.as_secs_f64() };
    context.ui.result(&ended, |ended| {
        let moved = &ended.moved;
        if moved.is_nothing() {
            return format!("{transfer}: nothing to do\n");
        }
        let mut shown = context.ui.table(&["collected", "delivered", "again", "dropped", "failed", "bytes", "time"]);
        shown.row(vec![
            table::number(moved.collected),
            table::number(moved.delivered),
            table::number(moved.again),
            table::number(moved.dropped),
            table::number(moved.failed),
            table::right(table::bytes(moved.bytes)),
            table::right(table::span(took)),
        ]);
        let mut text = shown.text();
        for failure in &moved.failures {
            line(
                &mut text,
                format_args!("failed: {}: {}", named(&failure.id, &failure.path), shown::text(&failure.reason)),
            );
        }
        text
    });
}
