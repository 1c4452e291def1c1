//! `filegen schedule show`: one schedule with its history.

use super::list::outcome;
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::scheduler::{Opened, scheduler};
use crate::commands::ui::table;
use crate::core::model::moment::moment;
use crate::core::model::schedule::{Execution, Schedule};
use crate::core::schedule::plan::Plan;
use crate::core::schedule::steer::{self, Standing};
use crate::wiring::Access;
use serde::Serialize;

/// Show one schedule with its history
///
/// Shows what the schedule says, when it is due next, and what became of its due times, the latest first, with the reason of each
/// that was missed or left out.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen schedule show Loans -c intake.yaml
  filegen schedule show 3f2c --history 100 -c intake.yaml --output json")]
pub(super) struct Args {
    /// Its id or its name
    #[arg(value_name = "ID|NAME")]
    id: String,
    /// How many due times to show
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    history: u16,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    schedule: Standing,
    /// The next due times, with the zone's offset.
    next: Vec<String>,
    history: Vec<Execution>,
}

/// Shows it.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let (scheduler, _) = scheduler(context)?;
    context.block_on(async {
        let opened = Opened::of(&scheduler, Access::Look).await?;
        let store = &*opened.state.schedules;
        let schedule = steer::find(store, &args.id).await?;
        let history = store.history(Some(&schedule.id), None, usize::from(args.history)).await?;
        let next = match Plan::of(&schedule, &opened.settings) {
            Ok(plan) if schedule.next_execution_time.is_some() => {
                let due = plan.timetable.upcoming(schedule.decided_until, 5);
                let zone = plan.timetable.zone;
                due.iter()
                    .map(|at| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
                    .collect()
            }
            _ => Vec::new(),
        };
        let shown = Shown { schedule: Standing::at(opened.now, schedule, &opened.settings), next, history };
        context.ui.result(&shown, |shown| text(context, shown));
        Ok(CommandEnd::Done)
    })
}

fn text(context: &Context, shown: &Shown) -> String {
    let it = &shown.schedule.schedule;
    let mut facts = context.ui.table(&["schedule", it.name.as_str()]);
    for (name, value) in facts_of(it, &shown.next) {
        facts.row(vec![table::text(name), table::text(value)]);
    }
    let mut history = context.ui.table(&["due", "outcome", "attempt", "began", "seen", "new", "by", "why"]);
    for it in &shown.history {
        history.row(vec![
            table::text(moment(it.due_time)),
            outcome(Some(it.outcome)),
            table::number(u64::from(it.attempt)),
            table::text(it.started_at.map_or_else(|| "-".to_owned(), moment)),
            table::number(it.files_seen),
            table::number(it.files_new),
            table::text(it.instance.as_deref().unwrap_or("-")),
            table::text(it.error.as_deref().or(it.reason.as_deref()).unwrap_or_default()),
        ]);
    }
    if shown.history.is_empty() { facts.text() } else { format!("{}\n{}", facts.text(), history.text()) }
}

fn facts_of(it: &Schedule, next: &[String]) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("id", it.id.to_string()),
        ("status", it.status.as_str().to_owned()),
        ("cron", format!("{} in {}", it.rule.cron_expression, it.rule.zone)),
        ("next", if next.is_empty() { "-".to_owned() } else { next.join("  ") }),
        ("executions", format!("{}, {} of them failed", it.execution_count, it.failure_count)),
    ];
    if let Some(who) = &it.paused_by {
        let when = it.paused_at.map_or_else(String::new, |at| format!(" at {}", moment(at)));
        facts.push(("paused by", format!("{who}{when}: {}", it.pause_reason.as_deref().unwrap_or("no reason given"))));
    }
    if let Some(name) = &it.rule.calendar {
        facts.push(("calendar", name.clone()));
    }
    if let Some(error) = &it.last_error {
        facts.push(("last error", error.clone()));
    }
    if let Some(day) = &it.deadline_missed {
        facts.push(("deadline missed", day.clone()));
    }
    facts
}
