//! Values written as people write them: times, weekdays, sizes, encodings.

use super::grammar::common::WEEKDAYS;
use crate::core::generate::spec::{Encoding, Limit};
use crate::core::model::as_text::read_duration;
use jiff::civil::{Time, Weekday};
use std::time::Duration;

/// Units of a size, longest name first.
const SIZE_UNITS: [(&str, u64); 7] = [
    ("gib", 1 << 30),
    ("mib", 1 << 20),
    ("kib", 1 << 10),
    ("gb", 1_000_000_000),
    ("mb", 1_000_000),
    ("kb", 1000),
    ("b", 1),
];

/// Names of encodings, the usual one first.
const ENCODINGS: [(Encoding, &[&str]); 4] = [
    (Encoding::Utf8, &["UTF-8", "utf8"]),
    (Encoding::Windows1252, &["Windows-1252", "cp1252", "windows1252", "ansi"]),
    (Encoding::Iso88591, &["ISO-8859-1", "latin1", "latin-1", "iso8859-1", "iso88591"]),
    (Encoding::Ibm037, &["IBM037", "cp037", "ibm-037", "ebcdic-us", "ebcdic-cp-us"]),
];

/// About ten thousand years.
const DAYS_MAX: u32 = 3_660_000;

/// `30s`, `500ms`, `1h 30m`, `90d`: never without a unit, never negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    read_duration(text)
}

/// Whole days: `400d`, `2w`, `0d`.
pub(super) fn days(text: &str) -> Option<u32> {
    let text = text.trim();
    let (digits, factor) =
        text.strip_suffix('d').map(|digits| (digits, 1)).or_else(|| Some((text.strip_suffix('w')?, 7)))?;
    let digits = digits.trim_end();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let days = is_number.then(|| digits.parse::<u32>().ok()).flatten()?.checked_mul(factor)?;
    (days <= DAYS_MAX).then_some(days)
}

/// Days as [`days`] reads them.
pub(super) fn write_days(days: u32) -> String {
    format!("{days}d")
}

/// A time as [`duration`] reads it, exact.
pub(super) fn write_duration(time: Duration) -> String {
    let units =
        [(3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")];
    let nanos = time.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    // Up to two days people count hours.
    let day = 86_400_000_000_000;
    if nanos > 2 * day && nanos.is_multiple_of(day) {
        return format!("{}d", nanos / day);
    }
    let unit = units.iter().find(|(size, _)| nanos.is_multiple_of(*size));
    unit.map_or_else(|| format!("{nanos}ns"), |(size, name)| format!("{}{name}", nanos / size))
}

/// A time of the day: `06:30`, `23:59:30`.
pub(super) fn clock(text: &str) -> Option<Time> {
    let text = text.trim();
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    // jiff would take a leap second for the one before it.
    let time = Time::strptime("%H:%M", text).or_else(|_| Time::strptime("%H:%M:%S", text)).ok()?;
    (digits_only && !text.ends_with(":60")).then_some(time)
}

/// A time of the day as [`clock`] reads it.
pub(super) fn write_clock(time: Time) -> String {
    time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
}

/// A weekday by its name in the worker file.
pub(super) fn weekday(text: &str) -> Option<Weekday> {
    Weekday::from_monday_zero_offset(i8::try_from(WEEKDAYS.iter().position(|name| *name == text)?).ok()?).ok()
}

/// A weekday's name in the worker file.
pub(super) fn weekday_name(day: Weekday) -> &'static str {
    let index = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
    WEEKDAYS.get(index).copied().unwrap_or_default()
}

/// `10000`, `10_000`.
pub(super) fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && text.starts_with(|c: char| c.is_ascii_digit());
    digits.then(|| text.replace('_', "").parse().ok())?
}

/// Bytes: `16MiB`, `8 MB`, `1048576`.
pub(super) fn size(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit) =
        SIZE_UNITS.iter().find_map(|(name, unit)| Some((lower.strip_suffix(name)?, *unit))).unwrap_or((&lower, 1));
    whole(number)?.checked_mul(unit)
}

/// A size as [`size`] reads it, exact.
pub(super) fn write_size(bytes: u64) -> String {
    let unit = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, unit)| bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) if bytes > 0 => format!("{}{name}", bytes / unit),
        _ => bytes.to_string(),
    }
}

