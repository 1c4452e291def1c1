//! Looks for whatever would make a run fail, before it does: source, view and key, translators, output folder, state
//! store. Reads the source, writes and removes a few small files in the output folder, changes nothing else.

mod probe;

use super::generate::plan::{Plan, pages_of};
use super::generate::publish;
use super::generate::translate::Registry;
use super::generate::{GenerateError, Ports};
use super::model::column::Column;
use super::model::run::RunId;
use super::model::spec::Worker;
use super::ports::leases::StoreError;
use super::ports::runs::RunStore;
use super::ports::source::{Finding, Position, SourceError, Verdict};
use super::ports::volume::Volume;
use std::time::Duration;

/// Share of the free space that the files may take before a person should know.
const TIGHT_PERCENT: u64 = 80;

/// What to examine.
pub struct Examination<'a> {
    /// Source, volume and state store.
    pub ports: &'a Ports,
    /// The worker.
    pub worker: &'a Worker,
    /// Translators that the worker file may name.
    pub registry: &'a Registry,
    /// Tells this examination's folder on the volume from any other's.
    pub name: &'a str,
    /// Why the state store could not be opened, when it could not: it is not asked then.
    pub state_error: Option<StoreError>,
    /// Told each finding at once.
    pub found: &'a (dyn Fn(&Found) + Send + Sync),
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Where: source, output, state.
    pub area: Area,
    /// What, how it ended, and what to do about it.
    pub finding: Finding,
    /// How long it took, where that says something.
    pub took: Option<Duration>,
    /// Whether it failed because a dependency cannot be reached.
    pub unreachable: bool,
}

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// The view and where it is.
    Source,
    /// The files and how they are made.
    Files,
    /// The output folder.
    Output,
    /// The state store.
    State,
}

impl Area {
    /// For tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Files => "files",
            Self::Output => "output",
            Self::State => "state",
        }
    }
}

/// Gathers findings.
struct Chart<'a> {
    found: Vec<Found>,
    tell: &'a (dyn Fn(&Found) + Send + Sync),
}

impl Chart<'_> {
    fn add(&mut self, area: Area, check: &str, verdict: Verdict, detail: impl Into<String>) {
        let finding = Finding { check: check.to_owned(), verdict, detail: detail.into() };
        self.push(Found { area, finding, took: None, unreachable: false });
    }

    fn push(&mut self, found: Found) {
        (self.tell)(&found);
        self.found.push(found);
    }
}

/// Examines everything a run needs; never fails itself.
pub async fn examine(examination: &Examination<'_>) -> Vec<Found> {
    let mut chart = Chart { found: Vec::new(), tell: examination.found };
    let bytes = match Plan::new(examination.worker, examination.registry) {
        Ok(plan) => source(examination, plan, &mut chart).await,
        Err(error) => {
            chart.add(Area::Files, "translators", Verdict::Fail, error.to_string());
            None
        }
    };
    output(examination, bytes, &mut chart).await;
    state(examination, &mut chart).await;
    chart.found
}

/// Tries on a volume everything that the commit protocol relies on, in a folder named after `name`, and removes it.
pub async fn examine_volume(volume: &dyn Volume, name: &str) -> Vec<Found> {
    let mut chart = Chart { found: Vec::new(), tell: &|_| {} };
    probe::volume(volume, name, &mut chart).await;
    chart.found
}

