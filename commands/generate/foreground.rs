//! What `run` and `resume` share: the run itself, with its progress, signals and closing table.

use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::stop::{self, Signals, StoppedBy};
use crate::commands::ui::line;
use crate::commands::ui::table::{self, Tone};
use crate::core::generate::admit;
use crate::core::generate::correct::{self, Asked, Wanted};
use crate::core::generate::model::manifest::Manifest;
use crate::core::generate::publish;
use crate::core::generate::run::{self, Maker, RunResult};
use crate::core::generate::spec::Worker;
use crate::core::generate::{Edition, Job, Outcome, Ports, Start};
use crate::core::model::run::RunId;
use crate::core::model::shown;
use crate::core::outbox::{LOOK_EVERY, OutboxPublisher};
use crate::core::ports::observer::Unobserved;
use crate::wiring::{self, Access};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Longest time that a run's end waits for the broker.
const SENDING_MAX: Duration = Duration::from_secs(20);

/// What is to be run.
pub(super) struct Order {
    /// The worker file's content.
    pub worker: Arc<Worker>,
    /// Which run.
    pub run: RunId,
    /// From where.
    pub start: Start,
    /// Whether to wait for the lease.
    pub wait: bool,
    /// Whether a date is made that the worker file does not take.
    pub force: bool,
    /// Why it starts at another page than the next or is forced, for the audit trail.
    pub reason: String,
    /// The correction that is asked for before the run is made.
    pub correction: Option<Asked>,
}

/// Runs in the foreground: bars or lines on stderr, a table or JSON on stdout.
pub(super) fn run(context: &Context, order: &Order) -> Result<CommandEnd, Failure> {
    let progress = Arc::new(context.ui.progress());
    let result = context.block_on(async {
        let signals = Signals::watch(progress.clone())?;
        let ports = wiring::ports(&order.worker, Access::Change, progress.clone()).await?;
        let job = Job {
            worker: Arc::clone(&order.worker),
            run: order.run.clone(),
            registry: Arc::clone(&context.registry),
            start: order.start,
            stop: signals.stop.clone(),
            observer: progress.clone(),
            edition: Edition::default(),
        };
        // First the trail: a change that nobody can explain is worse than a recorded try.
        run::record_start(&ports, &job, &wiring::who(), &order.reason).await?;
        let identity = wiring::identity();
        let force = order.force.then(wiring::who);
        if let Some(asked) = &order.correction {
            let wanted = correct::want(&ports, &job, &identity, asked, order.wait).await?;
            context.ui.status(&going_on(&order.run, &wanted));
        } else {
            let force = force.as_deref().map(|who| (who, order.reason.as_str()));
            admit::admit(&ports, &job, &identity.instance, force).await?;
        }
        let report = run::execute(&ports, &job, &identity, order.wait).await?;
        let unsent = match report.outcome {
            Outcome::Published(_) | Outcome::AlreadyPublished(_) => empty_outbox(&order.worker, &ports).await,
            Outcome::Stopped { .. } => None,
        };
        let gone = match &report.outcome {
            Outcome::AlreadyPublished(manifest) => {
                // A file without a name was left out, as its `when_empty` says.
                let names = manifest.files.iter().filter_map(|file| file.name.as_deref());
                publish::gone(&*ports.volume, names.collect()).await.into_iter().map(str::to_owned).collect()
            }
            Outcome::Published(_) | Outcome::Stopped { .. } => Vec::new(),
        };
        Ok((report, unsent, gone, signals.stopped_by()))
    });
    progress.finish();
    let (report, unsent, gone, stopped_by) = result?;
    if let Some(reason) = unsent {
        let text = format!("the files are published, and their completion events wait in the outbox: {reason}");
        let go_on = format!("filegen publish-completion{} --date {}", context.config_option(), order.run.date);
        let warning = context.ui.paint_warning("warning:");
        context.ui.error_line(&format!("{warning} {text}"));
        context.ui.error_line(&format!("the daemon sends them by itself; by hand: {go_on}"));
    }
    tell_way(context, order, &report.outcome);
    match &report.outcome {
        Outcome::Published(manifest) => {
            let shown = RunView::new("published", manifest, &report);
            context.ui.result(&shown, |shown| table_of(context, shown));
            Ok(CommandEnd::Done)
        }
        Outcome::AlreadyPublished(manifest) => {
            // A correction that a service made for this command is what was asked for.
            let outcome = if order.correction.is_some() { "published" } else { "alreadyPublished" };
            let shown = RunView::new(outcome, manifest, &report);
            context.ui.status(&made_elsewhere(&order.run, report.made_by.as_ref()));
            context.ui.result(&shown, |shown| table_of(context, shown));
            Ok(all_there(context, &order.run, &gone))
        }
        Outcome::Stopped { page } => Ok(stopped(context, &order.run, *page, stopped_by)),
    }
}

