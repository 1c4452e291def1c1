//! The flow ingest, observed: its events as log lines and metrics, and what one ingest is doing now.

mod log;
pub mod metrics;
mod window;

use crate::core::health::{HealthEvent, Working};
use crate::core::ingest::event::{IngestEvent, Produced, Records, Served, Tally};
use crate::core::ingest::spec::Ingest;
use crate::core::model::letter::LetterKind;
use crate::core::model::moment::moment;
use crate::core::model::peer::Insecure;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::sql_sink::Outcome;
use crate::core::ports::store::OddRecord;
use metrics::IngestMetrics;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::{info, warn};
use window::Window;

/// What JSON and text lines call their `target`.
const TARGET: &str = "filegen::telemetry::ingest";

/// One ingest in this process.
pub struct IngestStatus {
    ingest: String,
    clock: Arc<dyn Clock>,
    metrics: IngestMetrics,
    state: Mutex<IngestState>,
}

/// What is known at one moment.
#[derive(Clone, Default, Debug)]
pub struct IngestState {
    /// Whether a task of it has panicked.
    pub ended: bool,
    /// Why events are not written now. `None` when they are.
    pub halted: Option<String>,
    /// Why nothing is read now, although something is there.
    pub held_up: Option<String>,
    /// Why dead letters do not go to their queue now.
    pub queue_away: Option<String>,
    /// Events by what became of them, since the start.
    pub tally: Tally,
    /// Dead letters by reason, since the start.
    pub dead: BTreeMap<LetterKind, u64>,
    /// How many events wait, by partition of this instance.
    pub lag: BTreeMap<i32, u64>,
    /// The first records that cannot be read.
    pub odd: BTreeMap<Records, Vec<OddRecord>>,
    /// The latest error, and when it came.
    pub last_error: Option<(String, String)>,
    window: Window,
}

/// How fast it is, lately.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rates {
    /// Events a second.
    pub per_second: f64,
    /// The time in the sink that 95 of 100 batches stay below.
    pub p95: Option<Duration>,
}

impl IngestStatus {
    /// Nothing has happened yet.
    pub fn new(ingest: &Ingest, clock: Arc<dyn Clock>) -> Self {
        let types = ingest.events.iter().map(|event| event.name.as_str());
        let metrics = IngestMetrics::new(ingest.id.as_str(), types);
        Self { ingest: ingest.id.as_str().to_owned(), clock, metrics, state: Mutex::default() }
    }

    /// Counts connections that are weaker than they should be.
    pub fn insecure(&self, found: &[Insecure]) {
        self.metrics.insecure(found);
    }

    /// Whose.
    pub fn ingest(&self) -> &str {
        &self.ingest
    }

    /// As it is now.
    pub fn now(&self) -> IngestState {
        self.state().clone()
    }

    /// How fast it is, lately.
    pub fn rates(&self) -> Rates {
        self.state().window.rates(self.clock.elapsed())
    }

    /// A task of it has panicked.
    pub fn ended(&self) {
        self.state().ended = true;
    }

    /// Reading has stopped, and no wait mends it.
    pub fn halted(&self, reason: &str) {
        warn!(target: TARGET, ingest = self.ingest, reason, "events are not written");
        self.error(reason);
        self.state().halted = Some(reason.to_owned());
    }

    /// One line about how it goes.
    pub fn tell(&self) {
        let (rates, state) = (self.rates(), self.now());
        let lag: u64 = state.lag.values().sum();
        let p95_ms = rates.p95.map_or(0.0, |took| took.as_secs_f64() * 1000.0);
        let (ingest, dead, per_second) = (self.ingest.as_str(), state.tally.dead, rates.per_second);
        let (events, parked) = (state.tally.all(), state.tally.parked);
        info!(target: TARGET, ingest, per_second, dead, p95_ms, lag, events, parked, "events so far");
    }

    // What a panicking thread left is still good enough to show.
    fn state(&self) -> MutexGuard<'_, IngestState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, reason: &str) {
        self.state().last_error = Some((moment(self.clock.now()), reason.to_owned()));
    }

    fn dead(&self, kind: LetterKind, count: u64) {
        self.metrics.dead(kind, count);
        *self.state().dead.entry(kind).or_default() += count;
    }

    /// Each is told once.
    fn odd(&self, of: Records, records: &[OddRecord]) {
        let before = self.state().odd.insert(of, records.to_vec()).unwrap_or_default();
        for OddRecord { id, reason } in records.iter().filter(|record| !before.contains(record)) {
            let (ingest, record) = (self.ingest.as_str(), id.as_str());
            warn!(target: TARGET, ingest, record, reason, "a record cannot be read, and is passed over");
        }
        let all = self.state().odd.values().map(Vec::len).sum();
        self.metrics.odd(all);
    }

    fn dropped(&self, count: u64) {
        let ingest = self.ingest.as_str();
        info!(target: TARGET, ingest, count, "dead letters left their queue: they were kept as long as the file says");
        self.metrics.dropped(count);
    }

    fn held_up(&self, reason: Option<&str>) {
        if let Some(reason) = reason {
            warn!(target: TARGET, ingest = self.ingest, reason, "nothing is read");
            self.error(reason);
        }
        self.state().held_up = reason.map(str::to_owned);
    }

    fn waiting(&self, reason: &str, attempt: u32, after: Duration) {
        let wait_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        warn!(target: TARGET, ingest = self.ingest, attempt, wait_ms, reason, "trying again");
        self.metrics.retrying();
        self.error(reason);
        self.state().halted = Some(reason.to_owned());
    }
}

