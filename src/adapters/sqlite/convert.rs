//! Values whose storage is not that of their kind, made exact or refused.

use crate::core::model::civil;
use crate::core::model::decimal::Decimal;
use rusqlite::types::ValueRef;

/// Days from 1970-01-01 to a `YYYY-MM-DD`, which may be followed by a midnight. `None` for anything else, also for a day that
/// the calendar does not have.
pub(super) fn days(text: &[u8]) -> Option<i32> {
    let (date, rest) = text.split_at_checked(10)?;
    let midnight = match rest.split_first() {
        None => true,
        Some((b' ' | b'T', time)) => {
            time.starts_with(b"00:00") && time.iter().all(|byte| matches!(byte, b'0' | b':' | b'.'))
        }
        Some(_) => false,
    };
    let (year, month, day) = calendar_day(date).filter(|_| midnight)?;
    i32::try_from(civil::days(year.into(), month.into(), day.into())).ok()
}

/// Year, month and day of a `YYYY-MM-DD` that the calendar has.
fn calendar_day(text: &[u8]) -> Option<(i32, i32, i32)> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = i32::from(two(y1, y2)?) * 100 + i32::from(two(y3, y4)?);
    let (month, day) = (i32::from(two(m1, m2)?), i32::from(two(d1, d2)?));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=last).contains(&day).then_some((year, month, day))
}

fn two(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

/// Appends `2026-11-21T10:30:00[.fraction][Z|+01:00]` for what SQLite's own date functions write and read. The fraction is
/// filled up with zeros to `digits`; digits beyond that are kept. False for anything else; nothing is appended then.
pub(super) fn timestamp(text: &[u8], digits: usize, out: &mut Vec<u8>) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    if calendar_day(date).is_none() {
        return false;
    }
    let (time, zone) = match rest.split_first() {
        None => (&b"00:00"[..], &b""[..]),
        Some((b' ' | b'T', rest)) => {
            let end =
                rest.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-' | b' ')).unwrap_or(rest.len());
            rest.split_at(end)
        }
        Some(_) => return false,
    };
    let Some((clock, fraction)) = time_of_day(time) else { return false };
    let zone = zone.trim_ascii();
    match *zone {
        [] | [b'Z' | b'z'] => {}
        [b'+' | b'-', h1, h2, b':', m1, m2]
            if two(h1, h2).is_some_and(|h| h < 24) && two(m1, m2).is_some_and(|m| m < 60) => {}
        _ => return false,
    }
    out.extend_from_slice(date);
    out.push(b'T');
    out.extend_from_slice(&clock);
    if !fraction.is_empty() || digits > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction);
        out.extend(std::iter::repeat_n(b'0', digits.saturating_sub(fraction.len())));
    }
    out.extend(zone.to_ascii_uppercase());
    true
}

/// `HH:MM[:SS[.fraction]]` as `HH:MM:SS` and the fraction's digits.
fn time_of_day(text: &[u8]) -> Option<([u8; 8], &[u8])> {
    let (minutes, rest) = text.split_at_checked(5)?;
    let [h1, h2, b':', m1, m2] = *minutes else { return None };
    let (seconds, rest) = match *rest {
        [] => ([b'0', b'0'], rest),
        [b':', s1, s2, ..] => ([s1, s2], rest.get(3..)?),
        _ => return None,
    };
    let fraction = match rest {
        [] => rest,
        [b'.', digits @ ..] if !digits.is_empty() && digits.len() <= 9 && digits.iter().all(u8::is_ascii_digit) => {
            digits
        }
        _ => return None,
    };
    let [s1, s2] = seconds;
    let valid = two(h1, h2)? < 24 && two(m1, m2)? < 60 && two(s1, s2)? < 60;
    valid.then_some(([h1, h2, b':', m1, m2, b':', s1, s2], fraction))
}

