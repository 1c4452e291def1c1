//! Dates and times as text: ISO forms, and strftime formats with the usual numeric ones by hand.
//!
//! The calendar is the proleptic Gregorian one throughout, years 1 to 9999, written with four digits.

use super::shown;
use crate::core::model::civil;
use crate::core::model::column::Kind;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

const MICROS_OF_DAY: i64 = 86_400_000_000;
const NANOS_OF_DAY: i64 = MICROS_OF_DAY * 1_000;

/// A day of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Day {
    year: u16,
    month: u8,
    of_month: u8,
}

/// A time of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct TimeOfDay {
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
}

/// What a date or time column holds in one row; what is missing was not in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Moment {
    day: Option<Day>,
    time: Option<TimeOfDay>,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
}

impl Day {
    /// The day so many days after 1970-01-01.
    #[inline]
    fn from_unix(days: i64) -> Option<Self> {
        let (year, month, day) = civil::date(days);
        if !(1..=9_999).contains(&year) {
            return None;
        }
        Some(Self { year: year.try_into().ok()?, month: month.try_into().ok()?, of_month: day.try_into().ok()? })
    }

    fn civil(self) -> Option<Date> {
        Date::new(self.year.try_into().ok()?, self.month.try_into().ok()?, self.of_month.try_into().ok()?).ok()
    }
}

impl TimeOfDay {
    #[inline]
    fn from_nanos(nanos: i64) -> Option<Self> {
        let seconds = nanos / 1_000_000_000;
        // PostgreSQL and ISO 8601 know 24:00:00, the end of the day.
        if !(0..=NANOS_OF_DAY).contains(&nanos) {
            return None;
        }
        Some(Self {
            hour: (seconds / 3_600).try_into().ok()?,
            minute: (seconds / 60 % 60).try_into().ok()?,
            second: (seconds % 60).try_into().ok()?,
            nanos: (nanos % 1_000_000_000).try_into().ok()?,
        })
    }

    fn civil(self) -> Option<Time> {
        let part = |value: u8| i8::try_from(value).ok();
        Time::new(part(self.hour)?, part(self.minute)?, part(self.second)?, self.nanos.try_into().ok()?).ok()
    }
}

impl Moment {
    /// A `Date32` value.
    #[inline]
    pub(super) fn from_days(days: i32) -> Result<Self, String> {
        let day = Day::from_unix(days.into()).ok_or_else(out_of_range)?;
        Ok(Self { day: Some(day), time: None, offset: None })
    }

    /// A `Timestamp(Microsecond)` value.
    #[inline]
    pub(super) fn from_micros(micros: i64, utc: bool) -> Result<Self, String> {
        let day = Day::from_unix(micros.div_euclid(MICROS_OF_DAY)).ok_or_else(out_of_range)?;
        let time = TimeOfDay::from_nanos(micros.rem_euclid(MICROS_OF_DAY) * 1_000).ok_or_else(out_of_range)?;
        Ok(Self { day: Some(day), time: Some(time), offset: utc.then_some(0) })
    }

    /// A `Time64(Nanosecond)` value.
    #[inline]
    pub(super) fn from_nanos_of_day(nanos: i64) -> Result<Self, String> {
        let time = TimeOfDay::from_nanos(nanos).ok_or_else(|| "is no time of a day".to_owned())?;
        Ok(Self { day: None, time: Some(time), offset: None })
    }

