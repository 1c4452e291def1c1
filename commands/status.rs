//! `filegen status`: workers with their lease, runs, files, unsent events, and events that were passed over.

use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use super::schedule;
use super::ui::table::{self, Tone};
use super::watch;
use crate::commands::ui::{line, one_line};
use crate::config::Flow;
use crate::core::election::report::LeaseState;
use crate::core::generate::spec::Worker;
use crate::core::generate::status::view::{NextDue, PassedOverView, RunView, StatusView, WorkerView};
use crate::core::generate::status::{self, Known, RunState};
use crate::core::model::names::WorkerId;
use crate::core::model::replaced::Replaced;
use crate::core::model::shown;
use crate::core::schedule::own::OwnTimes;
use crate::wiring::{self, Access};
use jiff::Timestamp;
use std::fmt::Write as _;

/// Show leases, runs, schedules, files, unsent events, and events that were passed over
///
/// Of a scheduler file: who leads, what comes next, and what a person should look at.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen status -c loans.yaml
  filegen status -c loans.yaml --worker LoanWorker --output json
  filegen status -c intake.yaml
  filegen status -c loans.yaml --watch")]
pub struct Args {
    /// Show again every two seconds until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Only this worker [default: all in this state store]
    #[arg(long, value_name = "ID", value_parser = worker_id)]
    worker: Option<WorkerId>,
}

fn worker_id(text: &str) -> Result<WorkerId, String> {
    WorkerId::new(text).map_err(|error| error.to_string())
}

/// Shows.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match context.load()?.flow {
        Flow::Ingest(_) | Flow::Schedule(_) | Flow::Transfer(_) if args.worker.is_some() => {
            Err(Failure::new(Code::Usage, "`--worker` is for a worker file"))
        }
        Flow::Ingest(_) => super::ingest::status(context, args.watch),
        Flow::Schedule(scheduler) => schedule::status::run(context, &scheduler, args.watch),
        Flow::Transfer(_) => super::transfer::status(context, args.watch),
        Flow::Generate(_) => of_worker(context, args),
    }
}

fn of_worker(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker = context.worker()?;
    context.block_on(async {
        let (clock, volume) = (wiring::clock(), wiring::volume(&worker.output.root));
        watch::show(args.watch, &*clock, async || {
            let state = wiring::state(&worker, Access::Look).await?;
            let known = Known { worker: &worker.id, volume: &*volume, has_outbox: worker.completion.is_some() };
            let report = status::report(&state, &*clock, args.worker.as_ref(), Some(known)).await?;
            let mut shown = StatusView::new(&report);
            if let Some(view) = shown.workers.iter_mut().find(|view| view.worker_id == worker.id.as_str()) {
                view.next_due = next_due(&worker, clock.now());
            }
            context.ui.result(&shown, |shown| text(context, shown));
            if shown.workers.is_empty() {
                let next = next_due(&worker, clock.now());
                let next = next.map(|due| format!("; the run of {} is due at {}", due.business_date, due.at));
                context.ui.status(&format!("nothing has run here yet{}", next.unwrap_or_default()));
            }
            Ok(!context.ui.is_closed())
        })
        .await?;
        Ok(CommandEnd::Done)
    })
}

/// The next due time of the worker's own clock.
fn next_due(worker: &Worker, now: Timestamp) -> Option<NextDue> {
    let due = OwnTimes::of(worker.schedule.as_ref()?).ok()?.next(now)?;
    Some(NextDue::new(due.at, due.date))
}

fn text(context: &Context, shown: &StatusView) -> String {
    shown.workers.iter().fold(String::new(), |text, worker| format!("{text}{}", worker_text(context, worker)))
}

