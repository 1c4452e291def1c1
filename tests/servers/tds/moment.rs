//! Dates and times of day: as texts, and in their wire form.

use super::types::{ColumnType, SqlType};
use super::values::short;
use std::fmt::Write as _;

/// A date and time of day, in 100 ns, with an offset in minutes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment {
    /// Since 0001-01-01; local.
    pub days: i64,
    pub ticks: i64,
    pub offset: i64,
}

/// 100 ns in a day.
const DAY: i64 = 864_000_000_000;

impl Moment {
    /// Reads `2026-11-21`, `10:30[:00[.0000000]]`, or both with `T` or a blank between, and an offset behind.
    pub fn parse(text: &str) -> Option<Self> {
        Self::plain(text.as_bytes()).or_else(|| Self::any(text))
    }

    /// Reads `2026-11-21` and `2026-11-21T10:30:00[.0000000]`, as most are written: a bench reads millions.
    fn plain(text: &[u8]) -> Option<Self> {
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
        };
        let time = match text.len() {
            10 => b"T00:00:00".as_slice(),
            19.. => text.get(10..19)?,
            _ => return None,
        };
        let marks = [text.get(4)?, text.get(7)?, time.get(3)?, time.get(6)?];
        if marks != [&b'-', &b'-', &b':', &b':'] || !matches!(time[0], b'T' | b' ') {
            return None;
        }
        let fraction = match text.get(19..).unwrap_or_default() {
            [] => 0,
            [b'.', digits @ ..] if (1..=7).contains(&digits.len()) => {
                number(digits)? * 10_i64.pow(7 - digits.len() as u32)
            }
            _ => return None,
        };
        let seconds = number(&time[1..3])? * 3600 + number(&time[4..6])? * 60 + number(&time[7..9])?;
        let days = days(number(&text[..4])?, number(&text[5..7])?, number(&text[8..10])?);
        Some(Self { days, ticks: seconds * 10_000_000 + fraction, offset: 0 })
    }

    fn any(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = match text.split_once(['T', ' ']) {
            Some((date, rest)) => (date, rest),
            None if text.contains(':') => ("1900-01-01", text),
            None => (text, "00:00"),
        };
        let (time, offset) = match rest.trim().find(['+', '-', 'Z']).map(|at| rest.trim().split_at(at)) {
            Some((time, "Z")) => (time, 0),
            Some((time, zone)) => {
                let (hours, minutes) = zone[1..].split_once(':')?;
                let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
                (time, if zone.starts_with('-') { -minutes } else { minutes })
            }
            None => (rest, 0),
        };
        let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let mut parts = time.trim().splitn(3, ':');
        let (hours, minutes) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
        let (seconds, fraction) = parts.next().map_or(("0", ""), |text| text.split_once('.').unwrap_or((text, "")));
        let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(7);
        let fraction = digits.fold(0, |ticks, digit| ticks * 10 + i64::from(digit.wrapping_sub(b'0')));
        let seconds = hours * 3600 + minutes * 60 + seconds.parse::<i64>().ok()?;
        Some(Self { days: days(year, month, day), ticks: seconds * 10_000_000 + fraction, offset })
    }

    /// That of an instant's day and time, shown with an offset.
    pub fn of_instant(days: i64, ticks: i64, offset: i64) -> Self {
        let local = days * DAY + ticks + offset * 600_000_000;
        Self { days: local.div_euclid(DAY), ticks: local.rem_euclid(DAY), offset }
    }

    /// `10:30:00.1234567`, with as many digits of a second.
    pub fn time_text(&self, scale: u8) -> String {
        let (seconds, rest) = (self.ticks / 10_000_000, self.ticks % 10_000_000);
        let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if scale > 0 {
            let _ = write!(text, ".{:.*}", usize::from(scale), format!("{rest:07}"));
        }
        text
    }

    /// `2026-11-21T10:30:00.1234567`, with its offset or without.
    pub fn text(&self, scale: u8, zoned: bool) -> String {
        let mut text = format!("{}T{}", day_text(self.days), self.time_text(scale));
        if zoned {
            let sign = if self.offset < 0 { '-' } else { '+' };
            let _ = write!(text, "{sign}{:02}:{:02}", self.offset.abs() / 60, self.offset.abs() % 60);
        }
        text
    }

    /// The instant, in 100 ns since 0001-01-01 UTC.
    pub fn instant(&self) -> i64 {
        self.days * DAY + self.ticks - self.offset * 600_000_000
    }

    pub fn write(self, column: &ColumnType, out: &mut Vec<u8>) {
        const DAYS_TO_1900: i64 = 693_595;
        let day = |days: i64| [days as u8, (days >> 8) as u8, (days >> 16) as u8];
        match column.kind {
            SqlType::Date => {
                out.push(3);
                out.extend_from_slice(&day(self.days));
            }
            SqlType::SmallDateTime => {
                // Half a minute counts as one, and the last one of a day as the next day's first.
                let (days, minutes) = carried(self.days, (self.ticks + 300_000_000) / 600_000_000, 24 * 60);
                let mut bytes = ((days - DAYS_TO_1900) as u16).to_le_bytes().to_vec();
                bytes.extend_from_slice(&(minutes as u16).to_le_bytes());
                short(column, &bytes, out);
            }
            SqlType::DateTime => {
                let (days, thirds) =
                    carried(self.days, (self.ticks * 300 + 5_000_000) / 10_000_000, 24 * 60 * 60 * 300);
                let mut bytes = ((days - DAYS_TO_1900) as i32).to_le_bytes().to_vec();
                bytes.extend_from_slice(&(thirds as u32).to_le_bytes());
                short(column, &bytes, out);
            }
            SqlType::Time(scale) => out_time(scale, self.ticks, &[], out),
            SqlType::DateTime2(scale) => out_time(scale, self.ticks, &day(self.days), out),
            SqlType::DateTimeOffset(scale) => {
                let instant = self.instant();
                let mut tail = day(instant.div_euclid(DAY)).to_vec();
                tail.extend_from_slice(&(self.offset as i16).to_le_bytes());
                out_time(scale, instant.rem_euclid(DAY), &tail, out);
            }
            _ => {}
        }
    }
}

/// A day's last unit rounded up is the next day's first.
fn carried(days: i64, units: i64, in_a_day: i64) -> (i64, i64) {
    (days + units / in_a_day, units % in_a_day)
}

/// Ticks in units of the scale's last digit, three to five bytes, and what follows them.
fn out_time(scale: u8, ticks: i64, tail: &[u8], out: &mut Vec<u8>) {
    let length = match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    };
    let units = ticks / 10_i64.pow(7 - u32::from(scale));
    out.push((length + tail.len()) as u8);
    out.extend_from_slice(&units.to_le_bytes()[..length]);
    out.extend_from_slice(tail);
}

/// `2026-11-21`, of so many days behind 0001-01-01.
pub fn day_text(count: i64) -> String {
    (jiff::civil::date(1, 1, 1) + jiff::Span::new().days(count)).to_string()
}

/// Days from 0001-01-01 in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month > 2 { year } else { year - 1 };
    let leap = shifted / 4 - shifted / 100 + shifted / 400;
    let from_march = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    shifted * 365 + leap + from_march - 306
}
