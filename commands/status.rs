//! `filegen status`: workers with their lease, runs, files, unsent events, and events that were passed over.

use super::context::Context;
use super::exit::Verdict;
use super::failure::Failure;
use super::ui::table::{self, Tone};
use super::watch;
use crate::core::election::report::LeaseState;
use crate::core::generate::status::{self, Report, RunReport, WorkerReport};
use crate::core::model::names::WorkerId;
use crate::core::model::run::RunStatus;
use crate::core::ports::runs::DeadLetter;
use crate::telemetry::moment;
use crate::wiring::{self, Access};
use serde::Serialize;
use std::fmt::Write as _;

/// Show leases, runs, files, unsent events, and events that were passed over
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen status -c loans.yaml
  filegen status -c loans.yaml --worker LoanWorker --output json
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
pub(super) fn run(context: &Context, args: &Args) -> Result<Verdict, Failure> {
    let worker = context.worker()?;
    context.block_on(async {
        let clock = wiring::clock();
        watch::show(args.watch, &*clock, async || {
            let state = wiring::state(&worker, Access::Look).await?;
            let report = status::report(&*state.leases, &*state.runs, &*clock, args.worker.as_ref()).await?;
            let shown = Shown::new(&report);
            context.ui.result(&shown, |shown| text(context, shown));
            if shown.workers.is_empty() {
                context.ui.status("nothing has run here yet");
            }
            Ok(!context.ui.is_closed())
        })
        .await?;
        Ok(Verdict::Done)
    })
}

#[derive(Serialize)]
struct Shown {
    at: String,
    workers: Vec<WorkerRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkerRow {
    worker_id: String,
    lease: Lease,
    runs: Vec<RunRow>,
    unsent_events: Vec<Unsent>,
    passed_over: Vec<PassedOver>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    state: &'static str,
    holder: Option<String>,
    token: Option<u64>,
    age_seconds: Option<f64>,
    #[serde(skip)]
    word: LeaseState,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunRow {
    run_id: String,
    business_date: String,
    status: &'static str,
    requested_by: String,
    token: Option<u64>,
    started_at: Option<String>,
    completed_at: Option<String>,
    last_page: u64,
    rows: u64,
    rows_expected: Option<u64>,
    rows_per_second: Option<f64>,
    error: Option<String>,
    files: Vec<FileRow>,
    #[serde(skip)]
    word: RunStatus,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileRow {
    file_id: String,
    state: &'static str,
    last_page: u64,
    rows: u64,
    event_sent_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unsent {
    file_id: String,
    business_date: String,
    correlation_id: Option<String>,
}

/// An event on the trigger's topic that asked for no run. Not its payload: that is for whoever may see the data.
#[derive(Serialize)]
struct PassedOver {
    at: String,
    topic: String,
    partition: i32,
    offset: i64,
    reason: String,
}

impl PassedOver {
    fn new(event: &DeadLetter) -> Self {
        let id = event.id.clone();
        Self {
            at: moment(event.at),
            topic: id.topic,
            partition: id.partition,
            offset: id.offset,
            reason: event.reason.clone(),
        }
    }
}

impl Shown {
    fn new(report: &Report) -> Self {
        Self { at: report.at.to_string(), workers: report.workers.iter().map(WorkerRow::new).collect() }
    }
}

impl WorkerRow {
    fn new(report: &WorkerReport) -> Self {
        let record = report.lease.record.as_ref();
        Self {
            worker_id: report.worker.to_string(),
            lease: Lease {
                state: report.lease.state.as_str(),
                holder: record.map(|record| record.instance.to_string()),
                token: record.map(|record| record.token.0),
                age_seconds: report.lease.age.map(|age| age.as_secs_f64()),
                word: report.lease.state,
            },
            runs: report.runs.iter().map(RunRow::new).collect(),
            unsent_events: report
                .unsent
                .iter()
                .map(|status| Unsent {
                    file_id: status.file.to_string(),
                    business_date: status.run.date.to_string(),
                    correlation_id: status.event.as_ref().map(|entry| entry.event.correlation_id.clone()),
                })
                .collect(),
            passed_over: report.odd_events.iter().map(PassedOver::new).collect(),
        }
    }
}

impl RunRow {
    fn new(report: &RunReport) -> Self {
        let record = &report.record;
        Self {
            run_id: record.id.to_string(),
            business_date: record.id.date.to_string(),
            status: record.status.as_str(),
            requested_by: record.requested_by.clone(),
            token: record.token.map(|token| token.0),
            started_at: record.started_at.map(moment),
            completed_at: record.completed_at.map(moment),
            last_page: record.last_page,
            rows: record.rows,
            rows_expected: record.rows_expected,
            rows_per_second: report.rows_per_second,
            error: record.error.clone(),
            files: report
                .files
                .iter()
                .map(|file| FileRow {
                    file_id: file.file.to_string(),
                    state: file.state.as_str(),
                    last_page: file.last_page,
                    rows: file.rows,
                    event_sent_at: file.event.as_ref().and_then(|entry| entry.sent_at).map(|at| at.to_string()),
                })
                .collect(),
            word: record.status,
        }
    }
}

fn text(context: &Context, shown: &Shown) -> String {
    shown.workers.iter().fold(String::new(), |text, worker| format!("{text}{}", worker_text(context, worker)))
}

fn worker_text(context: &Context, worker: &WorkerRow) -> String {
    let lease = &worker.lease;
    let tone = match lease.word {
        LeaseState::Held => Tone::Good,
        LeaseState::Expired => Tone::Warn,
        LeaseState::None | LeaseState::Released => Tone::Faint,
    };
    let mut text = format!("{}: lease {}", worker.worker_id, context.ui.paint_out(lease.state, tone));
    if let (Some(holder), Some(token)) = (&lease.holder, lease.token) {
        let _ = write!(text, ", token {token} of {holder}");
    }
    if let (LeaseState::Held, Some(age)) = (lease.word, lease.age_seconds) {
        let _ = write!(text, ", renewed {age:.1} s ago");
    }
    if !worker.unsent_events.is_empty() {
        let _ = write!(text, ", {} completion events not sent", worker.unsent_events.len());
    }
    text.push('\n');
    text.push_str(&runs_text(context, &worker.runs));
    text.push_str(&passed_over_text(context, &worker.passed_over));
    text
}

fn runs_text(context: &Context, runs: &[RunRow]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let mut table =
        context.ui.table(&["date", "status", "page", "rows", "of", "files", "started", "completed", "error"]);
    for run in runs {
        let tone = match run.word {
            RunStatus::Published => Tone::Good,
            RunStatus::Failed => Tone::Bad,
            RunStatus::Pending | RunStatus::Running => Tone::Plain,
        };
        let published = run.files.iter().filter(|file| file.state == "published").count();
        table.row(vec![
            table::text(&run.business_date),
            table::toned(run.status, tone),
            table::number(run.last_page),
            table::number(run.rows),
            run.rows_expected.map_or_else(|| table::right("-"), table::number),
            table::right(format!("{published}/{}", run.files.len())),
            table::text(run.started_at.as_deref().unwrap_or("-")),
            table::text(run.completed_at.as_deref().unwrap_or("-")),
            table::text(run.error.as_deref().unwrap_or("-")),
        ]);
    }
    table.text()
}

fn passed_over_text(context: &Context, events: &[PassedOver]) -> String {
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
