//! When a schedule is due: an expression, the zone whose clock it reads, and the days that it leaves out.

use super::cron::{DayShift, Dst, Expression, LeftOut, Slots, date_of};
use crate::core::model::business_days::BusinessDays;
use crate::core::model::civil;
use crate::core::model::data_source::ClosedDay;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Affected days that are told at once.
const AFFECTED_MAX: usize = 400;

/// A set of due instants. It is fixed: no answer depends on when one asks.
#[derive(Clone, PartialEq, Debug)]
pub struct Timetable {
    /// Which seconds of the local clock are due.
    pub expression: Expression,
    /// The zone of that clock.
    pub zone: TimeZone,
    /// What becomes of times that a clock change skips or repeats.
    pub dst: Dst,
    /// Days without business. `None`: every day is as good as another.
    pub closed: Option<Closed>,
}

/// Days without business, and what becomes of due times on them.
#[derive(Clone, PartialEq, Debug)]
pub struct Closed {
    /// Which.
    pub calendar: BusinessDays,
    /// Where their due times go.
    pub goes: ClosedDay,
}

/// A day whose due times do not stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Affected {
    /// The day that the expression names.
    pub day: Date,
    /// Where its due times go. `None`: they are left out.
    pub moved_to: Option<Date>,
}

impl Timetable {
    /// The first due instant after `after`; `None` when there is none any more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.slots(after).next()
    }

    /// The first instant after `after` that the expression names, business or not. `None` where each is due by itself.
    pub fn next_named_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.closed.as_ref()?;
        self.expression.next_after(&self.zone, self.dst, after)
    }

    /// The first due instants after `after`, at most `count`.
    pub fn upcoming(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        self.slots(after).take(count).collect()
    }

    /// All due instants after `after`, in order.
    pub fn slots(&self, after: Timestamp) -> Slots<'_> {
        match &self.closed {
            None => self.expression.slots(&self.zone, self.dst, after),
            Some(closed) => self.expression.slots_on(closed, &self.zone, self.dst, after),
        }
    }

    /// What the first clock change after `after` and until `until` leaves out, if any does.
    pub fn left_out(&self, after: Timestamp, until: Timestamp) -> Option<LeftOut> {
        let days = self.closed.as_ref().map(|closed| closed as &dyn DayShift);
        self.expression.left_out(days, &self.zone, self.dst, (after, until))
    }

    /// The named days from `after` to `until` that are without business, in order.
    pub fn affected(&self, after: Timestamp, until: Timestamp) -> Vec<Affected> {
        let Some(closed) = &self.closed else { return Vec::new() };
        let day = |at: Timestamp| self.zone.to_datetime(at).date();
        let last = day(until);
        let named = |from: Date| self.expression.next_named_day(from);
        let days = std::iter::successors(named(day(after)), |day| named(day.tomorrow().ok()?));
        days.take_while(|day| *day <= last)
            .filter(|day| !closed.calendar.is_open(*day))
            .map(|day| Affected { day, moved_to: closed.target(day) })
            .take(AFFECTED_MAX)
            .collect()
    }
}

impl Closed {
    /// Where the due times of a day go.
    fn target(&self, day: Date) -> Option<Date> {
        match self.goes {
            _ if self.calendar.is_open(day) => Some(day),
            ClosedDay::Skip => None,
            ClosedDay::Previous => self.calendar.previous(day),
            ClosedDay::Next => self.calendar.next(day),
        }
    }
}

impl DayShift for Closed {
    fn shift(&self, day: i64) -> Option<i64> {
        self.target(date_of(day)?).map(days)
    }

    fn origin(&self, day: i64) -> i64 {
        match self.goes {
            ClosedDay::Skip | ClosedDay::Previous => day,
            ClosedDay::Next => date_of(day).map_or(day, |date| days(self.calendar.closed_since(date))),
        }
    }
}