    /// Reads an ISO date or timestamp: `2026-11-21`, `2026-11-21 10:30:00.5`, `2026-11-21T10:30:00+01:00`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "holds {}, which is no date like 2026-11-21 or 2026-11-21 10:30:00, so its format cannot be applied",
                shown(text)
            )
        };
        let pieces = Pieces::parse(text).map_err(|_| refuse())?;
        let date = pieces.date();
        let part = |value: i8| u8::try_from(value).map_err(|_| refuse());
        let year = u16::try_from(date.year()).ok().filter(|year| (1..=9_999).contains(year)).ok_or_else(refuse)?;
        let time = match pieces.time() {
            None => None,
            Some(time) => Some(TimeOfDay {
                hour: part(time.hour())?,
                minute: part(time.minute())?,
                second: part(time.second())?,
                nanos: time.subsec_nanosecond().try_into().map_err(|_| refuse())?,
            }),
        };
        let day = Day { year, month: part(date.month())?, of_month: part(date.day())? };
        Ok(Self { day: Some(day), time, offset: pieces.to_numeric_offset().map(Offset::seconds) })
    }

    /// The same instant on the clock of a zone. A moment without an offset is no instant, and stays what it is.
    ///
    /// # Errors
    /// For one outside the years 1 to 9999 there.
    pub(super) fn in_zone(self, zone: &TimeZone) -> Result<Self, String> {
        let (Some(day), Some(time), Some(seconds)) = (self.day, self.time, self.offset) else { return Ok(self) };
        let there = || {
            let here = DateTime::from_parts(day.civil()?, time.civil()?);
            // The last 26 hours of the year 9999 have no instant in the library. The zone's clock goes in them as before.
            let instant = match Offset::from_seconds(seconds).ok()?.to_timestamp(here) {
                Ok(instant) => instant,
                Err(_) if here.year() > 9_000 => Timestamp::MAX,
                Err(_) => return None,
            };
            let offset = zone.to_offset(instant);
            let civil = here.checked_add(SignedDuration::from_secs((offset.seconds() - seconds).into())).ok()?;
            let year = civil.year().try_into().ok().filter(|year| (1..=9_999).contains(year))?;
            let of_month = civil.day().try_into().ok()?;
            Some(Self {
                day: Some(Day { year, month: civil.month().try_into().ok()?, of_month }),
                time: Some(TimeOfDay {
                    hour: civil.hour().try_into().ok()?,
                    minute: civil.minute().try_into().ok()?,
                    second: civil.second().try_into().ok()?,
                    nanos: civil.subsec_nanosecond().try_into().ok()?,
                }),
                offset: Some(offset.seconds()),
            })
        };
        there().ok_or_else(out_of_range)
    }

    /// The same on the clock that it is on, and no instant.
    pub(super) fn without_offset(self) -> Self {
        Self { offset: None, ..self }
    }

    /// Appends the ISO form with its offset from UTC as `+01:00`, also where that is none; with seconds where a zone had such
    /// before it had a standard time.
    pub(super) fn push_with_offset(&self, digits: u8, out: &mut Vec<u8>) {
        self.without_offset().push_iso(digits, out);
        let Some(seconds) = self.offset else { return };
        out.push(if seconds < 0 { b'-' } else { b'+' });
        let seconds = seconds.unsigned_abs();
        let part = |number: u32| two(u16::try_from(number % 60).unwrap_or_default());
        out.extend_from_slice(&part(seconds / 3_600));
        out.push(b':');
        out.extend_from_slice(&part(seconds / 60));
        if !seconds.is_multiple_of(60) {
            out.push(b':');
            out.extend_from_slice(&part(seconds));
        }
    }

    /// Appends the ISO form, with so many fraction digits where there is a time, and `Z` for an instant in UTC.
    #[inline]
    pub(super) fn push_iso(&self, digits: u8, out: &mut Vec<u8>) {
        if let Some(Day { year, month, of_month: day }) = self.day {
            let [y1, y2] = two(year / 100);
            let [y3, y4] = two(year % 100);
            let [m1, m2] = two(month.into());
            let [d1, d2] = two(day.into());
            out.extend_from_slice(&[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]);
        }
        let Some(TimeOfDay { hour, minute, second, nanos }) = self.time else { return };
        if self.day.is_some() {
            out.push(b'T');
        }
        let [h1, h2] = two(hour.into());
        let [m1, m2] = two(minute.into());
        let [s1, s2] = two(second.into());
        out.extend_from_slice(&[h1, h2, b':', m1, m2, b':', s1, s2]);
        if digits > 0 {
            out.push(b'.');
            out.extend_from_slice(&fraction(nanos)[..usize::from(digits.min(9))]);
        }
        if self.offset.is_some() {
            out.push(b'Z');
        }
    }
}

fn out_of_range() -> String {
    "is a date outside the years 1 to 9999, which no format here can write".to_owned()
}

/// Two digits of a number below 100.
#[inline]
fn two(number: u16) -> [u8; 2] {
    let digit = |digit: u16| b'0' + u8::try_from(digit % 10).unwrap_or_default();
    [digit(number / 10), digit(number)]
}

/// Nanoseconds as nine digits.
#[inline]
fn fraction(mut nanos: u32) -> [u8; 9] {
    let mut digits = [b'0'; 9];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(nanos % 10).unwrap_or_default();
        nanos /= 10;
    }
    digits
}

/// A parsed strftime format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum DateFormat {
    /// Only numeric parts of fixed length, written by hand: what nearly all files use.
    Numeric(Vec<Part>),
    /// Everything else that strftime can do.
    Strftime(String),
}

