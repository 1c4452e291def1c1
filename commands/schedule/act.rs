//! `filegen schedule pause`, `resume` and `run`.

use super::opened::{Opened, asked, open, refused, scheduler};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::core::model::moment::moment;
use crate::core::model::schedule::{Schedule, ScheduleId, ScheduleStatus};
use crate::core::ports::audit::AuditEntry;
use crate::core::schedule::steer;
use crate::wiring::{self, Access};
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

/// It fires no more until it is resumed; what runs goes on to its end. Who paused it and why stands in the list, on the page and in the
/// audit trail. An edit of the data source leaves it paused.
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

/// The leader begins it within a second, also while the schedule is paused. It is no due time: the next one stays.
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
    /// The schedule's id, or its name
    #[arg(value_name = "ID")]
    id: String,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Acted<'a> {
    id: &'a ScheduleId,
    name: &'a str,
    status: &'static str,
    next_execution_time: Option<String>,
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    id: &'a ScheduleId,
    execution_id: Option<&'a str>,
    dry_run: bool,
}

pub(super) fn pause(context: &Context, args: &PauseArgs) -> Result<CommandEnd, Failure> {
    let scheduler = scheduler(context)?;
    context.block_on(async {
        let opened = open(scheduler, access(args.which.dry_run)).await?;
        let asked = asked(&args.reason, opened.now);
        let paused = if args.which.dry_run {
            steer::find(&*opened.store, &args.which.id).await
        } else {
            steer::pause(&*opened.store, &args.which.id, &asked).await
        };
        let schedule = paused.map_err(refused)?;
        tell(context, &opened, &schedule, &args.which, ("pause", "paused", &args.reason)).await
    })
}

pub(super) fn resume(context: &Context, args: &ResumeArgs) -> Result<CommandEnd, Failure> {
    let scheduler = scheduler(context)?;
    context.block_on(async {
        let opened = open(scheduler, access(args.which.dry_run)).await?;
        let asked = asked(&args.reason, opened.now);
        let resumed = if args.which.dry_run {
            steer::find(&*opened.store, &args.which.id).await
        } else {
            steer::resume(&*opened.store, &opened.settings, &args.which.id, &asked).await
        };
        let schedule = resumed.map_err(refused)?;
        tell(context, &opened, &schedule, &args.which, ("resume", "resumed", &args.reason)).await
    })
}

pub(super) fn run(context: &Context, args: &RunArgs) -> Result<CommandEnd, Failure> {
    let scheduler = scheduler(context)?;
    context.block_on(async {
        let opened = open(scheduler, access(args.which.dry_run)).await?;
        if args.which.dry_run {
            let schedule = steer::find(&*opened.store, &args.which.id).await.map_err(refused)?;
            context.ui.result(&Asked { id: &schedule.id, execution_id: None, dry_run: true }, |_| String::new());
            context.ui.status(&format!("would run {} once, now", schedule.name));
            return Ok(CommandEnd::Done);
        }
        let asked = asked(&args.reason, opened.now);
        let execution = steer::run_now(&*opened.store, &args.which.id, &asked).await.map_err(refused)?;
        let id = &execution.schedule_id;
        audit(&opened, "schedule run", &execution.id, &args.reason).await?;
        let shown = Asked { id, execution_id: Some(&execution.id), dry_run: false };
        context.ui.result(&shown, |_| String::new());
        context.ui.status(&format!("asked for {}: the leader begins it; see `filegen schedule show {id}`", execution.id));
        Ok(CommandEnd::Done)
    })
}

fn access(dry_run: bool) -> Access {
    if dry_run { Access::Look } else { Access::Change }
}

/// Says what was done, or would be.
async fn tell(
    context: &Context,
    opened: &Opened,
    schedule: &Schedule,
    which: &Which,
    (verb, done, reason): (&str, &str, &str),
) -> Result<CommandEnd, Failure> {
    let next = schedule.next_execution_time.map(moment);
    let status = schedule.status.as_str();
    let Which { dry_run, .. } = *which;
    let (id, name) = (&schedule.id, schedule.name.as_str());
    context.ui.result(&Acted { id, name, status, next_execution_time: next.clone(), dry_run }, |_| String::new());
    if dry_run {
        context.ui.status(&format!("would {verb} {name} ({id}), which is {status}"));
        return Ok(CommandEnd::Done);
    }
    audit(opened, &format!("schedule {verb}"), id.as_str(), reason).await?;
    let then = match (schedule.status, next) {
        (ScheduleStatus::Active, Some(next)) => format!("; next at {next}"),
        _ => String::new(),
    };
    context.ui.status(&format!("{done} {name} ({id}){then}"));
    Ok(CommandEnd::Done)
}

/// Keeps who did what and why.
pub(super) async fn audit(opened: &Opened, action: &str, detail: &str, reason: &str) -> Result<(), Failure> {
    let entry = AuditEntry {
        at: opened.now,
        who: wiring::who(),
        action: action.to_owned(),
        detail: detail.to_owned(),
        reason: reason.to_owned(),
    };
    Ok(opened.audit.audit(&entry).await?)
}
