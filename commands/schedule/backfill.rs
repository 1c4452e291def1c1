//! `filegen schedule backfill`: the due times that were missed between two times.

use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::scheduler::{Opened, scheduler};
use crate::commands::ui::table::counted;
use crate::core::model::moment::moment as shown;
use crate::core::model::schedule::ScheduleId;
use crate::core::schedule::steer;
use crate::wiring::Access;
use jiff::Timestamp;
use serde::Serialize;

/// Run the due times that were missed between two times
///
/// Those that stand as missed, left out or interrupted, and those of which nothing is written down; not those that failed. Each runs
/// under its own due time, one after the other. A repeat runs none again.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen schedule backfill Loans -c intake.yaml --from 2026-11-28T00:00:00Z --to 2026-11-29T00:00:00Z --dry-run
  filegen schedule backfill Loans -c intake.yaml --from 2026-11-28T00:00:00Z --reason \"the store was away\"")]
pub(super) struct Args {
    /// Its id or its name
    #[arg(value_name = "ID|NAME")]
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
    name: String,
    due_times: Vec<String>,
    /// How many of them were asked for: none that somebody else has asked for meanwhile.
    asked: usize,
    dry_run: bool,
}

/// Asks for them.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let (scheduler, _) = scheduler(context)?;
    context.block_on(async {
        let opened = Opened::of(&scheduler, if args.dry_run { Access::Look } else { Access::Change }).await?;
        let (store, asked) = (&*opened.state.schedules, opened.asked(&args.reason));
        let span = (args.from, args.to.unwrap_or(opened.now));
        if args.to.is_none() && span.1 < span.0 {
            let told = "--from lies in the future: nothing was missed there";
            return Err(Failure::new(Code::Usage, told).hint("write an earlier moment as --from"));
        }
        if span.1 < span.0 {
            return Err(Failure::new(Code::Usage, "--to lies before --from").hint("write the earlier moment as --from"));
        }
        let schedule = steer::find(store, &args.id).await?;
        let missed = steer::missed(store, &opened.settings, schedule.id.as_str(), span, &asked).await?;
        let count = if args.dry_run { 0 } else { opened.steering().backfill(&missed, &asked).await? };
        let filled = Filled {
            id: schedule.id,
            name: schedule.name,
            due_times: missed.iter().map(|it| shown(it.due_time)).collect(),
            asked: count,
            dry_run: args.dry_run,
        };
        context.ui.result(&filled, |it| it.due_times.iter().fold(String::new(), |text, at| text + at + "\n"));
        let remembered = steer::remembered_since(&opened.settings, opened.now);
        if span.0 < remembered {
            let since = shown(remembered);
            context
                .ui
                .status(&format!("the history begins at {since}: what was due before may have run, and is left alone"));
        }
        let name = &filled.name;
        context.ui.status(&match (missed.len() as u64, args.dry_run) {
            (0, _) => format!("no due time of {name} was missed then"),
            (found, true) => format!("would run {} of {name}", counted(found, "due time")),
            (_, false) => {
                format!("asked for {} of {name}: the leader runs them in order", counted(count as u64, "due time"))
            }
        });
        Ok(CommandEnd::Done)
    })
}
