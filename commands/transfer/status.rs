//! `filegen transfer status`: how many files are how far.

use super::{load, named, short};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::line;
use crate::commands::ui::table::{self, Tone};
use crate::commands::watch;
use crate::core::model::moment::moment;
use crate::core::model::shown;
use crate::core::transfer::status::{TransferStatus, status};
use crate::wiring;
use std::time::Duration;

/// Shows, with `watch` again and again.
pub(super) fn run(context: &Context, watch: bool) -> Result<CommandEnd, Failure> {
    let transfer = load(context)?;
    context.block_on(async {
        let clock = wiring::clock();
        watch::show(watch, &*clock, async || {
            let state = wiring::transfer_state(&transfer, wiring::Access::Look).await?;
            let found = status(&*state.ledger, &transfer, clock.now()).await?;
            context.ui.result(&found, |found| text(context, found));
            Ok(!context.ui.is_closed())
        })
        .await?;
        Ok(CommandEnd::Done)
    })
}

fn text(context: &Context, found: &TransferStatus) -> String {
    let oldest = found
        .oldest_seconds
        .map_or_else(String::new, |seconds| format!(", the oldest for {}", table::span(Duration::from_secs(seconds))));
    let mut text = format!(
        "{}: {} waiting{oldest}; {} with {} arrived in the last hour\n",
        found.transfer,
        table::counted(found.waiting, "file"),
        table::counted(found.files_last_hour, "file"),
        table::bytes(found.bytes_last_hour),
    );
    if found.counts.is_empty() {
        text.push_str("no file was seen yet\n");
        return text;
    }
    let mut counts = context.ui.table(&["side", "state", "files", "bytes", "oldest"]);
    for count in &found.counts {
        counts.row(vec![
            table::text(count.side.as_str()),
            table::text(count.state.as_str()),
            table::number(count.files),
            table::right(table::bytes(count.bytes)),
            table::text(moment(count.oldest)),
        ]);
    }
    text.push_str(&counts.text());
    for record in &found.unreadable {
        let words = format!("{} cannot be read: {}", shown::name(&record.record), shown::text(&record.reason));
        line(&mut text, format_args!("{}", context.ui.paint_out(&words, Tone::Bad)));
    }
    for view in &found.failures {
        let reason = view.failure.as_ref().map_or_else(String::new, |failure| shown::text(&failure.reason));
        line(
            &mut text,
            format_args!("failed: {}: {reason} ({})", named(&view.id, &view.path), shown::name(short(&view.id))),
        );
    }
    text
}
