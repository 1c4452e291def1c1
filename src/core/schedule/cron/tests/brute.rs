//! The times of an expression by looking at every day of the calendar: slow, and by other means than the search that it is held
//! against. It knows the expression's parts, not its text.

use crate::core::schedule::cron::{Dst, Expression};
use jiff::civil::{Date, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, ToSpan};
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

#[derive(Clone, Debug)]
enum Days {
    Every,
    /// Elements of the day of the month.
    Month(Vec<MonthDay>),
    Week(BTreeSet<u8>),
    Nth(u8, u8),
    Last(u8),
}

#[derive(Clone, Copy, Debug)]
enum MonthDay {
    Day(u8),
    BeforeLast(u8),
    Nearest(u8),
    NearestBeforeLast(u8),
}

#[derive(Clone, Debug)]
struct Model {
    seconds: BTreeSet<u8>,
    minutes: BTreeSet<u8>,
    hours: BTreeSet<u8>,
    days: Days,
    /// Empty: all.
    months: BTreeSet<u8>,
}

impl Model {
    fn text(&self) -> String {
        let list = |set: &BTreeSet<u8>| set.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let (day, weekday) = match &self.days {
            Days::Every => ("*".to_owned(), "?".to_owned()),
            Days::Month(days) => {
                let text = |day: &MonthDay| match day {
                    MonthDay::Day(day) => day.to_string(),
                    MonthDay::BeforeLast(0) => "L".to_owned(),
                    MonthDay::BeforeLast(days) => format!("L-{days}"),
                    MonthDay::Nearest(day) => format!("{day}W"),
                    MonthDay::NearestBeforeLast(0) => "LW".to_owned(),
                    MonthDay::NearestBeforeLast(days) => format!("L-{days}W"),
                };
                (days.iter().map(text).collect::<Vec<_>>().join(","), "?".to_owned())
            }
            Days::Week(days) => ("?".to_owned(), list(days)),
            Days::Nth(day, nth) => ("?".to_owned(), format!("{day}#{nth}")),
            Days::Last(day) => ("?".to_owned(), format!("{day}L")),
        };
        let months = if self.months.is_empty() { "*".to_owned() } else { list(&self.months) };
        format!("{} {} {} {day} {months} {weekday}", list(&self.seconds), list(&self.minutes), list(&self.hours))
    }

    fn names(&self, date: Date) -> bool {
        if !self.months.is_empty() && !self.months.contains(&(date.month().cast_unsigned())) {
            return false;
        }
        let weekday = |day: u8| Weekday::from_sunday_one_offset(day.cast_signed()).unwrap();
        match &self.days {
            Days::Every => true,
            Days::Month(days) => days.iter().any(|day| day.date(date) == Some(date)),
            Days::Week(days) => days.iter().any(|day| weekday(*day) == date.weekday()),
            Days::Nth(day, nth) => date.nth_weekday_of_month(nth.cast_signed(), weekday(*day)).ok() == Some(date),
            Days::Last(day) => date.nth_weekday_of_month(-1, weekday(*day)).ok() == Some(date),
        }
    }

    /// All due instants whose local day lies in these, by each local second that is named.
    fn all(&self, zone: &TimeZone, dst: Dst, from: Date, days: i64) -> BTreeSet<Timestamp> {
        let mut due = BTreeSet::new();
        for date in (0..days).map(|day| from.checked_add(day.days()).unwrap()).filter(|date| self.names(*date)) {
            for (hour, minute, second) in self.times() {
                let local = date.at(hour, minute, second, 0);
                let ambiguous = zone.to_ambiguous_timestamp(local);
                let (earlier, later) = match ambiguous.offset() {
                    AmbiguousOffset::Unambiguous { .. } => {
                        due.insert(ambiguous.compatible().unwrap());
                        continue;
                    }
                    AmbiguousOffset::Gap { after, .. } => {
                        if dst == Dst::RunMissing {
                            // The first moment behind the gap: the change itself.
                            let behind = after.to_timestamp(local).unwrap();
                            due.insert(zone.following(behind).next().unwrap().timestamp());
                        }
                        continue;
                    }
                    AmbiguousOffset::Fold { .. } => (ambiguous.earlier().unwrap(), ambiguous.later().unwrap()),
                };
                if matches!(dst, Dst::First | Dst::Both) {
                    due.insert(earlier);
                }
                if dst != Dst::First {
                    due.insert(later);
                }
            }
        }
        due
    }

