//! The flow transfer, observed: its events as log lines and metrics, and what one transfer is doing now.

pub mod metrics;
pub mod traces;

use crate::core::health::{HealthEvent, Working};
use crate::core::model::moment::moment;
use crate::core::model::peer::Insecure;
use crate::core::model::shown;
use crate::core::model::transfer::{FileRecord, Side};
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::transfer::event::TransferEvent;
use metrics::{Outcome, TransferMetrics};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use traces::TransferTraces;
use tracing::{debug, info, warn};

/// What JSON and text lines call their `target`.
const TARGET: &str = "filegen::telemetry::transfer";

/// One transfer in this process.
pub struct TransferActivity {
    transfer: String,
    clock: Arc<dyn Clock>,
    metrics: TransferMetrics,
    state: Mutex<ActivityState>,
    traces: Option<Arc<TransferTraces>>,
}

/// What is known at one moment.
#[derive(Clone, Default, Debug)]
pub struct ActivityState {
    /// Whether a task of it has panicked.
    pub ended: bool,
    /// Why a side makes no progress, by side. Empty when all go on.
    pub halted: BTreeMap<Side, String>,
    /// Files whose source was dealt with, since the start.
    pub collected: u64,
    /// Files under their final names, since the start.
    pub delivered: u64,
    /// Files that failed for good, since the start: by this process.
    pub failed: u64,
    /// Bytes of the delivered files.
    pub bytes: u64,
    /// Files that are not at their end, as the ledger has it.
    pub waiting: u64,
    /// The latest error, and when it came.
    pub last_error: Option<(String, String)>,
    /// When each side was last heard of, on the clock that only goes forward.
    pub heard: BTreeMap<Side, Duration>,
}

impl TransferActivity {
    /// Nothing has happened yet.
    pub fn new(transfer: &str, clock: Arc<dyn Clock>) -> Self {
        let metrics = TransferMetrics::new(transfer);
        Self { transfer: transfer.to_owned(), clock, metrics, state: Mutex::default(), traces: None }
    }

    /// With its traces, whose ids stand in log lines.
    #[must_use]
    pub fn traced(self, traces: Option<Arc<TransferTraces>>) -> Self {
        Self { traces, ..self }
    }

    /// Counts connections that are weaker than they should be.
    pub fn insecure(&self, found: &[Insecure]) {
        self.metrics.insecure(found);
    }

    /// Whose.
    pub fn transfer(&self) -> &str {
        &self.transfer
    }

    /// As it is now.
    pub fn now(&self) -> ActivityState {
        self.state().clone()
    }

    /// The side that was not heard of for longer than `most`. A side tells of each look and of each step of a file: one that is silent hangs.
    pub fn silent(&self, most: Duration) -> Option<String> {
        let now = self.clock.elapsed();
        let state = self.state();
        let (side, heard) = state.heard.iter().find(|(_, heard)| now.saturating_sub(**heard) > most)?;
        let (side, seconds) = (side.as_str(), now.saturating_sub(*heard).as_secs());
        Some(format!("nothing was heard of the side `{side}` for {seconds} s: it hangs; restart this process"))
    }

    /// A task of it has panicked.
    pub fn ended(&self) {
        self.state().ended = true;
    }

    /// How many files are not at their end.
    pub fn waiting(&self, files: u64) {
        self.metrics.waiting(files);
        self.state().waiting = files;
    }

    // What a panicking thread left is still good enough to show.
    fn state(&self) -> MutexGuard<'_, ActivityState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, reason: &str) {
        self.state().last_error = Some((moment(self.clock.now()), reason.to_owned()));
    }

    fn heard(&self, event: &TransferEvent) {
        if let Some(side) = event.side() {
            self.state().heard.insert(side, self.clock.elapsed());
        }
    }

    fn goes_on(&self, side: Side) {
        self.state().halted.remove(&side);
    }

    /// The trace of a version, where it is kept.
    fn trace(&self, side: Side, id: &str) -> Option<String> {
        self.traces.as_ref()?.trace_of(side, id).map(|trace| trace.to_string())
    }

    fn delivered(&self, record: &FileRecord, took: Duration) {
        let (transfer, id, path) = (self.transfer.as_str(), record.id.as_str(), shown::name(&record.path));
        let (place, trace_id) = (record.place.as_deref(), self.trace(record.side, id));
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        info!(target: TARGET, transfer, id, path, place, size = record.size, took_ms, trace_id, "file is delivered");
        self.metrics.processed(Side::Deliver, Outcome::Done);
        self.metrics.arrived(took);
        self.goes_on(Side::Deliver);
        let mut state = self.state();
        state.delivered += 1;
        state.bytes += record.size;
    }

    fn failed(&self, record: &FileRecord) {
        let Some(failure) = &record.failure else { return };
        let trace_id = self.trace(record.side, &record.id);
        let (id, path, kind, reason) = (record.id.as_str(), shown::name(&record.path), &failure.kind, &failure.reason);
        let side = record.side.as_str();
        warn!(target: TARGET, transfer = self.transfer, side, id, path, kind, reason, trace_id, "file failed and is set aside");
        self.metrics.processed(record.side, Outcome::Failed);
        self.metrics.failed(kind);
        self.error(reason);
        // Where both sides are here, it is one file.
        if record.side == Side::Collect {
            self.state().failed += 1;
        }
    }
}

