//! An expression in its parts: what it says, and how people may write that.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};
use proptest::prelude::*;
use std::collections::BTreeSet;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// First and last year of what is drawn.
const YEARS: (u16, u16) = (1990, 2095);

/// An element of a field.
#[derive(Clone, Copy, Debug)]
enum Element {
    All,
    AllBy(u16),
    One(u16),
    /// From one value to the highest.
    FromBy(u16, u16),
    /// Goes on at the lowest value where it ends before it begins.
    Range(u16, u16),
    RangeBy(u16, u16, u16),
}

#[derive(Clone, Copy, Debug)]
enum MonthDay {
    Plain(Element),
    BeforeLast(u8),
    Nearest(u8),
    NearestBeforeLast(u8),
}

#[derive(Clone, Debug)]
enum Days {
    Month(Vec<MonthDay>),
    Week(Vec<Element>),
    Nth(u16, u8),
    Last(u16),
}

/// How names are written.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Style {
    Numbers,
    Short,
    Whole,
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) struct Model {
    fields: [Vec<Element>; 3],
    /// Seconds, minutes and hours.
    times: [BTreeSet<u16>; 3],
    days: Days,
    weekdays: BTreeSet<u16>,
    months: (Vec<Element>, BTreeSet<u16>),
    years: Option<(Vec<Element>, BTreeSet<u16>)>,
    style: Style,
    is_small: bool,
    gap: &'static str,
}

impl Element {
    /// By going round, one value at a time.
    fn values(self, (min, max): (u16, u16)) -> BTreeSet<u16> {
        let (first, last, step) = match self {
            Self::All => (min, max, 1),
            Self::AllBy(step) => (min, max, step),
            Self::One(value) => (value, value, 1),
            Self::FromBy(value, step) => (value, max, step),
            Self::Range(first, last) => (first, last, 1),
            Self::RangeBy(first, last, step) => (first, last, step),
        };
        let (mut value, mut passed, mut values) = (first, 0, BTreeSet::new());
        loop {
            if passed % step == 0 {
                values.insert(value);
            }
            if value == last {
                return values;
            }
            value = if value == max { min } else { value + 1 };
            passed += 1;
        }
    }

    fn text(self, name: &dyn Fn(u16) -> String) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::AllBy(step) => format!("*/{step}"),
            Self::One(value) => name(value),
            Self::FromBy(value, step) => format!("{value}/{step}"),
            Self::Range(first, last) => format!("{}-{}", name(first), name(last)),
            Self::RangeBy(first, last, step) => format!("{first}-{last}/{step}"),
        }
    }
}

fn values(elements: &[Element], bounds: (u16, u16)) -> BTreeSet<u16> {
    elements.iter().flat_map(|element| element.values(bounds)).collect()
}

fn list(elements: &[Element], name: &dyn Fn(u16) -> String) -> String {
    elements.iter().map(|element| element.text(name)).collect::<Vec<_>>().join(",")
}

impl Model {
    pub(super) fn text(&self) -> String {
        let number = |value: u16| value.to_string();
        let named = |names: &'static [&'static str]| {
            move |value: u16| match self.style {
                Style::Numbers => value.to_string(),
                Style::Short => names[usize::from(value) - 1][..3].to_owned(),
                Style::Whole => names[usize::from(value) - 1].to_owned(),
            }
        };
        let weekday = named(&WEEKDAYS);
        let (day, week) = match &self.days {
            Days::Month(days) => {
                let text = |day: &MonthDay| match day {
                    MonthDay::Plain(element) => element.text(&number),
                    MonthDay::BeforeLast(0) => "L".to_owned(),
                    MonthDay::BeforeLast(days) => format!("L-{days}"),
                    MonthDay::Nearest(day) => format!("{day}W"),
                    MonthDay::NearestBeforeLast(0) => "LW".to_owned(),
                    MonthDay::NearestBeforeLast(days) => format!("L-{days}W"),
                };
                (days.iter().map(text).collect::<Vec<_>>().join(","), "?".to_owned())
            }
            Days::Week(days) => ("?".to_owned(), list(days, &weekday)),
            Days::Nth(day, nth) => ("?".to_owned(), format!("{}#{nth}", weekday(*day))),
            Days::Last(day) => ("?".to_owned(), format!("{}L", weekday(*day))),
        };
        let [seconds, minutes, hours] = self.fields.each_ref().map(|field| list(field, &number));
        let months = list(&self.months.0, &named(&MONTHS));
        let years = self.years.as_ref().map(|(years, _)| list(years, &number));
        let fields = [seconds, minutes, hours, day, months, week].into_iter().chain(years);
        let text = fields.collect::<Vec<_>>().join(self.gap);
        if self.is_small { text.to_lowercase() } else { text }
    }

    /// Whether a day is named.
    pub(super) fn names(&self, date: Date) -> bool {
        let (year, month) = (date.year().cast_unsigned(), u16::from(date.month().cast_unsigned()));
        if !self.months.1.contains(&month) || self.years.as_ref().is_some_and(|(_, years)| !years.contains(&year)) {
            return false;
        }
        match &self.days {
            Days::Month(days) => days.iter().any(|day| day.is(date)),
            Days::Week(_) => self.weekdays.contains(&u16::from(date.weekday().to_sunday_one_offset().cast_unsigned())),
            Days::Nth(day, nth) => date.nth_weekday_of_month(nth.cast_signed(), weekday(*day)).ok() == Some(date),
            Days::Last(day) => date.nth_weekday_of_month(-1, weekday(*day)).ok() == Some(date),
        }
    }

    /// The times of a day, in order.
    pub(super) fn times(&self) -> impl Iterator<Item = (i8, i8, i8)> {
        let [seconds, minutes, hours] = &self.times;
        let small = |value: &u16| i8::try_from(*value).unwrap();
        hours.iter().flat_map(move |hour| {
            let of_minute = move |minute| seconds.iter().map(move |second| (small(hour), small(minute), small(second)));
            minutes.iter().flat_map(of_minute)
        })
    }
}

