//! Schedules and executions in memory.

use super::clock::MemoryClock;
use crate::core::model::schedule::{Execution, Outcome, Schedule, ScheduleId};
use crate::core::model::term::{Term, Token};
use crate::core::ports::clock::Clock;
use crate::core::ports::schedules::{HistoryPlace, ScheduleStore, Writer};
use crate::core::ports::store::{Page, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Schedules and executions for as long as the process lives. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemorySchedules {
    tables: Arc<Mutex<Tables>>,
    clock: Option<MemoryClock>,
}

#[derive(Debug, Default)]
struct Tables {
    schedules: BTreeMap<ScheduleId, Schedule>,
    executions: BTreeMap<String, Execution>,
}

impl MemorySchedules {
    /// A store that has a clock, as a server has.
    pub fn by(clock: MemoryClock) -> Self {
        Self { tables: Arc::default(), clock: Some(clock) }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Every change below is one assignment, so what a panicking thread left behind is whole.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(&self, wanted: impl Fn(&Execution) -> bool) -> Vec<Execution> {
        let mut chosen: Vec<_> = self.tables().executions.values().filter(|it| wanted(it)).cloned().collect();
        chosen.sort_by(|a, b| (a.due_time, &a.id).cmp(&(b.due_time, &b.id)));
        chosen
    }
}

#[async_trait]
impl ScheduleStore for MemorySchedules {
    async fn schedules_behind(&self, after: &str, most: usize) -> Result<Page<Schedule>, StoreError> {
        let tables = self.tables();
        let behind = tables.schedules.values().filter(|it| it.id.as_str() > after);
        Ok(super::page(behind.take(most).cloned().collect(), most, |it| it.id.to_string()))
    }

    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
        Ok(self.tables().schedules.get(id).cloned())
    }

    async fn changed_since(&self, since: Timestamp) -> Result<Vec<(ScheduleId, u64)>, StoreError> {
        let tables = self.tables();
        let changed = tables.schedules.values().filter(|it| it.changed_at >= since);
        Ok(changed.map(|it| (it.id.clone(), it.revision)).collect())
    }

    async fn schedules_of(&self, ids: &[ScheduleId]) -> Result<Vec<Schedule>, StoreError> {
        let tables = self.tables();
        let ids: BTreeSet<&ScheduleId> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| tables.schedules.get(id)).cloned().collect())
    }

    async fn insert_schedules(&self, schedules: Vec<Schedule>) -> Result<BTreeSet<ScheduleId>, StoreError> {
        let mut tables = self.tables();
        let mut new = BTreeSet::new();
        for schedule in schedules {
            if !tables.schedules.contains_key(&schedule.id) {
                new.insert(schedule.id.clone());
                tables.schedules.insert(schedule.id.clone(), schedule);
            }
        }
        Ok(new)
    }

    async fn replace_schedule(&self, writer: Writer<'_>, schedule: &Schedule) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(stored) = tables.schedules.get_mut(&schedule.id) else { return Ok(false) };
        let mut token = stored.token;
        if let Writer::Leader(term) = writer {
            term.check()?;
            if token > term.token().0 {
                return Err(StoreError::above(term.token(), Token(token), || format!("schedule {}", schedule.id)));
            }
            token = term.token().0;
        }
        let is_next = stored.revision + 1 == schedule.revision;
        if is_next {
            *stored = Schedule { token, ..schedule.clone() };
        }
        Ok(is_next)
    }

    async fn insert_execution(&self, term: Option<&Term>, execution: &Execution) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        Term::check_any(term)?;
        let is_new = !tables.executions.contains_key(&execution.id);
        if is_new {
            tables.executions.insert(execution.id.clone(), execution.clone());
        }
        Ok(is_new)
    }

    async fn execution(&self, id: &str) -> Result<Option<Execution>, StoreError> {
        Ok(self.tables().executions.get(id).cloned())
    }

    async fn replace_execution(
        &self,
        term: Option<&Term>,
        seen: (Outcome, u64),
        execution: &Execution,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        Term::check_any(term)?;
        let stored = tables.executions.get_mut(&execution.id).filter(|it| (it.outcome, it.token) == seen);
        Ok(stored.map(|stored| *stored = execution.clone()).is_some())
    }

    async fn open_executions(&self, limit: usize) -> Result<Vec<Execution>, StoreError> {
        let mut open = self.chosen(|it| !it.outcome.is_end());
        open.truncate(limit);
        Ok(open)
    }

    async fn history(
        &self,
        schedule: Option<&ScheduleId>,
        behind: Option<&HistoryPlace>,
        limit: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        let is_behind = |it: &Execution| behind.is_none_or(|place| (it.due_time, &it.id) < (place.due_time, &place.id));
        let wanted = |it: &Execution| schedule.is_none_or(|id| it.schedule_id == *id) && is_behind(it);
        Ok(self.chosen(wanted).into_iter().rev().take(limit).collect())
    }

    async fn executions_due(
        &self,
        schedule: &ScheduleId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Execution>, StoreError> {
        Ok(self.chosen(|it| it.schedule_id == *schedule && (from..=to).contains(&it.due_time)))
    }

    async fn forget_executions(
        &self,
        schedule: &ScheduleId,
        before: Timestamp,
        keep: &[String],
        most: usize,
    ) -> Result<u64, StoreError> {
        let executions = &mut self.tables().executions;
        let is_old = |(id, it): &(&String, &Execution)| {
            it.schedule_id == *schedule && it.due_time < before && it.outcome.is_end() && !keep.contains(id)
        };
        let mut old: Vec<(Timestamp, String)> =
            executions.iter().filter(is_old).map(|(id, it)| (it.due_time, id.clone())).collect();
        old.sort();
        old.truncate(most);
        for (_, id) in &old {
            executions.remove(id);
        }
        Ok(old.len() as u64)
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.clock.as_ref().map(Clock::now))
    }
}
