//! What people do to schedules: look, pause, resume, run now, and make up for what was missed. Commands and API share it.

use super::plan::{self, Plan, PlanFault, Settings};
use super::{record, sync};
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::amount::counted;
use crate::core::model::schedule::{Cause, Execution, Outcome, Schedule, ScheduleId, ScheduleStatus};
use crate::core::model::shown;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::schedules::{PAGE, ScheduleStore};
use crate::core::ports::store::{OddRecord, Page, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// Due times that one backfill makes up for.
pub const BACKFILL_MAX: usize = 10_000;

/// Tries to find a moment that nothing else was asked for at.
const TRIES: i64 = 100;

/// Who asks, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Operating-system user and instance, or whom the API knows.
    pub who: String,
    /// Their words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// Why it was not done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SteerError {
    /// There is no such schedule.
    #[error("there is no schedule \"{id}\"{}", beside(unreadable))]
    Unknown {
        /// As it was given.
        id: String,
        /// Schedules that cannot be read: one of them may be it.
        unreadable: Vec<OddRecord>,
    },
    /// Several have this name.
    #[error("{count} schedules are called \"{name}\"")]
    Ambiguous {
        /// Which name.
        name: String,
        /// How many.
        count: usize,
    },
    /// It is as it should be already.
    #[error("schedule {id} is {status} already")]
    Already {
        /// Which.
        id: ScheduleId,
        /// What it is.
        status: &'static str,
    },
    /// Its words mean nothing.
    #[error("schedule {id} cannot be used: {fault}")]
    Unusable {
        /// Which.
        id: ScheduleId,
        /// Why.
        fault: PlanFault,
    },
    /// More due times than are made up for at once.
    #[error("more than {BACKFILL_MAX} due times lie between the two moments")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HasKind for SteerError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unknown { .. } => FailureKind::Refused,
            Self::Ambiguous { .. } | Self::TooMany | Self::Already { .. } => FailureKind::Conflict,
            Self::Unusable { .. } => FailureKind::Config,
            Self::Store(error) => error.kind(),
        }
    }
}

/// What else is there, where the one that is looked for may be among it.
fn beside(unreadable: &[OddRecord]) -> String {
    match unreadable {
        [] => String::new(),
        [OddRecord { id, reason }] => format!(" that can be read; {} cannot: {}", shown::name(id), shown::text(reason)),
        [OddRecord { id, .. }, others @ ..] => {
            format!(" that can be read; {} and {} others cannot", shown::name(id), others.len())
        }
    }
}

impl Asked {
    fn words(&self) -> String {
        if self.why.is_empty() { format!("asked for by {}", self.who) } else { format!("{}: {}", self.who, self.why) }
    }
}

/// How late a schedule is: its next due time has passed, its jitter too, and nobody has decided it.
pub fn late_by(schedule: &Schedule, settings: &Settings, now: Timestamp) -> Option<SignedDuration> {
    let next = schedule.next_execution_time.filter(|_| record::fires(schedule))?;
    Some(now.duration_since(next) - plan::offset(&schedule.id, settings.jitter)).filter(SignedDuration::is_positive)
}

/// A schedule, and how late it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// As it is kept.
    #[serde(flatten)]
    pub schedule: Schedule,
    /// Seconds since a due time that nobody has decided; 0 for one that is in time.
    pub late_seconds: i64,
}

impl Standing {
    /// How a schedule stands at a moment.
    pub fn at(now: Timestamp, schedule: Schedule, settings: &Settings) -> Self {
        let late_seconds = late_by(&schedule, settings, now).map_or(0, |late| late.as_secs());
        Self { schedule, late_seconds }
    }
}

/// All schedules of data sources that are there, by name.
///
/// # Errors
/// When the store fails.
pub async fn list(store: &dyn ScheduleStore) -> Result<Vec<Schedule>, SteerError> {
    let mut all = store.schedules().await?;
    all.retain(|schedule| !schedule.is_deleted);
    all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(all)
}

