//! `filegen dlq plan`: a frozen set of entries, and what a replay would do with each.

use super::FilterArgs;
use super::act::PLAN_MAX;
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ingest::load;
use crate::commands::ui::table;
use crate::config;
use crate::core::ingest::replay::Replay;
use crate::core::model::shown;
use crate::wiring;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Freeze a set of entries, and say what a replay would do with each today
///
/// Nothing changes: the sink is asked in a transaction that is rolled back. Exits with 4 when entries cannot be read: they are told, and
/// in no plan.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    filter: FilterArgs,
    /// Where the plan goes
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: PathBuf,
    /// Replace the file that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let (queue, clock) = (wiring::letter_queue(&ingest)?, wiring::clock());
    let instance = wiring::identity().instance.to_string();
    let replay = Replay { spec: &ingest, queue: &*queue, clock: &*clock, instance };
    let (plan, odd) = context.block_on(async {
        let mut sink = wiring::sql_sink(&ingest)?;
        sink.open(ingest.sink.create).await?;
        Ok(replay.plan(&args.filter.filter(), &mut *sink).await?)
    })?;
    // People look at it: what would turn its lines or their direction stands there as an escape.
    let text = shown::json(&serde_json::to_string_pretty(&plan).unwrap_or_default()) + "\n";
    if text.len() as u64 > PLAN_MAX {
        let message =
            format!("a plan of {} entries is larger than 48 MiB", table::thousands(plan.entries.len() as u64));
        return Err(
            Failure::new(Code::Failed, message).hint("make several plans: by `--kind`, `--type`, or with `--limit`")
        );
    }
    config::write_private(&args.out, &text, args.force).map_err(|error| {
        let failure = Failure::caused(Code::Failed, &error).context(format!("cannot write {}", args.out.display()));
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return failure.hint("name another file, or replace it with `--force`");
        }
        failure
    })?;
    let mut fates: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in &plan.entries {
        *fates.entry(entry.forecast.as_str()).or_default() += 1;
    }
    let shown = json!({ "plan": args.out.display().to_string(), "entries": plan.entries.len(), "forecast": fates });
    context.ui.result(&shown, |_| {
        let mut rows = context.ui.table(&["id", "event", "type", "would be", "why"]);
        for entry in &plan.entries {
            rows.row(vec![
                table::text(&entry.id),
                table::text(entry.event_id.as_deref().unwrap_or("-")),
                table::text(entry.event.as_deref().unwrap_or("-")),
                table::text(entry.forecast.as_str()),
                table::text(entry.reason.as_deref().unwrap_or("-")),
            ]);
        }
        format!(
            "{}wrote {}: {} entries\n",
            rows.text(),
            args.out.display(),
            table::thousands(plan.entries.len() as u64)
        )
    });
    context.ui.unreadable(&odd);
    Ok(CommandEnd::unless(!odd.is_empty()))
}
