//! The events of the clockwork.

use crate::core::election::ElectionEvent;
use crate::core::model::schedule::{Execution, Outcome, ScheduleId};
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::store::OddRecord;
use jiff::civil::Date;
use std::time::Duration;

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum ScheduleEvent {
    /// An execution began, so long behind its due time.
    Began {
        /// Which.
        execution: Execution,
        /// How late.
        late: Duration,
    },
    /// A due time has an outcome.
    Ended {
        /// Which, and what became of it.
        execution: Execution,
    },
    /// A schedule paused by itself.
    Paused {
        /// Which.
        schedule: ScheduleId,
        /// Why.
        reason: String,
    },
    /// A schedule's words mean nothing.
    Unusable {
        /// Which.
        schedule: ScheduleId,
        /// Why.
        reason: String,
    },
    /// No execution had succeeded by the deadline.
    DeadlineMissed {
        /// Of which schedule.
        schedule: ScheduleId,
        /// On which day.
        day: Date,
    },
    /// By how much the clocks of this host and the store disagree.
    Skew {
        /// By so many milliseconds; above zero, the store's is ahead.
        millis: i64,
    },
    /// Records of the store cannot be read. They stop no other. Told anew whenever they change; none: all can be read again.
    Odd {
        /// The first of them.
        records: Vec<OddRecord>,
    },
    /// The leader has looked at what is due.
    Looked {
        /// When, on the clock that is never set.
        at: Duration,
        /// How long the first due time has waited that has not begun, where that is longer than the grace.
        overdue: Option<Duration>,
        /// Whether it has led for long enough that the term counts as a good one.
        is_steady: bool,
    },
    /// A term as leader has ended by a fault.
    TermEnded {
        /// Which.
        reason: String,
    },
    /// How many schedules there are: active, paused, failed.
    Counted {
        /// In the order of [`ScheduleStatus::ALL`](crate::core::model::schedule::ScheduleStatus::ALL).
        counts: [usize; 3],
    },
}

impl ScheduleEvent {
    /// The outcome that it tells.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Ended { execution } => Some(execution.outcome),
            _ => None,
        }
    }
}

/// Who watches the clockwork.
pub trait ScheduleObserver: Observer<ScheduleEvent> + Observer<ElectionEvent> + Observer<Retrying> {}

impl<T: Observer<ScheduleEvent> + Observer<ElectionEvent> + Observer<Retrying>> ScheduleObserver for T {}
