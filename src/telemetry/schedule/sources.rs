//! Data sources and discovered files, observed: as log lines and metrics, and whether their part of the process works.

use crate::core::health::{HealthEvent, Working};
use crate::core::model::peer::Insecure;
use crate::core::outbox::OutboxEvent;
use crate::core::ports::observer::Observer;
use crate::core::schedule::change::{ChangeEvent, ChangeKind};
use crate::core::schedule::discover::FileDiscovered;
use crate::core::schedule::hear::Heard;
use crate::core::schedule::looks::LookEvent;
use crate::telemetry::metrics::Scope;
use metrics::{Counter, Gauge};
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::{info, warn};

/// What JSON and text lines call their `target`.
const TARGET: &str = "filegen::telemetry::schedule";

/// The data sources of one scheduler in this process.
#[derive(Debug)]
pub struct SourcesStatus {
    scheduler: String,
    files: Counter,
    events: [(ChangeKind, Counter); 3],
    odd: Counter,
    waiting: Gauge,
    hanging: Gauge,
    ended: AtomicBool,
}

impl SourcesStatus {
    /// Declares its metrics.
    pub fn new(scheduler: &str) -> Self {
        let scope = Scope::new("scheduler", scheduler);
        let events = ChangeKind::ALL.map(|kind| {
            let scope = scope.with("type", kind.as_str());
            (kind, scope.counter("datasource_events_total", "Events of changes that were sent, by what happened."))
        });
        Self {
            scheduler: scheduler.to_owned(),
            files: scope.counter("files_discovered_total", "New files that were told, or brought to a transfer."),
            events,
            odd: scope.counter(
                "schedule_odd_events_total",
                "Events of changes that were not understood, kept, and passed over.",
            ),
            waiting: scope.gauge("schedule_outbox_depth", "Events that wait for the broker."),
            hanging: scope.gauge("schedule_looks_hanging", "Looks at folders that do not answer."),
            ended: AtomicBool::new(false),
        }
    }

    /// Counts connections that are weaker than they should be.
    pub fn insecure(&self, found: &[Insecure]) {
        Scope::new("scheduler", &self.scheduler).insecure(found);
    }

    /// One of its tasks has ended before its time.
    pub fn ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Working for SourcesStatus {
    fn stuck(&self, stopping: bool) -> Option<String> {
        (self.ended.load(Ordering::Relaxed) && !stopping)
            .then(|| "one of its tasks has ended; the log says why".to_owned())
    }

    fn refresh(&self) {}
}

impl Observer<FileDiscovered> for SourcesStatus {
    fn observe(&self, file: &FileDiscovered) {
        self.files.increment(1);
        let (scheduler, source, path) = (self.scheduler.as_str(), file.data_source_id.as_str(), file.path.as_str());
        let (size, sha256, execution) = (file.size, file.sha256.as_str(), file.execution_id.as_str());
        info!(target: TARGET, scheduler, source, path, size, sha256, execution, "file discovered");
    }
}

impl Observer<OutboxEvent> for SourcesStatus {
    fn observe(&self, event: &OutboxEvent) {
        let scheduler = self.scheduler.as_str();
        match event {
            OutboxEvent::Sent { entry } => {
                let change: Option<ChangeEvent> = serde_json::from_slice(&entry.payload).ok();
                for (kind, counter) in &self.events {
                    if change.as_ref().is_some_and(|change| change.event_type == *kind) {
                        counter.increment(1);
                    }
                }
                info!(target: TARGET, scheduler, event = entry.id.as_str(), "event sent");
            }
            OutboxEvent::Waiting { events } => self.waiting.set(f64::from(u32::try_from(*events).unwrap_or(u32::MAX))),
            OutboxEvent::Odd { record } => {
                let (event, reason) = (record.id.as_str(), record.reason.as_str());
                warn!(target: TARGET, scheduler, event, reason, "an event that waits cannot be read, and is not sent");
            }
            OutboxEvent::Failing { reason, attempt, after } => {
                let wait_ms = after.as_millis();
                warn!(target: TARGET, scheduler, reason, attempt, wait_ms, "events wait for the broker");
            }
        }
    }
}

impl Observer<Heard> for SourcesStatus {
    fn observe(&self, heard: &Heard) {
        let scheduler = self.scheduler.as_str();
        match heard {
            Heard::Applied { kind } => info!(target: TARGET, scheduler, kind = kind.as_str(), "change heard"),
            Heard::Late { kind } => info!(target: TARGET, scheduler, kind = kind.as_str(), "change is known already"),
            Heard::Odd { reason } => {
                self.odd.increment(1);
                warn!(target: TARGET, scheduler, reason, "event cannot be read: kept, and passed over");
            }
            Heard::Failing { reason, attempt, after } => {
                let wait_ms = after.as_millis();
                warn!(target: TARGET, scheduler, reason, attempt, wait_ms, "changes cannot be heard");
            }
        }
    }
}

impl Observer<LookEvent> for SourcesStatus {
    fn observe(&self, event: &LookEvent) {
        let scheduler = self.scheduler.as_str();
        match event {
            LookEvent::Hangs(look) => {
                let (path, seconds) = (look.path.as_str(), look.silent.as_secs());
                warn!(target: TARGET, scheduler, path, seconds, "a look at a folder does not answer, and leaves its place to others");
            }
            LookEvent::Answered { path } => info!(target: TARGET, scheduler, path, "a look that hung has answered"),
            LookEvent::Counted(count) => self.hanging.set(f64::from(u32::try_from(*count).unwrap_or(u32::MAX))),
        }
    }
}

impl Observer<HealthEvent> for SourcesStatus {
    fn observe(&self, event: &HealthEvent) {
        let HealthEvent { probe, took, down, .. } = event;
        let scope = Scope::new("scheduler", &self.scheduler).with("dependency", probe);
        scope
            .late_gauge("schedule_dependency_up", "1 when the dependency answered the last question.")
            .set(f64::from(u8::from(down.is_none())));
        let help = "How long its last answer took.";
        scope.late_gauge("schedule_dependency_latency_seconds", help).set(took.as_secs_f64());
        if let (true, Some(reason)) = (event.changed, down) {
            warn!(target: TARGET, scheduler = self.scheduler.as_str(), probe, reason, "a dependency is down");
        }
    }
}