/// Looks at the view; gives the bytes that a run would write, as far as one page can tell.
async fn source(examination: &Examination<'_>, plan: Plan, chart: &mut Chart<'_>) -> Option<u64> {
    let (source, clock) = (&examination.ports.source, &examination.ports.clock);
    let view = &examination.worker.source.view;
    let started = clock.elapsed();
    let columns = source.columns(view).await;
    let took = clock.elapsed().saturating_sub(started);
    let (verdict, detail, unreachable) = match &columns {
        Err(error) if error.is_away() => (Verdict::Fail, error.to_string(), true),
        // A refusal is an answer too.
        Ok(_) | Err(SourceError::Refused { .. }) => (Verdict::Pass, source.describe(), false),
        Err(error) => (Verdict::Fail, error.to_string(), false),
    };
    let finding = Finding { check: "reachable".to_owned(), verdict, detail };
    chart.push(Found { area: Area::Source, finding, took: Some(took), unreachable });
    let columns = match columns {
        Ok(columns) => columns,
        Err(SourceError::Refused { reason }) => {
            chart.add(Area::Source, "view", Verdict::Fail, reason);
            return None;
        }
        Err(_) => return None,
    };
    chart.add(Area::Source, "view", Verdict::Pass, format!("{view} with {} columns", columns.len()));
    if !named_columns(&plan, &columns, chart) {
        return None;
    }
    match source.examine(&plan.query).await {
        Ok(findings) => {
            for finding in findings {
                chart.push(Found { area: Area::Source, finding, took: None, unreachable: false });
            }
        }
        Err(error) => fail(chart, Area::Source, "key", &error),
    }
    sample(examination, plan, chart).await
}

fn fail(chart: &mut Chart<'_>, area: Area, check: &str, error: &SourceError) {
    let finding = Finding { check: check.to_owned(), verdict: Verdict::Fail, detail: error.to_string() };
    chart.push(Found { area, finding, took: None, unreachable: error.is_away() });
}

/// Whether all columns that the files and the key name are there.
fn named_columns(plan: &Plan, columns: &[Column], chart: &mut Chart<'_>) -> bool {
    let missing: Vec<String> = plan
        .query
        .columns
        .iter()
        .filter(|wanted| !columns.iter().any(|column| column.name == **wanted))
        .map(|wanted| match nearest(wanted, columns) {
            Some(near) => format!("`{wanted}` (did you mean `{near}`?)"),
            None => format!("`{wanted}`"),
        })
        .collect();
    if missing.is_empty() {
        let count = plan.query.columns.len();
        chart.add(Area::Source, "columns", Verdict::Pass, format!("{count} used, all there"));
        return true;
    }
    let there: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let detail = format!("not in the view: {}; it has {}", missing.join(", "), there.join(", "));
    chart.add(Area::Source, "columns", Verdict::Fail, detail);
    false
}

fn nearest<'a>(wanted: &str, columns: &'a [Column]) -> Option<&'a str> {
    let close = columns
        .iter()
        .map(|column| (strsim::jaro_winkler(&column.name.to_lowercase(), &wanted.to_lowercase()), column));
    close.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, column)| column.name.as_str())
}

/// Counts the view, then reads and translates one page.
async fn sample(examination: &Examination<'_>, mut plan: Plan, chart: &mut Chart<'_>) -> Option<u64> {
    let source = &examination.ports.source;
    let extent = match source.extent(&plan.query, &[]).await {
        Ok(extent) => extent,
        Err(error) => {
            fail(chart, Area::Source, "rows", &error);
            return None;
        }
    };
    let pages = pages_of(extent.rows, plan.query.page_size.get());
    let range = extent.range.as_ref().map_or_else(String::new, |(first, last)| format!(", keys {first} to {last}"));
    let rows = if extent.rows == 0 { Verdict::Warn } else { Verdict::Pass };
    chart.add(Area::Source, "rows", rows, format!("{} rows in {pages} pages{range}", extent.rows));
    let until = extent.range.as_ref().map(|(_, last)| last);
    if until.is_none() && !plan.query.key.is_empty() {
        return Some(0);
    }
    let (page, columns) = match first_page(examination, &plan, until).await {
        Ok(Some(read)) => read,
        Ok(None) => return Some(0),
        Err(error) => {
            fail(chart, Area::Source, "first page", &error);
            return None;
        }
    };
    let mut bytes = 0;
    for (spec, file) in examination.worker.files.iter().zip(&mut plan.files) {
        let mask = file.predicate.map(|index| columns.len() + index);
        let bound = file.translator.bind(&columns, mask, &std::collections::BTreeMap::new());
        match bound.and_then(|()| file.translator.translate(&page, Vec::new())) {
            Ok(translated) => bytes += translated.bytes.len() as u64,
            Err(error) => {
                chart.add(Area::Files, spec.id.as_str(), Verdict::Fail, error.to_string());
                return None;
            }
        }
    }
    let total = bytes.saturating_mul(extent.rows).checked_div(page.rows()).unwrap_or(0);
    chart.add(
        Area::Files,
        "translators",
        Verdict::Pass,
        format!("the first {} rows give {bytes} bytes in {} files", page.rows(), examination.worker.files.len()),
    );
    Some(total)
}

