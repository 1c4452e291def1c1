//! Changes of a schedule's record. Pure: each takes the record as it was read and gives the one to be written in its place.

use super::plan::{Plan, Settings};
use crate::core::failpoints::planted::planted;
use crate::core::model::counted::COUNTED_MAX;
use crate::core::model::data_source::DataSource;
use crate::core::model::schedule::{Execution, Outcome, Rule, Schedule, ScheduleId, ScheduleStatus, Undecided};
use jiff::Timestamp;

/// Who pauses a schedule that fails again and again.
pub const BY_ITSELF: &str = "filegen";

/// Changes that are told apart of what they left undecided.
const UNDECIDED_MAX: usize = 20;

/// Why due times that had come before a pause did not begin.
const WAS_PAUSED: &str = "it was paused";

/// A moment as every store keeps it: to the millisecond.
pub fn millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// What a data source asks of its schedule.
fn rule_of(source: &DataSource) -> Rule {
    Rule {
        cron_expression: source.cron_expression.clone(),
        zone: source.zone.clone(),
        calendar: source.calendar.clone(),
        closed_day: source.closed_day.unwrap_or_default(),
        dst: source.dst,
        misfire: source.misfire,
        overlap: source.overlap,
        deadline: source.deadline.clone(),
        pause_after_failures: source.pause_after_failures,
    }
}

/// The schedule of a data source that has none yet. Its first due time is the first one from now on.
pub fn created(source: &DataSource, settings: &Settings, now: Timestamp) -> Schedule {
    let now = millis(now);
    let schedule = Schedule {
        id: ScheduleId::new(source.id.as_str()),
        data_source_id: source.id.to_string(),
        name: source.name.clone(),
        version: source.version,
        is_deleted: false,
        is_active: source.is_active,
        rule: rule_of(source),
        action: source.action.clone(),
        status: ScheduleStatus::Active,
        next_execution_time: None,
        decided_until: now,
        undecided: Vec::new(),
        last_execution_time: None,
        last_status: None,
        last_files_seen: None,
        last_files_new: None,
        last_error: None,
        last_success_id: None,
        last_failure_id: None,
        execution_count: 0,
        failure_count: 0,
        failures_in_row: 0,
        paused_by: None,
        pause_reason: None,
        paused_at: None,
        deadline_missed: None,
        deadline_since: Some(now),
        changed_at: now,
        revision: 1,
        token: 0,
    };
    settled(schedule, settings)
}

/// The schedule as a later version of its data source says. `None` when it says that, or something later, already.
///
/// A pause stays. The next due time stays where the times stay: nothing that an edit does fires at once.
pub fn updated(schedule: &Schedule, source: &DataSource, settings: &Settings, now: Timestamp) -> Option<Schedule> {
    let now = millis(now);
    let is_late = source.version <= schedule.version;
    let is_let_through =
        planted("event applied without version") || (planted("delete beaten by a late update") && schedule.is_deleted);
    if is_late && !is_let_through {
        return None;
    }
    Some(as_described(schedule, source, settings, now))
}

/// The schedule of a data source that is in the store, whatever either says of its version. `None` when it says the same, and when it is
/// due. For whoever has read the data source behind the schedule: it is the truth then, and a higher version of the schedule comes from a
/// table that was restored, or from somebody else's event.
pub fn mended(schedule: &Schedule, source: &DataSource, settings: &Settings, now: Timestamp) -> Option<Schedule> {
    let says_the_same = schedule.version == source.version && says_the_same(schedule, source);
    (!says_the_same || lacks_next(schedule, settings)).then(|| as_described(schedule, source, settings, millis(now)))
}

/// Whether a schedule says what its data source does, but for the version.
pub fn says_the_same(schedule: &Schedule, source: &DataSource) -> bool {
    !schedule.is_deleted
        && schedule.name == source.name
        && schedule.is_active == source.is_active
        && schedule.rule == rule_of(source)
        && schedule.action == source.action
}

/// Whether a schedule is due, and no next time stands in it.
fn lacks_next(schedule: &Schedule, settings: &Settings) -> bool {
    let fires = schedule.is_active && schedule.status != ScheduleStatus::Paused;
    fires && schedule.next_execution_time.is_none() && settled(schedule.clone(), settings).next_execution_time.is_some()
}