/// One part of a numeric format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Byte(u8),
    Year,
    ShortYear,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl DateFormat {
    /// Whether a format is meant for dates at all.
    pub(super) fn is_one(format: &str) -> bool {
        format.contains('%')
    }

    /// Parses a format.
    ///
    /// # Errors
    /// When strftime has no such format.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        if writes_zone_name(format) {
            return Err(format!(
                "date format `{format}`: no value has the name of its zone, which `%Q` writes; `%:z` writes its offset"
            ));
        }
        let parsed = numeric(format).map_or_else(|| Self::Strftime(format.to_owned()), Self::Numeric);
        // A moment that has everything: what cannot be written for it can never be.
        let sample = Moment { offset: Some(0), ..Moment::from_micros(0, true)? };
        parsed.push(&sample, &mut Vec::new()).map_err(|why| format!("date format `{format}`: {why}"))?;
        Ok(parsed)
    }

    /// Says whether values of `kind` have what the format asks for.
    ///
    /// # Errors
    /// What they lack.
    pub(super) fn check(&self, kind: Kind) -> Result<(), String> {
        let sample = match kind {
            Kind::Date => Moment::from_days(0)?,
            Kind::Time { .. } => Moment::from_nanos_of_day(0)?,
            Kind::Timestamp { utc, .. } => Moment::from_micros(0, utc)?,
            // Each value shows what it has.
            Kind::Text | Kind::TimestampText => return Ok(()),
            other => return Err(format!("is {}, and only dates and times have a strftime format", other.describe())),
        };
        self.push(&sample, &mut Vec::new()).map_err(|why| format!("is {}: {why}", kind.describe()))
    }

    /// Appends the moment in this format. A date without a time counts as midnight.
    #[inline]
    pub(super) fn push(&self, moment: &Moment, out: &mut Vec<u8>) -> Result<(), String> {
        let parts = match self {
            Self::Strftime(format) => return strftime(format, moment, out),
            Self::Numeric(parts) => parts,
        };
        let time = moment.time.unwrap_or_default();
        let day = || moment.day.ok_or_else(|| "a time of the day has no date to write".to_owned());
        for part in parts {
            let number = match part {
                Part::Byte(byte) => {
                    out.push(*byte);
                    continue;
                }
                Part::Year => {
                    let year = day()?.year;
                    out.extend_from_slice(&two(year / 100));
                    year % 100
                }
                Part::ShortYear => day()?.year % 100,
                Part::Month => day()?.month.into(),
                Part::Day => day()?.of_month.into(),
                Part::Hour => time.hour.into(),
                Part::Minute => time.minute.into(),
                Part::Second => time.second.into(),
            };
            out.extend_from_slice(&two(number));
        }
        Ok(())
    }
}

/// Whether a format has `%Q` or `%:Q`.
fn writes_zone_name(format: &str) -> bool {
    let format = format.replace("%%", "");
    format.contains("%Q") || format.contains("%:Q")
}

/// The parts of a format that has only numeric ones.
fn numeric(format: &str) -> Option<Vec<Part>> {
    let expanded = format.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S");
    let mut parts = Vec::new();
    let mut bytes = expanded.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            parts.push(Part::Byte(byte));
            continue;
        }
        parts.push(match bytes.next()? {
            b'Y' => Part::Year,
            b'y' => Part::ShortYear,
            b'm' => Part::Month,
            b'd' => Part::Day,
            b'H' => Part::Hour,
            b'M' => Part::Minute,
            b'S' => Part::Second,
            _ => return None,
        });
    }
    Some(parts)
}

fn strftime(format: &str, moment: &Moment, out: &mut Vec<u8>) -> Result<(), String> {
    let impossible = || "holds a date or time that strftime cannot write".to_owned();
    let time = moment.time.unwrap_or_default().civil().ok_or_else(impossible)?;
    let broken_down = match moment.day {
        None => BrokenDownTime::from(time),
        Some(day) => {
            let date_time = DateTime::from_parts(day.civil().ok_or_else(impossible)?, time);
            match moment.offset {
                None => BrokenDownTime::from(date_time),
                Some(seconds) => {
                    let zone = match Offset::from_seconds(seconds).map_err(|_| impossible())? {
                        Offset::UTC => TimeZone::UTC,
                        offset => TimeZone::fixed(offset),
                    };
                    BrokenDownTime::from(&date_time.to_zoned_datetime(zone).map_err(|_| impossible())?)
                }
            }
        }
    };
    broken_down.format(format, &mut Utf8(out)).map_err(|error| error.to_string())
}

/// Lets jiff write into a record.
struct Utf8<'a>(&'a mut Vec<u8>);

impl jiff::fmt::Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> Result<(), jiff::Error> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