impl Observer<TransferEvent> for TransferActivity {
    fn observe(&self, event: &TransferEvent) {
        let transfer = self.transfer.as_str();
        self.heard(event);
        match event {
            TransferEvent::Found { files, bytes } => {
                info!(target: TARGET, transfer, files, bytes, "files are ready");
            }
            TransferEvent::Odd { path, what, .. } => {
                warn!(target: TARGET, transfer, path, reason = what, "this can never be sent");
            }
            TransferEvent::Foreign { id, why } => {
                warn!(target: TARGET, transfer, id = shown::name(id), reason = why, "a message that is not this file's is taken away");
                self.metrics.failed("data");
            }
            TransferEvent::Unreadable { record, reason } => {
                warn!(target: TARGET, transfer, record, reason, "a record cannot be read, and is passed over");
                self.metrics.failed("data");
            }
            TransferEvent::Begun { side, id, path, size, resumed } => {
                let trace_id = self.trace(*side, id);
                let (side, path) = (side.as_str(), shown::name(path));
                debug!(target: TARGET, transfer, side, id, path, size, resumed, trace_id, "file begins");
            }
            TransferEvent::Moved { side, bytes, .. } => {
                if *side == Side::Deliver {
                    self.metrics.written(*bytes);
                }
                self.goes_on(*side);
            }
            TransferEvent::Sent(record) => {
                let (id, path) = (record.id.as_str(), shown::name(&record.path));
                let trace_id = self.trace(record.side, id);
                debug!(target: TARGET, transfer, id, path, size = record.size, trace_id, "file is sent");
                self.goes_on(Side::Collect);
            }
            TransferEvent::Again { path, id } => {
                let trace_id = self.trace(Side::Collect, id);
                info!(target: TARGET, transfer, id, path = shown::name(path), trace_id, "this version arrived before");
                self.metrics.processed(Side::Collect, Outcome::Again);
            }
            TransferEvent::Dropped { path, why, .. } => {
                warn!(target: TARGET, transfer, path = shown::name(path), reason = why, "this version is not sent");
                self.metrics.processed(Side::Collect, Outcome::Dropped);
            }
            TransferEvent::Settled(record) => {
                let (id, path, place) = (record.id.as_str(), shown::name(&record.path), record.place.as_deref());
                let trace_id = self.trace(record.side, id);
                info!(target: TARGET, transfer, id, path, place, trace_id, "source is dealt with");
                self.metrics.processed(Side::Collect, Outcome::Done);
                self.goes_on(Side::Collect);
                self.state().collected += 1;
            }
            TransferEvent::Delivered { record, took } => self.delivered(record, *took),
            TransferEvent::Failed(record) => self.failed(record),
            TransferEvent::Taken { .. } | TransferEvent::Stepped { .. } | TransferEvent::LetGo { .. } => {}
            TransferEvent::Looked { side } => self.goes_on(*side),
            TransferEvent::Waiting { side, kind, reason, after } => {
                let wait_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                warn!(target: TARGET, transfer, side = side.as_str(), wait_ms, reason, "trying again");
                self.metrics.failed(kind.as_str());
                self.error(reason);
                self.state().halted.insert(*side, reason.clone());
            }
        }
    }
}

impl Observer<HealthEvent> for TransferActivity {
    fn observe(&self, event: &HealthEvent) {
        self.metrics.dependency(event.probe, event.down.is_none(), event.took);
        let (transfer, dependency) = (self.transfer.as_str(), event.probe);
        match &event.down {
            _ if !event.changed => {}
            None => info!(target: TARGET, transfer, dependency, "dependency is up"),
            Some(reason) => warn!(target: TARGET, transfer, dependency, reason, "dependency is down"),
        }
    }
}

impl Working for TransferActivity {
    fn stuck(&self, _: bool) -> Option<String> {
        self.state().ended.then(|| "one of its tasks has ended".to_owned())
    }

    fn refresh(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::clock::MemoryClock;
    use jiff::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn a_side_that_is_silent_for_too_long_is_told() {
        let clock = Arc::new(MemoryClock::starting_at(Timestamp::UNIX_EPOCH));
        let activity = TransferActivity::new("silent", clock.clone());
        let most = Duration::from_mins(10);
        assert_eq!(activity.silent(most), None);
        activity.observe(&TransferEvent::Looked { side: Side::Deliver });
        clock.sleep(most).await;
        assert_eq!(activity.silent(most), None);
        activity.observe(&TransferEvent::Looked { side: Side::Collect });
        clock.sleep(Duration::from_secs(1)).await;
        assert!(activity.silent(most).is_some_and(|told| told.contains("`deliver` for 601 s")));
        activity.observe(&TransferEvent::Moved { side: Side::Deliver, id: String::new(), bytes: 1 });
        assert_eq!(activity.silent(most), None);
    }
}
