//! `filegen ingest status`: where reading stands, and what waits.

use super::load;
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::line;
use crate::commands::ui::table::{self, Tone};
use crate::commands::watch;
use crate::core::ingest::relay;
use crate::core::ingest::spec::Ingest;
use crate::core::model::message::Partition;
use crate::core::model::shown;
use crate::core::ports::sql_sink::{SinkCounts, StoredPosition};
use crate::wiring;
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    ingest: &'a str,
    sink: String,
    positions: Vec<Position<'a>>,
    tables: Vec<Rows<'a>>,
    parked: u64,
    outbox: u64,
    /// `None` when the queue does not answer.
    dead_letters: Option<u64>,
    /// `None` when it does not answer, or does not tell.
    dead_letter_bytes: Option<u64>,
    #[serde(skip)]
    is_full: bool,
    /// Records in the sink that cannot be read: the first of them.
    unreadable: Vec<Unreadable>,
}

#[derive(Serialize)]
struct Unreadable {
    record: String,
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Position<'a> {
    topic: &'a str,
    topic_id: &'a str,
    partition: i32,
    next: i64,
    /// Behind the end of the log. For a file, in bytes. `None` when the log does not answer.
    lag: Option<i64>,
}

#[derive(Serialize)]
struct Rows<'a> {
    table: &'a str,
    rows: u64,
}

/// Shows, with `watch` again and again.
pub(super) fn run(context: &Context, watch: bool) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    context.block_on(async {
        watch::show(watch, &*wiring::clock(), async || look(context, &ingest).await).await?;
        Ok(CommandEnd::Done)
    })
}

/// One look. Whether somebody still reads.
async fn look(context: &Context, ingest: &Ingest) -> Result<bool, Failure> {
    let mut sink = wiring::sql_sink(ingest)?;
    let counts = sink.counts().await?;
    let mut log = wiring::events(ingest, None, false)?;
    let mut lags = Vec::new();
    for position in &counts.positions.records {
        let partition = Partition { topic: position.topic.clone(), number: position.partition };
        let marks = log.watermarks(&partition).await.ok();
        lags.push(marks.map(|marks| marks.next.saturating_sub(position.next).max(0)));
    }
    let queue = wiring::letter_queue(ingest)?;
    let mut odd = counts.positions.odd.clone();
    odd.extend(relay::odd(&mut *sink).await?);
    let mut shown = shown(ingest.id.as_str(), sink.describe(), &counts, &lags, queue.count().await.ok());
    shown.dead_letter_bytes = queue.bytes().await.ok().flatten();
    shown.is_full = shown.dead_letter_bytes.is_some_and(|bytes| bytes >= ingest.dead_letters.max_bytes);
    shown.unreadable = odd.into_iter().map(|it| Unreadable { record: it.id, reason: it.reason }).collect();
    context.ui.result(&shown, |shown| text(context, shown));
    Ok(!context.ui.is_closed())
}

fn shown<'a>(
    ingest: &'a str,
    sink: String,
    counts: &'a SinkCounts,
    lags: &[Option<i64>],
    dead_letters: Option<u64>,
) -> Shown<'a> {
    let position = |(position, lag): (&'a StoredPosition, &Option<i64>)| Position {
        topic: &position.topic,
        topic_id: &position.topic_id,
        partition: position.partition,
        next: position.next,
        lag: *lag,
    };
    Shown {
        ingest,
        sink,
        positions: counts.positions.records.iter().zip(lags).map(position).collect(),
        tables: counts.tables.iter().map(|(table, rows)| Rows { table, rows: *rows }).collect(),
        parked: counts.parked,
        outbox: counts.outbox,
        dead_letters,
        dead_letter_bytes: None,
        is_full: false,
        unreadable: Vec::new(),
    }
}

fn text(context: &Context, shown: &Shown<'_>) -> String {
    let dead = shown.dead_letters.map_or_else(|| "unknown".to_owned(), table::thousands);
    let full = if shown.is_full { " (their queue is full)" } else { "" };
    let mut text =
        format!("{}: parked {}, outbox {}, dead letters {dead}{full}\n", shown.ingest, shown.parked, shown.outbox);
    if shown.positions.is_empty() {
        text.push_str("no event was read yet\n");
    } else {
        let mut positions = context.ui.table(&["topic", "partition", "next", "lag"]);
        for position in &shown.positions {
            positions.row(vec![
                table::text(position.topic),
                table::right(position.partition.to_string()),
                table::right(position.next.to_string()),
                table::right(position.lag.map_or_else(|| "-".to_owned(), |lag| lag.to_string())),
            ]);
        }
        text.push_str(&positions.text());
    }
    let mut tables = context.ui.table(&["table", "rows"]);
    for rows in &shown.tables {
        tables.row(vec![table::text(rows.table), table::number(rows.rows)]);
    }
    // Writing into a string cannot fail.
    let _ = write!(text, "{}", tables.text());
    for record in &shown.unreadable {
        let words = format!("{} cannot be read: {}", shown::name(&record.record), shown::text(&record.reason));
        line(&mut text, format_args!("{}", context.ui.paint_out(&words, Tone::Bad)));
    }
    text
}
