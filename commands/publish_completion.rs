//! `filegen publish-completion`: a run's completion events, as they are sent.

use super::context::{Context, DateArg};
use super::exit::{Code, Failure, Verdict};
use crate::core::completion;
use crate::core::model::event::CompletionEvent;
use crate::wiring::{self, Access};
use serde::Serialize;

/// Send a run's completion events again, always with the same correlation ids
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen publish-completion -c loans.yaml --date 2026-11-21 --dry-run
  filegen publish-completion -c loans.yaml --file Loan0 --dry-run --output json")]
pub struct Args {
    #[command(flatten)]
    date: DateArg,
    /// Only this file's event
    #[arg(long, value_name = "ID")]
    file: Option<String>,
    /// Show the events exactly as they would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Shows the events; sending needs a broker that this build has no client for.
pub(super) fn run(context: &Context, args: &Args) -> Result<Verdict, Failure> {
    let worker = context.worker()?;
    let run = context.run_id(&worker, args.date)?;
    let events = context.block_on(async {
        let state = wiring::state(&worker, Access::Look).await?;
        let volume = wiring::volume(&worker.output.root);
        Ok(completion::events(&*volume, &*state.runs, &worker, &run, args.file.as_deref()).await?)
    })?;
    if !args.dry_run {
        let what = match &worker.completion {
            None => "the worker file has no `completion`, so there is no broker to send events to",
            Some(_) => "this build has no client for the broker in `completion` yet; nothing was sent",
        };
        return Err(Failure::new(Code::Config, what).hint("`--dry-run` shows the events as they would be sent"));
    }
    let shown = Shown { events: events.iter().map(|event| Message { key: &event.file_id, value: event }).collect() };
    context.ui.result(&shown, |shown| {
        let line = |message: &Message| format!("{}\t{}\n", message.key, super::ui::json::line(message.value));
        shown.events.iter().map(line).collect()
    });
    Ok(Verdict::Done)
}

#[derive(Serialize)]
struct Shown<'a> {
    events: Vec<Message<'a>>,
}

/// Key and value of a message.
#[derive(Serialize)]
struct Message<'a> {
    key: &'a str,
    value: &'a CompletionEvent,
}