/// Says how the files go on to their transfer, where the worker names one.
fn tell_way(context: &Context, order: &Order, outcome: &Outcome) {
    if let (Some(to), Outcome::Published(_) | Outcome::AlreadyPublished(_)) = (&order.worker.deliver, outcome) {
        context.ui.status(&format!(
            "what is published goes to transfer {to}: the daemon that serves both files hands over what is still due, and \
             `filegen status{}` shows how far it is",
            context.config_option()
        ));
    }
}

/// What is made now, and why, when it was asked for before.
fn going_on(run: &RunId, Wanted { correction, was_begun }: &Wanted) -> String {
    let what = correct::describe(correction);
    if *was_begun {
        let (by, reason) = (shown::name(&correction.by), shown::text(correction.shown_reason().as_ref()));
        format!("run {run}: {what} was asked for by {by}, and goes on with that reason: {reason}")
    } else {
        format!("run {run}: {what}; the version before stays until all of it is made")
    }
}

/// Who made the files that this command found.
fn made_elsewhere(run: &RunId, made_by: Option<&Maker>) -> String {
    let Some(maker) = made_by else { return format!("run {run} is already published; nothing was done") };
    let instance = maker.instance.as_ref().map_or_else(|| "another process".to_owned(), |it| shown::name(it.as_str()));
    let ago = table::span(Duration::from_secs(maker.ago.as_secs()));
    if maker.meanwhile {
        format!("run {run} was made by {instance}, {ago} ago, while this command waited")
    } else {
        format!("run {run} is already published, made by {instance}, {ago} ago; nothing was done")
    }
}

/// Says which published files are no longer there: the command has made none, and leaves none behind that was asked for.
fn all_there(context: &Context, run: &RunId, gone: &[String]) -> CommandEnd {
    if gone.is_empty() {
        return CommandEnd::Done;
    }
    let names = gone.iter().map(|path| format!("`{}`", shown::name(path))).collect::<Vec<_>>().join(", ");
    context.ui.error_line(&format!("no longer there of run {run}: {names}"));
    context.ui.error_line(&format!(
        "ask who takes the files, or put them back from a copy; to make the date again as \
         its next version: filegen correct{} --date {} --reason TEXT",
        context.config_option(),
        run.date
    ));
    CommandEnd::Ended(Code::Difference)
}

/// Sends the worker's waiting completion events, for a limited time. Returns why some still wait.
async fn empty_outbox(worker: &Worker, ports: &Ports) -> Option<String> {
    let sink = match wiring::producer(worker) {
        Ok(sink) => sink?,
        Err(error) => return Some(error.to_string()),
    };
    let publisher = OutboxPublisher {
        owner: (&worker.id).into(),
        outbox: Arc::clone(&ports.state.outbox),
        sink,
        retry: worker.policies.retry,
        look_every: LOOK_EVERY,
        has_turn: Arc::new(|| true),
        clock: Arc::clone(&ports.clock),
        observer: Arc::new(Unobserved),
    };
    match tokio::time::timeout(SENDING_MAX, publisher.send_waiting()).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("the broker took no more within {} s", SENDING_MAX.as_secs())),
    }
}

