//! The times of an expression by looking at every day of the calendar: slow, and by other means than the search that it is held
//! against. It knows the expression's parts, not its text.

mod model;

use crate::core::schedule::cron::{Dst, Expression};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{Model, models};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Zones of each kind: whole and half hours, changes at midnight and by half an hour, changes that ended, days that were left out.
const ZONES: [&str; 20] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Santiago",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Almaty",
    "Asia/Tokyo",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Apia",
    "Antarctica/Troll",
];

/// Years that are looked at behind each start.
const YEARS: i16 = 50;

/// No clock of these zones goes back by more.
const FOLD: SignedDuration = SignedDuration::from_hours(3);

/// The instants of a local time that is named.
fn instants(zone: &TimeZone, dst: Dst, local: DateTime, due: &mut BTreeSet<Timestamp>) {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {
            due.insert(ambiguous.compatible().unwrap());
        }
        AmbiguousOffset::Gap { after, .. } => {
            if dst == Dst::RunMissing {
                // The first moment behind the gap: the change itself.
                let behind = after.to_timestamp(local).unwrap();
                due.insert(zone.following(behind).next().unwrap().timestamp());
            }
        }
        AmbiguousOffset::Fold { .. } => {
            if matches!(dst, Dst::First | Dst::Both) {
                due.insert(ambiguous.earlier().unwrap());
            }
            if dst != Dst::First {
                due.insert(ambiguous.later().unwrap());
            }
        }
    }
}

/// The first due instants behind one, by each local second that is named until the end of a day.
fn first(model: &Model, zone: &TimeZone, dst: Dst, (after, most): (Timestamp, usize), until: Date) -> Vec<Timestamp> {
    let local = |at: Timestamp| zone.to_datetime(at);
    let begin = local(after) - FOLD;
    let mut due = BTreeSet::new();
    let mut enough: Option<DateTime> = None;
    let mut date = begin.date();
    'days: while date <= until {
        if model.names(date) {
            for (hour, minute, second) in model.times() {
                let at = date.at(hour, minute, second, 0);
                if at < begin {
                    continue;
                }
                if enough.is_some_and(|enough| at > enough) {
                    break 'days;
                }
                instants(zone, dst, at, &mut due);
                if enough.is_none() && due.range(after..).filter(|at| **at > after).nth(most - 1).is_some() {
                    // What is named later, and due earlier, is named soon: a clock goes back by so much.
                    enough = due.last().map(|last| local(*last) + FOLD);
                }
            }
        }
        date = date.checked_add(1.day()).unwrap();
    }
    due.into_iter().filter(|at| *at > after).take(most).collect()
}

proptest! {
    // Thoroughly: PROPTEST_CASES=20000.
    #[test]
    fn the_next_times_are_those_of_the_calendar(
        model in models(),
        zone in prop::sample::select(&ZONES[..]),
        dst in prop::sample::select(&[Dst::Quartz, Dst::RunMissing, Dst::First, Dst::Both][..]),
        year in 1990..2040_i16,
        second in 0..31_536_000_i64,
        most in prop_oneof![3 => Just(40_usize), 1 => Just(600)],
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let start = jiff::civil::date(year, 1, 1);
        let from = start.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp() + SignedDuration::from_secs(second);
        let until = start.with().year(year + YEARS + 1).build().unwrap();
        let limit = until.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp() - SignedDuration::from_hours(48);
        let inside = |at: &Timestamp| *at <= limit;
        let expression = Expression::parse(&model.text()).unwrap();
        let want: Vec<Timestamp> = first(&model, &zone, dst, (from, most), until).into_iter().filter(inside).collect();
        let got: Vec<Timestamp> = expression.slots(&zone, dst, from).take(most).take_while(inside).collect();
        prop_assert_eq!(&got, &want, "{} from {} in {:?}, {:?}", expression, from, zone.iana_name(), dst);
        // Asking anew behind each is the same as going on.
        let mut at = from;
        for due in &want {
            at = expression.next_after(&zone, dst, at).unwrap();
            prop_assert_eq!(at, *due);
        }
    }
}
