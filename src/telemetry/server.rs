//! HTTP for probes, Prometheus and people: `/health/live`, `/health/ready`, `/metrics`, `/status` and the page at `/`.

use super::dependencies::{Dependencies, Found};
use super::generate::status::{WorkerState, WorkerStatus};
use super::{moment, page};
use crate::core::generate::status::{self, WorkerReport};
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::runs::{DeadLetter, RunStore};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A run under way that neither reads nor commits for this long is stuck; a source may well sort for many minutes first.
const STUCK: Duration = Duration::from_mins(30);

/// One worker of this process, as the server shows it.
pub struct Served {
    /// What it is doing.
    pub live: Arc<WorkerStatus>,
    /// What it needs.
    pub dependencies: Arc<Dependencies>,
    /// The lease of all instances.
    pub leases: Arc<dyn LeaseStore>,
    /// The runs of all instances.
    pub runs: Arc<dyn RunStore>,
    /// Longest time a lease lasts without a renewal.
    pub lease_ttl: Duration,
    /// Whether completion events have a topic to go to; else none of them waits for anything.
    pub announces: bool,
}

/// Everything that the server shows.
pub struct Board {
    /// Host name and process id.
    pub instance: String,
    /// When the process started.
    pub started: Timestamp,
    /// Its workers.
    pub workers: Vec<Served>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The metrics' text.
    pub metrics: PrometheusHandle,
    /// Set when the process is to end: from then on it is not ready, and a service that has ended is no fault.
    pub stop: CancellationToken,
}

/// Answers until `stop`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(board: Arc<Board>, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/", get(index))
        .route("/status", get(status))
        .route("/health/live", get(alive))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(board);
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

async fn metrics(State(board): State<Arc<Board>>) -> Response {
    for worker in &board.workers {
        // A gauge that grows with time is set when it is looked at.
        drop(worker.live.now());
    }
    let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (form, board.metrics.render()).into_response()
}

/// Whether each worker is served, renews its lease, and gets on with its run.
async fn alive(State(board): State<Arc<Board>>) -> Response {
    let now = board.clock.elapsed();
    let mut wrong = BTreeMap::new();
    for served in &board.workers {
        if let Some(reason) = stuck(&served.live.now(), now, served.lease_ttl, board.stop.is_cancelled()) {
            wrong.insert(served.live.worker().to_string(), reason);
        }
    }
    let state = if wrong.is_empty() { "live" } else { "stuck" };
    answer(wrong.is_empty(), &serde_json::json!({ "state": state, "wrong": wrong }))
}

fn stuck(state: &WorkerState, now: Duration, lease_ttl: Duration, stopping: bool) -> Option<String> {
    // Of several workers that are to stop, one has given its lease back while another still writes.
    if !state.serving && !stopping {
        return Some("its service has ended".to_owned());
    }
    if state.token.is_some() && state.renewed.is_some_and(|at| now.saturating_sub(at) > lease_ttl * 2) {
        return Some("it leads and does not renew its lease".to_owned());
    }
    let run = state.run.as_ref()?;
    let idle = now.saturating_sub(run.progress);
    (idle > STUCK).then(|| format!("run {} has not moved for {} minutes", run.id, idle.as_secs() / 60))
}

/// Whether every dependency of every worker answered when it was last asked. Never again once the process is to end.
async fn ready(State(board): State<Arc<Board>>) -> Response {
    let workers: BTreeMap<String, BTreeMap<&str, Found>> =
        board.workers.iter().map(|served| (served.live.worker().to_string(), served.dependencies.found())).collect();
    let all_up = workers.values().flat_map(BTreeMap::values).all(|found| found.state == "up");
    let stopping = board.stop.is_cancelled();
    let state = match (stopping, all_up) {
        (true, _) => "stopping",
        (false, true) => "ready",
        (false, false) => "notReady",
    };
    answer(all_up && !stopping, &serde_json::json!({ "state": state, "workers": workers }))
}

