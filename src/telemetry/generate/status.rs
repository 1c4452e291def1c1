//! What one worker is doing in this process. Health and the status page read it; each event also moves metrics and is logged.

use super::log::EventLog;
use super::metrics::GenerateMetrics;
use crate::core::election::ElectionEvent;
use crate::core::generate::completion::Heading;
use crate::core::generate::deliver::Standing;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::trigger::TriggerEvent;
use crate::core::model::amount::counted;
use crate::core::model::names::WorkerId;
use crate::core::model::peer::Insecure;
use crate::core::model::shown;
use crate::core::outbox::OutboxEvent;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::schedule::own::OwnEvent;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Events kept for the status page.
const KEPT: usize = 20;
/// Rates are averages over this much time.
const LATELY: Duration = Duration::from_secs(10);

/// One worker, as this process sees it.
pub struct WorkerStatus {
    worker: WorkerId,
    lease_ttl: Duration,
    clock: Arc<dyn Clock>,
    metrics: GenerateMetrics,
    log: EventLog,
    state: Mutex<WorkerState>,
}

/// What is known at one moment.
#[derive(Clone, Default, Debug)]
pub struct WorkerState {
    /// Whether the worker is served; false when its service has ended.
    pub serving: bool,
    /// Our token, while we lead.
    pub token: Option<u64>,
    /// When the store last saw us alive, on the clock of [`Clock::elapsed`].
    pub renewed: Option<Duration>,
    /// The run under way.
    pub run: Option<RunProgress>,
    /// Completion events that wait for the broker.
    pub outbox: usize,
    /// How the files on their way to a transfer stand.
    pub deliveries: Option<Standing>,
    /// What happened lately, the latest first.
    pub recent: VecDeque<RecentEvent>,
}

/// Something that happened, for people.
#[derive(Clone, Debug)]
pub struct RecentEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
}

/// A run under way.
#[derive(Clone, Debug)]
pub struct RunProgress {
    /// `LoanWorker:2026-11-21`.
    pub id: String,
    /// Rows expected, as counted at the start. `None` where they are not counted.
    pub rows_expected: Option<u64>,
    /// Pages expected.
    pub pages_expected: Option<u64>,
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

impl RunProgress {
    /// Seconds until all rows are durable at the live rate. `None` when nothing is known yet.
    #[expect(clippy::cast_precision_loss, reason = "a forecast for people")]
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self.rows_expected?.saturating_sub(self.rows) as f64;
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

impl WorkerStatus {
    /// Nothing has happened yet. A lease lasts for `lease_ttl` without a renewal.
    pub fn new(worker: WorkerId, instance: &str, lease_ttl: Duration, clock: Arc<dyn Clock>) -> Self {
        let metrics = GenerateMetrics::new(worker.as_str());
        let log = EventLog::new(worker.as_str(), instance);
        Self {
            worker,
            lease_ttl,
            clock,
            metrics,
            log,
            state: Mutex::new(WorkerState { serving: true, ..WorkerState::default() }),
        }
    }

    /// Whose.
    pub fn worker(&self) -> &WorkerId {
        &self.worker
    }

    pub(super) fn metrics(&self) -> &GenerateMetrics {
        &self.metrics
    }

    /// Longest time that its lease lasts without a renewal.
    pub(super) fn lease_ttl(&self) -> Duration {
        self.lease_ttl
    }

    /// Time since some moment of this process, as the state counts it.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// What is known now.
    pub fn now(&self) -> WorkerState {
        let state = self.state().clone();
        if let (Some(renewed), Some(_)) = (state.renewed, state.token) {
            self.metrics.lease_age(self.clock.elapsed().saturating_sub(renewed));
        }
        state
    }

    pub(super) fn standing(&self, standing: &Standing) {
        self.state().deliveries = Some(standing.clone());
    }

    /// How many connections of this worker are weaker than they should be.
    pub fn insecure(&self, found: &[Insecure]) {
        self.metrics.insecure(found);
    }

