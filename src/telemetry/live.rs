//! What one worker is doing in this process: kept for health and the status page, counted for metrics, and logged.

use super::log::LoggedNews;
use super::metrics::WorkerMetrics;
use crate::core::generate::trigger::{TriggerEvent, TriggerObserver};
use crate::core::model::names::WorkerId;
use crate::core::outbox::{AnnounceObserver, OutboxEvent};
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::{News, Observer};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Happenings kept for the status page.
const KEPT: usize = 20;
/// Rates are those of this much time.
const LATELY: Duration = Duration::from_secs(10);

/// One worker, as this process sees it.
pub struct Live {
    worker: WorkerId,
    clock: Arc<dyn Clock>,
    metrics: WorkerMetrics,
    log: LoggedNews,
    state: Mutex<State>,
}

/// What is known at one moment.
#[derive(Clone, Default, Debug)]
pub struct State {
    /// Whether the worker is served; false when its service has ended.
    pub serving: bool,
    /// Our token, while we lead.
    pub token: Option<u64>,
    /// When the store last saw us alive, on the clock of [`Clock::elapsed`].
    pub renewed: Option<Duration>,
    /// The run under way.
    pub run: Option<LiveRun>,
    /// Completion events that wait for the broker.
    pub outbox: usize,
    /// What happened lately, the latest first: when, and what.
    pub happened: VecDeque<(Timestamp, String)>,
}

/// A run under way.
#[derive(Clone, Debug)]
pub struct LiveRun {
    /// `LoanWorker:2026-11-21`.
    pub id: String,
    /// Rows expected, as counted at the start.
    pub rows_expected: u64,
    /// Pages expected.
    pub pages_expected: u64,
    /// Rows of the source that are durable.
    pub rows: u64,
    /// Last durable page.
    pub page: u64,
    /// When something was last read or committed, on the clock of [`Clock::elapsed`].
    pub progress: Duration,
    /// Rows and pages a second, lately.
    pub rate: (f64, f64),
    window: (Duration, u64, u64),
}

impl LiveRun {
    /// Seconds until all rows are durable at the live rate; none when nothing is known yet.
    #[expect(clippy::cast_precision_loss, reason = "a forecast for people")]
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self.rows_expected.saturating_sub(self.rows) as f64;
        (self.rate.0 > 0.0).then(|| left / self.rate.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "rates for people")]
    fn committed(&mut self, at: Duration, page: u64, rows: u64) {
        let (from, rows_then, pages_then) = self.window;
        let time = at.saturating_sub(from).as_secs_f64().max(0.001);
        self.rate = (rows.saturating_sub(rows_then) as f64 / time, page.saturating_sub(pages_then) as f64 / time);
        if at.saturating_sub(from) > LATELY {
            self.window = (at, rows, page);
        }
        (self.rows, self.page, self.progress) = (rows, page, at);
    }
}

impl Live {
    /// Nothing has happened yet.
    pub fn new(worker: WorkerId, instance: &str, clock: Arc<dyn Clock>) -> Self {
        let metrics = WorkerMetrics::new(worker.as_str());
        let log = LoggedNews::new(worker.as_str(), instance);
        Self { worker, clock, metrics, log, state: Mutex::new(State { serving: true, ..State::default() }) }
    }

    /// Whose.
    pub fn worker(&self) -> &WorkerId {
        &self.worker
    }

    /// Its metrics.
    pub fn metrics(&self) -> &WorkerMetrics {
        &self.metrics
    }

    /// What is known now.
    pub fn now(&self) -> State {
        let state = self.state().clone();
        if let (Some(renewed), Some(_)) = (state.renewed, state.token) {
            let age = self.clock.elapsed().saturating_sub(renewed);
            self.metrics.set("filegen_lease_age_seconds", age.as_secs_f64());
        }
        state
    }

    /// Something for the status page.
    pub fn happened(&self, text: String) {
        self.note(&mut self.state(), text);
    }

    /// The service of this worker has ended.
    pub fn ended(&self) {
        self.state().serving = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, state: &mut State, text: String) {
        state.happened.push_front((self.clock.now(), text));
        state.happened.truncate(KEPT);
    }

    fn out_of_office(&self, state: &mut State) {
        (state.token, state.renewed, state.run) = (None, None, None);
        self.metrics.set("filegen_leader", 0.0);
        self.metrics.set("filegen_lease_age_seconds", 0.0);
        self.at_rest();
    }

    fn at_rest(&self) {
        self.metrics.set("pages_per_second", 0.0);
        self.metrics.set("rows_per_second", 0.0);
        self.metrics.set("time_to_completion_seconds", 0.0);
    }
}

