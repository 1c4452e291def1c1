//! Deadlines: when an execution of the day is to have succeeded, and whether one has. Each day of business has one, also where nothing is
//! due: that nothing began is told, too.

use super::plan::Plan;
use crate::core::model::schedule::{Execution, Outcome, Schedule};
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

/// How long a deadline that passed while nobody led is still told.
const STAYS: SignedDuration = SignedDuration::from_hours(12);

/// Days that are searched for one with a deadline.
const DAYS_MAX: i64 = 40;

/// The first deadline that was not looked at: behind `looked_at`, behind the schedule's beginning, and at most twelve hours ago.
pub fn pending(plan: &Plan, schedule: &Schedule, looked_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let begins = schedule.deadline_since.unwrap_or(schedule.changed_at);
    let since = now.checked_sub(STAYS).unwrap_or(now).max(begins).max(looked_at);
    let first = plan.timetable.zone.to_datetime(since).date();
    let told = schedule.deadline_missed.as_deref().unwrap_or_default();
    (0..DAYS_MAX).find_map(|days| {
        let day = first.checked_add(Span::new().days(days)).ok()?;
        of_day(plan, day).filter(|at| *at > since && day.to_string().as_str() > told)
    })
}

/// When a day's deadline is. `None` without one, and on a day without business.
pub fn of_day(plan: &Plan, day: Date) -> Option<Timestamp> {
    let time = plan.deadline?;
    let is_open = plan.timetable.closed.as_ref().is_none_or(|closed| closed.calendar.is_open(day));
    is_open.then(|| plan.timetable.zone.to_timestamp(day.to_datetime(time)).ok())?
}

/// The day of a deadline, and the moments between which an execution is to have succeeded.
pub fn day_of(plan: &Plan, deadline: Timestamp) -> (Date, Timestamp) {
    let day = plan.timetable.zone.to_datetime(deadline).date();
    let midnight = day.to_zoned_datetime(plan.timetable.zone.clone()).map_or(deadline, |midnight| midnight.timestamp());
    (day, midnight)
}

/// Whether one of these executions succeeded between the two moments.
pub fn is_kept(executions: &[Execution], from: Timestamp, to: Timestamp) -> bool {
    executions.iter().any(|execution| {
        execution.outcome == Outcome::Succeeded && execution.ended_at.is_some_and(|ended| (from..=to).contains(&ended))
    })
}
