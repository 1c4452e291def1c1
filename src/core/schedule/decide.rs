//! What becomes of the due times that have come: fired, missed, left out. Pure: decided by slot, whoever asks and when.

use super::cron::LeftOut;
use super::plan::Plan;
use crate::core::failpoints::planted::planted;
use crate::core::model::data_source::Misfire;
use crate::core::model::schedule::Cause;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// Missed due times that stand in the history one by one. Of more, the latest do, and the others are counted.
pub const MISSED_MAX: usize = 100;

/// `fire_all` makes up for nothing older.
const CATCH_UP_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Missed due times that are counted. Behind it the search goes on near the present, so that an outage of years costs no more than one
/// of a day.
const COUNTED_MAX: u64 = 200_000;

/// Due times within the grace of a change that are told one by one.
const WAITED_MAX: usize = 1_000;

/// Clock changes that are told at once.
const CHANGES_MAX: usize = 4;

/// What becomes of one due time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A clock change left due times out.
    LeftOut(LeftOut),
    /// It is not made up for.
    Missed {
        /// Which.
        slot: Timestamp,
        /// Why, and what else this stands for.
        reason: String,
    },
    /// It is fired.
    Fire {
        /// Which.
        slot: Timestamp,
        /// Late or missed.
        cause: Cause,
    },
}

/// What becomes of all due times that have come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// In the order of the due times.
    pub steps: Vec<Step>,
    /// Up to here all is decided.
    pub decided_until: Timestamp,
    /// The first due time behind that.
    pub next: Option<Timestamp>,
}

impl Step {
    fn at(&self) -> Timestamp {
        match self {
            Self::LeftOut(left) => left.at,
            Self::Missed { slot, .. } | Self::Fire { slot, .. } => *slot,
        }
    }
}

/// Decides all due times after `decided_until` that have come by `now`. A clock that went back decides nothing.
pub fn decide(plan: &Plan, decided_until: Timestamp, now: Timestamp) -> Decision {
    let none = |at| Decision { steps: Vec::new(), decided_until: at, next: plan.next_after(at) };
    let Some(horizon) = now.checked_sub(plan.offset).ok().map(whole_second) else { return none(decided_until) };
    if horizon <= decided_until {
        return none(decided_until);
    }
    let mut steps = left_out(plan, decided_until, horizon);
    let grace = if planted("slot by lateness") { SignedDuration::ZERO } else { plan.grace };
    let missed_before = horizon.checked_sub(grace).unwrap_or(decided_until).max(decided_until);
    let missed = Missed::find(plan, decided_until, missed_before);
    missed.steps(plan, horizon, &mut steps);
    let late = plan.timetable.slots(before(missed_before)).skip_while(|slot| *slot <= decided_until);
    steps.extend(late.take_while(|slot| *slot <= horizon).map(|slot| Step::Fire { slot, cause: Cause::Due }));
    steps.sort_by_key(Step::at);
    let decided_until = if planted("next from now") { whole_second(now) } else { horizon };
    Decision { steps, decided_until, next: plan.next_after(decided_until) }
}

/// The due times from `after` to `until` of a schedule that was changed or paused then: none of them begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    /// What a clock change left out, and what nobody was there for.
    pub passed: Vec<Step>,
    /// What could have begun still.
    pub waited: Vec<Timestamp>,
}

/// What is left of a schedule's due times. `why`: what happened to it.
pub fn left(plan: &Plan, after: Timestamp, until: Timestamp, why: &str) -> Left {
    let late = plan.offset.saturating_add(plan.grace);
    let missed_before = until.checked_sub(late).unwrap_or(after).max(after);
    let mut passed = left_out(plan, after, until);
    Missed::find(plan, after, missed_before).told(&format!("nobody led at its time, and {why} since"), 0, &mut passed);
    let waited = plan.timetable.slots(before(missed_before)).skip_while(|slot| *slot <= after);
    Left { passed, waited: waited.take_while(|slot| *slot <= until).take(WAITED_MAX).collect() }
}

