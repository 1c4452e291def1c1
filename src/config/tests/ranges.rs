//! Both ends of every range, and every unit: the fields come from the grammar's own table, what is right stands here.

use super::{FULL, parsed};
use crate::config::grammar::generate::{COLUMN, MAX, TRANSLATORS, WORKER};
use crate::config::grammar::{Section, Shape};
use crate::config::values;
use std::collections::BTreeSet;
use std::time::Duration;

/// Every field with a least and a most, and both as people write them.
const RANGES: [(&str, &str, &str); 8] = [
    ("page_size", "1", "10000000"),
    ("page_bytes", "1KiB", "1GiB"),
    ("value_bytes", "1KiB", "1GiB"),
    ("width", "1", "1000000"),
    ("days_after", "0", "7"),
    ("pages", "1", "100000"),
    ("max_retries", "0", "1000"),
    ("runs_per_hour", "1", "1000000"),
];

/// Every field that is a time.
const TIMES: [&str; 9] = [
    "lease_ttl",
    "lease_heartbeat_interval",
    "takeover_polling_interval",
    "initial_backoff",
    "max_backoff",
    "interval",
    "warn_before",
    "max_pending",
    "grace",
];

/// Names and shapes of all fields with one value, in whatever section they stand.
fn fields() -> Vec<(&'static str, Shape)> {
    fn walk(section: &'static Section, found: &mut Vec<(&'static str, Shape)>) {
        for field in section.fields {
            let mut shape = field.shape;
            while let Shape::List(inner) | Shape::OneOrMore(inner) | Shape::Names(inner) | Shape::Foreign(inner) = shape
            {
                shape = *inner;
            }
            match shape {
                Shape::Section(inner) => walk(inner, found),
                shape => found.push((field.name, shape)),
            }
        }
    }
    let mut found = Vec::new();
    let parts = TRANSLATORS.iter().map(|(_, section)| *section);
    [&WORKER, &COLUMN, &MAX].into_iter().chain(parts).for_each(|section| walk(section, &mut found));
    found
}

/// The full worker file with another value for the first field of this name.
fn with(name: &str, value: &str) -> String {
    let text = FULL.replace("on_overflow: truncate", "on_overflow: { truncate: { max: 5 } }");
    let begins = |at: &usize| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let key = format!("{name}: ");
    let mut places = text.match_indices(&key).map(|(at, _)| at);
    let at = places.find(begins).unwrap_or_else(|| panic!("the full worker file has no `{name}`")) + key.len();
    let length = text[at..].find([',', '}', '\n']).unwrap();
    format!("{}{value} {}", &text[..at], &text[at + length..])
}

/// Whether a value of a field is taken; what is refused is refused for that field.
fn is_taken(name: &str, value: &str) -> bool {
    match parsed(&with(name, value), &[]) {
        Ok(_) => true,
        Err(error) => {
            let about = |field: &String| field.rsplit('.').next() == Some(name);
            // Others may follow from it: a column without a width.
            let any = error.problems.iter().any(|problem| problem.field.as_ref().is_some_and(about));
            assert!(any, "{name}: {value}: {error}");
            false
        }
    }
}

#[test]
fn the_ends_of_every_range_are_taken_and_what_lies_beyond_is_not() {
    let mut ranges = BTreeSet::new();
    for (name, shape) in fields() {
        let (least, most, size) = match shape {
            Shape::Whole(least, most) => (least, most, false),
            Shape::Size(least, most) => (least, most, true),
            _ => continue,
        };
        let written = |value| if size { values::write_size(value) } else { value.to_string() };
        ranges.insert((name, written(least), written(most)));
        for end in [least, most] {
            assert!(is_taken(name, &written(end)) && is_taken(name, &end.to_string()), "{name}: {end}");
            let shown =
                parsed(&with(name, &written(end)), &[]).unwrap().resolved(&|url| url.reveal().to_owned()).to_yaml();
            let line = if size { format!("{name}: \"{}\"", written(end)) } else { format!("{name}: {end}") };
            assert!(shown.contains(&line), "{line}: {shown}");
        }
        for beyond in [least.checked_sub(1), Some(most + 1), Some(u64::MAX)].into_iter().flatten() {
            assert!(!is_taken(name, &beyond.to_string()), "{name}: {beyond}");
        }
        for wrong in ["-1", "1.5", "\"\"", "x"] {
            assert!(!is_taken(name, wrong), "{name}: {wrong}");
        }
    }
    let known = RANGES.map(|(name, least, most)| (name, least.to_owned(), most.to_owned()));
    assert_eq!(ranges, BTreeSet::from(known), "a range that changes is told in the docs and in CHANGELOG.md");
}

#[test]
fn a_number_with_a_least_alone_ends_there() {
    let mut names = Vec::new();
    for (name, shape) in fields() {
        let Shape::AtLeast(least) = shape else { continue };
        names.push((name, least.to_string()));
        assert!(is_taken(name, &format!("{least:?}")) && is_taken(name, "1e300"), "{name}");
        for wrong in [format!("{}", least - 0.001), "inf".to_owned(), "nan".to_owned(), "1e309".to_owned()] {
            assert!(!is_taken(name, &wrong), "{name}: {wrong}");
        }
    }
    assert_eq!(names, [("backoff_multiplier", "1".to_owned())]);
}