fn worker_text(context: &Context, worker: &WorkerView) -> String {
    let lease = &worker.lease;
    let tone = match lease.word {
        LeaseState::Held => Tone::Good,
        LeaseState::Expired | LeaseState::Odd => Tone::Warn,
        LeaseState::None | LeaseState::Released => Tone::Faint,
    };
    let mut head = format!("{}: lease {}", worker.worker_id, context.ui.paint_out(lease.state, tone));
    if let (Some(holder), Some(token)) = (&lease.holder, lease.token) {
        let _ = write!(head, ", token {token} of {}", shown::name(holder));
    }
    if let (LeaseState::Held, Some(age)) = (lease.word, lease.age_seconds) {
        let _ = write!(head, ", renewed {age:.1} s ago");
    }
    if !worker.unsent_events.is_empty() {
        let _ = write!(head, ", {} not sent", table::counted(worker.unsent_events.len() as u64, "completion event"));
    }
    if let Some(due) = &worker.next_due {
        let _ = write!(head, ", run of {} due at {}", due.business_date, due.at);
    }
    let mut text = one_line(format_args!("{head}"));
    text.push_str(&runs_text(context, &worker.runs));
    text.push_str(&deliveries_text(context, &worker.runs));
    text.push_str(&passed_over_text(context, &worker.passed_over));
    for record in &worker.unreadable {
        let words = format!("record {} cannot be read: {}", shown::name(&record.id), shown::text(&record.reason));
        line(&mut text, format_args!("{}", context.ui.paint_out(&words, Tone::Bad)));
    }
    text
}

fn runs_text(context: &Context, runs: &[RunView]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let mut table =
        context.ui.table(&["date", "status", "page", "rows", "of", "files", "started", "completed", "error"]);
    for run in runs {
        let tone = match run.word {
            RunState::Published => Tone::Good,
            RunState::Failed => Tone::Bad,
            RunState::Stopped | RunState::Interrupted => Tone::Warn,
            RunState::Pending | RunState::Running => Tone::Plain,
        };
        let published = run.files.iter().filter(|file| file.state == "published").count();
        table.row(vec![
            table::text(&run.business_date),
            table::toned(run.words(), tone),
            table::number(run.last_page),
            table::number(run.rows),
            run.rows_expected.map_or_else(|| table::right("-"), table::number),
            table::right(format!("{published}/{}", run.files.len())),
            table::text(run.started_at.as_deref().unwrap_or("-")),
            table::text(run.completed_at.as_deref().unwrap_or("-")),
            table::text(run.failure().as_deref().unwrap_or("-")),
        ]);
    }
    let mut text = table.text();
    for (run, words) in runs.iter().filter_map(|run| Some((run, run.correction_words()?))) {
        line(&mut text, format_args!("{}: {words}", run.business_date));
    }
    for (run, file) in runs.iter().flat_map(|run| run.files.iter().map(move |file| (run, file))) {
        if let (true, Some(path)) = (file.gone, &file.path) {
            let words = format!("`{}` was published and is no longer there", shown::name(path));
            line(
                &mut text,
                format_args!("{} {}: {}", run.business_date, file.file_id, context.ui.paint_out(&words, Tone::Warn)),
            );
        }
        if let Some(changed) = file.replaced.as_ref().and_then(Replaced::describe) {
            line(
                &mut text,
                format_args!("{} {}: {}", run.business_date, file.file_id, context.ui.paint_out(&changed, Tone::Warn)),
            );
        }
    }
    text
}

/// The newest run's files on their way to a transfer, and of older ones what has not arrived.
fn deliveries_text(context: &Context, runs: &[RunView]) -> String {
    let newest = runs.iter().find(|run| !run.deliveries.is_empty()).map(|run| &run.run_id);
    let shown = runs.iter().flat_map(|run| run.deliveries.iter().map(move |one| (run, one)));
    let shown: Vec<_> = shown.filter(|(run, one)| Some(&run.run_id) == newest || one.state != "delivered").collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut table =
        context.ui.table(&["date", "file", "version", "transfer", "state", "handed over", "delivered", "why not"]);
    for (run, one) in shown {
        let tone = match one.state {
            "delivered" => Tone::Good,
            "failed" => Tone::Bad,
            "replaced" => Tone::Warn,
            _ => Tone::Plain,
        };
        table.row(vec![
            table::text(&run.business_date),
            table::text(&one.item),
            table::right(one.version.to_string()),
            table::text(&one.transfer),
            table::toned(one.state, tone),
            table::text(one.handed_over_at.as_deref().unwrap_or("-")),
            table::text(one.delivered_at.as_deref().unwrap_or("-")),
            table::text(one.reason.as_deref().unwrap_or("-")),
        ]);
    }
    table.text()
}

fn passed_over_text(context: &Context, events: &[PassedOverView]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let mut table = context.ui.table(&["passed over", "topic", "partition", "offset", "reason"]);
    for event in events {
        table.row(vec![
            table::text(&event.at),
            table::text(&event.topic),
            table::right(event.partition.to_string()),
            table::right(event.offset.to_string()),
            table::text(&event.reason),
        ]);
    }
    table.text()
}
