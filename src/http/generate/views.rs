//! The views behind the status page and its JSON: the state store's report, and what this process does.

use super::{AppState, WorkerHandle};
use crate::core::generate::status::Report;
use crate::core::generate::status::view::{PassedOverView, RunView, WorkerView};
use crate::core::health::Answer;
use crate::core::model::moment::moment;
use crate::core::ports::store::StoreError;
use crate::telemetry::generate::status::{RecentEvent, RunProgress};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The whole page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusPage {
    instance: String,
    version: &'static str,
    started_at: String,
    at: String,
    workers: Vec<WorkerShown>,
}

impl StatusPage {
    pub(super) fn new(state: &AppState, workers: Vec<WorkerShown>, now: Timestamp) -> Self {
        let (instance, version) = (state.instance.clone(), env!("CARGO_PKG_VERSION"));
        Self { instance, version, started_at: moment(state.started), at: moment(now), workers }
    }
}

/// One worker.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkerShown {
    worker_id: String,
    /// `leading` or `standby`, of this instance.
    role: &'static str,
    /// Who holds the lease, of all instances.
    holder: Option<String>,
    token: Option<u64>,
    lease: &'static str,
    run: Option<RunShown>,
    outbox: usize,
    dependencies: BTreeMap<&'static str, Answer>,
    runs: Vec<RecordShown>,
    /// The trigger's latest dead letters, newest first.
    passed_over: Vec<PassedOverView>,
    happened: Vec<RecentShown>,
    /// Why the state store could not be asked.
    error: Option<String>,
}

/// The run under way in this process.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunShown {
    run_id: String,
    page: u64,
    pages_expected: u64,
    rows: u64,
    rows_expected: u64,
    rows_per_second: f64,
    pages_per_second: f64,
    /// When all rows will be durable at the live rate.
    forecast_end: Option<String>,
}

/// A recorded run, as far as this page shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordShown {
    business_date: String,
    status: &'static str,
    rows: u64,
    page: u64,
    requested_by: String,
    completed_at: Option<String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct RecentShown {
    at: String,
    what: String,
}

impl WorkerShown {
    pub(super) fn new(handle: &WorkerHandle, asked: Result<Report, StoreError>, now: Timestamp) -> Self {
        let live = handle.status.now();
        let (view, error) = match asked {
            Ok(report) => (report.workers.first().map(WorkerView::new), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let outbox = view.as_ref().filter(|_| handle.has_outbox).map_or(live.outbox, |view| view.unsent_events.len());
        let lease = view.as_ref().map(|view| &view.lease);
        Self {
            worker_id: handle.status.worker().to_string(),
            role: if live.token.is_some() { "leading" } else { "standby" },
            holder: lease.and_then(|lease| lease.holder.clone()),
            token: lease.and_then(|lease| lease.token),
            lease: lease.map_or("unknown", |lease| lease.state),
            run: live.run.as_ref().map(|run| RunShown::new(run, now)),
            outbox,
            dependencies: handle.dependencies.answers(),
            runs: view.iter().flat_map(|view| &view.runs).map(RecordShown::new).collect(),
            happened: live.recent.iter().map(RecentShown::new).collect(),
            passed_over: view.map(|view| view.passed_over).unwrap_or_default(),
            error,
        }
    }
}

impl RunShown {
    fn new(run: &RunProgress, now: Timestamp) -> Self {
        Self {
            run_id: run.id.clone(),
            page: run.page,
            pages_expected: run.pages_expected,
            rows: run.rows,
            rows_expected: run.rows_expected,
            rows_per_second: run.rate.0,
            pages_per_second: run.rate.1,
            forecast_end: run.seconds_left().and_then(|left| forecast(now, left)),
        }
    }
}

impl RecordShown {
    fn new(run: &RunView) -> Self {
        Self {
            business_date: run.business_date.clone(),
            status: run.status,
            rows: run.rows,
            page: run.last_page,
            requested_by: run.requested_by.clone(),
            completed_at: run.completed_at.clone(),
            error: run.error.clone(),
        }
    }
}

impl RecentShown {
    fn new(event: &RecentEvent) -> Self {
        Self { at: moment(event.at), what: event.what.clone() }
    }
}

fn forecast(now: Timestamp, seconds: f64) -> Option<String> {
    let left = Duration::try_from_secs_f64(seconds).ok()?;
    now.checked_add(left).ok().map(moment)
}
