//! Schedules and executions: when something is due, and what became of each due time.

use super::as_text;
use super::data_source::{Action, ClockChange, ClosedDay, DeadlineTime, Misfire, Overlap};
use super::names::InstanceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of a schedule: that of its data source, or `run:LoanWorker` for a worker's own clock.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScheduleId(String);

impl ScheduleId {
    /// Takes any text: it is compared and shown, never interpreted.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a schedule fires.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ScheduleStatus {
    /// It fires.
    Active,
    /// Somebody paused it, or it paused after failures.
    Paused,
    /// What it says cannot be used: an expression, a zone or a calendar. An edit mends it.
    Failed,
}

impl ScheduleStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Failed];

    /// The word in stores, tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Failed => "Failed",
        }
    }
}

/// What became of a due time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// It did what it is for.
    Succeeded,
    /// It did not.
    Failed,
    /// Its leader ended in it.
    Interrupted,
    /// It passed while nobody led, and is not made up for.
    Missed,
    /// It was left out, with a reason.
    Skipped,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Interrupted, Self::Missed, Self::Skipped];

    /// The word in stores, tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Interrupted => "Interrupted",
            Self::Missed => "Missed",
            Self::Skipped => "Skipped",
        }
    }

    /// Whether nothing more becomes of it.
    pub fn is_end(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// Why an execution is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Cause {
    /// It was due.
    Due,
    /// It was due while nobody led.
    CatchUp,
    /// A person asked for it.
    Manual,
    /// A person asked for the due times that were missed.
    Backfill,
    /// The execution of the same due time before this one was interrupted.
    Again,
}

/// A schedule, as it is kept: `ScheduledDataSource`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Which.
    pub id: ScheduleId,
    /// Of which data source.
    pub data_source_id: String,
    /// What people call it.
    pub name: String,
    /// The version of the data source that this says.
    #[serde(deserialize_with = "super::counted::deserialize")]
    pub version: u64,
    /// The data source is deleted. Kept, so that a late change of it is known to be late.
    #[serde(default)]
    pub is_deleted: bool,
    /// Whether the data source is looked at at all.
    pub is_active: bool,
    /// When it is due.
    #[serde(flatten)]
    pub rule: Rule,
    /// What a due time does.
    pub action: Action,
    /// Whether it fires.
    pub status: ScheduleStatus,
    /// The first due time that is not decided. `None`: there is none, or it does not fire now.
    #[serde(with = "as_text::maybe_moment")]
    pub next_execution_time: Option<Timestamp>,
    /// What became of all due times up to here stands in the history.
    #[serde(with = "as_text::moment")]
    pub decided_until: Timestamp,
    /// Due times before that of which it does not, because somebody changed or paused the schedule: the leader writes them down.
    #[serde(default)]
    pub undecided: Vec<Undecided>,
    /// The due time of the last execution that began.
    #[serde(with = "as_text::maybe_moment")]
    pub last_execution_time: Option<Timestamp>,
    /// What became of it.
    pub last_status: Option<Outcome>,
    /// Files that the last one looked at which ended. `None`: none has.
    #[serde(default)]
    pub last_files_seen: Option<u64>,
    /// Files that it told.
    #[serde(default)]
    pub last_files_new: Option<u64>,
    /// Why the last one that failed did.
    pub last_error: Option<String>,
    /// The last execution that succeeded. It is kept for ever.
    #[serde(default)]
    pub last_success_id: Option<String>,
    /// The last execution that failed. It is kept for ever.
    #[serde(default)]
    pub last_failure_id: Option<String>,
    /// Executions that ended.
    pub execution_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Failures since the last success.
    #[serde(default)]
    pub failures_in_row: u32,
    /// Who paused it.
    pub paused_by: Option<String>,
    /// Why.
    pub pause_reason: Option<String>,
    /// When.
    #[serde(with = "as_text::maybe_moment", default)]
    pub paused_at: Option<Timestamp>,
    /// The last day whose deadline passed without a success: `2026-11-29`.
    #[serde(default)]
    pub deadline_missed: Option<String>,
    /// Deadlines up to here are none of it: it was made, or given its deadline, then. `None`: when somebody changed it last.
    #[serde(with = "as_text::maybe_moment", default)]
    pub deadline_since: Option<Timestamp>,
    /// When somebody other than the leader changed it last.
    #[serde(with = "as_text::moment")]
    pub changed_at: Timestamp,
    /// Counts all changes, from 1. A change says which one it saw.
    #[serde(deserialize_with = "super::counted::deserialize")]
    pub revision: u64,
    /// The highest token of a leader that has written this.
    #[serde(default)]
    pub token: u64,
}

