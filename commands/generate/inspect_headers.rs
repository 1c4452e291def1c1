//! `filegen inspect-headers`: page and rows of staged and published files.

use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::one_line;
use crate::commands::ui::table::{self, Tone};
use crate::core::generate::inspect::{self, Check, CheckOutcome, FoundAt, HeaderLine, Inspection, Looked};
use crate::core::model::shown;
use crate::wiring;
use serde::Serialize;
use std::path::PathBuf;

/// Show page and rows of every staged and published file
///
/// Reads the header line of each file: the last durable page and the rows written so far. Needs neither source nor state
/// store. Exit code 4 when a header, count or checksum differs from journal or manifest.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen inspect-headers -c loans.yaml
  filegen inspect-headers out/loan0_20261121.txt
  filegen inspect-headers --deep -c loans.yaml --output json")]
pub struct Args {
    /// Files, or folders that are an output root; without any, the worker file's output root
    #[arg(value_name = "PATHS", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Read all bytes: count records, check the journal's checksums and the manifest's digests
    #[arg(long)]
    deep: bool,
}

/// Looks and prints.
pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker =
        if context.globals.config.is_empty() && !args.paths.is_empty() { None } else { Some(context.worker()?) };
    let places: Vec<wiring::VolumePath> = match &worker {
        Some(worker) if args.paths.is_empty() => vec![wiring::VolumePath::root(&worker.output.root)],
        _ => args.paths.iter().map(|path| wiring::place(path)).collect(),
    };
    let looked = context.block_on(async {
        let mut all = Vec::new();
        for place in &places {
            let inspection = Inspection {
                volume: &*place.volume,
                worker: worker.as_deref(),
                registry: &context.registry,
                deep: args.deep,
            };
            all.extend(match &place.path {
                None => inspect::all(&inspection).await?,
                Some(path) => inspect::below(&inspection, path).await?,
            });
        }
        Ok(all)
    })?;
    let shown = HeadersView { files: looked.iter().map(HeaderRow::new).collect() };
    context.ui.result(&shown, |shown| text(context, shown));
    if shown.files.is_empty() {
        context.ui.status("no staged or published files");
    }
    let differs =
        looked.iter().flat_map(|look| &look.checks).any(|check| matches!(check.outcome, CheckOutcome::Differs(_)));
    Ok(CommandEnd::unless(differs))
}

#[derive(Serialize)]
struct HeadersView {
    files: Vec<HeaderRow>,
}

/// One file, as it is printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeaderRow {
    worker_id: Option<String>,
    business_date: Option<String>,
    file_id: Option<String>,
    state: &'static str,
    token: Option<u64>,
    path: String,
    page: Option<u64>,
    rows: Option<u64>,
    header: &'static str,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    checks: Vec<CheckRow>,
}

/// One comparison, as it is printed.
#[derive(Serialize)]
pub(super) struct CheckRow {
    check: &'static str,
    outcome: &'static str,
    detail: Option<String>,
}

impl CheckRow {
    /// Whether it ended with this word: `same`, `differs` or `unchecked`.
    pub(super) fn is(&self, outcome: &str) -> bool {
        self.outcome == outcome
    }

    /// For JSON.
    pub(super) fn new(check: &Check) -> Self {
        let (outcome, detail) = match &check.outcome {
            CheckOutcome::Same => ("same", None),
            CheckOutcome::Differs(how) => ("differs", Some(how.clone())),
            CheckOutcome::Unchecked(why) => ("unchecked", Some(why.clone())),
        };
        Self { check: check.what, outcome, detail }
    }
}

impl HeaderRow {
    fn new(look: &Looked) -> Self {
        let header = look.header.read();
        Self {
            worker_id: look.run.as_ref().map(|run| run.worker.to_string()),
            business_date: look.run.as_ref().map(|run| run.date.to_string()),
            file_id: look.file.clone(),
            state: look.place.as_str(),
            token: if let FoundAt::Staged(token) = look.place { Some(token.0) } else { None },
            path: look.path.clone(),
            page: header.map(|header| header.page),
            rows: header.map(|header| header.rows),
            header: match look.header {
                HeaderLine::Read(_) => "read",
                HeaderLine::None => "none",
                HeaderLine::Damaged(_) => "damaged",
            },
            bytes: look.bytes,
            records: look.records,
            checks: look.checks.iter().map(CheckRow::new).collect(),
        }
    }
}

fn text(context: &Context, shown: &HeadersView) -> String {
    if shown.files.is_empty() {
        return String::new();
    }
    let mut table = context.ui.table(&["worker", "date", "file", "state", "page", "rows", "bytes", "checks", "path"]);
    for row in &shown.files {
        let number = |value: Option<u64>| value.map_or_else(|| table::right("-"), table::number);
        let bad = row.checks.iter().any(|check| check.is("differs"));
        let open = row.checks.iter().any(|check| check.is("unchecked"));
        let checks = match (bad, open) {
            (true, _) => table::toned("differ", Tone::Bad),
            (false, true) => table::toned("incomplete", Tone::Warn),
            (false, false) => table::toned("ok", Tone::Good),
        };
        table.row(vec![
            table::text(row.worker_id.as_deref().unwrap_or("-")),
            table::text(row.business_date.as_deref().unwrap_or("-")),
            table::text(row.file_id.as_deref().unwrap_or("-")),
            table::text(row.state),
            number(row.page),
            number(row.rows),
            table::number(row.bytes),
            checks,
            table::text(&row.path),
        ]);
    }
    let mut text = table.text();
    for row in &shown.files {
        text.push_str(&details(&row.path, &row.checks));
    }
    text
}

/// A line for each comparison that was not the same.
pub(super) fn details(path: &str, checks: &[CheckRow]) -> String {
    let wanted = checks.iter().filter_map(|check| Some((check, check.detail.as_ref()?)));
    wanted.fold(String::new(), |text, (check, detail)| {
        text + &one_line(format_args!(
            "{}: {} {}: {}",
            shown::name(path),
            check.check,
            check.outcome,
            shown::text(detail)
        ))
    })
}
