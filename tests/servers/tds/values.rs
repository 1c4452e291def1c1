//! SQLite's values in the wire form of a column's type.

use super::form::Plp;
use super::types::{ColumnType, SqlType, decimal_bytes};
use rusqlite::types::ValueRef;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Appends a value that is not NULL; an error says why the type cannot hold it.
pub fn write(column: &ColumnType, value: ValueRef<'_>, plp: Plp, out: &mut Vec<u8>) -> Result<(), String> {
    let bad = || format!("{} cannot hold {value:?}", column.kind.name());
    let start = out.len();
    let text = || text(value);
    match column.kind {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            let ValueRef::Integer(number) = value else { return Err(bad()) };
            let length = match column.kind {
                SqlType::Bit | SqlType::TinyInt => 1,
                SqlType::SmallInt => 2,
                SqlType::Int => 4,
                _ => 8,
            };
            short(column, &number.to_le_bytes()[..length], out);
        }
        SqlType::Real | SqlType::Float => {
            let number = match value {
                ValueRef::Real(number) => number,
                ValueRef::Integer(number) => number as f64,
                _ => return Err(bad()),
            };
            match column.kind {
                SqlType::Real => short(column, &(number as f32).to_le_bytes(), out),
                _ => short(column, &number.to_le_bytes(), out),
            }
        }
        SqlType::Money | SqlType::SmallMoney => {
            let units = text().and_then(|text| scaled(&text, 4)).ok_or_else(bad)?;
            if column.kind == SqlType::SmallMoney {
                short(column, &i32::try_from(units).map_err(|_| bad())?.to_le_bytes(), out);
            } else {
                let units = i64::try_from(units).map_err(|_| bad())?;
                let mut bytes = ((units >> 32) as i32).to_le_bytes().to_vec();
                bytes.extend_from_slice(&(units as u32).to_le_bytes());
                short(column, &bytes, out);
            }
        }
        SqlType::Decimal(precision, scale) | SqlType::Numeric(precision, scale) => {
            let units = text().and_then(|text| scaled(&text, scale)).ok_or_else(bad)?;
            let length = decimal_bytes(precision);
            out.extend_from_slice(&[length, u8::from(units >= 0)]);
            out.extend_from_slice(&units.unsigned_abs().to_le_bytes()[..usize::from(length) - 1]);
        }
        SqlType::Guid => {
            out.push(16);
            out.extend_from_slice(&text().and_then(|text| guid_bytes(&text)).ok_or_else(bad)?);
        }
        SqlType::Date
        | SqlType::Time(_)
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_) => {
            let moment = text().and_then(|text| Moment::parse(&text)).ok_or_else(bad)?;
            moment.write(column, out);
        }
        _ => return strings(column, value, plp, out).ok_or_else(bad),
    }
    debug_assert!(out.len() > start, "a value has bytes");
    Ok(())
}

/// Appends the NULL of a column in a ROW token.
pub fn write_null(column: &ColumnType, out: &mut Vec<u8>) {
    match column.kind {
        SqlType::VarChar(None) | SqlType::NVarChar(None) | SqlType::VarBinary(None) | SqlType::Xml => {
            out.extend_from_slice(&[0xff; 8]);
        }
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Binary(_)
        | SqlType::VarBinary(_) => out.extend_from_slice(&[0xff; 2]),
        SqlType::Variant => out.extend_from_slice(&[0; 4]),
        // A length of none; for `text` and its kin, a text pointer of none.
        _ => out.push(0),
    }
}

