//! What time it is to a leader: the store's, where it has a clock, else this host's.

use super::lead::Lead;
use crate::core::schedule::event::ScheduleEvent;
use crate::core::schedule::record;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// An answer that takes longer says nothing of the time.
const LATEST: Duration = Duration::from_secs(1);

impl Lead<'_> {
    /// Sets the leader's clock by the store's. A store that does not tell its time, or tells it late, keeps nothing from being fired: the clock
    /// stays as it is.
    pub(super) async fn set_clock(&mut self) {
        let service = self.service;
        let (own, asked) = (service.clock.now(), service.clock.elapsed());
        let Ok(Some(theirs)) = service.schedules.time().await else { return };
        let took = service.clock.elapsed().saturating_sub(asked);
        // When in that time it was so late is not known.
        if took > LATEST {
            return;
        }
        let half = took / 2;
        // Never ahead: what is due is done late rather than early.
        self.set = Some((theirs, asked + took));
        let ours = own.as_millisecond() + i64::try_from(half.as_millis()).unwrap_or(0);
        self.tell(&ScheduleEvent::Skew { millis: theirs.as_millisecond() - ours });
    }

    /// What time it is, as stores keep it: by the store's clock, where it has one. Edits and pauses go by that too, through whichever host,
    /// so a leader whose own clock is wrong, or is set, fires nothing early, late or at once.
    pub(super) fn now(&self) -> Timestamp {
        let clock = &self.service.clock;
        let by_store = self.set.and_then(|(at, since)| {
            at.checked_add(SignedDuration::try_from(clock.elapsed().saturating_sub(since)).ok()?).ok()
        });
        record::millis(by_store.unwrap_or_else(|| clock.now()))
    }
}
