//! `filegen schedule list`: all schedules and how they stand.

use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::scheduler::{Opened, scheduler};
use crate::commands::ui::table::{self, Tone};
use crate::core::model::moment::moment;
use crate::core::model::schedule::{Outcome, ScheduleStatus};
use crate::core::schedule::steer::{self, Standing};
use crate::wiring::Access;
use serde::Serialize;
use std::time::Duration;

/// Show all schedules: status, next time, last outcome, how late
///
/// The next time is the first one that nobody has decided. Where it has passed, LATE says for how long: no scheduler leads, or its
/// leader has too much to do.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen schedule list -c intake.yaml
  filegen schedule list -c intake.yaml --status Paused --output json")]
pub(super) struct Args {
    /// Only those of this status
    #[arg(long, value_name = "Active|Paused|Failed", value_parser = status)]
    status: Option<ScheduleStatus>,
}

fn status(word: &str) -> Result<ScheduleStatus, String> {
    let found = ScheduleStatus::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word));
    found.ok_or_else(|| "write Active, Paused or Failed".to_owned())
}

#[derive(Serialize)]
struct Listed {
    total: usize,
    items: Vec<Standing>,
}

/// Shows them.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let (scheduler, _) = scheduler(context)?;
    context.block_on(async {
        let opened = Opened::of(&scheduler, Access::Look).await?;
        let all = steer::list(&*opened.state.schedules).await?;
        let is_none = all.is_empty();
        let wanted = all.into_iter().filter(|it| args.status.is_none_or(|status| it.status == status));
        let items: Vec<_> = wanted.map(|it| Standing::at(opened.now, it, &opened.settings)).collect();
        let listed = Listed { total: items.len(), items };
        context.ui.result(&listed, |listed| text(context, &listed.items));
        context.ui.unreadable(&opened.state.schedules.odd_records().await?);
        match (listed.items.is_empty(), is_none) {
            (true, true) => {
                context.ui.status("no schedule: there is no data source, or no scheduler has led yet");
            }
            (true, false) => context.ui.status("no schedule of this status"),
            (false, _) => {}
        }
        Ok(CommandEnd::Done)
    })
}

fn text(context: &Context, schedules: &[Standing]) -> String {
    let mut shown = context.ui.table(&["name", "status", "next", "late", "last", "outcome", "cron", "zone", "id"]);
    for Standing { schedule: it, late_seconds } in schedules {
        let late = u64::try_from(*late_seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let (status, tone) = if it.is_active { (it.status.as_str(), tone_of(it.status)) } else { ("Off", Tone::Faint) };
        shown.row(vec![
            table::text(&it.name),
            table::toned(status, tone),
            table::text(it.next_execution_time.map_or_else(|| "-".to_owned(), moment)),
            table::toned(late.map_or_else(|| "-".to_owned(), table::span), late.map_or(Tone::Plain, |_| Tone::Bad)),
            table::text(it.last_execution_time.map_or_else(|| "-".to_owned(), moment)),
            outcome(it.last_status),
            table::text(&it.rule.cron_expression),
            table::text(&it.rule.zone),
            table::text(it.id.as_str()),
        ]);
    }
    if schedules.is_empty() { String::new() } else { shown.text() }
}

fn tone_of(status: ScheduleStatus) -> Tone {
    match status {
        ScheduleStatus::Active => Tone::Good,
        ScheduleStatus::Paused => Tone::Warn,
        ScheduleStatus::Failed => Tone::Bad,
    }
}

/// A cell for what became of a due time.
pub(super) fn outcome(outcome: Option<Outcome>) -> comfy_table::Cell {
    let tone = match outcome {
        Some(Outcome::Succeeded) => Tone::Good,
        Some(Outcome::Failed) => Tone::Bad,
        Some(Outcome::Missed | Outcome::Interrupted) => Tone::Warn,
        Some(Outcome::Skipped | Outcome::Queued | Outcome::Running) => Tone::Plain,
        None => Tone::Faint,
    };
    table::toned(outcome.map_or("-", Outcome::as_str), tone)
}
