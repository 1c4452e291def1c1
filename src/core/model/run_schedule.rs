//! A worker's own clock: when its runs are due without an event, and of which business date.

use super::business_days::BusinessDays;
use super::data_source::{ClockChange, ClosedDay, Misfire, Words};
use std::time::Duration;

/// When a worker's runs are due, in words.
#[derive(Clone, PartialEq, Debug)]
pub struct RunSchedule {
    /// As Quartz reads it.
    pub cron: String,
    /// The IANA zone whose clock it reads.
    pub zone: String,
    /// Days without business. `None`: every day is as good as another.
    pub calendar: Option<BusinessDays>,
    /// What becomes of due times on them.
    pub closed_day: ClosedDay,
    /// Local times that a clock change skips or repeats.
    pub dst: ClockChange,
    /// Due times that passed while no instance ran.
    pub misfire: Misfire,
    /// A due time that is looked at later than this was missed.
    pub grace: Duration,
    /// The business date of a due time.
    pub business_date: DueDate,
}

/// The business date of a due time, by its day on the zone's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DueDate {
    /// That day.
    #[default]
    Today,
    /// The last day with business before it.
    PreviousBusinessDay,
    /// The day before.
    DayBefore,
}

impl Words for DueDate {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Today, "today"),
        (Self::PreviousBusinessDay, "previous_business_day"),
        (Self::DayBefore, "day_before"),
    ];
}