impl IngestState {
    /// Why events are not read or not written now.
    pub fn hold_up(&self) -> Option<&String> {
        self.halted.as_ref().or(self.held_up.as_ref())
    }

    /// A record that cannot be read.
    pub fn odd_record(&self) -> Option<String> {
        let first = self.odd.values().flatten().next();
        first.map(|OddRecord { id, reason }| format!("{id} cannot be read: {reason}"))
    }
}

impl Observer<IngestEvent> for IngestStatus {
    fn observe(&self, event: &IngestEvent) {
        let ingest = self.ingest.as_str();
        match event {
            IngestEvent::Begun { behind } => {
                info!(target: TARGET, ingest, behind, "reading");
                let mut state = self.state();
                (state.halted, state.held_up) = (None, None);
            }
            IngestEvent::HeldUp { reason } => self.held_up(reason.as_deref()),
            IngestEvent::Written { tally, took, events, .. } => {
                for (event, outcome) in events {
                    self.metrics.processed(event.kind.as_deref());
                    if let Outcome::Dead(error) = outcome {
                        self.dead(error.kind, 1);
                    }
                    log::event(ingest, event, outcome, *took);
                }
                self.metrics.written(tally, *took);
                let now = self.clock.elapsed();
                let mut state = self.state();
                state.halted = None;
                state.tally.add(tally);
                state.window.add(now, tally.all(), *took);
            }
            IngestEvent::Released { tally, dead } => {
                for kind in dead {
                    self.dead(*kind, 1);
                }
                let mut state = self.state();
                state.tally.parked = state.tally.parked.saturating_sub(tally.all());
                state.tally.add(tally);
            }
            IngestEvent::Expired { count } => {
                warn!(target: TARGET, ingest, count, "events died because their parent did not come");
                self.dead(LetterKind::Parent, *count);
                let mut state = self.state();
                state.tally.parked = state.tally.parked.saturating_sub(*count);
                state.tally.dead += count;
            }
            IngestEvent::Waiting { reason, attempt, after } => self.waiting(reason, *attempt, *after),
            IngestEvent::Rival { reason } => {
                warn!(target: TARGET, ingest, reason, "another reader moved a position; the batch was dropped");
                self.metrics.rival();
            }
            IngestEvent::Sent { count } => {
                info!(target: TARGET, ingest, count, "dead letters sent to their queue");
                self.state().queue_away = None;
            }
            IngestEvent::Dropped { count } => self.dropped(*count),
            IngestEvent::Odd { of, records } => self.odd(*of, records),
            IngestEvent::QueueAway { reason } => {
                if self.state().queue_away.replace(reason.clone()).is_none() {
                    warn!(target: TARGET, ingest, reason, "dead letters wait: their queue is away or full");
                }
                self.error(reason);
            }
            IngestEvent::Lag { partitions } => {
                for (partition, behind) in partitions {
                    self.metrics.lag(*partition, *behind);
                }
                self.state().lag = partitions.iter().copied().collect();
            }
            IngestEvent::Revoked { partitions } => {
                for partition in partitions {
                    self.metrics.lag(*partition, 0);
                    self.state().lag.remove(partition);
                }
            }
        }
    }
}

impl Observer<Produced> for IngestStatus {
    fn observe(&self, produced: &Produced) {
        self.metrics.produced(produced.count);
    }
}

impl Observer<Served> for IngestStatus {
    fn observe(&self, served: &Served) {
        self.metrics.served(served);
    }
}

impl Observer<HealthEvent> for IngestStatus {
    fn observe(&self, event: &HealthEvent) {
        self.metrics.dependency(event.probe, event.down.is_none(), event.took);
        let (ingest, dependency) = (self.ingest.as_str(), event.probe);
        match &event.down {
            _ if !event.changed => {}
            None => info!(target: TARGET, ingest, dependency, "dependency is up"),
            Some(reason) => warn!(target: TARGET, ingest, dependency, reason, "dependency is down"),
        }
    }
}

impl Working for IngestStatus {
    fn stuck(&self, _: bool) -> Option<String> {
        self.state().ended.then(|| "one of its tasks has ended".to_owned())
    }

    fn group(&self) -> &'static str {
        "ingests"
    }

    fn refresh(&self) {}
}
