//! `filegen schedule sync`: schedules held against data sources.

use super::act::audit;
use super::opened::{open, scheduler};
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::table;
use crate::core::schedule::sync::{self, Difference, Lack};
use crate::wiring::{self, Access};
use serde::Serialize;

/// A data source without a schedule gets one, a schedule of an earlier version is brought up to date, and one whose data source is gone
/// is removed. Each new leader does the same. With --dry-run, ends with 4 when there is a difference.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen schedule sync -c intake.yaml --dry-run
  filegen schedule sync -c intake.yaml")]
pub(super) struct Args {
    /// Show the differences, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Synced {
    differences: Vec<Difference>,
    mended: usize,
    dry_run: bool,
}

/// Looks, and mends.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let scheduler = scheduler(context)?;
    context.block_on(async {
        let access = if args.dry_run { Access::Look } else { Access::Change };
        let opened = open(scheduler, access).await?;
        let schedules = opened.store.schedules().await?;
        let sources = wiring::data_sources(&opened.scheduler, access).await?.sources().await?;
        let differences = sync::differences(&sources, &schedules, &opened.settings, opened.now);
        let mended = if args.dry_run { 0 } else { sync::mend(&*opened.store, &differences).await? };
        let found = differences.len();
        if mended > 0 {
            audit(&opened, "schedule sync", &format!("{mended} schedules"), &args.reason).await?;
        }
        let synced = Synced { differences, mended, dry_run: args.dry_run };
        context.ui.result(&synced, |synced| text(context, &synced.differences));
        context.ui.status(&match (found, args.dry_run) {
            (0, _) => format!("{} schedules are those of the data sources", schedules.iter().filter(|it| !it.is_deleted).count()),
            (found, true) => format!("{found} differences"),
            (found, false) => format!("{mended} of {found} differences mended"),
        });
        Ok(if mended == found { CommandEnd::Done } else { CommandEnd::Ended(Code::Difference) })
    })
}

fn text(context: &Context, differences: &[Difference]) -> String {
    let mut shown = context.ui.table(&["id", "name", "lacks"]);
    for it in differences {
        let lacks = match it.lacks {
            Lack::Schedule => "its schedule",
            Lack::Version => "its data source's latest version",
            Lack::DataSource => "its data source",
        };
        shown.row(vec![table::text(it.id.as_str()), table::text(&it.name), table::text(lacks)]);
    }
    if differences.is_empty() { String::new() } else { shown.text() }
}
