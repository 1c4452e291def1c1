//! Looks for whatever would make a run fail: source, view and key, translators, output folder, state store, topics. Reads the
//! source, writes and removes a few small files in the output folder, and changes nothing else.

use super::deliver;
use super::params;
use super::places;
use super::plan::{Plan, pages_of};
use super::publish;
use super::spec::Worker;
use super::translate::Registry;
use super::{GenerateError, Ports};
use crate::core::doctor::permissions::{self, Kept};
use crate::core::doctor::report::{Area, CheckResult, Report};
use crate::core::doctor::state::{Store, state};
use crate::core::doctor::topics::{Topics, topics};
use crate::core::doctor::volume;
use crate::core::inlet::Inlet;
use crate::core::kind::FailureKind;
use crate::core::model::amount::{counted, thousands};
use crate::core::model::column::Column;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::peer::{Insecure, Peer};
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::outbox::Outbox;
use crate::core::ports::source::{Position, SourceError};
use crate::core::ports::store::StoreError;
use std::collections::BTreeMap;

/// Share of the free space that the files may take before a person should know.
const TIGHT_PERCENT: u64 = 80;

/// What to check.
pub struct DoctorInput<'a> {
    /// Source, volume and state store.
    pub ports: &'a Ports,
    /// The worker.
    pub worker: &'a Worker,
    /// Translators that the worker file may name.
    pub registry: &'a Registry,
    /// The business date whose rows are looked at.
    pub date: BusinessDate,
    /// Names this check's folder on the volume; no other check has that name.
    pub name: &'a str,
    /// Why the state store could not be opened. `None` when it is open. A store that is not open is not asked.
    pub state_error: Option<StoreError>,
    /// Other worker files that declare this worker, in a sentence each.
    pub namesakes: &'a [String],
    /// Where the worker publishes, and its permissions. Empty where nobody tells.
    pub output_kept: &'a [Kept],
    /// The state store's file and its permissions. `None` where it has none, or not yet.
    pub state_kept: &'a [Kept],
    /// Who may write the state store's file. `None` where it has none.
    pub state_rights: Option<Finding>,
    /// The state store's server. `None` where it has none.
    pub admin: Option<&'a dyn StoreAdmin>,
    /// The worker's topics.
    pub topics: &'a Topics,
    /// The way into the transfer that the worker delivers to. `None` where its file is not at hand.
    pub inlet: Option<&'a Inlet>,
    /// Connections that are weaker than they should be.
    pub insecure: &'a [Insecure],
    /// Gets each finding at once.
    pub found: &'a (dyn Fn(&CheckResult) + Send + Sync),
}

/// Checks everything a run needs. Never fails itself.
pub async fn examine(input: &DoctorInput<'_>) -> Vec<CheckResult> {
    let mut report = Report::new(input.found);
    let params = params::for_looking(input.worker, input.date);
    for namesake in input.namesakes {
        report.add(Area::Files, "worker id", CheckVerdict::Warn, namesake.as_str());
    }
    let bytes = match Plan::new(input.worker, input.registry, &params) {
        Ok(plan) => source(input, plan, &mut report).await,
        Err(error) => {
            report.fail(Area::Files, "translators", &error);
            None
        }
    };
    output(input, bytes, &mut report).await;
    let store = Store {
        leader_of: &(&input.worker.id).into(),
        leases: input.state_error.as_ref().map_or(Ok(&*input.ports.state.leases), Err),
        admin: input.admin,
        policies: &input.worker.policies,
        clock: &*input.ports.clock,
    };
    permissions::of_kept(Area::State, input.state_kept, input.state_rights.as_ref(), &mut report);
    if state(&store, &mut report).await {
        unsent(&*input.ports.state.outbox, input, &mut report).await;
    }
    deliver::doctor::hand_over(input, &mut report).await;
    topics(input.topics, &*input.ports.clock, &mut report).await;
    insecure(input.insecure, &mut report);
    report.found
}

fn insecure(found: &[Insecure], report: &mut Report<'_>) {
    for Insecure { peer, field, what, instead } in found {
        let area = match peer {
            Peer::Postgres | Peer::SqlServer => Area::Source,
            Peer::Mongo => Area::State,
            Peer::Kafka | Peer::Redis | Peer::Nats | Peer::Sftp | Peer::S3 | Peer::Otlp => Area::Kafka,
        };
        report.add(area, "is encrypted and verified", CheckVerdict::Warn, format!("`{field}`: {what}; {instead}"));
    }
}