/// A schedule by its id, or by a name that only one has.
///
/// # Errors
/// When there is none, or several have the name, or the store fails.
pub async fn find(store: &dyn ScheduleStore, given: &str) -> Result<Schedule, SteerError> {
    let by_id = store.schedule(&ScheduleId::new(given)).await?;
    if let Some(schedule) = by_id.filter(|schedule| !schedule.is_deleted) {
        return Ok(schedule);
    }
    let (mut named, mut count, mut after, mut unreadable) = (None, 0, String::new(), Vec::new());
    loop {
        let Page { found, next } = store.schedules_behind(&after, PAGE).await?;
        unreadable.extend(found.odd.into_iter().filter(|it| !unreadable.contains(it)).collect::<Vec<_>>());
        for schedule in found.records.into_iter().filter(|it| !it.is_deleted && it.name == given) {
            count += 1;
            named = Some(schedule);
        }
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    match named {
        Some(schedule) if count == 1 => Ok(schedule),
        Some(_) => Err(SteerError::Ambiguous { name: given.to_owned(), count }),
        None => Err(SteerError::Unknown { id: given.to_owned(), unreadable }),
    }
}

/// Schedules, and the trail of who changed them.
#[derive(Clone, Copy)]
pub struct Steering<'a> {
    /// Where they are.
    pub store: &'a dyn ScheduleStore,
    /// Who did what, and why. It is written before the change: one that nobody can explain is worse than a recorded try.
    pub trail: &'a dyn AuditLog,
    /// What holds for all of them.
    pub settings: &'a Settings,
}

impl Steering<'_> {
    /// Pauses a schedule. What runs goes on to its end.
    ///
    /// # Errors
    /// When there is no such schedule, it is paused, or the store fails.
    pub async fn pause(&self, given: &str, asked: &Asked) -> Result<Schedule, SteerError> {
        let paused = |there: &Schedule, at| record::paused(there, (&asked.who, &asked.why), self.settings, at);
        self.change(given, asked, ("schedule pause", ScheduleStatus::Paused), paused).await
    }

    /// Lets a paused schedule go on from now.
    ///
    /// # Errors
    /// When there is no such schedule, it is not paused, or the store fails.
    pub async fn resume(&self, given: &str, asked: &Asked) -> Result<Schedule, SteerError> {
        let resumed = |there: &Schedule, at| record::resumed(there, self.settings, at);
        self.change(given, asked, ("schedule resume", ScheduleStatus::Active), resumed).await
    }

    async fn change(
        &self,
        given: &str,
        asked: &Asked,
        (action, status): (&str, ScheduleStatus),
        change: impl Fn(&Schedule, Timestamp) -> Option<Schedule>,
    ) -> Result<Schedule, SteerError> {
        let there = find(self.store, given).await?;
        let already = || SteerError::Already { id: there.id.clone(), status: status.as_str() };
        let at = sync::moment(self.store, asked.at).await;
        change(&there, at).ok_or_else(already)?;
        self.audit(action, there.id.as_str(), asked).await?;
        sync::change(self.store, &there.id, |there| change(there?, at)).await?.ok_or_else(already)
    }

    /// Asks for one execution now, whether the schedule is paused or not. The leader begins it.
    ///
    /// # Errors
    /// When there is no such schedule, or the store fails.
    pub async fn run_now(&self, given: &str, asked: &Asked) -> Result<Execution, SteerError> {
        let id = find(self.store, given).await?.id;
        self.audit("schedule run", id.as_str(), asked).await?;
        for later in 0..TRIES {
            // Never a whole second: that may be a due time.
            let millis = asked.at.as_millisecond() + later;
            let millis = if millis % 1000 == 0 { millis + 1 } else { millis };
            let due = Timestamp::from_millisecond(millis).unwrap_or(asked.at);
            let execution = Execution::new(&id, due, 1, Cause::Manual, Outcome::Queued).because(asked.words());
            if self.store.insert_execution(None, &execution).await? {
                return Ok(execution);
            }
        }
        let reason = format!("{TRIES} executions of {id} were asked for at this moment; try again");
        Err(StoreError::Unreachable { store: "of schedules".to_owned(), reason }.into())
    }

    /// Asks for executions of due times that were [`missed`]. The leader begins them, one after the other. Returns how many are new: a
    /// repeat asks for none again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn backfill(&self, executions: &[Execution], asked: &Asked) -> Result<usize, SteerError> {
        let (Some(first), Some(last)) = (executions.first(), executions.last()) else { return Ok(0) };
        let (count, from, to) = (counted(executions.len() as u64, "due time"), first.due_time, last.due_time);
        self.audit("schedule backfill", &format!("{}: {count} from {from} to {to}", first.schedule_id), asked).await?;
        let mut new = 0;
        for execution in executions {
            new += usize::from(self.store.insert_execution(None, execution).await?);
        }
        Ok(new)
    }

    async fn audit(&self, action: &str, detail: &str, asked: &Asked) -> Result<(), StoreError> {
        self.trail.audit(&AuditEntry::new(asked.at, &asked.who, action, detail, &asked.why)).await?;
        crash_point!("steer.audited");
        Ok(())
    }
}