    /// Something for the status page.
    pub fn record_event(&self, what: String) {
        self.keep(&mut self.state(), what);
    }

    /// The service of this worker has ended.
    pub fn ended(&self) {
        self.state().serving = false;
    }

    fn state(&self) -> MutexGuard<'_, WorkerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, state: &mut WorkerState, what: String) {
        state.recent.push_front(RecentEvent { at: self.clock.now(), what: shown::owned(what) });
        state.recent.truncate(KEPT);
    }

    fn not_leading(&self, state: &mut WorkerState) {
        (state.token, state.renewed, state.run) = (None, None, None);
        self.metrics.not_leading();
        // Whoever leads knows how they stand.
        if state.deliveries.take().is_some() {
            self.metrics.deliveries(&Standing::default());
        }
    }

    fn retrying(&self, what: String) {
        self.metrics.retrying();
        self.record_event(what);
    }
}

impl Observer<ElectionEvent> for WorkerStatus {
    fn observe(&self, event: &ElectionEvent) {
        let elapsed = self.clock.elapsed();
        let mut state = self.state();
        match event {
            ElectionEvent::Waiting { holder, token, .. } => {
                self.keep(&mut state, format!("standing by: {holder} leads with token {token}"));
            }
            ElectionEvent::Odd { record } => {
                self.keep(&mut state, format!("{} is odd: {}", record.id, shown::text(&record.reason)));
            }
            ElectionEvent::Leading { token } => {
                (state.token, state.renewed) = (Some(token.0), Some(elapsed));
                self.metrics.leading();
                self.keep(&mut state, format!("leads with token {token}"));
            }
            ElectionEvent::Renewed => {
                state.renewed = Some(elapsed);
                self.metrics.renewed();
            }
            ElectionEvent::Lost { token, why } => {
                self.not_leading(&mut state);
                self.keep(&mut state, format!("lost the lease with token {token}: {why}"));
            }
            ElectionEvent::Released { token } => {
                self.not_leading(&mut state);
                self.keep(&mut state, format!("gave the lease with token {token} back"));
            }
            ElectionEvent::NotReleased { reason } => {
                let text = format!("the lease could not be given back and runs out by itself: {reason}");
                self.keep(&mut state, text);
            }
            ElectionEvent::Retrying(retrying) => {
                drop(state);
                return self.observe(retrying);
            }
        }
        drop(state);
        // Who reads the line finds it on the status page already.
        self.log.observe(event);
    }
}

impl Observer<Retrying> for WorkerStatus {
    fn observe(&self, event: &Retrying) {
        self.retrying(event.reason.clone());
        self.log.observe(event);
    }
}

impl Observer<GenerateEvent> for WorkerStatus {
    fn observe(&self, event: &GenerateEvent) {
        let mut state = self.state();
        if !self.under_way(&mut state, event) {
            self.came_of(&mut state, event);
        }
        drop(state);
        // Who reads the line finds it on the status page already.
        self.log.observe(event);
    }
}

impl WorkerStatus {
    /// Handles events about pages. Returns false for any other event.
    fn under_way(&self, state: &mut WorkerState, event: &GenerateEvent) -> bool {
        let elapsed = self.clock.elapsed();
        match event {
            GenerateEvent::Started { run, rows, pages, .. } => {
                state.run = Some(RunProgress {
                    id: run.to_string(),
                    rows_expected: *rows,
                    pages_expected: *pages,
                    rows: 0,
                    page: 0,
                    progress: elapsed,
                    rate: (0.0, 0.0),
                    window: (elapsed, 0, 0),
                });
                // Rows that are not counted are expected by nobody.
                self.metrics.started(rows.unwrap_or_default());
                self.keep(
                    state,
                    match rows.zip(*pages) {
                        Some((rows, pages)) => {
                            format!("run {run} started: {} in {}", counted(rows, "row"), counted(pages, "page"))
                        }
                        None => format!("run {run} started: its rows are not counted"),
                    },
                );
            }
            GenerateEvent::Fetched { took, .. } => {
                self.metrics.fetched(*took);
                if let Some(run) = &mut state.run {
                    run.progress = elapsed;
                }
            }
            GenerateEvent::Synced { took } => self.metrics.synced(*took),
            GenerateEvent::Committed { page, source_rows, took, .. } => {
                self.metrics.committed(*source_rows, *took);
                if let Some(run) = &mut state.run {
                    run.committed(elapsed, *page, *source_rows);
                    self.metrics.rate(run.rate, run.seconds_left());
                }
            }
            _ => return false,
        }
        true
    }