/// Days from 1970-01-01 to a date.
fn days(date: Date) -> i64 {
    civil::days(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::calendar::Calendar;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn table(text: &str, zone: &str, calendar: Calendar, goes: ClosedDay) -> Timetable {
        let closed = Some(Closed { calendar: calendar.into(), goes });
        let (expression, zone) = (Expression::parse(text).unwrap(), TimeZone::get(zone).unwrap());
        Timetable { expression, zone, dst: Dst::Quartz, closed }
    }

    fn upcoming(table: &Timetable, from: &str, count: usize) -> Vec<String> {
        table.upcoming(from.parse().unwrap(), count).iter().map(Timestamp::to_string).collect()
    }

    #[test]
    fn days_without_business_are_left_out() {
        let nights = table("0 0 4 * * ?", "UTC", Calendar::Target, ClosedDay::Skip);
        let nights = upcoming(&nights, "2026-04-02T12:00:00Z", 2);
        assert_eq!(nights, ["2026-04-07T04:00:00Z", "2026-04-08T04:00:00Z"], "Good Friday to Easter Monday");
        // The day is the zone's, not that of UTC.
        let tokyo = table("0 0 8 * * ?", "Asia/Tokyo", Calendar::Weekends, ClosedDay::Skip);
        assert_eq!(upcoming(&tokyo, "2026-11-27T12:00:00Z", 1), ["2026-11-29T23:00:00Z"], "Monday there");
    }

    #[test]
    fn due_times_on_them_move_to_the_day_before_or_behind() {
        let month_end = |goes| table("0 0 22 L * ?", "UTC", Calendar::Target, goes);
        let from = "2026-01-15T00:00:00Z";
        let before = upcoming(&month_end(ClosedDay::Previous), from, 3);
        assert_eq!(before, ["2026-01-30T22:00:00Z", "2026-02-27T22:00:00Z", "2026-03-31T22:00:00Z"]);
        let behind = upcoming(&month_end(ClosedDay::Next), from, 2);
        assert_eq!(behind, ["2026-02-02T22:00:00Z", "2026-03-02T22:00:00Z"]);
        // Saturday and Sunday meet on Monday, which is named itself: once.
        let daily = upcoming(&table("0 0 4 * * ?", "UTC", Calendar::Weekends, ClosedDay::Next), from, 4);
        let days: Vec<&str> = daily.iter().map(|at| &at[8..10]).collect();
        assert_eq!(days, ["15", "16", "19", "20"]);
        // Asked on the day that is moved to, behind its own time.
        let late = upcoming(&month_end(ClosedDay::Next), "2026-02-02T21:59:59Z", 1);
        assert_eq!(late, ["2026-02-02T22:00:00Z"]);
    }

    #[test]
    fn affected_days_are_told() {
        let table = table("0 0 22 L * ?", "UTC", Calendar::Target, ClosedDay::Previous);
        let told = table.affected("2026-01-01T00:00:00Z".parse().unwrap(), "2026-03-31T23:00:00Z".parse().unwrap());
        let told: Vec<String> = told.iter().map(|it| format!("{} {}", it.day, it.moved_to.unwrap())).collect();
        assert_eq!(told, ["2026-01-31 2026-01-30", "2026-02-28 2026-02-27"]);
    }

    #[test]
    fn a_timetable_of_closed_days_alone_has_no_times() {
        let never = table("* * * ? * SAT,SUN", "Europe/Berlin", Calendar::Weekends, ClosedDay::Skip);
        assert!(upcoming(&never, "2026-11-28T00:00:00Z", 1).is_empty());
    }

    #[test]
    fn what_a_clock_change_leaves_out_is_told() {
        let berlin =
            |dst| Timetable { dst, ..table("0 30 2 * * ?", "Europe/Berlin", Calendar::Weekends, ClosedDay::Skip) };
        let all = |dst| Timetable { closed: None, ..berlin(dst) };
        let year = |table: &Timetable, from: &str| {
            let from = from.parse().unwrap();
            table
                .left_out(from, from + jiff::SignedDuration::from_hours(24 * 364))
                .map(|left| (left.at.to_string(), left.reason()))
        };
        let forward = ("2026-03-29T01:00:00Z".to_owned(), "clocks went forward: 02:30:00 did not exist".to_owned());
        let back =
            ("2026-10-25T01:00:00Z".to_owned(), "clocks went back: 02:30:00 came twice and counts once".to_owned());
        assert_eq!(year(&all(Dst::Quartz), "2026-01-01T00:00:00Z"), Some(forward.clone()));
        assert_eq!(year(&all(Dst::Quartz), "2026-03-29T01:00:00Z"), Some(back.clone()));
        assert_eq!(year(&all(Dst::RunMissing), "2026-01-01T00:00:00Z"), Some(back));
        assert_eq!(year(&all(Dst::Both), "2026-01-01T00:00:00Z"), Some(forward));
        assert_eq!(year(&berlin(Dst::Quartz), "2026-01-01T00:00:00Z"), None, "both changes are on a Sunday");
    }

    proptest! {
        /// Held against the whole list of named days, each moved by itself.
        #[test]
        fn moved_days_are_those_of_the_list(
            text in prop::sample::select(&["0 0 4 * * ?", "0 0 4 ? * MON,SAT", "0 0 4 L,1 * ?", "0 0 4 ? * SUN#2", "0 0 4 25W * ?"][..]),
            goes in prop::sample::select(&[ClosedDay::Skip, ClosedDay::Previous, ClosedDay::Next][..]),
            closed in prop::collection::btree_set(0..200_i64, 0..60),
            from in 0..150_i64,
        ) {
            const START: i64 = 20_454; // 2026-01-01
            let calendar = BusinessDays::without(
                "list",
                None,
                closed.iter().map(|day| date_of(START + day).unwrap()).collect(),
            );
            let table = Timetable {
                expression: Expression::parse(text).unwrap(),
                zone: TimeZone::UTC,
                dst: Dst::Quartz,
                closed: Some(Closed { calendar: calendar.clone(), goes }),
            };
            let plain = Timetable { closed: None, ..table.clone() };
            let moment = |day: i64| Timestamp::from_second(day * 86_400 + 4 * 3600).unwrap();
            let open = |day: i64| calendar.is_open(date_of(day).unwrap());
            let named = plain.upcoming(moment(START - 401), 900).into_iter().map(|at| at.as_second().div_euclid(86_400));
            let moved: BTreeSet<Timestamp> = named
                .filter_map(|day| match goes {
                    _ if open(day) => Some(day),
                    ClosedDay::Skip => None,
                    ClosedDay::Previous => (day - 400..=day).rev().find(|day| open(*day)),
                    ClosedDay::Next => (day..=day + 400).find(|day| open(*day)),
                })
                .map(moment)
                .collect();
            let after = moment(START + from);
            let want: Vec<Timestamp> = moved.range(after..).filter(|at| **at > after).take(10).copied().collect();
            prop_assert_eq!(table.upcoming(after, want.len()), want);
        }
    }
}
