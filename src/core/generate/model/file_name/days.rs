//! The days on which names are compared, so that two files that would have one name on some day are found before it comes.

use super::{FileName, Part};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Days of a leap year: each form of a date has all its texts on them, but for the years.
const YEAR: usize = 366;

/// More years than this are no years.
const YEARS_MAX: usize = 8;

/// The days that tell about all days: one where every date stands in the names as eight digits, else those of a leap year and of
/// each year that a name holds as a fixed text, as in `2026{date:%m%d}.txt`; and each day that a name itself holds as a fixed text, as
/// in `loan0_20261121.txt`.
pub fn days_to_compare<'a>(names: impl IntoIterator<Item = &'a FileName>) -> Vec<Date> {
    let (mut plain, mut written, mut years) = (true, BTreeSet::new(), BTreeSet::new());
    for part in names.into_iter().flat_map(|name| &name.parts) {
        match part {
            Part::DayAs(_) => plain = false,
            Part::Text(text) => {
                written.extend(days_in(text));
                years.extend(years_in(text));
            }
            Part::Worker | Part::Id | Part::Day => {}
        }
    }
    if !plain {
        written.extend(years.into_iter().take(YEARS_MAX).flat_map(days_of));
    }
    days(if plain { 1 } else { YEAR }).chain(written).collect()
}

/// The days of a year.
fn days_of(year: i16) -> impl Iterator<Item = Date> {
    let first = Date::new(year, 1, 1).ok();
    std::iter::successors(first, |day| day.tomorrow().ok()).take_while(move |day| day.year() == year)
}

/// The years of this and the last century in a text.
fn years_in(text: &str) -> impl Iterator<Item = i16> {
    let bytes = text.as_bytes();
    let digits = bytes.windows(4).filter(|four| four.iter().all(u8::is_ascii_digit));
    let years = digits.filter_map(|four| std::str::from_utf8(four).ok()?.parse().ok());
    years.filter(|year| (1900..2100).contains(year))
}

/// The first `count` days from the start of a leap year.
pub(super) fn days(count: usize) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(Date::constant(2024, 1, 1)), |day| day.tomorrow().ok()).take(count)
}

/// The days in a text: `20261121`, or with one same mark between year, month and day.
fn days_in(text: &str) -> impl Iterator<Item = Date> {
    let bytes = text.as_bytes();
    (0..bytes.len()).filter_map(|at| {
        let rest = bytes.get(at..)?;
        let mark = rest.get(4).filter(|mark| !mark.is_ascii_digit());
        let (month, day) = if mark.is_some() { (5, 8) } else { (4, 6) };
        if mark.is_some() && rest.get(7) != mark {
            return None;
        }
        let number =
            |from: usize, count: usize| std::str::from_utf8(rest.get(from..from + count)?).ok()?.parse::<i16>().ok();
        let small = |from| number(from, 2).and_then(|number| i8::try_from(number).ok());
        Date::new(number(0, 4)?, small(month)?, small(day)?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_a_fixed_text_is_compared_too() {
        for (text, days) in [
            ("a_20261121.csv", "2026-11-21"),
            ("2026-11-21/a", "2026-11-21"),
            ("é2026.11.21", "2026-11-21"),
            ("a_20261321.csv", ""),
            ("2026-11_21", ""),
            ("a_2026112", ""),
            ("+123-1-21", ""),
            ("20240229_20230229", "2024-02-29"),
        ] {
            let found: Vec<String> = days_in(text).map(|day| day.to_string()).collect();
            assert_eq!(found.join(" "), days, "{text}");
        }
        let names = ["a_{date}.csv", "b_20261121.csv"].map(|name| FileName::parse(name).unwrap());
        assert_eq!(days_to_compare(&names), [Date::constant(2024, 1, 1), Date::constant(2026, 11, 21)]);
        let forms = FileName::parse("a_{date:%d}.csv").unwrap();
        assert_eq!(days_to_compare([&forms]).len(), YEAR);
        let year = FileName::parse("2026{date:%m%d}/a.csv").unwrap();
        let days = days_to_compare([&year]);
        assert!(days.contains(&Date::constant(2026, 11, 21)) && days.len() == YEAR + 365, "{}", days.len());
    }
}