impl Live {
    /// News of the lease; false when it is none.
    fn office(&self, state: &mut State, news: &News, elapsed: Duration) -> bool {
        match news {
            News::Waiting { holder, token, .. } => {
                self.note(state, format!("standing by: {holder} leads with token {token}"));
            }
            News::Leading { token } => {
                (state.token, state.renewed) = (Some(token.0), Some(elapsed));
                self.metrics.set("filegen_leader", 1.0);
                self.note(state, format!("leads with token {token}"));
            }
            News::Renewed => {
                state.renewed = Some(elapsed);
                self.metrics.add("lease_renewals_total", 1);
            }
            News::Lost { token, why } => {
                self.out_of_office(state);
                self.note(state, format!("lost the lease with token {token}: {why}"));
            }
            News::Released { token } => {
                self.out_of_office(state);
                self.note(state, format!("gave the lease with token {token} back"));
            }
            _ => return false,
        }
        true
    }

    /// News of pages under way; false when it is none.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    fn pages(&self, state: &mut State, news: &News, elapsed: Duration) -> bool {
        match news {
            News::Started { run, rows, pages, .. } => {
                state.run = Some(LiveRun {
                    id: run.to_string(),
                    rows_expected: *rows,
                    pages_expected: *pages,
                    rows: 0,
                    page: 0,
                    progress: elapsed,
                    rate: (0.0, 0.0),
                    window: (elapsed, 0, 0),
                });
                self.metrics.set("filegen_run_rows_expected", *rows as f64);
                self.note(state, format!("run {run} started: {rows} rows in {pages} pages"));
            }
            News::Fetched { took, .. } => {
                self.metrics.time("filegen_page_fetch_seconds", *took);
                if let Some(run) = &mut state.run {
                    run.progress = elapsed;
                }
            }
            News::Synced { took } => self.metrics.time("filegen_fsync_seconds", *took),
            News::Committed { page, source_rows, took, .. } => {
                self.metrics.time("filegen_commit_seconds", *took);
                self.metrics.set("filegen_run_rows", *source_rows as f64);
                if let Some(run) = &mut state.run {
                    run.committed(elapsed, *page, *source_rows);
                    self.metrics.set("rows_per_second", run.rate.0);
                    self.metrics.set("pages_per_second", run.rate.1);
                    self.metrics.set("time_to_completion_seconds", run.seconds_left().unwrap_or_default());
                }
            }
            _ => return false,
        }
        true
    }

    /// What became of files, runs and faults.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    fn ends(&self, state: &mut State, news: &News) {
        match news {
            News::Resumed { from, page, .. } => {
                self.metrics.add("filegen_takeovers_total", 1);
                self.note(state, format!("goes on behind page {page} of token {from}"));
            }
            News::Warning { text } => self.note(state, text.clone()),
            News::Retrying { reason, .. } => {
                self.metrics.add("filegen_retries_total", 1);
                self.note(state, reason.clone());
            }
            News::Published { file, path, rows, .. } => {
                self.metrics.add("files_completed_total", 1);
                self.note(state, format!("published {file} as {path}: {rows} rows"));
            }
            News::Done { run, took, .. } => {
                state.run = None;
                self.at_rest();
                self.metrics.time("filegen_run_seconds", *took);
                let now = self.clock.now().as_second();
                self.metrics.set("filegen_last_success_timestamp_seconds", now as f64);
                self.note(state, format!("run {run} is published"));
            }
            News::Failed { run, error, .. } => {
                state.run = None;
                self.at_rest();
                self.metrics.add("filegen_runs_failed_total", 1);
                self.note(state, format!("run {run} failed: {error}"));
            }
            _ => {}
        }
    }
}

impl Observer for Live {
    fn observe(&self, news: &News) {
        let elapsed = self.clock.elapsed();
        let mut state = self.state();
        if !self.office(&mut state, news, elapsed) && !self.pages(&mut state, news, elapsed) {
            self.ends(&mut state, news);
        }
        drop(state);
        // Who reads the line finds it on the status page already.
        self.log.observe(news);
    }
}

impl TriggerObserver for Live {
    fn heard(&self, news: &TriggerEvent) {
        self.log.trigger(news);
        let state = &mut *self.state();
        match news {
            TriggerEvent::Requested { run, event } => self.note(state, format!("run {} asked for by {event}", run.id)),
            TriggerEvent::Repeated { .. } => self.metrics.add("filegen_duplicate_triggers_total", 1),
            TriggerEvent::Odd { event, reason } => {
                self.metrics.add("filegen_odd_events_total", 1);
                self.note(state, format!("event {event} passed over: {reason}"));
            }
            TriggerEvent::Failing { reason, .. } => {
                self.metrics.add("filegen_retries_total", 1);
                self.note(state, format!("trigger: {reason}"));
            }
            TriggerEvent::Other { .. } | TriggerEvent::Recovered => {}
        }
    }
}

impl AnnounceObserver for Live {
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    fn announced(&self, news: &OutboxEvent) {
        self.log.announce(news);
        let state = &mut *self.state();
        match news {
            OutboxEvent::Sent { event } => self.note(state, format!("sent {}", event.correlation_id)),
            OutboxEvent::Waiting { events } => {
                state.outbox = *events;
                self.metrics.set("filegen_outbox_depth", *events as f64);
            }
            OutboxEvent::Failing { reason, .. } => {
                self.metrics.add("filegen_retries_total", 1);
                self.note(state, format!("completion: {reason}"));
            }
        }
    }
}