    /// Handles events about files and runs.
    fn came_of(&self, state: &mut WorkerState, event: &GenerateEvent) {
        match event {
            GenerateEvent::Resumed { from, page, .. } => {
                self.metrics.resumed();
                self.keep(state, format!("goes on behind page {page} of token {from}"));
            }
            GenerateEvent::Warning { text } => self.keep(state, text.clone()),
            GenerateEvent::Checked { path, done: 0, bytes } => {
                self.keep(state, format!("{path} is checked, {bytes} bytes: the state store does not know it"));
            }
            GenerateEvent::Published { file, path, rows, .. } => {
                self.metrics.published();
                self.keep(state, format!("published {file} as {path}: {}", counted(*rows, "row")));
            }
            GenerateEvent::Done { run, took, .. } => {
                state.run = None;
                self.metrics.done(*took, self.clock.now());
                self.keep(state, format!("run {run} is published"));
            }
            GenerateEvent::Failed { run, error, .. } => {
                state.run = None;
                self.metrics.failed();
                self.keep(state, format!("run {run} failed: {error}"));
            }
            _ => {}
        }
    }
}

impl Observer<TriggerEvent> for WorkerStatus {
    fn observe(&self, event: &TriggerEvent) {
        self.log.observe(event);
        match event {
            TriggerEvent::Requested { run, event } => {
                self.record_event(format!("run {} asked for by {event}", run.id));
            }
            TriggerEvent::Repeated { .. } => self.metrics.asked_again(),
            TriggerEvent::Odd { event, reason } => {
                self.metrics.passed_over();
                self.record_event(format!("event {event} passed over: {reason}"));
            }
            TriggerEvent::Failing { reason, .. } => self.retrying(format!("trigger: {reason}")),
            TriggerEvent::Other { .. } | TriggerEvent::Recovered => {}
        }
    }
}

impl Observer<OwnEvent> for WorkerStatus {
    fn observe(&self, event: &OwnEvent) {
        self.log.observe(event);
        match event {
            OwnEvent::Requested { due, run } => self.record_event(format!("run {run} was due at {}", due.at)),
            OwnEvent::Missed { at, reason } => self.record_event(format!("due time {at} missed: {reason}")),
            OwnEvent::Began { before } => {
                self.record_event(format!("own clock begins now; its due time {before} asked for no run"));
            }
            OwnEvent::LeftOut { at, reason } => self.record_event(format!("left out at {at}: {reason}")),
            OwnEvent::Failing { reason, .. } => self.retrying(format!("own clock: {reason}")),
            OwnEvent::Repeated { .. } | OwnEvent::Recovered => {}
        }
    }
}

impl Observer<OutboxEvent> for WorkerStatus {
    fn observe(&self, event: &OutboxEvent) {
        self.log.observe(event);
        match event {
            OutboxEvent::Sent { entry } => {
                if let Some(event) = Heading::of(entry) {
                    let of = if event.is_arrival() { "the arrival of " } else { "" };
                    self.record_event(format!("sent {of}{}", event.correlation_id));
                }
            }
            OutboxEvent::Odd { record } => {
                self.record_event(format!(
                    "event of {} cannot be read from the state store: {}",
                    record.id, record.reason
                ));
            }
            OutboxEvent::Waiting { events } => {
                self.state().outbox = *events;
                self.metrics.outbox(*events);
            }
            OutboxEvent::Failing { reason, .. } => self.retrying(format!("completion: {reason}")),
        }
    }
}