async fn output(input: &DoctorInput<'_>, bytes: Option<u64>, report: &mut Report<'_>) {
    let volume = &*input.ports.volume;
    volume::check(volume, input.name, report).await;
    permissions::of_staging(volume, report).await;
    permissions::of_kept(Area::Output, input.output_kept, None, report);
    let run = RunId { worker: input.worker.id.clone(), date: input.date };
    let folders = places::folders(input.worker, &run);
    match places::check(volume, &folders).await {
        Ok(()) if folders.is_empty() => {}
        Ok(()) => report.add(Area::Output, "sub-folders", CheckVerdict::Pass, "on the device of output.root"),
        Err(error) => report.fail(Area::Output, "sub-folders", &error),
    }
    let estimate = match last_size(input).await {
        Ok(Some(last)) => bytes.map(|bytes| bytes.max(last)).or(Some(last)),
        Ok(None) => bytes,
        Err(error) => return report.fail(Area::Output, "earlier runs", &error),
    };
    let (verdict, detail) = match (volume.free_bytes().await, estimate) {
        (Err(error), _) => return report.fail(Area::Output, "free space", &error),
        (Ok(free), None) => {
            (CheckVerdict::Warn, format!("{} free; how much a run needs is not known", counted(free, "byte")))
        }
        (Ok(free), Some(needed)) => {
            let detail = format!("{} free, a run needs about {}", counted(free, "byte"), thousands(needed));
            let tight = needed > free / 100 * TIGHT_PERCENT;
            (
                if needed > free {
                    CheckVerdict::Fail
                } else if tight {
                    CheckVerdict::Warn
                } else {
                    CheckVerdict::Pass
                },
                detail,
            )
        }
    };
    report.add(Area::Output, "free space", verdict, detail);
}

/// Bytes of the latest published run.
async fn last_size(input: &DoctorInput<'_>) -> Result<Option<u64>, GenerateError> {
    let runs = input.ports.state.runs.runs(Some(&input.worker.id), 30).await.unwrap_or_default().records;
    for record in runs {
        let id: &RunId = &record.id;
        if let Some(manifest) = publish::published(&*input.ports.volume, id).await? {
            return Ok(Some(manifest.files.iter().map(|file| file.bytes).sum()));
        }
    }
    Ok(None)
}

async fn unsent(outbox: &dyn Outbox, input: &DoctorInput<'_>, report: &mut Report<'_>) {
    let worker = &input.worker.id;
    match outbox.pending(&worker.into()).await {
        Ok(waiting) if waiting.records.is_empty() || input.worker.completion.is_none() => {}
        Ok(waiting) => {
            let detail = format!("{} not sent yet", counted(waiting.records.len() as u64, "completion event"));
            report.add(Area::State, "outbox", CheckVerdict::Warn, detail);
        }
        Err(error) => report.fail(Area::State, "outbox", &error),
    }
}

/// Checks the view. Returns the bytes that a run would write, as estimated from one page.
async fn source(input: &DoctorInput<'_>, plan: Plan, report: &mut Report<'_>) -> Option<u64> {
    let (source, clock) = (&input.ports.source, &input.ports.clock);
    let view = &plan.query.view.clone();
    let started = clock.elapsed();
    let columns = source.columns(view).await;
    let took = clock.elapsed().saturating_sub(started);
    let answer = match &columns {
        // A refusal is an answer too.
        Ok(_) | Err(SourceError::Refused { .. }) => Ok(source.describe()),
        Err(error) => Err(error),
    };
    report.answered(Area::Source, "reachable", Some(took), answer);
    let columns = match columns {
        Ok(columns) => columns,
        Err(error @ SourceError::Refused { .. }) => {
            report.fail(Area::Source, "view", &error);
            return None;
        }
        Err(_) => return None,
    };
    report.add(
        Area::Source,
        "view",
        CheckVerdict::Pass,
        format!("{view} with {}", counted(columns.len() as u64, "column")),
    );
    if !named_columns(&plan, &columns, source.folds_names(), report) {
        return None;
    }
    let examined = match source.examine(&plan.query).await {
        Ok(findings) => source.doubts(&plan.query).await.map(|doubts| [findings, doubts].concat()),
        Err(error) => Err(error),
    };
    match examined {
        Ok(findings) => {
            for finding in findings {
                // What a source looks for is a key that is NULL or not unique.
                report.push(CheckResult::new(Area::Source, finding, FailureKind::Data));
            }
        }
        Err(error) => report.fail(Area::Source, "key", &error),
    }
    sample(input, plan, report).await
}