/// A value as text.
fn text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        ValueRef::Integer(number) => Some(Cow::Owned(number.to_string())),
        ValueRef::Real(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// Texts and bytes, each with the length its type has.
fn strings(column: &ColumnType, value: ValueRef<'_>, form: Plp, out: &mut Vec<u8>) -> Option<()> {
    if let (SqlType::VarChar(Some(_)), ValueRef::Text(bytes)) = (column.kind, value)
        && bytes.is_ascii()
    {
        out.extend_from_slice(&u16::try_from(bytes.len()).ok()?.to_le_bytes());
        out.extend_from_slice(bytes);
        return Some(());
    }
    if matches!(column.kind, SqlType::NVarChar(Some(_))) {
        let start = out.len();
        out.extend_from_slice(&[0; 2]);
        text(value)?.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
        let length = u16::try_from(out.len() - start - 2).ok()?;
        out[start..start + 2].copy_from_slice(&length.to_le_bytes());
        return Some(());
    }
    let (mut bytes, plp) = match (column.kind, value) {
        (SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image, ValueRef::Blob(bytes)) => {
            (bytes.to_vec(), column.kind == SqlType::VarBinary(None))
        }
        (SqlType::Variant, value) => return variant(value, out),
        (kind, value) => {
            let text = text(value)?;
            let wide = matches!(kind, SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText | SqlType::Xml);
            let bytes = if wide { utf16(&text) } else { column.collation.encoding.encode(&text).0.into_owned() };
            (bytes, matches!(kind, SqlType::VarChar(None) | SqlType::NVarChar(None) | SqlType::Xml))
        }
    };
    match column.kind {
        SqlType::Char(n) => bytes.resize(usize::from(n), b' '),
        SqlType::NChar(n) => (bytes.len() / 2..usize::from(n)).for_each(|_| bytes.extend_from_slice(&[b' ', 0])),
        SqlType::Binary(n) => bytes.resize(usize::from(n), 0),
        _ => {}
    }
    match column.kind {
        SqlType::Text | SqlType::NText | SqlType::Image => {
            out.push(16);
            out.extend_from_slice(&[0xee; 24]);
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(&bytes);
        }
        _ if plp => form.write(&bytes, out),
        _ => {
            out.extend_from_slice(&u16::try_from(bytes.len()).ok()?.to_le_bytes());
            out.extend_from_slice(&bytes);
        }
    }
    Some(())
}

/// A sql_variant with an int or an nvarchar in it.
fn variant(value: ValueRef<'_>, out: &mut Vec<u8>) -> Option<()> {
    let mut inner = Vec::new();
    match value {
        ValueRef::Integer(number) => {
            inner.extend_from_slice(&[0x38, 0]);
            inner.extend_from_slice(&i32::try_from(number).ok()?.to_le_bytes());
        }
        ValueRef::Text(bytes) => {
            let bytes = utf16(std::str::from_utf8(bytes).ok()?);
            inner.extend_from_slice(&[0xe7, 7]);
            inner.extend_from_slice(&super::types::DEFAULT_COLLATION);
            inner.extend_from_slice(&8000_u16.to_le_bytes());
            inner.extend_from_slice(&bytes);
        }
        _ => return None,
    }
    out.extend_from_slice(&(inner.len() as u32).to_le_bytes());
    out.extend_from_slice(&inner);
    Some(())
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A value behind its one-byte length, or alone in the fixed form.
fn short(column: &ColumnType, bytes: &[u8], out: &mut Vec<u8>) {
    if column.fixed_token().is_none() {
        out.push(bytes.len() as u8);
    }
    out.extend_from_slice(bytes);
}

/// A decimal text in units of its last digit; none when it has more digits than that, or is no number.
pub fn scaled(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(scale) || whole.is_empty() {
        return None;
    }
    let digits = whole.bytes().chain(fraction.bytes());
    let units = digits.chain(std::iter::repeat_n(b'0', usize::from(scale) - fraction.len())).try_fold(
        0_i128,
        |units, digit| {
            let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
            units.checked_mul(10)?.checked_add(digit)
        },
    )?;
    Some(if negative { -units } else { units })
}

/// The text of a decimal from its wire form.
pub fn decimal_text(positive: bool, digits: &[u8], scale: u8) -> String {
    let units = digits.iter().rev().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let text = format!("{units:0>width$}", width = usize::from(scale) + 1);
    let (whole, fraction) = text.split_at(text.len() - usize::from(scale));
    let sign = if positive { "" } else { "-" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The 16 bytes of a UUID's text, the first three groups backwards.
pub fn guid_bytes(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let mut bytes: [u8; 16] = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?.to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Some(bytes)
}

/// The text of 16 bytes, as SQL Server writes it.
pub fn guid_text(bytes: &[u8]) -> Option<String> {
    let mut bytes: [u8; 16] = bytes.try_into().ok()?;
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02X}");
    }
    Some(text)
}

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

    /// The instant, in 100 ns since 0001-01-01 UTC.
    pub fn instant(&self) -> i64 {
        self.days * DAY + self.ticks - self.offset * 600_000_000
    }

    fn write(self, column: &ColumnType, out: &mut Vec<u8>) {
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