fn answer(good: bool, body: &serde_json::Value) -> Response {
    let code = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn status(State(board): State<Arc<Board>>) -> Response {
    let shown = look(&board).await;
    match serde_json::to_string(&shown) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn index(State(board): State<Arc<Board>>) -> Response {
    let shown = look(&board).await;
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page::html(&shown)).into_response()
}

/// What the page and its JSON show.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    pub instance: String,
    pub version: &'static str,
    pub started_at: String,
    pub at: String,
    pub workers: Vec<ShownWorker>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownWorker {
    pub worker_id: String,
    /// `leading` or `standby`, of this instance.
    pub role: &'static str,
    /// Who holds the lease, of all instances.
    pub holder: Option<String>,
    pub token: Option<u64>,
    pub lease: &'static str,
    pub run: Option<ShownRun>,
    pub outbox: usize,
    pub dependencies: BTreeMap<&'static str, Found>,
    pub runs: Vec<ShownRecord>,
    /// The latest events that its trigger passed over, newest first.
    pub passed_over: Vec<ShownEvent>,
    pub happened: Vec<Happening>,
    /// Why the state store could not be asked.
    pub error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownRun {
    pub run_id: String,
    pub page: u64,
    pub pages_expected: u64,
    pub rows: u64,
    pub rows_expected: u64,
    pub rows_per_second: f64,
    pub pages_per_second: f64,
    /// When all rows will be durable at the live rate.
    pub forecast_end: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownRecord {
    pub business_date: String,
    pub status: &'static str,
    pub rows: u64,
    pub page: u64,
    pub requested_by: String,
    pub completed_at: Option<String>,
    pub error: Option<String>,
}

/// An event on the trigger's topic that asked for no run.
#[derive(Serialize)]
pub(super) struct ShownEvent {
    pub at: String,
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub reason: String,
}

#[derive(Serialize)]
pub(super) struct Happening {
    pub at: String,
    pub what: String,
}

async fn look(board: &Board) -> Shown {
    let now = board.clock.now();
    let mut workers = Vec::with_capacity(board.workers.len());
    for served in &board.workers {
        workers.push(look_at(served, &*board.clock, now).await);
    }
    let (instance, version) = (board.instance.clone(), env!("CARGO_PKG_VERSION"));
    Shown { instance, version, started_at: moment(board.started), at: moment(now), workers }
}

async fn look_at(served: &Served, clock: &dyn Clock, now: Timestamp) -> ShownWorker {
    let live = served.live.now();
    let worker = served.live.worker();
    let (report, error) = match status::report(&*served.leases, &*served.runs, clock, Some(worker)).await {
        Ok(report) => (report.workers.into_iter().next(), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let lease = report.as_ref().and_then(|report| report.lease.record.clone());
    ShownWorker {
        worker_id: worker.to_string(),
        role: if live.token.is_some() { "leading" } else { "standby" },
        holder: lease.as_ref().map(|lease| lease.instance.to_string()),
        token: lease.map(|lease| lease.token.0),
        lease: report.as_ref().map_or("unknown", |report| report.lease.state.as_str()),
        run: live.run.as_ref().map(|run| ShownRun {
            run_id: run.id.clone(),
            page: run.page,
            pages_expected: run.pages_expected,
            rows: run.rows,
            rows_expected: run.rows_expected,
            rows_per_second: run.rate.0,
            pages_per_second: run.rate.1,
            forecast_end: run.seconds_left().and_then(|left| forecast(now, left)),
        }),
        outbox: report.as_ref().filter(|_| served.announces).map_or(live.outbox, |report| report.unsent.len()),
        dependencies: served.dependencies.found(),
        runs: report.iter().flat_map(records).collect(),
        passed_over: report.iter().flat_map(|report| &report.odd_events).map(passed_over).collect(),
        happened: live
            .recent
            .iter()
            .map(|event| Happening { at: moment(event.at), what: event.what.clone() })
            .collect(),
        error,
    }
}

fn records(report: &WorkerReport) -> Vec<ShownRecord> {
    let shown = |run: &status::RunReport| ShownRecord {
        business_date: run.record.id.date.to_string(),
        status: run.record.status.as_str(),
        rows: run.record.rows,
        page: run.record.last_page,
        requested_by: run.record.requested_by.clone(),
        completed_at: run.record.completed_at.map(moment),
        error: run.record.error.clone(),
    };
    report.runs.iter().map(shown).collect()
}

fn passed_over(event: &DeadLetter) -> ShownEvent {
    ShownEvent {
        at: moment(event.at),
        topic: event.id.topic.clone(),
        partition: event.id.partition,
        offset: event.id.offset,
        reason: event.reason.clone(),
    }
}

fn forecast(now: Timestamp, seconds: f64) -> Option<String> {
    let left = Duration::try_from_secs_f64(seconds).ok()?;
    now.checked_add(left).ok().map(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_move_is_stuck() {
        let minutes = Duration::from_mins;
        let ttl = Duration::from_secs(30);
        let mut state = WorkerState { serving: true, ..WorkerState::default() };
        assert_eq!(stuck(&state, minutes(90), ttl, false), None, "standing by is no fault");
        (state.token, state.renewed) = (Some(3), Some(minutes(89)));
        assert_eq!(stuck(&state, minutes(90), ttl, false), None);
        assert!(stuck(&state, minutes(91), ttl, true).is_some_and(|reason| reason.contains("renew")));
        state.serving = false;
        assert!(stuck(&state, minutes(90), ttl, false).is_some_and(|reason| reason.contains("ended")));
        assert_eq!(stuck(&state, minutes(90), ttl, true), None, "it was told to");
    }
}
