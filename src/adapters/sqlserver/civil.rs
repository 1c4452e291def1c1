//! SQL Server's dates and times: as Arrow counts them, and as text.

use super::tds::number;
use crate::core::model::civil;
use std::fmt::Write as _;

/// Days from 0001-01-01 to 1970-01-01.
const YEAR_1: i64 = 719_162;
/// Days from 1900-01-01 to 1970-01-01.
const YEAR_1900: i64 = 25_567;
const DAY_NANOS: i64 = 86_400_000_000_000;
/// Days of 9999-12-31 since 1970-01-01: the last date there is.
const LAST_DAY: i64 = 2_932_896;

/// A point on the calendar: days since 1970-01-01, nanoseconds of that day, and how many digits of a second are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    pub days: i64,
    pub nanos: i64,
    pub digits: u8,
}

/// Nanoseconds of the day from units of the last of so many digits. `None` when that is no time of day.
pub(super) fn nanos(units: u64, digits: u8) -> Option<i64> {
    let unit = 10_i64.checked_pow(9_u32.checked_sub(u32::from(digits))?)?;
    i64::try_from(units).ok()?.checked_mul(unit).filter(|nanos| *nanos < DAY_NANOS)
}

/// Days since 1970-01-01 from those since 0001-01-01. `None` when that is no date.
pub(super) fn days(days: u64) -> Option<i64> {
    Some(i64::try_from(days).ok()? - YEAR_1).filter(|days| *days <= LAST_DAY)
}

impl Moment {
    /// Of a `datetime2`'s bytes: a time of day, then a date in the last three.
    pub(super) fn of_parts(bytes: &[u8], digits: u8) -> Option<Self> {
        let (time, date) = bytes.split_last_chunk::<3>()?;
        Some(Self { days: days(number(date))?, nanos: nanos(number(time), digits)?, digits })
    }

    /// Of a `datetime`: days since 1900-01-01 and 1/300 seconds, shown as milliseconds, as the server itself rounds them.
    pub(super) fn of_datetime(days: i32, ticks: u32) -> Option<Self> {
        let millis = (i64::from(ticks) * 10 + 1) / 3;
        let days = i64::from(days) - YEAR_1900;
        (millis < DAY_NANOS / 1_000_000).then_some(Self { days, nanos: millis * 1_000_000, digits: 3 })
    }

    /// Of a `smalldatetime`: days since 1900-01-01 and minutes.
    pub(super) fn of_smalldatetime(days: u16, minutes: u16) -> Option<Self> {
        let nanos = i64::from(minutes) * 60_000_000_000;
        let days = i64::from(days) - YEAR_1900;
        (nanos < DAY_NANOS).then_some(Self { days, nanos, digits: 0 })
    }

    /// Microseconds since 1970-01-01.
    pub(super) fn micros(self) -> i64 {
        self.days * (DAY_NANOS / 1000) + self.nanos / 1000
    }

    /// `2026-11-21T10:30:00.1234567`.
    pub(super) fn write(self, out: &mut String) {
        date(self.days, out);
        out.push('T');
        time(self.nanos, self.digits, out);
    }
}

/// `2026-11-21T10:30:00.1234567+01:00`: a moment of UTC at an offset in minutes. `None` when it lies on no calendar day.
pub(super) fn offset(mut moment: Moment, minutes: i16, out: &mut String) -> Option<()> {
    let minutes = i64::from(minutes);
    let nanos = moment.nanos + minutes * 60_000_000_000;
    moment.days += nanos.div_euclid(DAY_NANOS);
    moment.nanos = nanos.rem_euclid(DAY_NANOS);
    if !(-YEAR_1..=LAST_DAY).contains(&moment.days) || minutes.abs() > 14 * 60 {
        return None;
    }
    moment.write(out);
    let sign = if minutes < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
    Some(())
}

/// `2026-11-21`.
pub(super) fn date(days: i64, out: &mut String) {
    let (year, month, day) = civil::date(days);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

/// `10:30:00.1234567`.
pub(super) fn time(nanos: i64, digits: u8, out: &mut String) {
    let seconds = nanos / 1_000_000_000;
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if digits > 0 {
        let unit = 10_i64.pow(9_u32.saturating_sub(u32::from(digits)));
        let _ = write!(out, ".{:0width$}", nanos % 1_000_000_000 / unit, width = usize::from(digits.min(9)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(date: u64, time: u64, digits: u8) -> String {
        let mut out = String::new();
        Moment { days: days(date).unwrap(), nanos: nanos(time, digits).unwrap(), digits }.write(&mut out);
        out
    }

    #[test]
    fn the_first_and_the_last_instant_are_written_as_the_server_does() {
        assert_eq!(text(0, 0, 0), "0001-01-01T00:00:00");
        assert_eq!(text(3_652_058, 863_999_999_999, 7), "9999-12-31T23:59:59.9999999");
        assert_eq!(days(3_652_058), Some(LAST_DAY));
        assert_eq!(text(730_178, 1, 3), "2000-02-29T00:00:00.001");
    }

    #[test]
    fn thirds_of_a_hundredth_are_rounded_as_the_server_does() {
        let millis = |ticks| Moment::of_datetime(0, ticks).unwrap().nanos / 1_000_000;
        assert_eq!([0, 1, 2, 3, 299].map(millis), [0, 3, 7, 10, 997]);
        assert_eq!(Moment::of_datetime(-53_690, 0).unwrap().days, -79_257, "1753-01-01");
        assert!(Moment::of_datetime(0, u32::MAX).is_none());
    }

    #[test]
    fn an_offset_moves_the_day() {
        let mut out = String::new();
        let utc = Moment { days: days(738_000).unwrap(), nanos: (23 * 3600 + 1800) * 1_000_000_000, digits: 0 };
        offset(utc, 90, &mut out).unwrap();
        out.push(' ');
        offset(utc, -840, &mut out).unwrap();
        assert_eq!(out, "2021-07-31T01:00:00+01:30 2021-07-30T09:30:00-14:00");
        let first = Moment { days: days(0).unwrap(), nanos: 0, digits: 0 };
        assert!(offset(first, -1, &mut out).is_none());
    }

    #[test]
    fn numbers_that_are_no_time_are_refused() {
        assert_eq!(nanos(u64::MAX, 7), None);
        assert_eq!(nanos(1, 10), None);
        assert_eq!(nanos(864_000_000_000, 7), None);
        assert_eq!(days(3_652_059), None);
    }
}