async fn first_page(
    examination: &Examination<'_>,
    plan: &Plan,
    until: Option<&super::model::key::Key>,
) -> Result<Option<(super::model::page::Page, Vec<Column>)>, SourceError> {
    let mut stream = examination.ports.source.open(&plan.query, &Position::default(), until).await?;
    let page = stream.next().await?;
    Ok(page.map(|page| (page, stream.columns().unwrap_or_default())))
}

async fn output(examination: &Examination<'_>, bytes: Option<u64>, chart: &mut Chart<'_>) {
    let volume = &*examination.ports.volume;
    probe::volume(volume, examination.name, chart).await;
    let estimate = match last_size(examination).await {
        Ok(Some(last)) => bytes.map(|bytes| bytes.max(last)).or(Some(last)),
        Ok(None) => bytes,
        Err(error) => return chart.add(Area::Output, "earlier runs", Verdict::Fail, error.to_string()),
    };
    let (verdict, detail) = match (volume.free_bytes().await, estimate) {
        (Err(error), _) => (Verdict::Fail, error.to_string()),
        (Ok(free), None) => (Verdict::Warn, format!("{free} bytes free; how much a run needs is not known")),
        (Ok(free), Some(needed)) => {
            let detail = format!("{free} bytes free, a run needs about {needed}");
            let tight = needed > free / 100 * TIGHT_PERCENT;
            (
                if needed > free {
                    Verdict::Fail
                } else if tight {
                    Verdict::Warn
                } else {
                    Verdict::Pass
                },
                detail,
            )
        }
    };
    chart.add(Area::Output, "free space", verdict, detail);
}

/// Bytes of the latest published run.
async fn last_size(examination: &Examination<'_>) -> Result<Option<u64>, GenerateError> {
    let runs = examination.ports.runs.runs(Some(&examination.worker.id), 30).await.unwrap_or_default();
    for record in runs {
        let id: &RunId = &record.id;
        if let Some(manifest) = publish::published(&*examination.ports.volume, id).await? {
            return Ok(Some(manifest.files.iter().map(|file| file.bytes).sum()));
        }
    }
    Ok(None)
}

async fn state(examination: &Examination<'_>, chart: &mut Chart<'_>) {
    let (ports, worker) = (examination.ports, &examination.worker.id);
    let started = ports.clock.elapsed();
    let lease = match &examination.state_error {
        Some(error) => Err(error.clone()),
        None => ports.leases.read(worker).await,
    };
    let took = ports.clock.elapsed().saturating_sub(started);
    let (verdict, detail, unreachable) = match &lease {
        Ok(None) => (Verdict::Pass, "answers; the worker was never led".to_owned(), false),
        Ok(Some(lease)) if lease.released.is_some() => {
            (Verdict::Pass, format!("answers; the lease is free, last token {}", lease.token), false)
        }
        Ok(Some(lease)) => {
            (Verdict::Pass, format!("answers; {} leads with token {}", lease.instance, lease.token), false)
        }
        Err(error) => (Verdict::Fail, error.to_string(), matches!(error, StoreError::Unreachable { .. })),
    };
    let finding = Finding { check: "reachable".to_owned(), verdict, detail };
    chart.push(Found { area: Area::State, finding, took: Some(took), unreachable });
    if lease.is_ok() {
        unsent(&*ports.runs, examination, chart).await;
    }
}

async fn unsent(runs: &dyn RunStore, examination: &Examination<'_>, chart: &mut Chart<'_>) {
    let worker = &examination.worker.id;
    match runs.unsent(worker).await {
        Ok(waiting) if waiting.is_empty() || examination.worker.completion.is_none() => {}
        Ok(waiting) => {
            let detail = format!("{} completion events wait for a broker", waiting.len());
            chart.add(Area::State, "outbox", Verdict::Warn, detail);
        }
        Err(error) => chart.add(Area::State, "outbox", Verdict::Fail, error.to_string()),
    }
}