fn as_described(schedule: &Schedule, source: &DataSource, settings: &Settings, now: Timestamp) -> Schedule {
    let rule = rule_of(source);
    let keeps_times = when(&schedule.rule) == when(&rule) && schedule.is_active == source.is_active;
    let keeps_deadline = keeps_times && schedule.rule.deadline == rule.deadline && !schedule.is_deleted;
    let keeps_times = keeps_times && !schedule.is_deleted && schedule.status != ScheduleStatus::Failed;
    let why = if source.is_active { "its times were changed" } else { "its data source was set inactive" };
    let plan = if keeps_times { None } else { Plan::of(schedule, settings).ok() };
    let undecided = left_by(schedule, plan.as_ref(), now, why);
    let changed = Schedule {
        name: source.name.clone(),
        version: source.version,
        is_deleted: false,
        is_active: source.is_active,
        status: if schedule.is_deleted { ScheduleStatus::Active } else { schedule.status },
        rule,
        action: source.action.clone(),
        // Never back, whatever the clock of who edits says: what was decided is not decided again.
        decided_until: if keeps_times { schedule.decided_until } else { now.max(schedule.decided_until) },
        deadline_since: if keeps_deadline { schedule.deadline_since } else { Some(now) },
        undecided,
        ..schedule.clone()
    };
    settled(by_others(changed, now), settings)
}

/// The due times of a schedule that have come and begin no more when it is changed or paused now, beside those that wait to be told.
fn left_by(schedule: &Schedule, plan: Option<&Plan>, now: Timestamp, why: &str) -> Vec<Undecided> {
    let (mut undecided, after) = (schedule.undecided.clone(), schedule.decided_until);
    let next = plan.filter(|_| fires(schedule)).and_then(|plan| plan.next_after(after));
    if next.is_some_and(|next| next <= now) {
        match undecided.last_mut() {
            // Nobody has led for long: that these are told at all matters more than by which words.
            Some(last) if schedule.undecided.len() >= UNDECIDED_MAX => last.until = last.until.max(now),
            _ => undecided.push(Undecided { rule: schedule.rule.clone(), after, until: now, why: why.to_owned() }),
        }
    }
    undecided
}

/// The leader has written down what was undecided of the schedule as it saw it.
pub fn accounted_for(schedule: &Schedule, seen: &[Undecided]) -> Schedule {
    let undecided = schedule.undecided.iter().filter(|it| !seen.contains(it)).cloned().collect();
    Schedule { undecided, revision: schedule.revision + 1, ..schedule.clone() }
}

/// What decides when a schedule is due.
fn when(rule: &Rule) -> impl PartialEq + '_ {
    (&rule.cron_expression, &rule.zone, &rule.calendar, rule.closed_day, rule.dst)
}

/// The schedule of a data source that is deleted. `None` when that is known, or something later.
pub fn deleted(schedule: &Schedule, version: u64, now: Timestamp) -> Option<Schedule> {
    let now = millis(now);
    (version > schedule.version).then(|| by_others(gone(schedule, version), now))
}

/// The schedule of a data source that is not in the store. Whatever event of it still comes is late: its own end was not heard, and has a
/// version that nobody here knows.
pub fn removed(schedule: &Schedule, now: Timestamp) -> Schedule {
    by_others(gone(schedule, COUNTED_MAX), millis(now))
}

/// Kept, so that a late change is known to be late. People's own tools count active schedules by their status alone: it is none of them.
fn gone(schedule: &Schedule, version: u64) -> Schedule {
    let reason = "its data source was deleted".to_owned();
    Schedule {
        version,
        is_deleted: true,
        status: ScheduleStatus::Paused,
        pause_reason: Some(reason),
        next_execution_time: None,
        undecided: Vec::new(),
        ..schedule.clone()
    }
}

/// Paused by somebody, who says why. `None` when it is paused.
pub fn paused(schedule: &Schedule, (who, why): (&str, &str), settings: &Settings, now: Timestamp) -> Option<Schedule> {
    let now = millis(now);
    (schedule.status != ScheduleStatus::Paused).then(|| {
        let plan = Plan::of(schedule, settings).ok();
        let paused = Schedule {
            undecided: left_by(schedule, plan.as_ref(), now, WAS_PAUSED),
            status: ScheduleStatus::Paused,
            paused_by: Some(who.to_owned()),
            pause_reason: Some(why.to_owned()),
            paused_at: Some(now),
            next_execution_time: None,
            ..schedule.clone()
        };
        by_others(paused, now)
    })
}

/// Goes on from now: nothing that was due meanwhile is made up for. `None` when it is not paused.
pub fn resumed(schedule: &Schedule, settings: &Settings, now: Timestamp) -> Option<Schedule> {
    let now = millis(now);
    (schedule.status == ScheduleStatus::Paused).then(|| {
        let resumed = Schedule {
            status: ScheduleStatus::Active,
            paused_by: None,
            pause_reason: None,
            paused_at: None,
            failures_in_row: 0,
            decided_until: now.max(schedule.decided_until),
            ..schedule.clone()
        };
        settled(by_others(resumed, now), settings)
    })
}

/// The leader has decided all due times up to here.
pub fn advanced(schedule: &Schedule, decided_until: Timestamp, next: Option<Timestamp>) -> Schedule {
    let revision = schedule.revision + 1;
    Schedule { decided_until, next_execution_time: next, revision, ..schedule.clone() }
}

