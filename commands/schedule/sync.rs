//! `filegen schedule sync`: schedules held against data sources.

use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::scheduler::{Opened, scheduler};
use crate::commands::ui::table::{self, counted};
use crate::core::schedule::feed::StoreFeed;
use crate::core::schedule::status::Unreadable;
use crate::core::schedule::sync::{self, Difference, Feed, Lack};
use crate::wiring::Access;
use serde::Serialize;
use std::sync::Arc;

/// Hold schedules against data sources, and mend the difference
///
/// A data source without a schedule gets one, a schedule that says anything else than its data source, or no next
/// time though it is due, is mended, and one whose data source is gone is removed. Each new leader does the same.
/// With --dry-run, ends with 4 when there is a difference; always, when a schedule cannot be read: mend or delete its
/// record, and sync again.
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
    /// Schedules that are there and cannot be read.
    unreadable: Vec<Unreadable>,
    mended: usize,
    dry_run: bool,
}

/// Looks, and mends.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let (scheduler, _) = scheduler(context)?;
    context.block_on(async {
        let access = if args.dry_run { Access::Look } else { Access::Change };
        let opened = Opened::of(&scheduler, access).await?;
        // In this order: a data source that is made in between would else look like a deleted one.
        let schedules = sync::schedules(&*opened.state.schedules).await?;
        let sources = StoreFeed(Arc::clone(&opened.state.sources)).sources().await?;
        let differences =
            sync::differences(&sources, (&schedules.records, &schedules.odd), &opened.settings, opened.now);
        let found = differences.len();
        let mended = if args.dry_run || found == 0 {
            0
        } else {
            // Before the change: one that nobody can explain is worse than a recorded try.
            opened.audit("schedule sync", &counted(found as u64, "schedule"), &args.reason).await?;
            sync::mend(&*opened.state.schedules, differences.clone()).await?.len()
        };
        context.ui.unreadable(&schedules.odd);
        let unreadable: Vec<_> =
            schedules.odd.into_iter().map(|it| Unreadable { record: it.id, reason: it.reason }).collect();
        let is_whole = unreadable.is_empty();
        let synced = Synced { differences, unreadable, mended, dry_run: args.dry_run };
        context.ui.result(&synced, |synced| text(context, &synced.differences));
        context.ui.status(&match (found, args.dry_run) {
            (0, _) => format!("no difference: {}", counted(sources.records.len() as u64, "data source")),
            (found, true) => counted(found as u64, "difference"),
            (found, false) => format!("{mended} of {} mended", counted(found as u64, "difference")),
        });
        Ok(CommandEnd::unless(mended != found || !is_whole))
    })
}

fn text(context: &Context, differences: &[Difference]) -> String {
    let mut shown = context.ui.table(&["id", "name", "lacks"]);
    for it in differences {
        let lacks = match it.lacks {
            Lack::Schedule => "its schedule",
            Lack::Version => "its data source's version",
            Lack::Rule => "what its data source says",
            Lack::NextTime => "its next time",
            Lack::DataSource => "its data source",
        };
        shown.row(vec![table::text(it.id.as_str()), table::text(&it.name), table::text(lacks)]);
    }
    if differences.is_empty() { String::new() } else { shown.text() }
}
