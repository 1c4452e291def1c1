//! How far reading is behind the log, for people and alerts.

use super::Service;
use crate::core::ingest::error::IngestError;
use crate::core::ingest::event::IngestEvent;
use crate::core::ingest::spec::SourceSpec;
use crate::core::model::message::Partition;
use std::time::Duration;

/// Time between two questions to the broker.
const MEASURE_EVERY: Duration = Duration::from_secs(2);

/// How long a group's members take to give up partitions for one that comes: two of their heartbeats, and the broker's words between.
const SHARED_OUT_WITHIN: Duration = Duration::from_secs(10);

impl Service {
    /// Whether all that is this reader's is read. Without a partition it waits: one may be on its way from another reader.
    pub(super) fn is_done(&self, assigned: Duration) -> bool {
        let may_come = self.standings.is_empty() && self.ports.clock.elapsed() < assigned + SHARED_OUT_WITHIN;
        !may_come && self.standings.values().all(|standing| standing.next >= standing.end)
    }

    /// Asks again where partitions end of which nobody knew.
    pub(super) async fn look_for_end(&mut self) -> Result<(), IngestError> {
        let Some(topic) = self.topic.clone() else { return Ok(()) };
        for (number, standing) in self.standings.iter_mut().filter(|(_, standing)| standing.end == i64::MAX) {
            let partition = Partition { topic: topic.clone(), number: *number };
            standing.end = self.ports.consumer.watermarks(&partition).await?.next;
        }
        Ok(())
    }

    /// Tells the lag, now and then. A broker that does not answer is told of by the next poll.
    pub(super) async fn measure(&mut self) {
        let elapsed = self.ports.clock.elapsed();
        let Some(topic) = self.topic.clone() else { return };
        if self.measured.is_some_and(|measured| elapsed < measured + MEASURE_EVERY) {
            return;
        }
        self.measured = Some(elapsed);
        // A file is searched for its last line, so it is asked only when it is assigned.
        let is_cheap = matches!(self.spec.source, SourceSpec::Kafka(_));
        let mut partitions = Vec::with_capacity(self.standings.len());
        for (number, standing) in &self.standings {
            let mut end = standing.end;
            if is_cheap {
                let partition = Partition { topic: topic.clone(), number: *number };
                let Ok(marks) = self.ports.consumer.watermarks(&partition).await else { return };
                end = marks.next;
            }
            if end < i64::MAX {
                partitions.push((*number, u64::try_from(end.saturating_sub(standing.next)).unwrap_or(0)));
            }
        }
        self.ports.observer.observe(&IngestEvent::Lag { partitions });
    }

    /// Tells what holds up the next event, and when nothing does any more.
    pub(super) fn look_for_hold_up(&mut self) {
        let reason = self.ports.consumer.held_up();
        if reason != self.held_up {
            self.held_up.clone_from(&reason);
            self.ports.observer.observe(&IngestEvent::HeldUp { reason });
        }
    }

    /// Forgets partitions that go to another reader.
    pub(super) fn revoked(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            self.standings.remove(&partition.number);
        }
        let partitions = partitions.iter().map(|partition| partition.number).collect();
        self.ports.observer.observe(&IngestEvent::Revoked { partitions });
    }
}
