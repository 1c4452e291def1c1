//! `filegen drill`: the proof that a killed run loses nothing, on a user's own worker.

use crate::commands::context::{Context, DateArg, ParamArgs};
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::stop::{self, SignalReporter, Signals};
use crate::commands::ui::line;
use crate::commands::ui::table::{self, Tone};
use crate::core::generate::correct::{self, Asked};
use crate::core::generate::drill::{Drill, Drilled, Part, Scratch};
use crate::core::generate::run;
use crate::core::generate::spec::Worker;
use crate::core::generate::{Edition, Job, Start};
use crate::core::model::run::RunId;
use crate::core::ports::drill::Task;
use crate::core::ports::observer::Unobserved;
use crate::wiring;
use serde::Serialize;
use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Tells a drill's own process what it is: `PAGE_SIZE:ROWS:TASK:OUTPUT_ROOT`.
const TRIAL: &str = "FILEGEN_DRILL_TRIAL";

/// Differences that are told one by one.
const SHOWN: usize = 10;

/// Prove on your own worker that a killed run loses nothing
///
/// On a scratch copy (the same view, translators and volume, an output root and state store of its own) a run is killed
/// before each change that it makes on the volume, and so is the run that takes over, and a correction of the published
/// date from its last write on. After each kill the next run must
/// end with the same files, byte for byte, and no file may have been visible before it was whole. Only the first pages of
/// the view are read. Nothing else is changed, no event is sent, and the scratch folder is removed. Exit code 4 when a
/// file was not the same.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen drill -c loans.yaml
  filegen drill -c loans.yaml --pages 5 --output json
  filegen drill -c loans.yaml --param region=EU
  filegen drill -c loans.yaml --keep")]
pub struct Args {
    #[command(flatten)]
    date: DateArg,
    #[command(flatten)]
    params: ParamArgs,
    /// Read so many pages of the view; a small view is cut into that many
    #[arg(long, value_name = "N", default_value = "3")]
    pages: NonZeroU64,
    /// Leave the scratch folder, with the files of every trial
    #[arg(long)]
    keep: bool,
}

/// Drills and prints; or is one of the drill's own processes.
pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker = context.worker_with(&args.params)?;
    let run = context.run_id(&worker, args.date)?;
    if let Some(place) = std::env::var_os(TRIAL) {
        return child_run(context, &worker, &run, &place);
    }
    let counter = context.ui.counter("runs killed");
    let (drilled, scratch, stopped_by) = context.block_on(async {
        let signals = Signals::watch(Arc::new(Quiet))?;
        let volume = wiring::volume(&worker.output.root);
        let nonce = (wiring::identity().nonce)();
        let scratch = Scratch::plan(&*volume, nonce.get(..8).unwrap_or(&nonce)).await?;
        let progress = |done, all| counter.at(done, all);
        let drilled = tokio::select! {
            biased;
            () = signals.stop.cancelled() => Ok(None),
            drilled = whole(context, args, &worker, &run, &scratch, &progress) => drilled.map(Some),
        };
        counter.finish();
        if !args.keep {
            scratch.remove(&*volume).await?;
        }
        Ok((drilled?, scratch, signals.stopped_by()))
    })?;
    let Some((part, drilled)) = drilled else {
        context.ui.error_line("stopped before all was tried");
        return Ok(stop::end(stopped_by));
    };
    let scratch = args.keep.then(|| worker.output.root.join(&scratch.dir));
    let shown = DrillView::new(&run, &worker, part, &drilled, scratch.as_deref());
    context.ui.result(&shown, |shown| text(context, shown));
    Ok(CommandEnd::unless(!drilled.differences.is_empty()))
}

/// A stop is answered at the end, by what is printed then.
struct Quiet;

impl SignalReporter for Quiet {
    fn say(&self, _: &str) {}
    fn finish(&self) {}
}

async fn whole(
    context: &Context,
    args: &Args,
    worker: &Worker,
    run: &RunId,
    scratch: &Scratch,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(Part, Drilled), Failure> {
    let source = wiring::source(worker, Arc::new(Unobserved), wiring::clock())?;
    let part = Part::look(&*source, worker, &context.registry, run.date, args.pages).await?;
    let root = &worker.output.root;
    let job = job(context, &Arc::new(part.worker(worker, root.join(&scratch.dir).join("golden"))), run);
    let golden = wiring::drill_ports(&job.worker, part, false, Arc::new(Unobserved)).await?;
    let place = format!("{}:{}:", part.page_size, part.rows);
    let runner = wiring::drill_runner(arguments(context, run, &args.params), (TRIAL, place), root)?;
    let volume = wiring::volume(root);
    let drill = Drill {
        volume: &*volume,
        scratch,
        golden: &golden,
        job: &job,
        identity: &wiring::identity(),
        runner: &*runner,
        keep: args.keep,
        progress,
    };
    Ok((part, drill.run().await?))
}

fn job(context: &Context, worker: &Arc<Worker>, run: &RunId) -> Job {
    Job {
        edition: Edition::default(),
        worker: Arc::clone(worker),
        run: run.clone(),
        registry: Arc::clone(&context.registry),
        start: Start::Resume,
        stop: CancellationToken::new(),
        observer: Arc::new(Unobserved),
    }
}

/// The command line of one drill run: this command again, which sees in the environment that it is one.
fn arguments(context: &Context, run: &RunId, params: &ParamArgs) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["drill", "--quiet", "--date"].map(OsString::from).into();
    arguments.push(run.date.to_string().into());
    arguments.extend(params.arguments());
    for path in &context.globals.config {
        arguments.push("-c".into());
        arguments.push(path.into());
    }
    arguments
}

