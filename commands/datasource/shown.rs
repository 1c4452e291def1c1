//! `filegen datasource list` and `show`.

use super::{open, scheduler};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::table;
use crate::core::model::data_source::DataSource;
use crate::core::ports::data_sources::Wanted;
use crate::wiring::{self, Access};
use jiff::tz::TimeZone;
use serde::Serialize;

/// List data sources
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen datasource list -c intake.yaml --search loans --output json")]
pub(super) struct ListArgs {
    /// Those with this text in name, description, path or pattern
    #[arg(long, value_name = "TEXT", default_value = "")]
    search: String,
    /// Those that are active, or those that are not
    #[arg(long, value_name = "active|inactive", value_parser = status)]
    status: Option<bool>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u32,
}

/// Show one data source, and its next due times
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen datasource show -c intake.yaml Loans")]
pub(super) struct ShowArgs {
    /// Its id or its name
    #[arg(value_name = "ID|NAME")]
    which: String,
}

fn status(text: &str) -> Result<bool, String> {
    match text {
        "active" => Ok(true),
        "inactive" => Ok(false),
        _ => Err("write active or inactive".to_owned()),
    }
}

#[derive(Serialize)]
struct Listed {
    total: u64,
    items: Vec<DataSource>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    source: DataSource,
    /// On the zone's clock.
    next: Vec<String>,
}

pub(super) fn list(context: &Context, args: &ListArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, others) = scheduler(context)?;
    context.block_on(async {
        let sources = open(&scheduler, &others, Access::Look).await?;
        let wanted = Wanted { text: args.search.clone(), active: args.status, most: args.limit, ..Wanted::default() };
        let found = sources.list(&wanted).await?;
        let listed = Listed { total: found.total, items: found.sources };
        context.ui.result(&listed, |listed| {
            let mut rows = context.ui.table(&["name", "active", "when", "zone", "folder", "files", "version", "id"]);
            for source in &listed.items {
                rows.row(vec![
                    table::text(&source.name),
                    table::text(if source.is_active { "yes" } else { "no" }),
                    table::text(&source.cron_expression),
                    table::text(&source.zone),
                    table::text(&source.path),
                    table::text(&source.pattern),
                    table::number(source.version),
                    table::text(source.id.as_str()),
                ]);
            }
            if listed.items.is_empty() { String::new() } else { rows.text() }
        });
        for odd in &found.odd {
            context.ui.status(&format!("data source {odd}"));
        }
        let shown = listed.items.len() as u64;
        if listed.items.is_empty() {
            context.ui.status("no data source");
        } else if shown < listed.total {
            let total = table::thousands(listed.total);
            context.ui.status(&format!("{} of {total} are shown; --limit shows more", table::thousands(shown)));
        }
        Ok(CommandEnd::Done)
    })
}

pub(super) fn show(context: &Context, args: &ShowArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, others) = scheduler(context)?;
    context.block_on(async {
        let sources = open(&scheduler, &others, Access::Look).await?;
        let source = sources.find(&args.which).await?;
        let zone = TimeZone::get(&source.zone).unwrap_or(TimeZone::UTC);
        let next = sources.next(&source, wiring::clock().now(), 5);
        let next = next
            .iter()
            .map(|at| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
            .collect();
        context.ui.result(&Shown { source, next }, |shown| {
            let value = serde_json::to_value(shown).unwrap_or_default();
            let mut rows = context.ui.table(&["field", "value"]);
            for (name, value) in value.as_object().into_iter().flatten() {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                rows.row(vec![table::text(name), table::text(text)]);
            }
            rows.text()
        });
        Ok(CommandEnd::Done)
    })
}
