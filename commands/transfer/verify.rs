//! `filegen transfer verify`: the target, read again.

use super::{load, short};
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::table;
use crate::core::transfer::verify::{Difference, verify};
use crate::wiring;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Read the target again, and compare it with the ledger
///
/// Compares size and digest of each delivered file. Exits with 4 on a difference.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen transfer verify --since 7d -c sales.yaml")]
pub(super) struct Args {
    /// Only files delivered within this time, such as 12h or 7d [default: all]
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<SignedDuration>,
}

fn time(text: &str) -> Result<SignedDuration, String> {
    let whole = text.trim();
    let days = whole.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
    let read = match days {
        Some(days) => days.checked_mul(24).and_then(SignedDuration::try_from_hours),
        None => whole.parse().ok(),
    };
    read.filter(SignedDuration::is_positive).ok_or_else(|| "write a time with its unit, as 12h or 7d".to_owned())
}

#[derive(Serialize)]
struct Ended {
    checked: u64,
    bytes: u64,
    differences: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    path: String,
    target: String,
    what: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let transfer = load(context)?;
    let Some(target) = wiring::file_target(&transfer)? else {
        return Err(Failure::new(Code::Config, "this transfer delivers nothing: it has no `deliver`")
            .hint("give the file of the host that delivers"));
    };
    context.block_on(async {
        let state = wiring::transfer_state(&transfer, wiring::Access::Look).await?;
        let now = wiring::clock().now();
        let since = args.since.map(|time| now.saturating_sub(time).unwrap_or(Timestamp::MIN));
        let verified = verify(&*state.ledger, &*target, &transfer, since).await?;
        let differences: Vec<Row> = verified.differences.into_iter().map(row).collect();
        context.ui.unreadable(&verified.odd);
        let end = CommandEnd::unless(!differences.is_empty() || !verified.odd.is_empty());
        let ended = Ended { checked: verified.checked, bytes: verified.bytes, differences };
        context.ui.result(&ended, |ended| text(context, ended));
        Ok(end)
    })
}

fn row(difference: Difference) -> Row {
    let Difference { record, what } = difference;
    Row { id: record.id, path: record.path, target: record.place.unwrap_or_default(), what }
}

fn text(context: &Context, ended: &Ended) -> String {
    let (files, bytes) = (table::counted(ended.checked, "file"), table::bytes(ended.bytes));
    let mut text = format!("read {files} with {bytes}: {} differ\n", table::thousands(ended.differences.len() as u64));
    if ended.differences.is_empty() {
        return text;
    }
    let mut rows = context.ui.table(&["id", "target", "what"]);
    for row in &ended.differences {
        rows.row(vec![table::text(short(&row.id)), table::text(&row.target), table::text(&row.what)]);
    }
    text.push_str(&rows.text());
    text
}
