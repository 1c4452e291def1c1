//! A schedule's words as what they mean: times, and what becomes of late ones.

use super::cron::{Dst, Expression};
use super::timetable::{Closed, Timetable};
use crate::core::model::business_days::BusinessDays;
use crate::core::model::calendar::Calendar;
use crate::core::model::data_source::{ClockChange, Misfire, Overlap};
use crate::core::model::schedule::{Rule, Schedule, ScheduleId};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// What holds for all schedules of a scheduler, or for those that do not say otherwise.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Local times that a clock change skips or repeats.
    pub dst: Dst,
    /// A due time that is fired later than this was missed.
    pub grace: Duration,
    /// Each schedule begins up to this much later, always by the same time.
    pub jitter: Duration,
    /// Missed due times that `fire_all` makes up for, at most.
    pub catch_up: usize,
    /// A schedule pauses after so many failures in a row. `None`: never.
    pub pause_after_failures: Option<u32>,
    /// Executions at once, of all schedules.
    pub concurrency: usize,
    /// How long executions are kept.
    pub history: Duration,
    /// Calendars beside those that are known by a word.
    pub calendars: BTreeMap<String, BusinessDays>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dst: Dst::Quartz,
            grace: Duration::from_mins(1),
            jitter: Duration::ZERO,
            catch_up: 100,
            pause_after_failures: None,
            concurrency: 4,
            history: Duration::from_hours(90 * 24),
            calendars: BTreeMap::new(),
        }
    }
}

/// What a schedule means.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// When it is due.
    pub timetable: Timetable,
    /// Due times that passed while nobody led.
    pub misfire: Misfire,
    /// A due time that comes while the one before still runs.
    pub overlap: Overlap,
    /// A due time that is fired later than this was missed.
    pub grace: SignedDuration,
    /// It begins so much behind each due time.
    pub offset: SignedDuration,
    /// Missed due times that are made up for, at most.
    pub catch_up: usize,
    /// It pauses after so many failures in a row.
    pub pause_after: Option<u32>,
    /// When one execution of the day is to have succeeded.
    pub deadline: Option<Time>,
}

/// Why a schedule's words mean nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {message}; {hint}")]
pub struct PlanFault {
    /// Which word.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl From<ClockChange> for Dst {
    fn from(choice: ClockChange) -> Self {
        match choice {
            ClockChange::Quartz => Self::Quartz,
            ClockChange::RunMissing => Self::RunMissing,
            ClockChange::First => Self::First,
            ClockChange::Both => Self::Both,
        }
    }
}

impl Plan {
    /// Reads a schedule's words.
    ///
    /// # Errors
    /// The first of them that means nothing.
    pub fn of(schedule: &Schedule, settings: &Settings) -> Result<Self, PlanFault> {
        let Rule { misfire, overlap, pause_after_failures, deadline, .. } = &schedule.rule;
        let deadline = deadline.as_ref().map(|deadline| clock(&deadline.time)).transpose()?;
        Ok(Self {
            timetable: timetable(&schedule.rule, settings)?,
            misfire: *misfire,
            overlap: *overlap,
            grace: SignedDuration::try_from(settings.grace).unwrap_or(SignedDuration::MAX),
            offset: offset(&schedule.id, settings.jitter),
            catch_up: settings.catch_up,
            pause_after: pause_after_failures.or(settings.pause_after_failures).filter(|count| *count > 0),
            deadline,
        })
    }

    /// The first due time after `after`.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.timetable.next_after(after)
    }

    /// When something is to be decided that is not decided up to `decided_until`: a due time, a clock change that leaves one out, or a
    /// time on a day without business: once that has passed, no other calendar makes it due.
    pub fn wake(&self, decided_until: Timestamp) -> Option<Timestamp> {
        let next = self.next_after(decided_until);
        let left_out = self.timetable.left_out(decided_until, next.unwrap_or(Timestamp::MAX)).map(|left| left.at);
        let closed = self.timetable.next_named_after(decided_until);
        next.into_iter().chain(left_out).chain(closed).min()?.checked_add(self.offset).ok()
    }
}

/// When a rule is due.
///
/// # Errors
/// The first word that means nothing.
pub fn timetable(rule: &Rule, settings: &Settings) -> Result<Timetable, PlanFault> {
    let expression = Expression::parse(&rule.cron_expression).map_err(|error| PlanFault {
        field: "cronExpression",
        message: error.to_string(),
        hint: error.hint,
    })?;
    let zone = TimeZone::get(&rule.zone).map_err(|_| PlanFault {
        field: "zone",
        message: format!("no time zone is called {}", rule.zone),
        hint: "write an IANA name such as Europe/Berlin".to_owned(),
    })?;
    let closed = match &rule.calendar {
        None => None,
        Some(name) => {
            let known = settings.calendars.get(name).cloned();
            let calendar =
                known.or_else(|| Calendar::parse(name).map(BusinessDays::from)).ok_or_else(|| PlanFault {
                    field: "calendar",
                    message: format!("no calendar is called {name}"),
                    hint: "write weekends, target, us-federal, or one of the scheduler file's calendars".to_owned(),
                })?;
            Some(Closed { calendar, goes: rule.closed_day })
        }
    };
    Ok(Timetable { expression, zone, dst: rule.dst.map_or(settings.dst, Dst::from), closed })
}

fn clock(text: &str) -> Result<Time, PlanFault> {
    text.parse().map_err(|_| PlanFault {
        field: "deadline.time",
        message: format!("\"{text}\" is no time of the day"),
        hint: "write hours and minutes: 06:30".to_owned(),
    })
}

/// By how much a schedule begins later: the same for one id in every process, spread evenly over many ids (FNV-1a, and the last steps
/// of `SplitMix64`, since ids that differ in their last letter alone differ little before them).
pub fn offset(id: &ScheduleId, jitter: Duration) -> SignedDuration {
    let hash = id
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let share = (u128::from(mixed ^ (mixed >> 31)) * jitter.as_millis()) >> 64;
    SignedDuration::from_millis(i64::try_from(share).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_the_same_at_every_look_and_spread_over_the_schedules() {
        let minute = Duration::from_mins(1);
        let offsets: Vec<i128> =
            (0..1000).map(|id| offset(&ScheduleId::new(format!("source-{id}")), minute).as_millis()).collect();
        assert_eq!(offsets[7], offset(&ScheduleId::new("source-7"), minute).as_millis());
        assert!(offsets.iter().all(|offset| (0..60_000).contains(offset)));
        for quarter in 0..4 {
            let count = offsets.iter().filter(|offset| **offset / 15_000 == quarter).count();
            assert!((150..350).contains(&count), "{quarter}: {count}");
        }
        assert_eq!(offset(&ScheduleId::new("a"), Duration::ZERO), SignedDuration::ZERO);
    }
}
