//! `filegen schedule list`: all schedules and how they stand.

use super::opened::{ScheduleView, open, refused, scheduler};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::table::{self, Tone};
use crate::core::model::moment::moment;
use crate::core::model::schedule::{Outcome, Schedule, ScheduleStatus};
use crate::core::schedule::steer;
use crate::wiring::Access;
use serde::Serialize;
use std::time::Duration;

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
    schedules: Vec<ScheduleView>,
}

/// Shows them.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let scheduler = scheduler(context)?;
    context.block_on(async {
        let opened = open(scheduler, Access::Look).await?;
        let all = steer::list(&*opened.store).await.map_err(refused)?;
        let wanted = all.into_iter().filter(|it| args.status.is_none_or(|status| it.status == status));
        let view = |schedule: Schedule| ScheduleView {
            late_seconds: steer::late_by(&schedule, opened.now).map(|late| late.as_secs()),
            schedule,
        };
        let listed = Listed { schedules: wanted.map(view).collect() };
        context.ui.result(&listed, |listed| text(context, &listed.schedules));
        if listed.schedules.is_empty() {
            context.ui.status("no schedules: there are no data sources, or no scheduler has led yet");
        }
        Ok(CommandEnd::Done)
    })
}

fn text(context: &Context, schedules: &[ScheduleView]) -> String {
    let mut shown = context.ui.table(&["id", "name", "status", "cron", "zone", "next", "late", "last", "outcome"]);
    for ScheduleView { schedule: it, late_seconds } in schedules {
        let late = late_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        shown.row(vec![
            table::text(it.id.as_str()),
            table::text(&it.name),
            table::toned(it.status.as_str(), tone_of(it.status)),
            table::text(&it.rule.cron_expression),
            table::text(&it.rule.zone),
            table::text(it.next_execution_time.map_or_else(|| "-".to_owned(), moment)),
            table::toned(late.map_or_else(|| "-".to_owned(), table::span), late.map_or(Tone::Plain, |_| Tone::Bad)),
            table::text(it.last_execution_time.map_or_else(|| "-".to_owned(), moment)),
            outcome(it.last_status),
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
