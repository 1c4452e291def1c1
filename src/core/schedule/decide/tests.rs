//! Late, missed, made up for.

use super::*;
use crate::core::model::data_source::Overlap;
use crate::core::schedule::cron::{Dst, Expression};
use crate::core::schedule::timetable::Timetable;
use jiff::tz::TimeZone;

fn plan(text: &str, misfire: Misfire) -> Plan {
    Plan {
        timetable: Timetable {
            expression: Expression::parse(text).unwrap(),
            zone: TimeZone::UTC,
            dst: Dst::Quartz,
            closed: None,
        },
        misfire,
        overlap: Overlap::Skip,
        grace: SignedDuration::from_secs(60),
        offset: SignedDuration::ZERO,
        catch_up: 3,
        pause_after: None,
        deadline: None,
    }
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

/// `fire 12:00`, `catch up 12:00`, `missed 12:00`.
fn told(decision: &Decision) -> Vec<String> {
    let time = |slot: &Timestamp| slot.strftime("%d %H:%M").to_string();
    let words = |step: &Step| match step {
        Step::Fire { slot, cause: Cause::Due } => format!("fire {}", time(slot)),
        Step::Fire { slot, .. } => format!("catch up {}", time(slot)),
        Step::Missed { slot, .. } => format!("missed {}", time(slot)),
        Step::LeftOut(left) => left.reason(),
    };
    decision.steps.iter().map(words).collect()
}

#[test]
fn a_slot_is_late_within_the_grace_and_missed_behind_it() {
    let hourly = plan("0 0 * * * ?", Misfire::Skip);
    let decided = |now| told(&decide(&hourly, at("29T11:30:00"), at(now)));
    assert!(decided("29T11:59:59.999").is_empty());
    assert_eq!(decided("29T12:00:00"), ["fire 29 12:00"]);
    assert_eq!(decided("29T12:01:00.900"), ["fire 29 12:00"]);
    assert_eq!(decided("29T12:01:01"), ["missed 29 12:00"]);
    let decision = decide(&hourly, at("29T11:30:00"), at("29T12:00:30"));
    assert_eq!((decision.decided_until, decision.next), (at("29T12:00:30"), Some(at("29T13:00:00"))));
}

#[test]
fn a_misfire_is_treated_as_the_policy_says() {
    let decided = |misfire| told(&decide(&plan("0 0 * * * ?", misfire), at("29T06:30:00"), at("29T12:00:30")));
    let missed = ["missed 29 07:00", "missed 29 08:00", "missed 29 09:00", "missed 29 10:00"];
    assert_eq!(decided(Misfire::FireOnce)[..4], missed);
    assert_eq!(decided(Misfire::FireOnce)[4..], ["catch up 29 11:00", "fire 29 12:00"]);
    assert_eq!(decided(Misfire::FireAll)[..2], missed[..2]);
    assert_eq!(
        decided(Misfire::FireAll)[2..],
        ["catch up 29 09:00", "catch up 29 10:00", "catch up 29 11:00", "fire 29 12:00"]
    );
    assert_eq!(decided(Misfire::Skip)[3..], ["missed 29 10:00", "missed 29 11:00", "fire 29 12:00"]);
}

#[test]
fn nothing_older_than_a_day_is_made_up_for() {
    let daily = plan("0 0 4 * * ?", Misfire::FireAll);
    let decided = told(&decide(&daily, at("25T12:00:00"), at("29T05:00:00")));
    assert_eq!(decided, ["missed 26 04:00", "missed 27 04:00", "missed 28 04:00", "catch up 29 04:00"]);
}

#[test]
fn an_outage_of_years_is_told_in_a_hundred_lines() {
    let each_second = plan("* * * * * ?", Misfire::FireOnce);
    let decision = decide(&each_second, "2020-01-01T00:00:00Z".parse().unwrap(), at("29T12:00:00"));
    let missed: Vec<&Step> = decision.steps.iter().filter(|step| matches!(step, Step::Missed { .. })).collect();
    assert_eq!(missed.len(), MISSED_MAX);
    let Step::Missed { reason, .. } = missed[0] else { unreachable!() };
    assert!(reason.contains("more than ") && reason.contains("from 2020-01-01T00:00:01Z on"), "{reason}");
    let fired = decision.steps.iter().filter(|step| matches!(step, Step::Fire { .. })).count();
    assert_eq!(fired, 1 + 61, "the latest missed one, and those within the grace");
    assert_eq!(decision.next, Some(at("29T12:00:01")));
}

#[test]
fn of_more_than_are_made_up_for_each_is_told() {
    let often = |catch_up| Plan { catch_up, ..plan("0 */5 * * * ?", Misfire::FireAll) };
    for (catch_up, from, listed, hidden) in [
        (100, "29T02:00:00", 19, None),
        (3, "29T11:30:00", 2, None),
        // Of a day and a half, one line tells of those before it.
        (100, "28T00:00:00", 100, Some("231 before it were missed too, from 2026-11-28T00:05:00Z on")),
    ] {
        let decision = decide(&often(catch_up), at(from), at("29T12:00:00"));
        let caught = decision.steps.iter().filter(|it| matches!(it, Step::Fire { cause: Cause::CatchUp, .. })).count();
        let reasons: Vec<&str> = decision
            .steps
            .iter()
            .filter_map(|it| match it {
                Step::Missed { reason, .. } => Some(reason.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!((caught, reasons.len()), (catch_up, listed), "{from}");
        let tells = reasons.first().and_then(|first| first.split_once("hours; ")).map(|(_, others)| others);
        assert_eq!(tells, hidden, "{from}");
    }
}

#[test]
fn a_clock_that_goes_back_decides_nothing() {
    let hourly = plan("0 0 * * * ?", Misfire::FireAll);
    let first = decide(&hourly, at("29T11:30:00"), at("29T12:00:00"));
    let back = decide(&hourly, first.decided_until, at("29T11:00:00"));
    assert_eq!((back.steps.len(), back.decided_until, back.next), (0, first.decided_until, first.next));
}

#[test]
fn a_later_beginning_is_no_other_due_time() {
    let hourly = Plan { offset: SignedDuration::from_millis(90_500), ..plan("0 0 * * * ?", Misfire::Skip) };
    let decided = |now| told(&decide(&hourly, at("29T11:30:00"), at(now)));
    assert!(decided("29T12:01:30.499").is_empty());
    assert_eq!(decided("29T12:01:30.500"), ["fire 29 12:00"]);
    assert_eq!(decided("29T12:02:30.500"), ["fire 29 12:00"]);
    assert_eq!(decided("29T12:02:31.500"), ["missed 29 12:00"]);
    assert_eq!(hourly.wake(at("29T11:30:00")), Some(at("29T12:01:30.500")));
}

#[test]
fn a_skipped_hour_is_told_when_it_is_skipped() {
    let mut nightly = plan("0 30 2 * * ?", Misfire::FireOnce);
    nightly.timetable.zone = TimeZone::get("Europe/Berlin").unwrap();
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    let (decided, change) = (moment("2026-03-28T12:00:00Z"), moment("2026-03-29T01:00:00Z"));
    assert_eq!(nightly.wake(decided), Some(change));
    let decision = decide(&nightly, decided, change);
    assert_eq!(told(&decision), ["clocks went forward: 02:30:00 did not exist"]);
    assert_eq!((decision.decided_until, decision.next), (change, Some(moment("2026-03-30T00:30:00Z"))));
    assert_eq!(nightly.wake(change), decision.next, "told once");
}
