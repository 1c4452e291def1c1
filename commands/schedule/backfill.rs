//! `filegen schedule backfill`: the due times that were missed between two times.

use super::act::audit;
use super::opened::{asked, open, refused, scheduler};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::core::model::schedule::ScheduleId;
use crate::core::schedule::steer;
use crate::wiring::Access;
use jiff::Timestamp;
use serde::Serialize;

/// Those that stand as missed, left out or interrupted, and those of which nothing is written down; not those that failed. Each runs
/// under its own due time, one after the other. A repeat runs none again.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen schedule backfill Loans -c intake.yaml --from 2026-11-28T00:00:00Z --to 2026-11-29T00:00:00Z --dry-run
  filegen schedule backfill Loans -c intake.yaml --from 2026-11-28T00:00:00Z --reason \"the store was away\"")]
pub(super) struct Args {
    /// The schedule's id, or its name
    #[arg(value_name = "ID")]
    id: String,
    /// From this moment on
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Timestamp,
    /// Up to this moment [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Show which due times would run, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a moment with its offset, as 2026-11-28T00:00:00Z".to_owned())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filled {
    id: ScheduleId,
    due_times: Vec<String>,
    dry_run: bool,
}

/// Asks for them.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let scheduler = scheduler(context)?;
    context.block_on(async {
        let opened = open(scheduler, if args.dry_run { Access::Look } else { Access::Change }).await?;
        let asked = asked(&args.reason, opened.now);
        let span = (args.from, args.to.unwrap_or(opened.now));
        let schedule = steer::find(&*opened.store, &args.id).await.map_err(refused)?;
        let missed = steer::missed(&*opened.store, &opened.settings, schedule.id.as_str(), span, &asked);
        let missed = missed.await.map_err(refused)?;
        let filled = Filled {
            id: schedule.id.clone(),
            due_times: missed.iter().map(|it| it.due_time.to_string()).collect(),
            dry_run: args.dry_run,
        };
        context.ui.result(&filled, |filled| filled.due_times.iter().fold(String::new(), |text, at| text + at + "\n"));
        if args.dry_run {
            context.ui.status(&format!("would run {} due times of {}", missed.len(), schedule.name));
            return Ok(CommandEnd::Done);
        }
        let count = steer::backfill(&*opened.store, &missed).await.map_err(refused)?;
        if count > 0 {
            audit(&opened, "schedule backfill", &format!("{}: {count} due times", schedule.id), &args.reason).await?;
        }
        context.ui.status(&format!("asked for {count} due times of {}: the leader runs them in order", schedule.name));
        Ok(CommandEnd::Done)
    })
}