fn weekday(day: u16) -> Weekday {
    Weekday::from_sunday_one_offset(i8::try_from(day).unwrap()).unwrap()
}

impl MonthDay {
    /// Whether that day of its month is this.
    fn is(self, date: Date) -> bool {
        let day = |day: u8| date.with().day(day.cast_signed()).build().ok();
        let before = |days: u8| {
            date.last_of_month().checked_sub(Span::new().days(days)).ok().filter(|it| it.month() == date.month())
        };
        let found = match self {
            Self::Plain(element) => {
                return element.values((1, 31)).contains(&u16::from(date.day().cast_unsigned()));
            }
            Self::BeforeLast(days) => before(days),
            Self::Nearest(number) => day(number).map(nearest),
            Self::NearestBeforeLast(days) => before(days).map(nearest),
        };
        found == Some(date)
    }
}

/// The workday of the same month that is nearest to a day.
fn nearest(date: Date) -> Date {
    let workday = |date: &Date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    let near = [0, -1, 1, -2, 2].into_iter().filter_map(|days: i64| date.checked_add(days.days()).ok());
    near.filter(|near| near.month() == date.month()).find(workday).unwrap()
}

/// Elements of a field whose largest step is `step`. Of years, none goes round.
fn element((min, max): (u16, u16), step: u16) -> impl Strategy<Value = Element> {
    let (value, step) = (min..=max, 1..=step);
    let in_order = move |first: u16, last: u16| {
        if max > 100 { (first.min(last), first.max(last)) } else { (first, last) }
    };
    prop_oneof![
        1 => Just(Element::All),
        1 => step.clone().prop_map(Element::AllBy),
        5 => value.clone().prop_map(Element::One),
        1 => (value.clone(), step.clone()).prop_map(|(from, step)| Element::FromBy(from, step)),
        2 => (value.clone(), value.clone()).prop_map(move |(first, last)| {
            let (first, last) = in_order(first, last);
            Element::Range(first, last)
        }),
        1 => (value.clone(), value, step).prop_map(move |(first, last, step)| {
            let (first, last) = in_order(first, last);
            Element::RangeBy(first, last, step)
        }),
    ]
}

fn field(bounds: (u16, u16), step: u16) -> impl Strategy<Value = Vec<Element>> {
    prop::collection::vec(element(bounds, step), 1..=3)
}

fn days() -> impl Strategy<Value = Days> {
    let month_day = prop_oneof![
        3 => element((1, 31), 31).prop_map(MonthDay::Plain),
        1 => (0..=30_u8).prop_map(MonthDay::BeforeLast),
        1 => (1..=31_u8).prop_map(MonthDay::Nearest),
        1 => (0..=30_u8).prop_map(MonthDay::NearestBeforeLast),
    ];
    prop_oneof![
        3 => prop::collection::vec(month_day, 1..4).prop_map(Days::Month),
        2 => field((1, 7), 7).prop_map(Days::Week),
        1 => (1..=7_u16, 1..=5_u8).prop_map(|(day, nth)| Days::Nth(day, nth)),
        1 => (1..=7_u16).prop_map(Days::Last),
    ]
}

/// Expressions of all kinds.
pub(super) fn models() -> impl Strategy<Value = Model> {
    // Small hours more often: that is when clocks change.
    let small = prop::collection::vec((0..=3_u16).prop_map(Element::One), 1..=3);
    let hours = prop_oneof![field((0, 23), 23), small];
    let months = prop_oneof![Just(vec![Element::All]), field((1, 12), 12)];
    let years = prop::option::weighted(0.3, field(YEARS, 99));
    let style = prop::sample::select(&[Style::Numbers, Style::Short, Style::Whole][..]);
    let look = (style, any::<bool>(), prop::sample::select(&[" ", "  ", "\t"][..]));
    // A time or two a day more often: then the times of a case are those of many days.
    let sparse = || prop_oneof![2 => (0..=59_u16).prop_map(|at| vec![Element::One(at)]), 1 => field((0, 59), 59)];
    let fields = (sparse(), sparse(), hours);
    (fields, days(), months, years, look).prop_map(|((seconds, minutes, hours), days, months, years, look)| {
        let (style, is_small, gap) = look;
        let times = [values(&seconds, (0, 59)), values(&minutes, (0, 59)), values(&hours, (0, 23))];
        let weekdays = match &days {
            Days::Week(days) => values(days, (1, 7)),
            _ => BTreeSet::new(),
        };
        let (named_months, named_years) = (values(&months, (1, 12)), years.as_ref().map(|it| values(it, (1970, 2199))));
        Model {
            fields: [seconds, minutes, hours],
            times,
            days,
            weekdays,
            months: (months, named_months),
            years: years.zip(named_years),
            style,
            is_small,
            gap,
        }
    })
}