/// An execution ended, or began where it has not ended.
pub fn told(schedule: &Schedule, execution: &Execution, plan: Option<&Plan>, now: Timestamp) -> Schedule {
    let mut told = Schedule { revision: schedule.revision + 1, ..schedule.clone() };
    told.last_execution_time = told.last_execution_time.max(Some(execution.due_time));
    told.last_status = Some(execution.outcome);
    if matches!(execution.outcome, Outcome::Succeeded | Outcome::Failed | Outcome::Interrupted) {
        // Here, so that a list of thousands asks for no execution.
        told.last_files_seen = Some(execution.files_seen);
        told.last_files_new = Some(execution.files_new);
    }
    match execution.outcome {
        Outcome::Succeeded => {
            told.execution_count += 1;
            told.failures_in_row = 0;
            told.last_success_id = Some(execution.id.clone());
        }
        Outcome::Failed => {
            told.execution_count += 1;
            told.failure_count += 1;
            told.failures_in_row += 1;
            told.last_error.clone_from(&execution.error);
            told.last_failure_id = Some(execution.id.clone());
        }
        // No failure of what is looked at: it pauses nothing, and is done again where the policy says so.
        Outcome::Interrupted => {
            told.execution_count += 1;
            told.failure_count += 1;
            told.last_error.clone_from(&execution.reason);
            told.last_failure_id = Some(execution.id.clone());
        }
        Outcome::Queued | Outcome::Running | Outcome::Missed | Outcome::Skipped => {}
    }
    let limit = plan.and_then(|plan| plan.pause_after);
    if told.status == ScheduleStatus::Active && limit.is_some_and(|limit| told.failures_in_row >= limit) {
        told.undecided = left_by(&told, plan, millis(now), WAS_PAUSED);
        let error = told.last_error.as_deref().unwrap_or("no reason was given");
        told.pause_reason = Some(format!("{} failures in a row, the last one: {error}", told.failures_in_row));
        told.status = ScheduleStatus::Paused;
        told.paused_by = Some(BY_ITSELF.to_owned());
        told.paused_at = Some(now);
        told.next_execution_time = None;
    }
    told
}

/// How an execution ended, where that is the last end that its schedule has heard of.
pub fn heard(schedule: &Schedule, execution: &str) -> Option<Outcome> {
    let is_it = |last: &Option<String>| last.as_deref() == Some(execution);
    if is_it(&schedule.last_success_id) {
        return Some(Outcome::Succeeded);
    }
    let was_interrupted = schedule.last_status == Some(Outcome::Interrupted);
    is_it(&schedule.last_failure_id).then_some(if was_interrupted { Outcome::Interrupted } else { Outcome::Failed })
}

/// An execution as its schedule has heard of its end. `None`: it has not.
pub fn as_heard(schedule: &Schedule, execution: &Execution) -> Option<Execution> {
    let outcome = heard(schedule, &execution.id)?;
    let error = schedule.last_error.clone().filter(|_| outcome == Outcome::Failed);
    let (seen, new) = (schedule.last_files_seen.unwrap_or(0), schedule.last_files_new.unwrap_or(0));
    Some(Execution { outcome, error, files_seen: seen, files_new: new, ..execution.clone() })
}

/// A deadline has passed without a success.
pub fn past_deadline(schedule: &Schedule, day: &str) -> Schedule {
    Schedule { deadline_missed: Some(day.to_owned()), revision: schedule.revision + 1, ..schedule.clone() }
}

/// Changed by somebody other than the leader, who hears of it by that.
fn by_others(schedule: Schedule, now: Timestamp) -> Schedule {
    Schedule { changed_at: now, revision: schedule.revision + 1, ..schedule }
}

/// With the status and the next due time that follow from its words. A pause stays.
pub fn settled(mut schedule: Schedule, settings: &Settings) -> Schedule {
    let fires = schedule.is_active && !schedule.is_deleted && schedule.status != ScheduleStatus::Paused;
    match Plan::of(&schedule, settings) {
        Ok(plan) => {
            if schedule.status == ScheduleStatus::Failed {
                schedule.status = ScheduleStatus::Active;
            }
            schedule.next_execution_time = plan.next_after(schedule.decided_until).filter(|_| fires);
        }
        Err(fault) => {
            if fires {
                schedule.status = ScheduleStatus::Failed;
            }
            schedule.last_error = Some(fault.to_string());
            schedule.next_execution_time = None;
        }
    }
    schedule
}

/// Whether a schedule fires when it is due.
pub fn fires(schedule: &Schedule) -> bool {
    schedule.is_active && !schedule.is_deleted && schedule.status == ScheduleStatus::Active
}

#[cfg(test)]
mod tests;