/// Whether all columns that the files and the key name are there.
fn named_columns(plan: &Plan, columns: &[Column], folds: bool, report: &mut Report<'_>) -> bool {
    let is_there = |wanted: &String| {
        let alike = |column: &Column| folds && column.name.to_lowercase() == wanted.to_lowercase();
        columns.iter().any(|column| column.name == *wanted || alike(column))
    };
    let missing: Vec<String> = plan
        .query
        .columns
        .iter()
        .filter(|wanted| !is_there(wanted))
        .map(|wanted| match nearest(wanted, columns) {
            Some(near) => format!("`{wanted}` (did you mean `{near}`?)"),
            None => format!("`{wanted}`"),
        })
        .collect();
    if missing.is_empty() {
        let count = plan.query.columns.len();
        report.add(Area::Source, "columns", CheckVerdict::Pass, format!("{count} used, all there"));
        return true;
    }
    let there: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let detail = format!("not in the view: {}; it has {}", missing.join(", "), there.join(", "));
    report.fail(Area::Source, "columns", &SourceError::Refused { reason: detail });
    false
}

fn nearest<'a>(wanted: &str, columns: &'a [Column]) -> Option<&'a str> {
    let close = columns
        .iter()
        .map(|column| (strsim::jaro_winkler(&column.name.to_lowercase(), &wanted.to_lowercase()), column));
    close.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, column)| column.name.as_str())
}

/// Counts the view, then reads and translates one page.
async fn sample(input: &DoctorInput<'_>, mut plan: Plan, report: &mut Report<'_>) -> Option<u64> {
    let source = &input.ports.source;
    let extent = match source.extent(&plan.query).await {
        Ok(extent) => extent,
        Err(error) => {
            report.fail(Area::Source, "rows", &error);
            return None;
        }
    };
    let pages = pages_of(extent.rows, plan.query.page_size.get());
    let range = extent.range.as_ref().map_or_else(String::new, |(first, last)| format!(", keys {first} to {last}"));
    let rows = if extent.rows == 0 { CheckVerdict::Warn } else { CheckVerdict::Pass };
    report.add(
        Area::Source,
        "rows",
        rows,
        format!("{} in {}{range}", counted(extent.rows, "row"), counted(pages, "page")),
    );
    let until = extent.range.as_ref().map(|(_, last)| last);
    if plan.query.finds_nothing(until) {
        return Some(0);
    }
    let (page, columns) = match first_page(input, &plan, until).await {
        Ok(Some(read)) => read,
        Ok(None) => return Some(0),
        Err(error) => {
            report.fail(Area::Source, "first page", &error);
            return None;
        }
    };
    let mut bytes = 0;
    for (spec, file) in input.worker.files.iter().zip(&mut plan.files) {
        let mask = file.predicate.map(|index| columns.len() + index);
        let bound = file.translator.bind(&columns, mask, &BTreeMap::new());
        match bound.and_then(|()| file.translator.translate(&page, Vec::new())) {
            Ok(translated) => bytes += translated.bytes.len() as u64,
            Err(error) => {
                let finding =
                    Finding { check: spec.id.to_string(), verdict: CheckVerdict::Fail, detail: error.to_string() };
                report.push(CheckResult::new(Area::Files, finding, FailureKind::Data));
                return None;
            }
        }
    }
    let total = bytes.saturating_mul(extent.rows).checked_div(page.rows()).unwrap_or(0);
    report.add(
        Area::Files,
        "translators",
        CheckVerdict::Pass,
        format!(
            "the first {} give {} in {}",
            counted(page.rows(), "row"),
            counted(bytes, "byte"),
            counted(input.worker.files.len() as u64, "file")
        ),
    );
    Some(total)
}

async fn first_page(
    input: &DoctorInput<'_>,
    plan: &Plan,
    until: Option<&Key>,
) -> Result<Option<(Page, Vec<Column>)>, SourceError> {
    let mut stream = input.ports.source.open(&plan.query, &Position::default(), until).await?;
    let page = stream.next().await?;
    Ok(page.map(|page| (page, stream.columns().unwrap_or_default())))
}
