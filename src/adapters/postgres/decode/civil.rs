//! PostgreSQL's ISO dates and times, in Unix terms.

use crate::core::model::civil;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// Days from 1970-01-01 to 0001-01-01, and to the day behind 9999-12-31.
const FIRST_DAY: i64 = -719_162;
const END_DAY: i64 = 2_932_897;

/// Days since 1970-01-01 of `2026-11-21`.
///
/// # Errors
/// Says why, for infinity and for years that are not 1 to 9999.
pub(super) fn date(text: &str) -> Result<i32, String> {
    let (rest, era) = era(text);
    let days = day(rest, era).filter(|(_, rest)| rest.is_empty()).map(|(days, _)| days);
    let days = days.filter(|days| (FIRST_DAY..END_DAY).contains(days));
    days.and_then(|days| i32::try_from(days).ok()).ok_or_else(|| outside(text))
}

/// Microseconds since 1970-01-01, in UTC where the text has an offset: `2026-11-21 10:30:00.5+01`.
///
/// # Errors
/// Says why, for infinity and for years that are not 1 to 9999.
pub(super) fn timestamp(text: &str) -> Result<i64, String> {
    let (rest, era) = era(text);
    let moment = day(rest, era).and_then(|(days, rest)| {
        let (time, rest) = time_of_day(rest.strip_prefix(' ')?)?;
        days.checked_mul(MICROS_PER_DAY)?.checked_add(time - offset(rest)? * MICROS_PER_SECOND)
    });
    let moment = moment.filter(|micros| (FIRST_DAY..END_DAY).contains(&micros.div_euclid(MICROS_PER_DAY)));
    moment.ok_or_else(|| outside(text))
}

/// Nanoseconds since midnight of `10:30:00.123456`, up to `24:00:00`, the end of the day.
///
/// # Errors
/// Says why.
pub(super) fn time(text: &str) -> Result<i64, String> {
    let micros = time_of_day(text).filter(|(micros, rest)| rest.is_empty() && *micros <= MICROS_PER_DAY);
    micros
        .map(|(micros, _)| micros * 1_000)
        .ok_or_else(|| format!("`{text}` is not a time of the day; give NULL or a text for it in the view"))
}

fn outside(value: &str) -> String {
    format!("`{value}` is not a date in the years 1 to 9999; give NULL or a text for it in the view")
}

/// Before Christ or after.
#[derive(Clone, Copy)]
enum Era {
    Before,
    After,
}

/// The mark behind dates and timestamps before year 1, taken off.
fn era(text: &str) -> (&str, Era) {
    text.strip_suffix(" BC").map_or((text, Era::After), |rest| (rest, Era::Before))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, and what stands behind the date.
fn day(text: &str, era: Era) -> Option<(i64, &str)> {
    let (year, rest) = text.split_once('-')?;
    let (month, rest) = two_digits(rest)?;
    let (day, rest) = two_digits(rest.strip_prefix('-')?)?;
    // Up to the year 294276.
    let year = i64::from(digits(year).filter(|_| year.len() <= 7)?);
    let year = match era {
        Era::After => year,
        Era::Before => 1 - year,
    };
    Some((civil::days(year, month.into(), day.into()), rest))
}

/// Microseconds since midnight, and what stands behind the time.
fn time_of_day(text: &str) -> Option<(i64, &str)> {
    let (hours, rest) = two_digits(text)?;
    let (minutes, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (seconds, rest) = two_digits(rest.strip_prefix(':')?)?;
    let whole = i64::from((hours * 60 + minutes) * 60 + seconds) * MICROS_PER_SECOND;
    let Some(fraction) = rest.strip_prefix('.') else { return Some((whole, rest)) };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, rest) = fraction.split_at_checked(length)?;
    let power = 10_i64.checked_pow(6_u32.checked_sub(u32::try_from(length).ok()?)?)?;
    Some((whole + i64::from(digits(fraction)?) * power, rest))
}

/// Seconds east of Greenwich of `+01`, `-03:30`, `+00:53:28`, or nothing.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1) {
        None => return Some(0),
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) => return None,
    };
    let mut seconds = 0;
    for (part, unit) in rest.split(':').zip([3_600, 60, 1]) {
        seconds += i64::from(digits(part)?) * unit;
    }
    Some(sign * seconds)
}

/// Two digits, and what stands behind them.
fn two_digits(text: &str) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(2)?;
    Some((digits(number)?, rest))
}

/// A number of digits only.
fn digits(text: &str) -> Option<u32> {
    let digit = |number: u32, byte: u8| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    text.bytes().try_fold(0, digit).filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_of_the_proleptic_gregorian_calendar() {
        let days = |text: &str| date(text).unwrap();
        assert_eq!(days("1970-01-01"), 0);
        assert_eq!(days("2000-02-29"), days("2000-03-01") - 1);
        assert_eq!(days("2000-01-01"), 10_957);
        assert_eq!(days("1900-02-28"), days("1900-03-01") - 1);
        assert_eq!(i64::from(days("0001-01-01")), FIRST_DAY);
        assert_eq!(i64::from(days("9999-12-31")), END_DAY - 1);
        assert_eq!(day("0001-12-31", Era::Before), Some((FIRST_DAY - 1, "")));
    }

    #[test]
    fn moments_are_exact_and_in_utc() {
        assert_eq!(timestamp("1970-01-01 00:00:00"), Ok(0));
        assert_eq!(timestamp("1969-12-31 23:59:59.999999"), Ok(-1));
        assert_eq!(timestamp("1970-01-01 01:00:00.5+01"), Ok(500_000));
        assert_eq!(timestamp("1969-12-31 20:30:00-03:30"), Ok(0));
        assert_eq!(timestamp("1893-04-01 00:53:28+00:53:28"), timestamp("1893-04-01 00:00:00+00"));
        assert_eq!(timestamp("0001-12-31 23:30:00-01 BC"), timestamp("0001-01-01 00:30:00"));
        assert_eq!(time("23:59:59.123456"), Ok(86_399_123_456_000));
        assert_eq!(time("00:00:00.5"), Ok(500_000_000));
    }

    #[test]
    fn only_years_1_to_9999_are_carried() {
        for bad in ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "", "2026-11", "2026-11-21x", "é026-11-21"]
        {
            let error = date(bad).unwrap_err();
            assert!(error.starts_with(&format!("`{bad}` is not a date")), "{error}");
        }
        for bad in [
            "infinity",
            "-infinity",
            "0001-01-01 00:30:00+01",
            "9999-12-31 23:30:00-01",
            "294276-12-31 23:59:59",
            "2026-11-21",
            "2026-11-21 10:30",
            "2026-11-21 10:30:00.1234567",
            "2026-11-21 10:30:00*01",
            "2026-11-21 10:30:00+é",
        ] {
            assert!(timestamp(bad).is_err(), "{bad}");
        }
        assert_eq!(time("24:00:00"), Ok(86_400_000_000_000));
        for bad in ["24:00:00.000001", "", "10:30", "10:30:00+01"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