fn stopped(context: &Context, run: &RunId, page: u64, by: Option<StoppedBy>) -> CommandEnd {
    let go_on = format!("filegen run{} --date {}", context.config_option(), run.date);
    let behind = match page {
        0 => "before its first page was committed".to_owned(),
        page => format!("behind page {}; it is committed", table::thousands(page)),
    };
    context.ui.error_line(&format!("stopped {behind}"));
    context.ui.error_line(&format!("to go on: {go_on}"));
    if context.ui.is_json() {
        let shown = Stopped { outcome: "stopped", run_id: run.to_string(), page, go_on: &go_on };
        context.ui.result(&shown, |_| String::new());
    }
    stop::end(by)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped<'a> {
    outcome: &'static str,
    run_id: String,
    page: u64,
    go_on: &'a str,
}

/// The manifest, how the run ended, and how long it took.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunView<'a> {
    outcome: &'static str,
    #[serde(flatten)]
    manifest: &'a Manifest,
    /// Who made the files, when another process did.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_by: Option<String>,
    waited_seconds: f64,
    seconds: f64,
    rows_per_second: Option<f64>,
    #[serde(skip)]
    took: Duration,
}

impl<'a> RunView<'a> {
    fn new(outcome: &'static str, manifest: &'a Manifest, report: &RunResult) -> Self {
        let seconds = report.took.as_secs_f64();
        Self {
            outcome,
            manifest,
            made_by: report.made_by.as_ref().and_then(|maker| maker.instance.as_ref()).map(ToString::to_string),
            waited_seconds: report.waited.as_secs_f64(),
            seconds,
            rows_per_second: report
                .made_by
                .is_none()
                .then_some(outcome)
                .filter(|it| *it == "published")
                .map(|_| per_second(manifest.source_rows, report.took)),
            took: report.took,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(amount: u64, time: Duration) -> f64 {
    amount as f64 / time.as_secs_f64().max(0.001)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people, never negative")]
fn whole(rate: f64) -> u64 {
    rate.round() as u64
}

fn table_of(context: &Context, shown: &RunView) -> String {
    let mut table = context.ui.table(&["file", "path", "rows", "bytes", "sha256"]);
    for file in &shown.manifest.files {
        table.row(vec![
            table::text(&file.id),
            match &file.name {
                Some(name) => table::text(name),
                None => table::toned("no file: the view is empty", Tone::Faint),
            },
            table::number(file.rows),
            table::right(table::bytes(file.bytes)),
            table::toned(file.sha256.get(..12).unwrap_or(&file.sha256), Tone::Faint),
        ]);
    }
    let mut text = table.text();
    let manifest = shown.manifest;
    let (rows, pages) = (table::counted(manifest.source_rows, "row"), table::counted(manifest.pages, "page"));
    match shown.rows_per_second {
        Some(rate) => {
            let size: u64 = manifest.files.iter().map(|file| file.bytes).sum();
            let speed = table::bytes(whole(per_second(size, shown.took)));
            line(
                &mut text,
                format_args!(
                    "{}: {rows} in {pages}, {} ({} rows/s, {speed}/s)",
                    manifest.run_id,
                    table::span(shown.took),
                    table::thousands(whole(rate))
                ),
            );
        }
        None => {
            line(&mut text, format_args!("{}: published {}", manifest.run_id, manifest.completed_at));
        }
    }
    if let Some(reason) = &manifest.reason {
        line(&mut text, format_args!("version {}: {}", manifest.version, shown::text(reason)));
    }
    for file in &manifest.files {
        if let Some(changed) = file.replaced.describe() {
            line(&mut text, format_args!("{}: {}", file.id, context.ui.paint_out(&changed, Tone::Warn)));
        }
    }
    if !manifest.read_mode.counted {
        text.push_str("the view was not counted (count: false): whether all its rows were read was not checked\n");
    }
    if manifest.read_mode.source_moved == Some(true) {
        text.push_str("the view moved while it was read: rows may belong to different moments\n");
    }
    text
}
