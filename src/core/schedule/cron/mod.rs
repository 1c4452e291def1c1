//! Cron expressions as Quartz writes them: six or seven fields, to the second. Parsing, and the times that follow. Pure: no clock
//! is read here, and an answer never depends on when it is asked for.

mod changes;
mod days;
mod field;
mod offsets;
mod parse;
mod slots;
#[cfg(test)]
mod tests;
mod time;
mod word;

pub use changes::{ClockMove, LeftOut};
pub use slots::{Dst, Slots};
pub use word::ExpressionError;

use crate::core::model::civil;
use days::DayRule;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;

/// First year that an expression may name.
pub const YEAR_MIN: u32 = 1970;

/// Last year that an expression may name or reach. Quartz looks a hundred years ahead of the day it runs on; an answer here
/// does not depend on that day.
pub const YEAR_MAX: u32 = 2199;

/// A cron expression: which seconds of a local clock are due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expression {
    text: String,
    /// Bit `n`: second `n`.
    seconds: u64,
    /// Bit `n`: minute `n`.
    minutes: u64,
    /// Bit `n`: hour `n`.
    hours: u64,
    days: DayRule,
    /// Bit `n`: month `n`, from 1.
    months: u64,
    years: Years,
}

impl Expression {
    /// Reads an expression: second, minute, hour, day of the month, month, day of the week, and a year that may be left out.
    ///
    /// # Errors
    /// What is wrong, where in the text, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        parse::expression(text)
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first due instant after `after`, if there is one until the end of [`YEAR_MAX`].
    pub fn next_after(&self, zone: &TimeZone, dst: Dst, after: Timestamp) -> Option<Timestamp> {
        self.slots(zone, dst, after).next()
    }

    /// All due instants after `after`, in order. None is found twice, and a later start finds no others.
    pub fn slots<'a>(&'a self, zone: &'a TimeZone, dst: Dst, after: Timestamp) -> Slots<'a> {
        Slots::new(Times { expression: self, days: None }, zone, dst, after)
    }

    /// [`Expression::slots`], with the named days moved.
    pub fn slots_on<'a>(&'a self, days: &'a dyn DayShift, zone: &'a TimeZone, dst: Dst, after: Timestamp) -> Slots<'a> {
        Slots::new(Times { expression: self, days: Some(days) }, zone, dst, after)
    }

    /// What the first clock change after `after` and until `until` leaves out. Changes that leave nothing out are passed over.
    pub fn left_out(
        &self,
        days: Option<&dyn DayShift>,
        zone: &TimeZone,
        dst: Dst,
        (after, until): (Timestamp, Timestamp),
    ) -> Option<LeftOut> {
        changes::left_out(Times { expression: self, days }, zone, dst, (after, until))
    }

    /// The first day from `from` on that the expression names.
    pub fn next_named_day(&self, from: Date) -> Option<Date> {
        let day = civil::days(i64::from(from.year()), i64::from(from.month()), i64::from(from.day()));
        date_of(self.next_day(day)?)
    }
}

/// Moves the days that an expression names. Days are counted from 1970-01-01.
pub trait DayShift: fmt::Debug + Send + Sync {
    /// The day that a named day is moved to, itself where it stays; `None` when it is left out. Of two days, the later one is never
    /// moved before the earlier one.
    fn shift(&self, day: i64) -> Option<i64>;

    /// A day so early that all days before it are moved to days before `day`, or left out.
    fn origin(&self, day: i64) -> i64;
}

/// The local times of an expression.
#[derive(Clone, Copy, Debug)]
struct Times<'a> {
    expression: &'a Expression,
    days: Option<&'a dyn DayShift>,
}

impl Times<'_> {
    /// The first one from `from` on.
    fn next_local(&self, from: time::Local) -> Option<time::Local> {
        match self.days {
            None => self.expression.next_local(from),
            Some(days) => self.expression.next_moved(from, days),
        }
    }

    /// The first one from `from` on, a second behind another one.
    fn next_behind(&self, from: time::Local) -> Option<time::Local> {
        match self.days {
            None => self.expression.next_behind(from),
            Some(days) => self.expression.next_moved(from, days),
        }
    }
}

/// A day counted from 1970-01-01. `None` outside of what a date can be.
pub fn date_of(day: i64) -> Option<Date> {
    let (year, month, day) = civil::date(day);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The years that an expression names: bit `n` of word `n / 64` is year `YEAR_MIN + n`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Years([u64; 4]);

impl Years {
    const NONE: Self = Self([0; 4]);

    fn insert(&mut self, year: u32) {
        let bit = year.saturating_sub(YEAR_MIN) as usize;
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    /// The first year from `year` on.
    fn from(&self, year: i64) -> Option<i64> {
        let first = i64::from(YEAR_MIN);
        let mut bit = usize::try_from(year.max(first) - first).ok()?;
        while let Some(word) = self.0.get(bit / 64) {
            let rest = word >> (bit % 64);
            if rest != 0 {
                let year = i64::try_from(bit + rest.trailing_zeros() as usize).ok()? + first;
                return (year <= i64::from(YEAR_MAX)).then_some(year);
            }
            bit = (bit / 64 + 1) * 64;
        }
        None
    }
}
