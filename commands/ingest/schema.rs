//! `filegen ingest schema`: the tables as statements, or made.

use super::load;
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::wiring;
use serde_json::json;

/// Print the tables as statements of the sink's database, or make those that are missing
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen ingest schema -c events.yaml > tables.sql
  filegen ingest schema -c events.yaml --apply")]
pub(super) struct Args {
    /// Make the tables that are missing, and check the others
    #[arg(long)]
    apply: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let mut sink = wiring::sql_sink(&ingest)?;
    let statements = sink.schema(&ingest.tables);
    if args.apply {
        context.block_on(async { Ok(sink.open(true).await?) })?;
    }
    let applied = json!({ "sink": sink.describe(), "applied": args.apply, "statements": statements });
    context.ui.result(&applied, |_| {
        if args.apply {
            format!("the tables are there: {}\n", sink.describe())
        } else {
            format!("{}\n", statements.join("\n\n"))
        }
    });
    Ok(CommandEnd::Done)
}
