//! `filegen transfer show`: one file's whole journey.

use super::{load, short};
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::line;
use crate::commands::ui::table;
use crate::core::model::moment::moment;
use crate::core::model::shown;
use crate::core::transfer::status::{FileView, show};
use crate::wiring;

/// Show one file's whole journey
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen transfer show 3f2a91 -c sales.yaml")]
pub(super) struct Args {
    /// The file's id, or its first digits, as `transfer list` shows them
    id: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let transfer = load(context)?;
    context.block_on(async {
        let state = wiring::transfer_state(&transfer, wiring::Access::Look).await?;
        let found = show(&*state.ledger, &transfer, &args.id).await?;
        context.ui.unreadable(&found.odd);
        match found.records.as_slice() {
            [view] => {
                context.ui.result(view, |view| text(context, view));
                Ok(CommandEnd::Done)
            }
            [] => Err(Failure::new(
                Code::Failed,
                format!("no file has an id that begins with `{}`", shown::name(&args.id)),
            )
            .hint("`filegen transfer list{c}` shows the ids")),
            several => {
                let ids: Vec<&str> = several.iter().take(5).map(|view| short(&view.id)).collect();
                let message = format!("{} files have such an id: {}", several.len(), ids.join(", "));
                Err(Failure::new(Code::Usage, message).hint("give more digits"))
            }
        }
    })
}

fn text(context: &Context, view: &FileView) -> String {
    let none = || "-".to_owned();
    let mut rows = vec![
        ("id", view.id.clone()),
        ("path", view.path.clone()),
        ("source", view.source.clone()),
        ("size", table::thousands(view.size)),
        ("sha256", view.sha256.clone()),
        ("state", view.state.as_str().to_owned()),
        ("trace id", view.trace_id.clone()),
        ("source file", view.archived.clone().unwrap_or_else(none)),
        ("target", view.delivered.clone().unwrap_or_else(none)),
    ];
    if let Some(failure) = &view.failure {
        rows.push(("failure", format!("{} ({}, {} tries)", failure.reason, failure.kind, failure.attempts)));
    }
    let mut text = String::new();
    for (name, value) in rows {
        line(&mut text, format_args!("{name:<12} {}", shown::text(&value)));
    }
    let mut steps = context.ui.table(&["at", "side", "state", "by"]);
    for step in &view.steps {
        steps.row(vec![
            table::text(moment(step.at)),
            table::text(step.side.as_str()),
            table::text(step.state.as_str()),
            table::text(&step.by),
        ]);
    }
    text.push_str(&steps.text());
    text
}