/// Due times that had come, and began no more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undecided {
    /// What they were due by.
    pub rule: Rule,
    /// They are those behind this moment,
    #[serde(with = "as_text::moment")]
    pub after: Timestamp,
    /// up to this one.
    #[serde(with = "as_text::moment")]
    pub until: Timestamp,
    /// What happened then: `its times were changed`.
    pub why: String,
}

/// When a schedule is due, in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// As Quartz reads it.
    pub cron_expression: String,
    /// The IANA zone whose clock it reads.
    pub zone: String,
    /// Days without business, by the name of their calendar.
    pub calendar: Option<String>,
    /// What becomes of due times on them.
    #[serde(default)]
    pub closed_day: ClosedDay,
    /// Local times that a clock change skips or repeats. `None`: what the scheduler file says.
    #[serde(default)]
    pub dst: Option<ClockChange>,
    /// Due times that passed while nobody led.
    pub misfire: Misfire,
    /// A due time that comes while the one before still runs.
    pub overlap: Overlap,
    /// When one execution of a day is to have succeeded.
    #[serde(default)]
    pub deadline: Option<DeadlineTime>,
    /// It pauses after so many failures in a row. `None`: what the scheduler file says.
    #[serde(default)]
    pub pause_after_failures: Option<u32>,
}

/// One due time's execution, as it is kept: `ScheduleExecution`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// `schedule:dueTime`; of a later attempt, with `#2` behind it.
    pub id: String,
    /// Of which schedule.
    pub schedule_id: ScheduleId,
    /// When it was due; of one that a person asked for, when they did.
    #[serde(with = "as_text::moment")]
    pub due_time: Timestamp,
    /// From 1; one more each time the same due time is made up for.
    pub attempt: u32,
    /// Why it is there.
    pub cause: Cause,
    /// What became of it.
    pub outcome: Outcome,
    /// When it began.
    #[serde(with = "as_text::maybe_moment")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(with = "as_text::maybe_moment")]
    pub ended_at: Option<Timestamp>,
    /// The process that ran it.
    pub instance: Option<String>,
    /// Under which token.
    pub token: u64,
    /// Files that it looked at.
    pub files_seen: u64,
    /// Files that were told.
    pub files_new: u64,
    /// Why it was missed, left out or interrupted; who asked for it and why.
    pub reason: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Execution {
    /// One that is written down for the first time.
    pub fn new(schedule: &ScheduleId, due: Timestamp, attempt: u32, cause: Cause, outcome: Outcome) -> Self {
        Self {
            id: Self::id_of(schedule, due, attempt),
            schedule_id: schedule.clone(),
            due_time: due,
            attempt,
            cause,
            outcome,
            started_at: None,
            ended_at: None,
            instance: None,
            token: 0,
            files_seen: 0,
            files_new: 0,
            reason: None,
            error: None,
        }
    }

    /// `intake-1:2026-11-29T00:02:00Z`, and of a later attempt `intake-1:2026-11-29T00:02:00Z#2`.
    pub fn id_of(schedule: &ScheduleId, due: Timestamp, attempt: u32) -> String {
        match attempt {
            0 | 1 => format!("{schedule}:{due}"),
            attempt => format!("{schedule}:{due}#{attempt}"),
        }
    }

    /// With a reason.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// Under way from now on.
    #[must_use]
    pub fn begun(self, at: Timestamp, instance: &InstanceId, token: u64) -> Self {
        let instance = Some(instance.to_string());
        Self { outcome: Outcome::Running, started_at: Some(at), instance, token, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_known_by_its_schedule_and_due_time() {
        let (id, due) = (ScheduleId::new("a1"), "2026-11-29T00:02:00Z".parse().unwrap());
        let first = Execution::new(&id, due, 1, Cause::Due, Outcome::Queued);
        assert_eq!(first.id, "a1:2026-11-29T00:02:00Z");
        assert_eq!(Execution::id_of(&id, due, 3), "a1:2026-11-29T00:02:00Z#3");
        let json = serde_json::to_value(&first).unwrap();
        assert_eq!((&json["scheduleId"], &json["dueTime"]), (&"a1".into(), &"2026-11-29T00:02:00Z".into()));
        assert_eq!(serde_json::from_value::<Execution>(json).unwrap(), first);
    }

    #[test]
    fn words_are_those_of_json() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
        for status in ScheduleStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