    fn times(&self) -> impl Iterator<Item = (i8, i8, i8)> {
        self.hours.iter().flat_map(move |hour| {
            self.minutes.iter().flat_map(move |minute| {
                self.seconds.iter().map(move |second| (hour.cast_signed(), minute.cast_signed(), second.cast_signed()))
            })
        })
    }
}

impl MonthDay {
    /// Which day of that month this is.
    fn date(self, of: Date) -> Option<Date> {
        let day = |day: u8| of.with().day(day.cast_signed()).build().ok();
        let before = |days: u8| {
            of.last_of_month().checked_sub(Span::new().days(days)).ok().filter(|date| date.month() == of.month())
        };
        match self {
            Self::Day(number) => day(number),
            Self::BeforeLast(days) => before(days),
            Self::Nearest(number) => day(number).map(nearest),
            Self::NearestBeforeLast(days) => before(days).map(nearest),
        }
    }
}

/// The workday of the same month that is nearest to a day.
fn nearest(date: Date) -> Date {
    let workday = |date: &Date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    let near = [0, -1, 1, -2, 2].into_iter().filter_map(|days: i64| date.checked_add(days.days()).ok());
    near.filter(|near| near.month() == date.month()).find(workday).unwrap()
}

fn some(max: u8, from: u8, most: usize) -> impl Strategy<Value = BTreeSet<u8>> {
    prop::collection::btree_set(from..=max, 1..=most)
}

fn models() -> impl Strategy<Value = Model> {
    let month_day = prop_oneof![
        (1..=31_u8).prop_map(MonthDay::Day),
        (0..=30_u8).prop_map(MonthDay::BeforeLast),
        (1..=31_u8).prop_map(MonthDay::Nearest),
        (0..=30_u8).prop_map(MonthDay::NearestBeforeLast),
    ];
    let days = prop_oneof![
        2 => Just(Days::Every),
        3 => prop::collection::vec(month_day, 1..4).prop_map(Days::Month),
        2 => some(7, 1, 5).prop_map(Days::Week),
        1 => (1..=7_u8, 1..=5_u8).prop_map(|(day, nth)| Days::Nth(day, nth)),
        1 => (1..=7_u8).prop_map(Days::Last),
    ];
    let months = prop_oneof![2 => Just(BTreeSet::new()), 1 => some(12, 1, 6)];
    // Small hours more often: that is when clocks change.
    let hours = prop_oneof![some(23, 0, 3), some(3, 0, 3)];
    (some(59, 0, 2), some(59, 0, 3), hours, days, months).prop_map(|(seconds, minutes, hours, days, months)| Model {
        seconds,
        minutes,
        hours,
        days,
        months,
    })
}

proptest! {
    #[test]
    fn the_next_times_are_those_of_the_calendar(
        model in models(),
        zone in prop::sample::select(&ZONES[..]),
        dst in prop::sample::select(&[Dst::Quartz, Dst::RunMissing, Dst::First, Dst::Both][..]),
        year in 1990..2040_i16,
        second in 0..31_536_000_i64,
    ) {
        const DAYS: i64 = 430;
        let zone = TimeZone::get(zone).unwrap();
        let start = jiff::civil::date(year, 1, 1);
        let from = start.to_zoned(TimeZone::UTC).unwrap().timestamp() + jiff::SignedDuration::from_secs(second);
        let until = from + jiff::SignedDuration::from_hours(24 * (DAYS - 370));
        let expression = Expression::parse(&model.text()).unwrap();
        let inside = |at: &Timestamp| *at > from && *at <= until;
        let want: Vec<Timestamp> =
            model.all(&zone, dst, start.yesterday().unwrap(), DAYS).into_iter().filter(inside).collect();
        let got: Vec<Timestamp> = expression.slots(&zone, dst, from).take_while(|at| *at <= until).collect();
        prop_assert_eq!(&got, &want, "{} from {} in {:?}", expression, from, zone.iana_name());
        // Asking anew behind each is the same as going on.
        let mut at = from;
        for due in &want {
            at = expression.next_after(&zone, dst, at).unwrap();
            prop_assert_eq!(at, *due);
        }
    }
}