/// `100`, or a share of the rows: `1%`, `0.25%`.
pub(super) fn limit(text: &str) -> Option<Limit> {
    let text = text.trim();
    let Some(share) = text.strip_suffix('%') else { return whole(text).map(Limit::Count) };
    let (int, frac) = share.trim().split_once('.').unwrap_or((share.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if int.is_empty() || !digits(int) || !digits(frac) || frac.len() > 4 {
        return None;
    }
    let millionths: u32 = format!("{int}{frac:0<4}").parse().ok()?;
    (millionths <= 1_000_000).then_some(Limit::Share(millionths))
}

/// `true` or `false`.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// An encoding by any of its names.
pub(super) fn encoding(text: &str) -> Option<Encoding> {
    let known = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(text.trim()));
    ENCODINGS.iter().find(|(_, names)| known(names)).map(|(encoding, _)| *encoding)
}

/// The usual name of an encoding.
pub(super) fn encoding_name(encoding: Encoding) -> &'static str {
    ENCODINGS.iter().find(|(other, _)| *other == encoding).map_or("UTF-8", |(_, names)| names[0])
}

/// The usual names of all encodings.
pub(super) fn encoding_names() -> impl Iterator<Item = &'static str> {
    ENCODINGS.iter().map(|(_, names)| names[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1h 30m"), Some(Duration::from_mins(90)));
        assert_eq!((days("400d"), days("2w"), days(" 0 d ")), (Some(400), Some(14), Some(0)));
        for bad in ["", "d", "400", "-1d", "1.5d", "1d 2d", "99999999d", "4294967295w"] {
            assert_eq!(days(bad), None, "{bad}");
        }
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        assert_eq!(
            (duration("90d"), write_duration(Duration::from_hours(90 * 24)).as_str()),
            (Some(Duration::from_hours(90 * 24)), "90d")
        );
        for bad in ["", "30", "-1s", "s", "1 fortnight", "1e3s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_of_the_day_has_hours_and_minutes() {
        for (text, written) in [("06:30", "06:30"), ("6:30", "06:30"), ("23:59:30", "23:59:30"), ("00:00", "00:00")] {
            assert_eq!(clock(text).map(write_clock).as_deref(), Some(written), "{text}");
        }
        for bad in ["", "6", "0630", "24:00", "12:60", "12:30:60", "-1:30", "6:30 pm", "06:30Z", "+6:30"] {
            assert_eq!(clock(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_weekdays_name_reads_back() {
        assert_eq!(weekday("mon"), Some(Weekday::Monday));
        assert_eq!(weekday("sun"), Some(Weekday::Sunday));
        assert!(WEEKDAYS.iter().all(|name| weekday(name).map(weekday_name) == Some(name)));
        assert_eq!(weekday("monday"), None);
    }

    #[test]
    fn sizes_are_bytes() {
        assert_eq!(size("16MiB"), Some(16 << 20));
        assert_eq!(size("8 MB"), Some(8_000_000));
        assert_eq!(size("1_000"), Some(1000));
        assert_eq!(size("7b"), Some(7));
        for bad in ["", "MiB", "-1", "1.5MiB", "99999999999GiB", "_1"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn limits_are_numbers_or_shares() {
        for (text, limit, written) in [
            ("0", Limit::Count(0), "0"),
            ("1_000", Limit::Count(1000), "1000"),
            ("1%", Limit::Share(10_000), "1%"),
            ("0.25 %", Limit::Share(2500), "0.25%"),
            ("100%", Limit::Share(1_000_000), "100%"),
        ] {
            assert_eq!(super::limit(text), Some(limit), "{text}");
            assert_eq!(limit.to_string(), written);
        }
        for bad in ["", "%", "-1", "1.5", "101%", "1.23456%", ".5%", "x%"] {
            assert_eq!(limit(bad), None, "{bad}");
        }
        assert!(Limit::Count(2).is_exceeded(3, None) && !Limit::Count(2).is_exceeded(2, None));
        assert!(Limit::Share(10_000).is_exceeded(2, Some(199)) && !Limit::Share(10_000).is_exceeded(2, Some(200)));
    }

    #[test]
    fn encodings_have_the_usual_names() {
        assert_eq!(encoding("utf-8"), Some(Encoding::Utf8));
        assert_eq!(encoding("CP1252"), Some(Encoding::Windows1252));
        assert_eq!(encoding("Latin1"), Some(Encoding::Iso88591));
        assert_eq!(encoding("ibm037"), Some(Encoding::Ibm037));
        assert_eq!(encoding("utf-16"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..=i64::MAX.unsigned_abs(), bytes in any::<u64>()) {
            let time = Duration::from_nanos(nanos);
            prop_assert_eq!(duration(&write_duration(time)), Some(time));
            prop_assert_eq!(size(&write_size(bytes)), Some(bytes));
        }
    }
}
