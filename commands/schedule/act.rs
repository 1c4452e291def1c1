//! `filegen schedule pause`, `resume` and `run`.

use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::scheduler::{Opened, scheduler};
use crate::commands::ui::one_line;
use crate::core::model::moment::moment;
use crate::core::model::schedule::{Schedule, ScheduleId, ScheduleStatus};
use crate::core::model::shown;
use crate::core::schedule::record;
use crate::core::schedule::steer::{self, SteerError};
use crate::wiring::Access;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

/// Stop a schedule from firing
///
/// It fires no more until it is resumed; what runs goes on to its end. Who paused it and why stands in the list, on the page and in
/// the audit trail. An edit of the data source leaves it paused.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen schedule pause Loans -c intake.yaml --reason \"the folder moves, INC-4711\"")]
pub(super) struct PauseArgs {
    #[command(flatten)]
    which: Which,
    /// Why, for the list and the audit trail
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,
}

/// Let a paused schedule go on from now
///
/// The next due time is the first one from now on: nothing that was due meanwhile is made up for. `backfill` does that.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen schedule resume Loans -c intake.yaml --reason \"the folder has moved\"")]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    which: Which,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// Run a schedule once, now
///
/// The leader begins it within seconds, also while the schedule is paused. It is no due time: the next one stays.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen schedule run Loans -c intake.yaml --reason \"a late delivery\"")]
pub(super) struct RunArgs {
    #[command(flatten)]
    which: Which,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(clap::Args, Debug)]
struct Which {
    /// Its id or its name
    #[arg(value_name = "ID|NAME")]
    id: String,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Which {
    fn access(&self) -> Access {
        if self.dry_run { Access::Look } else { Access::Change }
    }
}

/// As it is now; of a dry run, as it would be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Acted {
    id: ScheduleId,
    name: String,
    status: &'static str,
    next_execution_time: Option<String>,
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    id: ScheduleId,
    name: String,
    execution_id: Option<String>,
    dry_run: bool,
}

pub(super) fn pause(context: &Context, args: &PauseArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, _) = scheduler(context)?;
    context.block_on(async {
        let opened = Opened::of(&scheduler, args.which.access()).await?;
        let (store, asked) = (&*opened.state.schedules, opened.asked(&args.reason));
        let schedule = if args.which.dry_run {
            let there = steer::find(store, &args.which.id).await?;
            record::paused(&there, (&asked.who, &asked.why), &opened.settings, asked.at)
                .ok_or(SteerError::Already { id: there.id, status: there.status.as_str() })?
        } else {
            opened.steering().pause(&args.which.id, &asked).await?
        };
        tell(context, schedule, args.which.dry_run, ("pause", "paused"));
        Ok(CommandEnd::Done)
    })
}

pub(super) fn resume(context: &Context, args: &ResumeArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, _) = scheduler(context)?;
    context.block_on(async {
        let opened = Opened::of(&scheduler, args.which.access()).await?;
        let (store, asked) = (&*opened.state.schedules, opened.asked(&args.reason));
        let schedule = if args.which.dry_run {
            let there = steer::find(store, &args.which.id).await?;
            record::resumed(&there, &opened.settings, asked.at)
                .ok_or(SteerError::Already { id: there.id, status: there.status.as_str() })?
        } else {
            opened.steering().resume(&args.which.id, &asked).await?
        };
        tell(context, schedule, args.which.dry_run, ("resume", "resumed"));
        Ok(CommandEnd::Done)
    })
}

pub(super) fn run(context: &Context, args: &RunArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, _) = scheduler(context)?;
    context.block_on(async {
        let opened = Opened::of(&scheduler, args.which.access()).await?;
        let store = &*opened.state.schedules;
        let Schedule { id, name, .. } = steer::find(store, &args.which.id).await?;
        if args.which.dry_run {
            context.ui.result(&Wanted { id, name, execution_id: None, dry_run: true }, |wanted| {
                one_line(format_args!("would run {} ({}) once, now", shown::name(&wanted.name), wanted.id))
            });
            return Ok(CommandEnd::Done);
        }
        let execution = opened.steering().run_now(id.as_str(), &opened.asked(&args.reason)).await?;
        let wanted = Wanted { id, name, execution_id: Some(execution.id), dry_run: false };
        context.ui.result(&wanted, |wanted| {
            let execution = wanted.execution_id.as_deref().unwrap_or_default();
            one_line(format_args!("asked for {} ({}) once, now: {execution}", shown::name(&wanted.name), wanted.id))
        });
        let see = format!("filegen schedule show{} {}", context.config_option(), wanted.id);
        context.ui.status(&format!("the leader begins it; `{see}` shows what became of it"));
        Ok(CommandEnd::Done)
    })
}

/// Says what was done, or would be.
fn tell(context: &Context, schedule: Schedule, dry_run: bool, (verb, done): (&str, &str)) {
    let is_active = schedule.status == ScheduleStatus::Active;
    let acted = Acted {
        next_execution_time: schedule.next_execution_time.filter(|_| is_active).map(moment),
        status: schedule.status.as_str(),
        id: schedule.id,
        name: schedule.name,
        dry_run,
    };
    context.ui.result(&acted, |acted| {
        let what = if dry_run { format!("would {verb}") } else { done.to_owned() };
        let then = acted.next_execution_time.as_ref().map_or_else(String::new, |next| format!("; next at {next}"));
        one_line(format_args!("{what} {} ({}){then}", shown::name(&acted.name), acted.id))
    });
}
