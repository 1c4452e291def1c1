//! `filegen dlq list`, `show` and `stats`.

use super::FilterArgs;
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ingest::load;
use crate::commands::ui;
use crate::commands::ui::table;
use crate::core::ingest::plan::{Filter, find};
use crate::core::ingest::replay::ReplayError;
use crate::core::model::letter::DeadLetter;
use crate::core::model::moment::moment;
use crate::core::model::shown;
use crate::core::ports::queue::QueueAudit;
use crate::wiring;
use serde::Serialize;
use std::collections::BTreeMap;

/// Lines about what was done to the queue that `stats` shows.
const AUDITS: usize = 20;

/// Bytes of a payload that a list shows; `dlq show` has all of it.
const LISTED_MAX: usize = 4096;

/// An entry in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(flatten)]
    letter: DeadLetter,
    /// Of the whole payload, where only its beginning is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_bytes: Option<usize>,
}

impl Listed {
    fn new(mut letter: DeadLetter) -> Self {
        let whole = letter.payload.len();
        if whole <= LISTED_MAX {
            return Self { letter, payload_bytes: None };
        }
        let end = (0..=LISTED_MAX).rev().find(|end| letter.payload.is_char_boundary(*end)).unwrap_or(0);
        // Not shortened in place: that would keep its memory.
        letter.payload = letter.payload[..end].to_owned();
        Self { letter, payload_bytes: Some(whole) }
    }
}

pub(super) fn list(context: &Context, args: &FilterArgs) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let queue = wiring::letter_queue(&ingest)?;
    let mut letters: Vec<Listed> = Vec::new();
    let odd = context.block_on(async {
        Ok(find(&*queue, &args.filter(), |letter| letters.push(Listed::new(letter)))
            .await
            .map_err(ReplayError::from)?)
    })?;
    context.ui.result(&letters, |letters| {
        if letters.is_empty() {
            return "no dead letters\n".to_owned();
        }
        let mut rows = context.ui.table(&["id", "event", "type", "key", "kind", "died", "why"]);
        for Listed { letter, .. } in letters {
            rows.row(vec![
                table::text(&letter.id),
                table::text(letter.event_id.as_deref().unwrap_or("-")),
                table::text(letter.kind.as_deref().unwrap_or("-")),
                table::text(letter.key.as_deref().unwrap_or("-")),
                table::text(letter.error.kind.as_str()),
                table::text(moment(letter.timestamp)),
                table::text(&letter.error.message),
            ]);
        }
        rows.text()
    });
    context.ui.unreadable(&odd);
    Ok(CommandEnd::Done)
}

/// Show one entry whole
#[derive(clap::Args, Debug)]
pub(super) struct ShowArgs {
    /// The entry's id, as `topic/partition@offset`, or the event's id
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn show(context: &Context, args: &ShowArgs) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let queue = wiring::letter_queue(&ingest)?;
    let mut found: Vec<DeadLetter> = Vec::new();
    let odd = context.block_on(async {
        let is_it = |letter: &DeadLetter| letter.id == args.id || letter.event_id.as_deref() == Some(args.id.as_str());
        let all = Filter::default();
        Ok(find(&*queue, &all, |letter| found.extend(Some(letter).filter(is_it))).await.map_err(ReplayError::from)?)
    })?;
    let Some(letter) = found.first() else {
        context.ui.unreadable(&odd);
        return Err(Failure::new(Code::Failed, format!("there is no dead letter `{}`", shown::name(&args.id)))
            .hint("`filegen dlq list{c}` shows those that there are"));
    };
    context.ui.result(letter, |letter| {
        let text = serde_json::to_string_pretty(letter).unwrap_or_default();
        format!("{text}\n")
    });
    Ok(CommandEnd::Done)
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Stats {
    entries: u64,
    by_kind: BTreeMap<String, u64>,
    by_type: BTreeMap<String, u64>,
    by_table: BTreeMap<String, u64>,
    by_column: BTreeMap<String, u64>,
    audit: Vec<QueueAudit>,
}

impl Stats {
    fn count(&mut self, letter: &DeadLetter) {
        self.entries += 1;
        let error = &letter.error;
        one(&mut self.by_kind, Some(error.kind.as_str().to_owned()));
        one(&mut self.by_type, letter.kind.clone());
        one(&mut self.by_table, error.table.clone());
        let column = error.table.as_ref().zip(error.column.as_ref()).map(|(table, column)| format!("{table}.{column}"));
        one(&mut self.by_column, column);
    }
}

fn one(counts: &mut BTreeMap<String, u64>, name: Option<String>) {
    *counts.entry(name.unwrap_or_else(|| "-".to_owned())).or_default() += 1;
}

pub(super) fn stats(context: &Context, args: &FilterArgs) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let queue = wiring::letter_queue(&ingest)?;
    let mut stats = Stats::default();
    let (mut odd, audit) = context.block_on(async {
        let odd = find(&*queue, &args.filter(), |letter| stats.count(&letter)).await.map_err(ReplayError::from)?;
        Ok((odd, queue.audits(AUDITS).await.map_err(ReplayError::from)?))
    })?;
    stats.audit = audit.records;
    odd.extend(audit.odd);
    context.ui.result(&stats, |stats| {
        let mut rows = context.ui.table(&["by", "what", "entries"]);
        let parts = [
            ("kind", &stats.by_kind),
            ("type", &stats.by_type),
            ("table", &stats.by_table),
            ("column", &stats.by_column),
        ];
        for (by, counts) in parts {
            for (name, count) in counts {
                rows.row(vec![table::text(by), table::text(name), table::number(*count)]);
            }
        }
        let mut text = format!("{} dead letters\n{}", table::thousands(stats.entries), rows.text());
        for line in &stats.audit {
            ui::line(
                &mut text,
                format_args!(
                    "{} {} {}: {} ({})",
                    moment(line.at),
                    shown::name(&line.who),
                    line.action,
                    shown::text(&line.reason),
                    shown::text(&line.detail)
                ),
            );
        }
        text
    });
    context.ui.unreadable(&odd);
    Ok(CommandEnd::Done)
}
