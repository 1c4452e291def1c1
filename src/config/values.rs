//! Values written as people write them: times, sizes, encodings.

use crate::core::model::spec::Encoding;
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

/// `30s`, `500ms`, `1h 30m`: never without a unit, never negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    Duration::try_from(text.trim().parse::<jiff::SignedDuration>().ok()?).ok()
}

/// A time as [`duration`] reads it, exact.
pub(super) fn write_duration(time: Duration) -> String {
    let units =
        [(3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")];
    let nanos = time.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let unit = units.iter().find(|(size, _)| nanos.is_multiple_of(*size));
    unit.map_or_else(|| format!("{nanos}ns"), |(size, name)| format!("{}{name}", nanos / size))
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

/// `lf`, `crlf`, or the text itself.
pub(super) fn newline(text: &str) -> &str {
    match text {
        "lf" | "LF" => "\n",
        "crlf" | "CRLF" => "\r\n",
        other => other,
    }
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
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        for bad in ["", "30", "-1s", "s", "1 fortnight", "1e3s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
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
