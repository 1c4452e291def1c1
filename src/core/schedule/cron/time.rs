//! Local time in whole seconds, and the search for the next one that an expression names.

use super::{DayShift, Expression};
use crate::core::model::civil;

const DAY: i64 = 86_400;

/// A second of a local clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Local {
    /// Days since 1970-01-01, of the first day of the month.
    first: i64,
    year: i64,
    month: u32,
    /// From 1.
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Local {
    /// A local time, as seconds since 1970-01-01T00:00:00 on that clock.
    pub(super) fn from_seconds(seconds: i64) -> Self {
        let (days, of_day) = (seconds.div_euclid(DAY), small(seconds.rem_euclid(DAY)));
        let (year, month, day) = civil::date(days);
        let first = days - day + 1;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        Self { first, year, month: small(month), day: small(day), hour, minute, second }
    }

    /// A time of a day, which counts from 1970-01-01.
    fn on(day: i64, (hour, minute, second): (u32, u32, u32)) -> Self {
        Self { hour, minute, second, ..Self::from_seconds(day * DAY) }
    }

    /// Its day, counted from 1970-01-01.
    pub(super) fn day(&self) -> i64 {
        self.first + i64::from(self.day) - 1
    }

    /// The time of its day: `02:30:00`.
    pub(super) fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    /// The second behind this one, to search from: second 60 is the next minute's first.
    pub(super) fn next_second(self) -> Self {
        Self { second: self.second + 1, ..self }
    }

    /// Seconds since 1970-01-01T00:00:00 on the same clock.
    pub(super) fn seconds(&self) -> i64 {
        self.day() * DAY + i64::from(self.hour * 3600 + self.minute * 60 + self.second)
    }
}

impl Expression {
    /// The first local time from `from` on that the expression names.
    pub(super) fn next_local(&self, from: Local) -> Option<Local> {
        let today = self.years.from(from.year) == Some(from.year)
            && self.months >> from.month & 1 == 1
            && self.days.of(from.year, from.month, from.first) >> from.day & 1 == 1;
        if today { self.next_behind(from) } else { self.next_on_later_day(from) }
    }

    /// The first local time from `from` on, on a day that the expression names.
    pub(super) fn next_behind(&self, from: Local) -> Option<Local> {
        match self.time_from(from.hour, from.minute, from.second) {
            Some((hour, minute, second)) => Some(Local { hour, minute, second, ..from }),
            None => self.next_on_later_day(from),
        }
    }

    fn next_on_later_day(&self, from: Local) -> Option<Local> {
        let (first, year, month, day) = self.date_after(from)?;
        let (hour, minute, second) = self.time_from(0, 0, 0)?;
        Some(Local { first, year, month, day, hour, minute, second })
    }

    /// The first day from `day` on that the expression names, both counted from 1970-01-01.
    pub(super) fn next_day(&self, day: i64) -> Option<i64> {
        self.next_local(Local::from_seconds(day * DAY)).map(|local| local.day())
    }

    /// [`Expression::next_local`], of the days that the named ones are moved to.
    pub(super) fn next_moved(&self, from: Local, days: &dyn DayShift) -> Option<Local> {
        let today = from.day();
        let mut named = self.next_day(days.origin(today))?;
        loop {
            match days.shift(named) {
                Some(day) if day == today => {
                    if let Some(time) = self.time_from(from.hour, from.minute, from.second) {
                        return Some(Local::on(day, time));
                    }
                }
                Some(day) if day > today => return Some(Local::on(day, self.time_from(0, 0, 0)?)),
                _ => {}
            }
            named = self.next_day(named + 1)?;
        }
    }

    /// The first time of a day from this one on.
    fn time_from(&self, hour: u32, minute: u32, second: u32) -> Option<(u32, u32, u32)> {
        if self.hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1
                && let Some(second) = bit_from(self.seconds, second)
            {
                return Some((hour, minute, second));
            }
            if let Some(minute) = bit_from(self.minutes, minute + 1) {
                return Some((hour, minute, bit_from(self.seconds, 0)?));
            }
        }
        Some((bit_from(self.hours, hour + 1)?, bit_from(self.minutes, 0)?, bit_from(self.seconds, 0)?))
    }

    /// The first day behind this one: days to the month's first, year, month, day.
    fn date_after(&self, from: Local) -> Option<(i64, i64, u32, u32)> {
        let (mut year, mut month, mut day) = (from.year, from.month, from.day + 1);
        loop {
            let named = self.years.from(year)?;
            if named != year {
                (year, month, day) = (named, 1, 1);
            }
            let Some(next) = bit_from(self.months, month) else {
                (year, month, day) = (year + 1, 1, 1);
                continue;
            };
            if next != month {
                (month, day) = (next, 1);
            }
            let first = first_day(year, month);
            if let Some(day) = bit_from(u64::from(self.days.of(year, month, first)), day) {
                return Some((first, year, month, day));
            }
            (month, day) = (month + 1, 1);
        }
    }
}

/// The lowest bit from `from` on.
pub(super) fn bit_from(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from)?;
    (rest != 0).then(|| from + rest.trailing_zeros())
}

/// Days since 1970-01-01 of a month's first day.
fn first_day(year: i64, month: u32) -> i64 {
    civil::days(year, i64::from(month), 1)
}

/// How many days a month has.
pub(super) fn length(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A number that a day's seconds bound.
fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}
