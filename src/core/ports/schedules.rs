//! Schedules, and the executions of their due times.

use super::store::{Found, OddRecord, Page, StoreError};
use crate::core::model::schedule::{Execution, Outcome, Schedule, ScheduleId};
use crate::core::model::term::Term;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Records of one page, where all are wanted: a fraction of the time that a question may take, also on a busy host.
pub const PAGE: usize = 500;

/// Who changes a schedule.
#[derive(Clone, Copy, Debug)]
pub enum Writer<'a> {
    /// The leader. A store refuses it with [`StoreError::Stale`] once a newer leader has written the same schedule.
    Leader(&'a Term),
    /// A person, or a change of the data source.
    Other,
}

/// A place in the history. Several executions may have one due time: tries of it, and what a clock change left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryPlace {
    /// What was due earlier comes behind it,
    pub due_time: Timestamp,
    /// and of this due time, ids that are smaller than this one.
    pub id: String,
}

impl HistoryPlace {
    /// Before all that was due at a moment.
    pub fn before(due_time: Timestamp) -> Self {
        Self { due_time, id: String::new() }
    }

    /// That of an execution.
    pub fn of(execution: &Execution) -> Self {
        Self { due_time: execution.due_time, id: execution.id.clone() }
    }
}

/// The schedules of a state store, and their history. A write is durable when it answers; times are kept to the millisecond.
#[async_trait]
pub trait ScheduleStore: Send + Sync {
    /// Schedules whose ids come behind `after`, by id, those of deleted data sources among them; at most `most`. Here and in each list, a
    /// record that cannot be read is passed over: it stops no other. Each id comes behind the empty text.
    async fn schedules_behind(&self, after: &str, most: usize) -> Result<Page<Schedule>, StoreError>;

    /// Open executions that cannot be read: the first of them.
    async fn odd_executions(&self) -> Result<Vec<OddRecord>, StoreError> {
        Ok(Vec::new())
    }

    /// All schedules by id, asked for page by page: one answer takes no longer where there are many.
    async fn all_schedules(&self) -> Result<Found<Schedule>, StoreError> {
        let (mut all, mut after) = (Found::default(), String::new());
        loop {
            let Page { found, next } = self.schedules_behind(&after, PAGE).await?;
            all.records.extend(found.records);
            all.odd.extend(found.odd);
            match next {
                Some(next) => after = next,
                None => return Ok(all),
            }
        }
    }

    /// As [`ScheduleStore::all_schedules`]: those that can be read.
    async fn schedules(&self) -> Result<Vec<Schedule>, StoreError> {
        Ok(self.all_schedules().await?.records)
    }

    /// Schedules and open executions that cannot be read: the first of them.
    async fn odd_records(&self) -> Result<Vec<OddRecord>, StoreError> {
        let mut odd = self.all_schedules().await?.odd;
        odd.extend(self.odd_executions().await?);
        Ok(odd)
    }

    /// One schedule.
    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError>;

    /// Ids and revisions of those that somebody other than the leader has changed since then, by their `changed_at`; in the order of ids.
    async fn changed_since(&self, since: Timestamp) -> Result<Vec<(ScheduleId, u64)>, StoreError>;

    /// The schedules with these ids, by id, as far as they are there.
    async fn schedules_of(&self, ids: &[ScheduleId]) -> Result<Vec<Schedule>, StoreError>;

    /// Keeps new schedules, at most [`PAGE`]. Gives the ids of those that are new: one whose id is there stays as it is.
    async fn insert_schedules(&self, schedules: Vec<Schedule>) -> Result<BTreeSet<ScheduleId>, StoreError>;

    /// Keeps a new schedule. False when one of this id is there.
    async fn insert_schedule(&self, schedule: &Schedule) -> Result<bool, StoreError> {
        Ok(!self.insert_schedules(vec![schedule.clone()]).await?.is_empty())
    }

    /// Writes a schedule in place of the one that has the revision before its own. False when another has. A leader's write sets
    /// its token, and others keep the one that is stored.
    async fn replace_schedule(&self, writer: Writer<'_>, schedule: &Schedule) -> Result<bool, StoreError>;

    /// Keeps a new execution. Exactly one of many inserts of one id is new: true. With a term, only while that lasts.
    async fn insert_execution(&self, term: Option<&Term>, execution: &Execution) -> Result<bool, StoreError>;

    /// One execution.
    async fn execution(&self, id: &str) -> Result<Option<Execution>, StoreError>;

    /// Writes an execution in place of itself, where that has this outcome and token. False when it has not. With a term, only while
    /// that lasts.
    async fn replace_execution(
        &self,
        term: Option<&Term>,
        seen: (Outcome, u64),
        execution: &Execution,
    ) -> Result<bool, StoreError>;

    /// Executions that are queued or running, by due time, the earliest first; at most `limit`.
    async fn open_executions(&self, limit: usize) -> Result<Vec<Execution>, StoreError>;

    /// Executions by due time and id, the latest first, of one schedule or all, behind a place where one is given.
    async fn history(
        &self,
        schedule: Option<&ScheduleId>,
        behind: Option<&HistoryPlace>,
        limit: usize,
    ) -> Result<Vec<Execution>, StoreError>;

    /// Executions of one schedule that were due from `from` to `to`, both included, by due time, the earliest first.
    async fn executions_due(
        &self,
        schedule: &ScheduleId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Execution>, StoreError>;

    /// Removes executions of one schedule that ended and were due before `before`, but those in `keep`; at most `most`, the oldest first.
    /// Returns how many.
    async fn forget_executions(
        &self,
        schedule: &ScheduleId,
        before: Timestamp,
        keep: &[String],
        most: usize,
    ) -> Result<u64, StoreError>;

    /// The store's own clock. `None` where it has none but this host's.
    async fn time(&self) -> Result<Option<Timestamp>, StoreError>;
}
