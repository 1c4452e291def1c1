//! `filegen datasource create`, `update` and `delete`.

use super::{open, scheduler};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::one_line;
use crate::core::model::data_source::DataSource;
use crate::core::model::shown;
use crate::core::schedule::import::said;
use crate::core::schedule::sources::{Saved, Seen};
use crate::wiring::Access;
use serde::Serialize;
use serde_json::{Map, Value};

/// What people say of a data source.
#[derive(clap::Args, Debug)]
struct Said {
    /// Unique name
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// Folder below one of the scheduler's roots
    #[arg(long)]
    path: Option<String>,
    /// Which files: '*.csv', '{a,b}_??.txt', '**/*.csv'
    #[arg(long)]
    pattern: Option<String>,
    /// Whether folders below count too
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    recursive: Option<bool>,
    /// When: a cron expression, as Quartz reads it
    #[arg(long, value_name = "EXPR", conflicts_with = "rate")]
    cron: Option<String>,
    /// How often, in place of --cron: 2m
    #[arg(long, value_name = "TIME")]
    rate: Option<String>,
    /// IANA zone of the expression
    #[arg(long)]
    zone: Option<String>,
    /// Any field as JSON: 'action={"run":"LoanWorker"}'; may be given many times
    #[arg(long = "set", value_name = "FIELD=JSON", value_parser = set)]
    set: Vec<(String, Value)>,
}

/// Make a data source
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen datasource create -c intake.yaml --name Loans --path data/loans --pattern '*.csv' --rate 2m")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    said: Said,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Change a data source: what is not given stays
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen datasource update -c intake.yaml Loans --cron '0 0 6 ? * MON-FRI' --zone Europe/Berlin")]
pub(super) struct UpdateArgs {
    /// Its id or its name
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// Refuse when another version than this is there
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    #[command(flatten)]
    said: Said,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Delete a data source
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen datasource delete -c intake.yaml Loans --yes")]
pub(super) struct DeleteArgs {
    /// Its id or its name
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// Refuse when another version than this is there
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn set(text: &str) -> Result<(String, Value), String> {
    let (name, json) = text.split_once('=').ok_or("write FIELD=JSON")?;
    let value = serde_json::from_str(json).map_err(|error| format!("this is no JSON: {error}"))?;
    Ok((name.to_owned(), value))
}

impl Said {
    fn over(&self, before: Value) -> Value {
        let mut fields = match before {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let texts = [
            ("name", &self.name),
            ("description", &self.description),
            ("path", &self.path),
            ("pattern", &self.pattern),
            ("cronExpression", &self.cron),
            ("pollingRate", &self.rate),
            ("zone", &self.zone),
        ];
        if self.rate.is_some() {
            fields.remove("cronExpression");
        }
        let given = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.clone()?))));
        fields.extend(given);
        fields.extend(self.recursive.map(|recursive| ("recursive".to_owned(), recursive.into())));
        fields.extend(self.set.iter().cloned());
        Value::Object(fields)
    }
}

fn access(dry_run: bool) -> Access {
    if dry_run { Access::Look } else { Access::Change }
}

fn told(context: &Context, verb: &str, saved: &Saved) -> CommandEnd {
    for warning in &saved.warnings {
        context.ui.status(&format!("{} {warning}", context.ui.paint_warning("warning:")));
    }
    context.ui.result(&saved.source, |source| {
        one_line(format_args!("{verb} {} ({}), version {}", shown::name(&source.name), source.id, source.version))
    });
    CommandEnd::Done
}

pub(super) fn create(context: &Context, args: &CreateArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, others) = scheduler(context)?;
    context.block_on(async {
        let sources = open(&scheduler, &others, access(args.dry_run)).await?;
        let given = args.said.over(Value::Null);
        if args.dry_run {
            return Ok(told(context, "would create", &sources.would_create(&given).await?));
        }
        Ok(told(context, "created", &sources.create(&given).await?))
    })
}

pub(super) fn update(context: &Context, args: &UpdateArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, others) = scheduler(context)?;
    context.block_on(async {
        let sources = open(&scheduler, &others, access(args.dry_run)).await?;
        let there = sources.find(&args.which).await?;
        let seen = Seen::Versions(vec![args.version.unwrap_or(there.version)]);
        let (id, before) = (there.id.as_str(), said(&there));
        let given = args.said.over(before.clone());
        if given == before && args.version.is_none_or(|version| version == there.version) {
            context.ui.status(&format!("nothing to change: {} stays at version {}", there.name, there.version));
            context.ui.result(&there, |_| String::new());
            return Ok(CommandEnd::Done);
        }
        if args.dry_run {
            return Ok(told(context, "would change", &sources.would_update(id, &seen, &given).await?));
        }
        Ok(told(context, "changed", &sources.update(id, &seen, &given).await?))
    })
}

#[derive(Serialize)]
struct Deleted {
    id: String,
    name: String,
}

pub(super) fn delete(context: &Context, args: &DeleteArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, others) = scheduler(context)?;
    context.block_on(async {
        let sources = open(&scheduler, &others, access(args.dry_run)).await?;
        let there = sources.find(&args.which).await?;
        let seen = Seen::Versions(vec![args.version.unwrap_or(there.version)]);
        if args.dry_run {
            let there = sources.would_delete(there.id.as_str(), &seen).await?;
            return Ok(gone(context, "would delete", there));
        }
        let question = format!("Delete the data source {}, version {}?", there.name, there.version);
        if !context.confirmed(args.yes, &question)? {
            context.ui.status("nothing deleted");
            return Ok(CommandEnd::DECLINED);
        }
        Ok(gone(context, "deleted", sources.delete(there.id.as_str(), &seen).await?))
    })
}

fn gone(context: &Context, verb: &str, source: DataSource) -> CommandEnd {
    let gone = Deleted { id: source.id.to_string(), name: source.name };
    context.ui.result(&gone, |gone| one_line(format_args!("{verb} {} ({})", shown::name(&gone.name), gone.id)));
    CommandEnd::Done
}
