//! Executions that are older than the history is kept go, of schedules that fire no more too: a few schedules in each look, all of them
//! once an hour.

use super::lead::Lead;
use crate::core::model::schedule::ScheduleId;
use crate::core::ports::store::StoreError;
use jiff::SignedDuration;
use std::collections::VecDeque;
use std::time::Duration;

/// Time between two beginnings.
const EVERY: Duration = Duration::from_hours(1);

/// Schedules of one look.
const SCHEDULES_AT_ONCE: usize = 20;

/// Executions that go at once: a fraction of the time that a change may take.
const EXECUTIONS_AT_ONCE: usize = 1_000;

/// How far it has come.
#[derive(Default)]
pub(super) struct Pruning {
    began: Option<Duration>,
    left: VecDeque<ScheduleId>,
}

impl Lead<'_> {
    /// Goes on.
    pub(super) async fn prune(&mut self) -> Result<(), StoreError> {
        let elapsed = self.service.clock.elapsed();
        if self.pruning.left.is_empty() {
            if self.pruning.began.is_some_and(|began| elapsed.saturating_sub(began) < EVERY) {
                return Ok(());
            }
            self.pruning = Pruning { began: Some(elapsed), left: self.lives.ids().collect() };
        }
        for _ in 0..SCHEDULES_AT_ONCE {
            let Some(id) = self.pruning.left.pop_front() else { break };
            if self.forget_old(&id).await? {
                self.pruning.left.push_front(id);
                break;
            }
        }
        Ok(())
    }

    /// Removes some executions of a schedule. Whether there are more. The last success and the last failure stay, until the data source is
    /// deleted.
    async fn forget_old(&self, id: &ScheduleId) -> Result<bool, StoreError> {
        let Some(schedule) = self.lives.get(id).map(|live| &live.schedule) else { return Ok(false) };
        let last = schedule.last_success_id.iter().chain(&schedule.last_failure_id);
        let keep: Vec<String> = last.filter(|_| !schedule.is_deleted).cloned().collect();
        let history = SignedDuration::try_from(self.service.settings.history).unwrap_or(SignedDuration::MAX);
        let Ok(before) = self.now().checked_sub(history) else { return Ok(false) };
        let store = &self.service.schedules;
        let gone = self.persist(|| store.forget_executions(id, before, &keep, EXECUTIONS_AT_ONCE)).await?;
        Ok(gone >= EXECUTIONS_AT_ONCE as u64)
    }
}
