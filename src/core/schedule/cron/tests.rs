//! What Quartz answers, and what of its answers is not copied.

mod brute;

use super::{Dst, Expression, ExpressionError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Answers of Quartz 2.5.2; `quirk` marks those that are faults.
const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/quartz/vectors.jsonl"));

fn next(text: &str, zone: &str, dst: Dst, from: &str, count: usize) -> Vec<String> {
    let (zone, from) = (TimeZone::get(zone).unwrap(), from.parse::<Timestamp>().unwrap());
    let expression = Expression::parse(text).unwrap();
    expression.slots(&zone, dst, from).take(count).map(|at| at.to_string()).collect()
}

fn vectors() -> impl Iterator<Item = (String, Value)> {
    VECTORS.lines().map(|line| {
        let vector: Value = serde_json::from_str(line).unwrap();
        (vector["expr"].as_str().unwrap().to_owned(), vector)
    })
}

#[test]
fn the_times_are_those_of_quartz() {
    let mut seen = 0;
    for (text, vector) in vectors().filter(|(_, vector)| vector.get("quirk").is_none() && vector.get("next").is_some())
    {
        let want: Vec<&str> = vector["next"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
        let (zone, from) = (vector["zone"].as_str().unwrap(), vector["from"].as_str().unwrap());
        assert_eq!(next(&text, zone, Dst::Quartz, from, 5), want, "{text} in {zone} from {from}");
        seen += 1;
    }
    assert_eq!(seen, 330);
}

#[test]
fn what_quartz_refuses_is_refused_and_the_place_lies_in_the_text() {
    let refused: Vec<(String, ExpressionError)> = vectors()
        .filter(|(_, vector)| vector.get("error").is_some())
        .map(|(text, _)| {
            let error = Expression::parse(&text).expect_err(&text);
            (text, error)
        })
        .collect();
    assert_eq!(refused.len(), 62);
    for (text, error) in refused {
        assert!(text.get(error.at.clone()).is_some() && !error.hint.is_empty(), "{text}: {error:?}");
    }
}

#[test]
fn what_quartz_drops_without_a_word_is_refused() {
    let lenient: Vec<_> = vectors().filter(|(_, vector)| vector["quirk"] == "lenient").collect();
    assert_eq!(lenient.len(), 15);
    assert!(lenient.iter().all(|(text, _)| Expression::parse(text).is_err()));
    for (text, place, hint) in [
        ("0 0 0 ? * MON/2", "MON/2", "write 2/2"),
        ("0 0 0 ? * MON-FRI/2", "MON-FRI/2", "write 2-6/2"),
        ("0 0 0 ? * FRIX", "FRIX", "write FRI"),
        ("0 0 0 ? * 2#1,4", "2#1", "make it a schedule of its own"),
        ("30 2 * * 1-5", "30 2 * * 1-5", "write 0 30 2 ? * 2-6"),
        ("*/5 * * * *", "*/5 * * * *", "write 0 */5 * * * ?"),
        ("0 4 1 * 0", "0 4 1 * 0", "write two schedules: 0 0 4 1 * ? and 0 0 4 ? * 1"),
        ("@daily", "@daily", "write 0 0 0 * * ?"),
        ("0 0 4 * * *", "* * *", "write 0 0 4 * * ?"),
        ("0 0 4 * * FRI 2027", "* * FRI", "write 0 0 4 ? * FRI 2027"),
    ] {
        let error = Expression::parse(text).expect_err(text);
        assert_eq!((&text[error.at.clone()], error.hint.as_str()), (place, hint), "{text}");
    }
}

#[test]
fn the_nearest_weekday_loses_no_hour_and_the_repeated_hour_no_time() {
    let near = next("0 0 8,17 15W * ?", "UTC", Dst::Quartz, "2027-03-03T12:00:00Z", 3);
    assert_eq!(near, ["2027-03-15T08:00:00Z", "2027-03-15T17:00:00Z", "2027-04-15T08:00:00Z"]);
    // Asked in the first pass of the repeated hour.
    let repeated = next("0 30 2 * * ?", "Europe/Berlin", Dst::Quartz, "2026-10-25T00:45:00Z", 2);
    assert_eq!(repeated, ["2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn a_clock_change_is_treated_as_asked() {
    let spring = |dst| next("0 30 2 * * ?", "Europe/Berlin", dst, "2026-03-28T12:00:00Z", 1);
    assert_eq!(spring(Dst::Quartz), ["2026-03-30T00:30:00Z"], "left out");
    assert_eq!(spring(Dst::RunMissing), ["2026-03-29T01:00:00Z"], "right behind the gap");
    let many = next("0 0/20 2 * * ?", "Europe/Berlin", Dst::RunMissing, "2026-03-28T12:00:00Z", 2);
    assert_eq!(many, ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"], "once for all that were skipped");
    let autumn = |dst| next("0 30 2 25 10 ? 2026", "Europe/Berlin", dst, "2026-10-24T12:00:00Z", 3);
    assert_eq!(autumn(Dst::Quartz), ["2026-10-25T01:30:00Z"]);
    assert_eq!(autumn(Dst::RunMissing), ["2026-10-25T01:30:00Z"]);
    assert_eq!(autumn(Dst::First), ["2026-10-25T00:30:00Z"]);
    assert_eq!(autumn(Dst::Both), ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]);
}

#[test]
fn what_never_comes_ends() {
    for text in ["0 0 0 30 2 ?", "0 0 0 1 1 ? 1999", "0 0 0 31W 2 ?", "0 0 0 29 2 ? 2027-2031/2"] {
        assert!(next(text, "Europe/Berlin", Dst::Both, "2026-11-28T12:00:00Z", 1).is_empty(), "{text}");
    }
    let last = next("0 0 0 31 12 ?", "UTC", Dst::Quartz, "2199-06-01T00:00:00Z", 5);
    assert_eq!(last, ["2199-12-31T00:00:00Z"]);
    for from in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z"] {
        next("* * * * * ?", "America/New_York", Dst::Both, from, 2);
    }
}
