//! Whose old executions go next: a few schedules in each look, those that fire no more too, and all of them once an hour.

use crate::core::model::schedule::ScheduleId;
use std::collections::VecDeque;
use std::time::Duration;

/// Time between two beginnings.
const EVERY: Duration = Duration::from_hours(1);

/// Schedules of one look.
const SCHEDULES_AT_ONCE: usize = 20;

/// Executions that go at once: a fraction of the time that a change may take.
pub(super) const EXECUTIONS_AT_ONCE: usize = 1_000;

/// How far it has come.
#[derive(Default)]
pub(super) struct Pruning {
    began: Option<Duration>,
    left: VecDeque<ScheduleId>,
}

impl Pruning {
    /// The schedules of this look, of all `ids`, by the clock that only goes forward.
    pub(super) fn next(&mut self, elapsed: Duration, ids: impl Iterator<Item = ScheduleId>) -> Vec<ScheduleId> {
        if self.left.is_empty() && self.began.is_none_or(|began| elapsed.saturating_sub(began) >= EVERY) {
            *self = Self { began: Some(elapsed), left: ids.collect() };
        }
        let most = SCHEDULES_AT_ONCE.min(self.left.len());
        self.left.drain(..most).collect()
    }

    /// These are next once more: there was more of them than goes at once, or they had no turn.
    pub(super) fn again(&mut self, ids: &[ScheduleId]) {
        for id in ids.iter().rev() {
            self.left.push_front(id.clone());
        }
    }
}
