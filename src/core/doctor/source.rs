//! Looks at the view, its key and its first page, and translates that.

use super::{Area, Chart, Examination, Found};
use crate::core::generate::plan::{Plan, pages_of};
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::ports::source::{Finding, Position, SourceError, Verdict};
use std::collections::BTreeMap;

/// Looks at the view; gives the bytes that a run would write, as far as one page can tell.
pub(super) async fn source(examination: &Examination<'_>, plan: Plan, chart: &mut Chart<'_>) -> Option<u64> {
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
    if plan.query.finds_nothing(until) {
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
        let bound = file.translator.bind(&columns, mask, &BTreeMap::new());
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
    until: Option<&Key>,
) -> Result<Option<(Page, Vec<Column>)>, SourceError> {
    let mut stream = examination.ports.source.open(&plan.query, &Position::default(), until).await?;
    let page = stream.next().await?;
    Ok(page.map(|page| (page, stream.columns().unwrap_or_default())))
}
