//! What `run --dry-run` and `resume --dry-run` show: what would be read and written.

use super::foreground::Order;
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::{self, table};
use crate::core::generate::preview::{self, Preview};
use crate::core::generate::{Edition, correct};
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::param::{Params, listed};
use crate::wiring::{self, Access};
use serde::Serialize;
use std::sync::Arc;

/// Shows what a run would do.
pub(super) fn show(context: &Context, order: &Order) -> Result<CommandEnd, Failure> {
    let progress = Arc::new(context.ui.progress());
    let found = context.block_on(async {
        let ports = wiring::ports(&order.worker, Access::Look, progress).await?;
        let edition = match &order.correction {
            Some(asked) => correct::preview(&ports, &order.worker, &order.run, asked).await?,
            None => Edition::default(),
        };
        let (worker, registry) = (&order.worker, &context.registry);
        Ok::<_, Failure>(preview::preview(&ports, worker, registry, &order.run, order.start, &edition).await?)
    })?;
    let shown = PreviewView::new(&found);
    context.ui.result(&shown, |shown| text_of(context, shown));
    Ok(CommandEnd::Done)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreviewView<'a> {
    outcome: &'static str,
    run_id: String,
    version: u32,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    withdrawn: &'a [String],
    source: &'a str,
    query: Option<&'a str>,
    #[serde(skip_serializing_if = "Params::is_empty")]
    parameters: &'a Params,
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

impl<'a> PreviewView<'a> {
    fn new(preview: &'a Preview) -> Self {
        let keys = preview.keys.as_ref();
        Self {
            outcome: if preview.published { "alreadyPublished" } else { "dryRun" },
            run_id: preview.run.to_string(),
            version: preview.version,
            withdrawn: &preview.withdrawn,
            source: &preview.source,
            query: preview.query.as_deref(),
            parameters: &preview.parameters,
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

fn text_of(context: &Context, shown: &PreviewView) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        ui::line(&mut text, format_args!("{name:9} {value}"));
    };
    line("run", &shown.run_id);
    if shown.version > FIRST_VERSION {
        line("version", &shown.version.to_string());
        if !shown.withdrawn.is_empty() {
            line("aside", &format!("{}; kept below .filegen", shown.withdrawn.join(", ")));
        }
    }
    line("source", shown.source);
    if let Some(query) = shown.query {
        // One that a file gives may have several lines.
        for (at, row) in query.trim_end().lines().enumerate() {
            line(if at == 0 { "query" } else { "" }, row);
        }
    }
    if !shown.parameters.is_empty() {
        line("with", &listed(shown.parameters));
    }
    let keys = shown.first_key.zip(shown.last_key).map(|(first, last)| format!(", keys {first} to {last}"));
    let (rows, pages) = (table::thousands(shown.rows), table::counted(shown.pages, "page"));
    line("rows", &format!("{rows} in {pages}{}", keys.unwrap_or_default()));
    line("columns", &shown.columns.join(", "));
    match shown.resumes_from_page {
        None => line("start", "nowhere: the run is already published, nothing would be done"),
        Some(1) => line("start", "page 1"),
        Some(page) => line("start", &format!("page {page}, keeping {}", table::counted(shown.kept_rows, "row"))),
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
