//! What `run` and `resume` share: the run itself with its progress and signals, and the preview.

use super::context::Context;
use super::exit::{Code, Failure, Verdict};
use super::stop::{Signals, StoppedBy};
use super::ui::table::{self, Tone};
use crate::core::generate::{Job, Outcome, Start};
use crate::core::model::manifest::Manifest;
use crate::core::model::run::RunId;
use crate::core::model::spec::Worker;
use crate::core::ports::observer::Observer;
use crate::core::preview::{self, Preview};
use crate::core::run::{self, Report};
use crate::wiring::{self, Access};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

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
}

/// Runs in the foreground: bars or lines on stderr, a table or JSON on stdout.
pub(super) fn run(context: &Context, order: Order) -> Result<Verdict, Failure> {
    let progress = Arc::new(context.ui.progress());
    let result = context.block_on(async {
        let observer: Arc<dyn Observer> = progress.clone();
        let signals = Signals::watch(progress.clone())?;
        let ports = wiring::ports(&order.worker, Access::Change, Arc::clone(&observer)).await?;
        let job = Job {
            worker: Arc::clone(&order.worker),
            run: order.run.clone(),
            registry: Arc::clone(&context.registry),
            start: order.start,
            stop: signals.stop.clone(),
            observer,
        };
        let report = run::execute(&ports, &job, &wiring::identity(), order.wait).await?;
        Ok((report, signals.stopped_by()))
    });
    progress.finish();
    let (report, stopped_by) = result?;
    match &report.outcome {
        Outcome::Published(manifest) => {
            let shown = Shown::new("published", manifest, &report);
            context.ui.result(&shown, |shown| table_of(context, shown));
            Ok(Verdict::Done)
        }
        Outcome::AlreadyPublished(manifest) => {
            let shown = Shown::new("alreadyPublished", manifest, &report);
            context.ui.status(&format!("run {} is already published; nothing was done", order.run));
            context.ui.result(&shown, |shown| table_of(context, shown));
            Ok(Verdict::Done)
        }
        Outcome::Stopped { page } => Ok(stopped(context, &order.run, *page, stopped_by)),
    }
}

fn stopped(context: &Context, run: &RunId, page: u64, by: Option<StoppedBy>) -> Verdict {
    let go_on = format!("filegen run{} --date {}", context.config_option(), run.date);
    let behind = match page {
        0 => "before its first page was committed".to_owned(),
        page => format!("behind page {}; it is committed", table::thousands(page)),
    };
    context.ui.error_line(&format!("stopped {behind}\nto go on: {go_on}"));
    if context.ui.is_json() {
        let shown = Stopped { outcome: "stopped", run_id: run.to_string(), page, go_on: &go_on };
        context.ui.result(&shown, |_| String::new());
    }
    Verdict::Ended(match by {
        Some(StoppedBy::Terminate) => Code::Terminated,
        Some(StoppedBy::Interrupt) | None => Code::Interrupted,
    })
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
struct Shown<'a> {
    outcome: &'static str,
    #[serde(flatten)]
    manifest: &'a Manifest,
    waited_seconds: f64,
    seconds: f64,
    rows_per_second: Option<f64>,
    #[serde(skip)]
    took: Duration,
}