/// Since when the history says what ran: what came before may have run, and is forgotten.
pub fn remembered_since(settings: &Settings, now: Timestamp) -> Timestamp {
    SignedDuration::try_from(settings.history)
        .ok()
        .and_then(|kept| now.checked_sub(kept).ok())
        .unwrap_or(Timestamp::MIN)
}

/// The due times from `from` to `to`, both included, for which nothing ran: those that stand as missed, left out or interrupted, and
/// those of which nothing is written down. None of before the [history](remembered_since) is among them.
///
/// # Errors
/// When there is no such schedule, its words mean nothing, there are too many, or the store fails.
pub async fn missed(
    store: &dyn ScheduleStore,
    settings: &Settings,
    given: &str,
    (from, to): (Timestamp, Timestamp),
    asked: &Asked,
) -> Result<Vec<Execution>, SteerError> {
    let schedule = find(store, given).await?;
    let plan =
        Plan::of(&schedule, settings).map_err(|fault| SteerError::Unusable { id: schedule.id.clone(), fault })?;
    // What is not due yet is not missed.
    let (from, to) = (from.max(remembered_since(settings, asked.at)), to.min(asked.at));
    let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
    let slots: Vec<Timestamp> =
        plan.timetable.slots(before).take_while(|slot| *slot <= to).take(BACKFILL_MAX + 1).collect();
    if slots.len() > BACKFILL_MAX {
        return Err(SteerError::TooMany);
    }
    // The last attempt of each due time decides.
    let mut last: BTreeMap<Timestamp, Execution> = BTreeMap::new();
    for execution in store.executions_due(&schedule.id, from, to).await? {
        let is_slot = execution.id == Execution::id_of(&schedule.id, execution.due_time, execution.attempt);
        if is_slot && last.get(&execution.due_time).is_none_or(|known| known.attempt < execution.attempt) {
            last.insert(execution.due_time, execution);
        }
    }
    let wanted = |slot: Timestamp| match last.get(&slot) {
        None => Some(1),
        Some(known) => match known.outcome {
            Outcome::Missed | Outcome::Skipped | Outcome::Interrupted => Some(known.attempt.saturating_add(1)),
            Outcome::Queued | Outcome::Running | Outcome::Succeeded | Outcome::Failed => None,
        },
    };
    let execution = |slot, attempt| {
        Execution::new(&schedule.id, slot, attempt, Cause::Backfill, Outcome::Queued).because(asked.words())
    };
    Ok(slots.into_iter().filter_map(|slot| Some(execution(slot, wanted(slot)?))).collect())
}