fn whole_second(at: Timestamp) -> Timestamp {
    let second = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    Timestamp::from_second(second).unwrap_or(at)
}

fn before(at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at)
}

fn left_out(plan: &Plan, mut after: Timestamp, until: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    while steps.len() < CHANGES_MAX
        && let Some(left) = plan.timetable.left_out(after, until)
    {
        after = left.at;
        steps.push(Step::LeftOut(left));
    }
    steps
}

/// The due times that nobody was there for.
struct Missed {
    /// The latest ones, in order.
    latest: VecDeque<Timestamp>,
    /// How many there were before those, and the first of them.
    earlier: u64,
    first: Option<Timestamp>,
    /// There were more than were counted.
    is_more: bool,
}

impl Missed {
    /// Those behind `after` and before `until`.
    fn find(plan: &Plan, after: Timestamp, until: Timestamp) -> Self {
        // Of more than are made up for, there is always one that tells of those before it.
        let most = plan.catch_up.saturating_add(MISSED_MAX);
        let mut found = Self { latest: VecDeque::new(), earlier: 0, first: None, is_more: false };
        let mut slots = plan.timetable.slots(after);
        let mut counted = 0;
        while let Some(slot) = slots.next().filter(|slot| *slot < until) {
            found.first.get_or_insert(slot);
            counted += 1;
            if found.latest.len() == most {
                found.latest.pop_front();
                found.earlier += 1;
            }
            found.latest.push_back(slot);
            let near = until.checked_sub(CATCH_UP_AGE).unwrap_or(until);
            if counted == COUNTED_MAX && slot < near {
                found.is_more = true;
                slots = plan.timetable.slots(near);
            }
        }
        found
    }

    fn steps(self, plan: &Plan, horizon: Timestamp, steps: &mut Vec<Step>) {
        let oldest = horizon.checked_sub(CATCH_UP_AGE).unwrap_or(horizon);
        let total = self.latest.len();
        let made_up_for = match plan.misfire {
            _ if planted("misfire replay unbounded") => total,
            Misfire::Skip => 0,
            Misfire::FireOnce => total.min(1),
            Misfire::FireAll => {
                self.latest.iter().rev().take(plan.catch_up).take_while(|slot| **slot >= oldest).count()
            }
        };
        let why = match plan.misfire {
            Misfire::Skip => "nobody led at its time, and misfire is skip",
            Misfire::FireOnce => "nobody led at its time; a later one is fired for all of them",
            Misfire::FireAll => "nobody led at its time; only the latest are made up for, and none older than 24 hours",
        };
        self.told(why, made_up_for, steps);
    }

    /// All but the latest ones, which are made up for.
    fn told(self, why: &str, made_up_for: usize, steps: &mut Vec<Step>) {
        let total = self.latest.len();
        let told = total - made_up_for;
        // What stands one by one; what came before is told with the first of them.
        let shown = told.min(MISSED_MAX);
        let hidden = self.earlier + (told - shown) as u64;
        for (index, slot) in self.latest.iter().enumerate() {
            if index + made_up_for >= total {
                steps.push(Step::Fire { slot: *slot, cause: Cause::CatchUp });
            } else if index + shown >= told {
                let mut reason = why.to_owned();
                if index + shown == told && hidden > 0 {
                    reason.push_str(&self.others(hidden));
                }
                steps.push(Step::Missed { slot: *slot, reason });
            }
        }
    }

    /// What else the first missed due time in the history stands for.
    fn others(&self, hidden: u64) -> String {
        let more = if self.is_more { "more than " } else { "" };
        let since = self.first.map_or_else(String::new, |first| format!(", from {first} on"));
        format!("; {more}{hidden} before it were missed too{since}")
    }
}

#[cfg(test)]
mod tests;