/// One run in its own process, watched by the drill.
fn child_run(context: &Context, worker: &Worker, run: &RunId, place: &OsString) -> Result<CommandEnd, Failure> {
    let Some((part, task, root)) = place.to_str().and_then(place_of) else {
        return Err(Failure::new(Code::Usage, format!("{TRIAL} is for a drill's own processes")));
    };
    let worker = Arc::new(part.worker(worker, root));
    context.block_on(async {
        let ports = wiring::drill_ports(&worker, part, true, Arc::new(Unobserved)).await?;
        let (job, identity) = (job(context, &worker, run), wiring::identity());
        if task == Task::Correct {
            let asked = Asked { reason: "a drill".to_owned(), who: wiring::who(), files: Vec::new() };
            correct::want(&ports, &job, &identity, &asked, true).await?;
        }
        run::execute(&ports, &job, &identity, true).await?;
        Ok(CommandEnd::Done)
    })
}

fn place_of(text: &str) -> Option<(Part, Task, PathBuf)> {
    let mut parts = text.splitn(4, ':');
    let page_size: NonZeroU32 = parts.next()?.parse().ok()?;
    let rows = parts.next()?.parse().ok()?;
    let task = Task::parse(parts.next()?)?;
    Some((Part { rows, page_size, more: false }, task, parts.next()?.into()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DrillView {
    run_id: String,
    verdict: &'static str,
    rows: u64,
    pages: u64,
    page_size: u32,
    whole_view: bool,
    files: usize,
    runs_killed: u64,
    takeovers_killed: u64,
    corrections_killed: u64,
    points: Vec<ShownPoint>,
    differences: Vec<ShownDifference>,
    scratch: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownPoint {
    before: String,
    kills: u64,
    differences: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownDifference {
    trial: String,
    before: String,
    reason: String,
}

impl DrillView {
    fn new(run: &RunId, worker: &Worker, part: Part, drilled: &Drilled, scratch: Option<&Path>) -> Self {
        let points = drilled.points.iter().map(|point| ShownPoint {
            before: point.change.clone(),
            kills: point.kills,
            differences: point.differences,
        });
        let differences = drilled.differences.iter().map(|difference| ShownDifference {
            trial: difference.trial.clone(),
            before: difference.change.clone(),
            reason: difference.reason.clone(),
        });
        Self {
            run_id: run.to_string(),
            verdict: if drilled.differences.is_empty() { "same" } else { "differs" },
            rows: part.rows,
            pages: part.rows.div_ceil(part.page_size.get().into()),
            page_size: part.page_size.get(),
            whole_view: !part.more,
            files: worker.files.len(),
            runs_killed: drilled.runs,
            takeovers_killed: drilled.takeovers,
            corrections_killed: drilled.corrections,
            points: points.collect(),
            differences: differences.collect(),
            scratch: scratch.map(|path| path.display().to_string()),
        }
    }
}

fn text(context: &Context, shown: &DrillView) -> String {
    let mut table = context.ui.table(&["killed before", "kills", "files"]);
    for point in &shown.points {
        table.row(vec![
            table::text(&point.before),
            table::number(point.kills),
            match point.differences {
                0 => table::toned("same", Tone::Good),
                bad => table::toned(format!("{bad} differ"), Tone::Bad),
            },
        ]);
    }
    let mut text = table.text();
    let n = table::counted;
    let part = if shown.whole_view { "the whole view" } else { "the first pages; the view has more" };
    line(
        &mut text,
        format_args!(
            "tried on {} in {} of up to {} ({part}), {}",
            n(shown.rows, "row"),
            n(shown.pages, "page"),
            n(shown.page_size.into(), "row"),
            n(shown.files as u64, "file")
        ),
    );
    for difference in shown.differences.iter().take(SHOWN) {
        line(
            &mut text,
            format_args!("{}: killed before `{}`: {}", difference.trial, difference.before, difference.reason),
        );
    }
    if let Some(scratch) = &shown.scratch {
        line(&mut text, format_args!("kept: {scratch}"));
    }
    let kills = shown.runs_killed + shown.takeovers_killed + shown.corrections_killed;
    line(
        &mut text,
        format_args!(
            "{}: {}; killed {} ({}, {}, {}), files the same {}",
            shown.run_id,
            shown.verdict,
            n(kills, "time"),
            n(shown.runs_killed, "run"),
            n(shown.takeovers_killed, "takeover"),
            n(shown.corrections_killed, "correction"),
            n(kills - shown.differences.len() as u64, "time")
        ),
    );
    text
}
