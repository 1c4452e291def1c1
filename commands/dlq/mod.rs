//! `filegen dlq`: dead letters searched, planned, replayed and dropped.

mod act;
mod look;
mod plan;

use super::context::Context;
use super::exit::CommandEnd;
use super::failure::Failure;
use crate::core::ingest::plan::Filter;
use crate::core::model::letter::LetterKind;
use jiff::Timestamp;

/// Search, plan, replay and drop events that cannot be rows
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen dlq list -c events.yaml")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// List entries, newest first
    #[command(after_help = "Examples:
  filegen dlq list -c events.yaml --kind length --limit 20
  filegen dlq list -c events.yaml --since 2026-11-21T00:00:00Z --output json")]
    List(FilterArgs),
    /// Show one entry whole
    #[command(after_help = "Example:
  filegen dlq show -c events.yaml events/3@1207")]
    Show(look::ShowArgs),
    /// Count entries by kind, type, table and column
    #[command(after_help = "Example:
  filegen dlq stats -c events.yaml")]
    Stats(FilterArgs),
    /// Freeze a set of entries, and say what a replay would do with each today
    #[command(after_help = "Example:
  filegen dlq plan -c events.yaml --kind parent --out plan.json")]
    Plan(plan::Args),
    /// Replay exactly the entries of a plan
    #[command(after_help = "Examples:
  filegen dlq apply -c events.yaml plan.json --reason \"users were loaded\"
  filegen dlq apply -c events.yaml plan.json --reason \"column was widened\" --rate 50")]
    Apply(act::ApplyArgs),
    /// Remove exactly the entries of a plan
    #[command(after_help = "Example:
  filegen dlq drop -c events.yaml plan.json --reason \"test events\"")]
    Drop(act::DropArgs),
}

/// Which entries.
#[derive(clap::Args, Debug, Clone)]
struct FilterArgs {
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    event: Option<String>,
    /// Only this kind of error: json, empty, size, type, missing, wrong_kind, length, precision, range, nul, timestamp,
    /// constraint, trigger or parent
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<String>,
    /// Only this message key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Only what died then or later
    #[arg(long, value_name = "TIMESTAMP", value_parser = since)]
    since: Option<Timestamp>,
    /// Only entries with this text in payload, message or id
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// At most so many, the newest
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

fn kind(text: &str) -> Result<String, String> {
    let all = LetterKind::ALL.map(LetterKind::as_str);
    if all.contains(&text) { Ok(text.to_owned()) } else { Err(format!("there are {}", all.join(", "))) }
}

fn since(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a moment with its zone, as 2026-11-21T10:30:00Z".to_owned())
}

impl FilterArgs {
    fn filter(&self) -> Filter {
        Filter {
            event: self.event.clone(),
            kind: self.kind.clone(),
            key: self.key.clone(),
            since: self.since,
            contains: self.contains.clone(),
            limit: self.limit,
        }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::List(args) => look::list(context, args),
        Action::Show(args) => look::show(context, args),
        Action::Stats(args) => look::stats(context, args),
        Action::Plan(args) => plan::run(context, args),
        Action::Apply(args) => act::apply(context, args),
        Action::Drop(args) => act::discard(context, args),
    }
}
