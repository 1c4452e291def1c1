//! `filegen transfer list`: files, the latest change first.

use super::{load, short};
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::table::{self, Tone};
use crate::core::model::moment::moment;
use crate::core::model::pattern::Pattern;
use crate::core::model::transfer::FileState;
use crate::core::ports::store::Found;
use crate::core::transfer::list::{Listing, list};
use crate::core::transfer::status::FileView;
use crate::wiring;
use serde::Serialize;

/// List files, the latest change first
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen transfer list -c sales.yaml --state failed
  filegen transfer list -c sales.yaml --name '*.csv' --limit 20 --output json")]
pub(super) struct Args {
    /// Only files of which a side is in this state
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<FileState>,
    /// Only files whose name fits, such as `*.csv`; with a `/`, whose path does
    #[arg(long, value_name = "GLOB")]
    name: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

fn state(text: &str) -> Result<FileState, String> {
    let all: Vec<&str> = FileState::ALL.iter().map(|state| state.as_str()).collect();
    FileState::parse(text).ok_or_else(|| format!("there are {}", all.join(", ")))
}

#[derive(Serialize)]
struct Listed {
    files: Vec<FileView>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let transfer = load(context)?;
    let pattern = args.name.as_deref().map(Pattern::parse).transpose();
    let pattern = pattern.map_err(|fault| Failure::new(Code::Usage, format!("--name: {fault}")))?;
    context.block_on(async {
        let state = wiring::transfer_state(&transfer, wiring::Access::Look).await?;
        let fits = |path: &str| pattern.as_ref().is_none_or(|pattern| pattern.fits(path));
        let listing = Listing { state: args.state, fits: &fits, limit: args.limit };
        let Found { records: files, odd } = list(&*state.ledger, &transfer, &listing).await?;
        context.ui.result(&Listed { files }, |listed| text(context, &listed.files));
        context.ui.unreadable(&odd);
        Ok(CommandEnd::Done)
    })
}

fn text(context: &Context, files: &[FileView]) -> String {
    if files.is_empty() {
        return "no file\n".to_owned();
    }
    let mut rows = context.ui.table(&["id", "state", "path", "bytes", "target", "changed"]);
    for view in files {
        let tone = match view.state {
            FileState::Failed => Tone::Bad,
            FileState::Archived | FileState::Delivered => Tone::Good,
            _ => Tone::Plain,
        };
        rows.row(vec![
            table::text(short(&view.id)),
            table::toned(view.state.as_str(), tone),
            table::text(&view.path),
            table::number(view.size),
            table::text(view.delivered.as_deref().unwrap_or("-")),
            table::text(moment(view.changed_at)),
        ]);
    }
    rows.text()
}
