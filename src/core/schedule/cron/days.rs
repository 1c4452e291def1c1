//! Which days of a month are due: by their number, or by their weekday.

use super::time::length;

/// The days of a month that an expression names. Exactly one of the two day fields of an expression says anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DayRule {
    /// By the day of the month.
    Month(MonthDays),
    /// By the day of the week: bit `n` is weekday `n`, 1 for Sunday to 7 for Saturday.
    Week(u8),
    /// The `nth` such weekday of the month.
    Nth { weekday: u8, nth: u8 },
    /// The last such weekday of the month.
    Last { weekday: u8 },
}

/// Days by their number in the month. Each is a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct MonthDays {
    /// Bit `n`: day `n`, from 1.
    pub(super) plain: u32,
    /// Bit `n`: the day `n` days before the last one.
    pub(super) before_last: u32,
    /// Bit `n`: the weekday (Monday to Friday) of the same month that is nearest to day `n`.
    pub(super) nearest: u32,
    /// Bit `n`: the weekday nearest to the day `n` days before the last one.
    pub(super) nearest_before_last: u32,
}

impl DayRule {
    /// The days of a month: bit `n` is day `n`. `first` is its first day, in days since 1970-01-01.
    pub(super) fn of(&self, year: i64, month: u32, first: i64) -> u32 {
        let length = length(year, month);
        // All days up to the last one.
        let all = (u32::MAX >> (31 - length)) & !1;
        // 1970-01-01 was a Thursday, weekday 5.
        let weekday = u32::try_from((first + 4).rem_euclid(7)).unwrap_or_default() + 1;
        match *self {
            Self::Month(days) => days.of(length, weekday) & all,
            Self::Week(set) => {
                // The set, seen from the first day's weekday, and that week again and again.
                let set = u32::from(set) >> 1;
                let turned = (set >> (weekday - 1) | set << (8 - weekday)) & 0x7f;
                ((turned | turned << 7 | turned << 14 | turned << 21 | turned << 28) << 1) & all
            }
            Self::Nth { weekday: wanted, nth } => {
                let day = first_such(wanted, weekday) + 7 * (u32::from(nth) - 1);
                if day <= length { 1 << day } else { 0 }
            }
            Self::Last { weekday: wanted } => {
                let day = first_such(wanted, weekday);
                1 << (day + (length - day) / 7 * 7)
            }
        }
    }
}

impl MonthDays {
    fn of(&self, length: u32, weekday: u32) -> u32 {
        let mut days = self.plain;
        for before in bits(self.before_last).filter(|before| *before < length) {
            days |= 1 << (length - before);
        }
        for day in bits(self.nearest).filter(|day| *day <= length) {
            days |= 1 << nearest(day, length, weekday);
        }
        for before in bits(self.nearest_before_last).filter(|before| *before < length) {
            days |= 1 << nearest(length - before, length, weekday);
        }
        days
    }
}

/// The first day of the month that is such a weekday, in a month whose first day is the weekday `first`.
fn first_such(wanted: u8, first: u32) -> u32 {
    (u32::from(wanted) + 7 - first) % 7 + 1
}

/// The weekday nearest to `day`, within the month.
fn nearest(day: u32, length: u32, first: u32) -> u32 {
    match (first + day - 2) % 7 + 1 {
        7 if day == 1 => 3,
        7 => day - 1,
        1 if day == length => day - 2,
        1 => day + 1,
        _ => day,
    }
}

fn bits(mut set: u32) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (set != 0).then(|| set.trailing_zeros())?;
        set &= set - 1;
        Some(bit)
    })
}