/// Nanoseconds since midnight.
pub(super) fn nanoseconds(text: &[u8]) -> Option<i64> {
    let ([h1, h2, _, m1, m2, _, s1, s2], fraction) = time_of_day(text)?;
    let seconds = (i64::from(two(h1, h2)?) * 60 + i64::from(two(m1, m2)?)) * 60 + i64::from(two(s1, s2)?);
    let mut nanos = 0;
    for place in 0..9 {
        nanos = nanos * 10 + i64::from(fraction.get(place).map_or(0, |digit| digit - b'0'));
    }
    Some(seconds * 1_000_000_000 + nanos)
}

/// Appends a UUID in lower case with hyphens, from text with or without hyphens or braces, or from 16 bytes. False for
/// anything else; nothing is appended then.
pub(super) fn uuid(value: ValueRef<'_>, out: &mut Vec<u8>) -> bool {
    let mut digits = [0_u8; 32];
    match value {
        ValueRef::Blob(bytes) if bytes.len() == 16 => {
            if hex::encode_to_slice(bytes, &mut digits).is_err() {
                return false;
            }
        }
        ValueRef::Text(text) => {
            let inside = text.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}")).unwrap_or(text);
            let hyphens = [8, 13, 18, 23];
            let hyphenated = inside.len() == 36 && hyphens.iter().all(|at| inside.get(*at) == Some(&b'-'));
            let mut found = inside.iter().enumerate().filter(|(at, _)| !(hyphenated && hyphens.contains(at)));
            for digit in &mut digits {
                match found.next() {
                    Some((_, byte)) if byte.is_ascii_hexdigit() => *digit = byte.to_ascii_lowercase(),
                    _ => return false,
                }
            }
            if found.next().is_some() {
                return false;
            }
        }
        _ => return false,
    }
    for (at, digit) in digits.into_iter().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(digit);
    }
    true
}

/// Whole floats below this have an exact decimal of at most 15 digits, of which there is only one for each float.
const EXACT_BELOW: f64 = 1e15;

/// The unscaled decimal of a float: that of its shortest text, if it has no more digits than the scale.
pub(super) fn scaled(value: f64, scale: u8) -> Option<i128> {
    if scale <= 15 {
        let factor = 10_f64.powi(i32::from(scale));
        let whole = (value * factor).round();
        #[expect(
            clippy::float_cmp,
            reason = "the division is correctly rounded, so equal means: this decimal reads back as this float"
        )]
        if whole.abs() < EXACT_BELOW && whole / factor == value {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
            return Some(whole as i128);
        }
    }
    shortest(value)?.at_scale(scale)
}

/// Decimals closer to zero than this, counted in units of their last place, are further from each other than floats are, so
/// that each has a float of its own: 2 to the power of 52. Of a float further out, digits may be lost.
pub(super) const KNOWN_BELOW: i128 = 1 << 52;

/// The number that a value of a decimal column is: with all its digits behind the point, or, for a float that may have lost
/// some, with those of its shortest text. `None` when it does not fit into the column.
pub(super) fn decimal(value: ValueRef<'_>, precision: u8, scale: u8) -> Option<Decimal> {
    let number = number(value)?;
    let unscaled = number.at_scale(scale).filter(|unscaled| Decimal::fits(*unscaled, precision))?;
    let lost = matches!(value, ValueRef::Real(_)) && unscaled.abs() >= KNOWN_BELOW;
    Some(if lost { number } else { Decimal { unscaled, scale } })
}

/// The exact number that a float's shortest text names.
pub(super) fn shortest(value: f64) -> Option<Decimal> {
    Decimal::parse(zmij::Buffer::new().format(value).as_bytes())
}

/// A stored value as an exact number. `None` for text and bytes that are no number.
pub(super) fn number(value: ValueRef<'_>) -> Option<Decimal> {
    match value {
        ValueRef::Integer(value) => Some(Decimal::whole(value)),
        ValueRef::Real(value) => shortest(value),
        ValueRef::Text(text) => Decimal::parse(text),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}
