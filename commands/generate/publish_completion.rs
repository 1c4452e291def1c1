//! `filegen publish-completion`: a run's completion events are sent again, or shown as they are sent.

use crate::commands::context::{Context, DateArg};
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::core::generate::completion;
use crate::core::generate::spec::Worker;
use crate::core::model::event::CompletionEvent;
use crate::core::model::run::RunId;
use crate::core::outbox::{SendAgain, send_again};
use crate::wiring::{self, Access};
use serde::Serialize;

/// Send a run's completion events again, always with the same correlation ids
///
/// Who did it and why is kept.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen publish-completion -c loans.yaml --date 2026-11-21 --dry-run
  filegen publish-completion -c loans.yaml --date 2026-11-21 --file Loan0 --reason \"consumer lost it, INC-4711\"
  filegen publish-completion -c loans.yaml --file Loan0 --dry-run --output json")]
pub struct Args {
    #[command(flatten)]
    date: DateArg,
    /// Only this file's event
    #[arg(long, value_name = "ID")]
    file: Option<String>,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Show the events exactly as they would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Shows or sends the events.
pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker = context.worker()?;
    let run = context.run_id(&worker, args.date)?;
    let events = context.block_on(async {
        let state = wiring::state(&worker, Access::Look).await?;
        let volume = wiring::volume(&worker.output.root);
        Ok(completion::events(&*volume, &*state.runs, &worker, &run, args.file.as_deref()).await?)
    })?;
    if !args.dry_run {
        let Some(topic) = &worker.completion else {
            let what = "the worker file has no `completion`, so there is no broker to send events to";
            return Err(Failure::new(Code::Config, what).hint("`--dry-run` shows the events as they would be sent"));
        };
        let count = events.len();
        let question = format!("Send {count} event(s) of run {run} to {} at {} again?", topic.topic, topic.brokers);
        if !context.confirmed(args.yes, &question)? {
            context.ui.status("nothing sent");
            return Ok(CommandEnd::DECLINED);
        }
        send(context, args, &worker, &run, &events)?;
    }
    let shown = SentView {
        sent: !args.dry_run,
        events: events.iter().map(|event| Message { key: &event.file_id, value: event }).collect(),
    };
    context.ui.result(&shown, |shown| {
        let line = |message: &Message| format!("{}\t{}\n", message.key, crate::commands::ui::json::line(message.value));
        shown.events.iter().map(line).collect()
    });
    if shown.sent {
        context.ui.status(&format!("sent {} event(s) of run {run}", events.len()));
    }
    Ok(CommandEnd::Done)
}

fn send(
    context: &Context,
    args: &Args,
    worker: &Worker,
    run: &RunId,
    events: &[CompletionEvent],
) -> Result<(), Failure> {
    let who = wiring::who();
    context.block_on(async {
        let Some(sink) = wiring::producer(worker)? else { return Ok(()) };
        let state = wiring::state(worker, Access::Change).await?;
        let entries: Vec<_> = events.iter().map(|event| completion::outbox_entry(run, event)).collect();
        let about = format!("run {run}");
        let again = SendAgain { about: &about, entries: &entries, who: &who, reason: &args.reason };
        send_again(&*sink, &*state.outbox, &*state.audit, &*wiring::clock(), &again).await?;
        Ok(())
    })
}

#[derive(Serialize)]
struct SentView<'a> {
    /// False for a dry run.
    sent: bool,
    events: Vec<Message<'a>>,
}

/// Key and value of a message.
#[derive(Serialize)]
struct Message<'a> {
    key: &'a str,
    value: &'a CompletionEvent,
}