impl<'a> Shown<'a> {
    fn new(outcome: &'static str, manifest: &'a Manifest, report: &Report) -> Self {
        let seconds = report.took.as_secs_f64();
        Self {
            outcome,
            manifest,
            waited_seconds: report.waited.as_secs_f64(),
            seconds,
            rows_per_second: (outcome == "published").then(|| per_second(manifest.source_rows, report.took)),
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

fn table_of(context: &Context, shown: &Shown) -> String {
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
    let (rows, pages) = (table::thousands(manifest.source_rows), table::thousands(manifest.pages));
    match shown.rows_per_second {
        Some(rate) => {
            let size: u64 = manifest.files.iter().map(|file| file.bytes).sum();
            let speed = table::bytes(whole(per_second(size, shown.took)));
            text.push_str(&format!(
                "{}: {rows} rows in {pages} pages, {} ({} rows/s, {speed}/s)\n",
                manifest.run_id,
                table::span(shown.took),
                table::thousands(whole(rate)),
            ));
        }
        None => text.push_str(&format!("{}: published {}\n", manifest.run_id, manifest.completed_at)),
    }
    if manifest.read_mode.source_moved == Some(true) {
        text.push_str("the view moved while it was read: rows may belong to different moments\n");
    }
    text
}

/// Shows what a run would do.
pub(super) fn preview(context: &Context, order: &Order) -> Result<Verdict, Failure> {
    let progress = Arc::new(context.ui.progress());
    let preview = context.block_on(async {
        let ports = wiring::ports(&order.worker, Access::Look, progress).await?;
        Ok(preview::preview(&ports, &order.worker, &context.registry, &order.run, order.start).await?)
    })?;
    let shown = ShownPreview::new(&preview);
    context.ui.result(&shown, |shown| preview_text(context, shown));
    Ok(Verdict::Done)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownPreview<'a> {
    outcome: &'static str,
    run_id: String,
    source: &'a str,
    query: Option<&'a str>,
    columns: &'a [String],
    rows: u64,
    pages: u64,
    first_key: Option<&'a str>,
    last_key: Option<&'a str>,
    resumes_from_page: Option<u64>,
    kept_rows: u64,
    root: &'a str,
    lease: &'static str,
    lease_holder: Option<&'a str>,
    files: Vec<ShownFile<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownFile<'a> {
    file_id: &'a str,
    path: &'a str,
    rows: u64,
    exists: bool,
}

impl<'a> ShownPreview<'a> {
    fn new(preview: &'a Preview) -> Self {
        let keys = preview.keys.as_ref();
        Self {
            outcome: if preview.published { "alreadyPublished" } else { "dryRun" },
            run_id: preview.run.to_string(),
            source: &preview.source,
            query: preview.query.as_deref(),
            columns: &preview.columns,
            rows: preview.rows,
            pages: preview.pages,
            first_key: keys.map(|(first, _)| first.as_str()),
            last_key: keys.map(|(_, last)| last.as_str()),
            resumes_from_page: (!preview.published).then_some(preview.keep_page + 1),
            kept_rows: preview.keep_rows,
            root: &preview.root,
            lease: preview.lease.state.as_str(),
            lease_holder: preview.lease.record.as_ref().map(|record| record.instance.as_str()),
            files: preview
                .files
                .iter()
                .map(|file| ShownFile { file_id: &file.file, path: &file.path, rows: file.rows, exists: file.exists })
                .collect(),
        }
    }
}

fn preview_text(context: &Context, shown: &ShownPreview) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| text.push_str(&format!("{name:9} {value}\n"));
    line("run", &shown.run_id);
    line("source", shown.source);
    if let Some(query) = shown.query {
        line("query", query);
    }
    let keys = shown.first_key.zip(shown.last_key).map(|(first, last)| format!(", keys {first} to {last}"));
    let (rows, pages) = (table::thousands(shown.rows), table::thousands(shown.pages));
    line("rows", &format!("{rows} in {pages} pages{}", keys.unwrap_or_default()));
    line("columns", &shown.columns.join(", "));
    match shown.resumes_from_page {
        None => line("start", "nowhere: the run is already published, nothing would be done"),
        Some(1) => line("start", "page 1"),
        Some(page) => line("start", &format!("page {page}, keeping {} rows", table::thousands(shown.kept_rows))),
    }
    line("lease", &format!("{}{}", shown.lease, shown.lease_holder.map(|by| format!(" ({by})")).unwrap_or_default()));
    line("output", shown.root);
    text.push('\n');
    let mut table = context.ui.table(&["file", "path", "rows", "there"]);
    for file in &shown.files {
        table.row(vec![
            table::text(file.file_id),
            table::text(file.path),
            table::number(file.rows),
            table::text(if file.exists { "yes" } else { "no" }),
        ]);
    }
    text.push_str(&table.text());
    text
}