#[test]
fn a_limit_is_a_number_or_a_share_up_to_the_whole() {
    let mut names: Vec<_> = fields();
    names.retain(|(_, shape)| matches!(shape, Shape::Limit));
    assert_eq!(names.len(), 1, "{names:?}");
    for (name, _) in names {
        for taken in ["0", "18446744073709551615", "0%", "0.0001%", "100%", "99.9999%"] {
            assert!(is_taken(name, taken), "{name}: {taken}");
        }
        for wrong in ["18446744073709551616", "100.0001%", "0.00001%", "-1", "-1%", "1.5"] {
            assert!(!is_taken(name, wrong), "{name}: {wrong}");
        }
    }
}

#[test]
fn days_are_whole_and_have_their_unit() {
    let mut names: Vec<&str> = fields().iter().filter(|(_, s)| matches!(s, Shape::Days)).map(|(n, _)| *n).collect();
    names.sort_unstable();
    assert_eq!(names, ["future", "past"]);
    for name in names {
        for taken in ["0d", "1d", "52w", "3660000d"] {
            assert!(is_taken(name, taken), "{name}: {taken}");
        }
        for wrong in ["0", "400", "-1d", "1.5d", "24h", "1y", "3660001d", "\"\""] {
            assert!(!is_taken(name, wrong), "{name}: {wrong}");
        }
    }
}

#[test]
fn every_time_has_a_unit_and_no_other_form() {
    let mut names: Vec<&str> = fields().iter().filter(|(_, s)| matches!(s, Shape::Duration)).map(|(n, _)| *n).collect();
    names.sort_unstable();
    let mut known = TIMES;
    known.sort_unstable();
    assert_eq!(names, known);
    for name in TIMES {
        // What suits the field beside the others in the full file, in seven units.
        let taken: &[&str] = match name {
            "lease_ttl" => &["45000000000ns", "45000000us", "45000ms", "45s", "1m", "1h", "1h 30m"],
            "max_backoff" => &["1000000000ns", "1000000us", "1000ms", "1s", "1m", "1h", "1h 30m"],
            "lease_heartbeat_interval" => &["1ns", "1us", "1ms", "20s", "19s 999ms"],
            "initial_backoff" => &["0s", "1ns", "1us", "1ms", "1s", "1m", "1h"],
            _ => &["1ns", "1us", "1ms", "1s", "1m", "1h", "1h 30m"],
        };
        for value in taken {
            assert!(is_taken(name, value), "{name}: {value}");
        }
        for wrong in ["1", "0", "-1s", "1 fortnight", "s", "1e3s", "\"\""] {
            assert!(!is_taken(name, wrong), "{name}: {wrong}");
        }
    }
}

#[test]
fn times_that_depend_on_each_other_are_taken_up_to_the_end() {
    for (name, least) in [("lease_heartbeat_interval", "1ns"), ("takeover_polling_interval", "1ns")] {
        assert!(is_taken(name, least) && !is_taken(name, "0s"), "{name}");
    }
    // The full file: a lease of a minute, first waits of a second, none above an hour.
    assert!(is_taken("lease_heartbeat_interval", "20s") && !is_taken("lease_heartbeat_interval", "20s 1ns"));
    assert!(is_taken("initial_backoff", "1h") && !is_taken("initial_backoff", "1h 1ns"));
    assert!(is_taken("max_backoff", "24h") && !is_taken("max_backoff", "24h 1ns"));
    let lease = |ttl: &str| {
        let text = with("lease_ttl", ttl).replace("lease_heartbeat_interval: 15s", "lease_heartbeat_interval: 33ms");
        parsed(&text, &[]).map(|loaded| loaded.into_worker().unwrap().policies.lease_ttl)
    };
    assert_eq!(lease("100ms").unwrap(), Duration::from_millis(100));
    let short = lease("99999us").unwrap_err().to_string();
    assert!(short.contains("`lease_ttl` must be at least 100ms"), "{short}");
}

#[test]
fn units_of_sizes_with_an_i_are_powers_of_1024_and_the_others_of_1000() {
    for (unit, bytes) in [
        ("", 1),
        ("B", 1),
        ("KB", 1000),
        ("KiB", 1024),
        ("MB", 1_000_000),
        ("MiB", 1_048_576),
        ("GB", 1_000_000_000),
        ("GiB", 1_073_741_824),
    ] {
        for text in [format!("3{unit}"), format!("3 {}", unit.to_lowercase()), format!("3{}", unit.to_uppercase())] {
            assert_eq!(values::size(&text), Some(3 * bytes), "{text}");
        }
        let largest = u64::MAX / bytes;
        assert_eq!(values::size(&format!("{largest}{unit}")), Some(largest * bytes), "{unit}");
        assert_eq!(values::size(&format!("{}{unit}", u128::from(largest) + 1)), None, "{unit}");
    }
    for wrong in ["1K", "1TB", "1Ki", "1 K iB", "KB"] {
        assert_eq!(values::size(wrong), None, "{wrong}");
    }
    for (bytes, text) in [(1023, "1023"), (1024, "1KiB"), (1 << 20, "1MiB"), (1 << 30, "1GiB"), (1 << 40, "1024GiB")] {
        assert_eq!(values::write_size(bytes), text);
    }
}

#[test]
fn units_of_times_are_what_clocks_have() {
    for (unit, nanos) in [
        ("ns", 1),
        ("us", 1000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ] {
        let time = Duration::from_nanos(3 * nanos);
        assert_eq!(values::duration(&format!("3{unit}")), Some(time), "{unit}");
        assert_eq!(values::write_duration(time), format!("3{unit}"));
    }
}
