//! `filegen ingest check`: which events of a file would die, and why.

use super::load;
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::table;
use crate::core::ingest::decode::{decode, raw};
use crate::core::model::letter::{LetterError, RawEvent};
use crate::core::ports::consumer::Polled;
use crate::wiring;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Events that are read at a time.
const STEP: usize = 1000;

/// Say which events of a file would die, and why; no sink is needed
///
/// Holds each event against the file: JSON, type, values. What only the database knows, constraints and triggers, is not asked.
/// Exits with 4 when there are such events.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen ingest check -c events.yaml
  filegen ingest check -c events.yaml --from more.jsonl --output json")]
pub(super) struct Args {
    /// File of events, one a line; `-` reads stdin [default: the source, when it is a file]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    from: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    events: u64,
    dead: Vec<Dead>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dead {
    id: String,
    offset: i64,
    event_id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    error: LetterError,
}

impl Dead {
    fn new(event: &RawEvent, error: LetterError) -> Self {
        Self {
            id: event.place.to_string(),
            offset: event.place.offset,
            event_id: event.event_id.clone(),
            kind: event.kind.clone(),
            error,
        }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let is_kafka = matches!(ingest.source, crate::core::ingest::spec::SourceSpec::Kafka(_));
    if args.from.is_none() && is_kafka {
        return Err(Failure::new(Code::Usage, "the source is a topic, and this command reads a file")
            .hint("name one with `--from FILE`, or `--from -` for stdin"));
    }
    context.block_on(async {
        let mut events = wiring::events(&ingest, args.from.as_deref(), false)?;
        let mut shown = Shown { events: 0, dead: Vec::new() };
        let now = wiring::clock().now();
        loop {
            match events.next_batch(STEP, Duration::ZERO).await? {
                Polled::Messages(messages) if messages.is_empty() => break,
                Polled::Messages(messages) => {
                    for message in messages {
                        shown.events += 1;
                        if let Err(refused) = decode(&ingest, raw(message, ""), 0, now) {
                            let (event, error) = *refused;
                            shown.dead.push(Dead::new(&event, error));
                        }
                    }
                }
                Polled::Assigned(_) | Polled::Revoked(_) => {}
            }
        }
        context.ui.result(&shown, |shown| text(context, shown));
        Ok(CommandEnd::unless(!shown.dead.is_empty()))
    })
}

fn text(context: &Context, shown: &Shown) -> String {
    let all = table::thousands(shown.events);
    if shown.dead.is_empty() {
        return format!("{all} events, and each fits\n");
    }
    let mut rows = context.ui.table(&["id", "event", "type", "kind", "column", "why"]);
    for dead in &shown.dead {
        rows.row(vec![
            table::text(&dead.id),
            table::text(dead.event_id.as_deref().unwrap_or("-")),
            table::text(dead.kind.as_deref().unwrap_or("-")),
            table::text(dead.error.kind.as_str()),
            table::text(dead.error.column.as_deref().unwrap_or("-")),
            table::text(&dead.error.message),
        ]);
    }
    format!("{}{} of {all} events would die\n", rows.text(), table::thousands(shown.dead.len() as u64))
}
