//! `filegen verify`: what stands in the files against journal, state store and source.

use super::inspect_headers::{CheckRow, details};
use crate::commands::context::{Context, DateArg, ParamArgs};
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::line;
use crate::commands::ui::table::{self, Tone};
use crate::core::generate::verify::{self, FileVerified, Reread, Verification, Verified};
use crate::core::ports::observer::Unobserved;
use crate::wiring::{self, Access};
use serde::Serialize;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Compare a run's files with journal, state store and source
///
/// Puts header, counted records, state and SQL count side by side. With --pages or --full it also reads pages from the
/// source again, translates them again and compares byte for byte. Exit code 4 on any difference. What could not be
/// checked is not a pass: exit code 6 when a dependency cannot be reached, 3 when a login, right or file is missing, else 1.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen verify -c loans.yaml
  filegen verify -c loans.yaml --date 2026-11-21 --pages 10
  filegen verify -c loans.yaml --full --output json")]
pub struct Args {
    #[command(flatten)]
    date: DateArg,
    #[command(flatten)]
    params: ParamArgs,
    /// Read so many pages again, spread over the run, the first and the last among them
    #[arg(long, value_name = "K", conflicts_with = "full")]
    pages: Option<NonZeroU64>,
    /// Read all pages again
    #[arg(long)]
    full: bool,
}

/// Verifies and prints.
pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let worker = context.worker_with(&args.params)?;
    let run = context.run_id(&worker, args.date)?;
    let reread = match (args.full, args.pages) {
        (true, _) => Reread::All,
        (false, Some(pages)) => Reread::Pages(pages),
        (false, None) => Reread::None,
    };
    let verified = context.block_on(async {
        let ports = wiring::ports(&worker, Access::Look, Arc::new(Unobserved)).await?;
        let progress = context.ui.counter("pages compared");
        let told = |done: u64, all: u64| progress.at(done, all);
        let registry = &*context.registry;
        let verification =
            Verification { ports: &ports, worker: &worker, registry, run: &run, reread, progress: &told };
        let verified = verify::verify(&verification).await;
        progress.finish();
        Ok(verified?)
    })?;
    let shown = VerifyView::new(&verified);
    context.ui.result(&shown, |shown| text(context, shown));
    Ok(if verified.differs() {
        CommandEnd::Ended(Code::Difference)
    } else if let Some(code) = Code::of_all(verified.unanswered.iter().map(|unanswered| unanswered.kind)) {
        CommandEnd::Ended(code)
    } else if verified.is_incomplete() {
        CommandEnd::Ended(Code::Failed)
    } else {
        CommandEnd::Done
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifyView {
    run_id: String,
    published: bool,
    verdict: &'static str,
    pages_compared: u64,
    unreachable: Vec<String>,
    files: Vec<FileRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileRow {
    file_id: String,
    path: String,
    state: &'static str,
    header_page: Option<u64>,
    header_rows: Option<u64>,
    records: Option<u64>,
    state_rows: Option<u64>,
    sql_rows: Option<u64>,
    checks: Vec<CheckRow>,
}

impl VerifyView {
    fn new(verified: &Verified) -> Self {
        let away = verified.unanswered.iter().filter(|unanswered| unanswered.kind.is_away());
        Self {
            run_id: verified.run.to_string(),
            published: verified.published,
            verdict: match (verified.differs(), verified.is_incomplete()) {
                (true, _) => "differs",
                (false, true) => "incomplete",
                (false, false) => "same",
            },
            pages_compared: verified.pages_compared,
            unreachable: away.map(|unanswered| unanswered.reason.clone()).collect(),
            files: verified.files.iter().map(FileRow::new).collect(),
        }
    }
}

impl FileRow {
    fn new(file: &FileVerified) -> Self {
        let header = file.header.read();
        Self {
            file_id: file.file.clone(),
            path: file.path.clone(),
            state: file.place.as_str(),
            header_page: header.map(|header| header.page),
            header_rows: header.map(|header| header.rows),
            records: file.records,
            state_rows: file.state_rows,
            sql_rows: file.sql_rows,
            checks: file.checks.iter().map(CheckRow::new).collect(),
        }
    }
}

fn text(context: &Context, shown: &VerifyView) -> String {
    let mut table = context.ui.table(&["file", "header", "records", "state", "sql", "checks", "path"]);
    let number = |value: Option<u64>| value.map_or_else(|| table::right("-"), table::number);
    for row in &shown.files {
        let count = |outcome: &str| row.checks.iter().filter(|check| check.is(outcome)).count();
        let checks = match (count("differs"), count("unchecked")) {
            (0, 0) => table::toned(format!("{} same", row.checks.len()), Tone::Good),
            (0, open) => table::toned(format!("{open} not made"), Tone::Warn),
            (bad, _) => table::toned(format!("{bad} differ"), Tone::Bad),
        };
        table.row(vec![
            table::text(&row.file_id),
            number(row.header_rows),
            number(row.records),
            number(row.state_rows),
            number(row.sql_rows),
            checks,
            table::text(&row.path),
        ]);
    }
    let mut text = table.text();
    if shown.pages_compared > 0 {
        line(&mut text, format_args!("{} read and translated again", table::counted(shown.pages_compared, "page")));
    }
    for row in &shown.files {
        text.push_str(&details(&row.path, &row.checks));
    }
    line(&mut text, format_args!("{}: {}", shown.run_id, shown.verdict));
    text
}
