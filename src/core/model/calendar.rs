//! Which days are business days.

use jiff::civil::{Date, Weekday};

/// Days on which there is no business.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Calendar {
    /// Saturdays and Sundays.
    #[default]
    Weekends,
    /// Weekends, and the closing days of the European Central Bank's TARGET: New Year's Day, Good Friday, Easter Monday, 1 May,
    /// 25 and 26 December.
    Target,
    /// Weekends, and the federal holidays of the United States, each on the day on which it is observed (5 U.S.C. 6103).
    UsFederal,
}

impl Calendar {
    /// The words in worker files.
    pub const NAMES: [&'static str; 3] = ["weekends", "target", "us-federal"];

    const ALL: [Self; 3] = [Self::Weekends, Self::Target, Self::UsFederal];

    /// The word in worker files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weekends => "weekends",
            Self::Target => "target",
            Self::UsFederal => "us-federal",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|calendar| calendar.as_str() == word)
    }

    /// Whether there is business on this day.
    pub fn is_open(self, day: Date) -> bool {
        let holiday = match self {
            Self::Weekends => false,
            Self::Target => is_target_holiday(day),
            Self::UsFederal => is_federal_holiday(day),
        };
        !holiday && !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// The last business day before this one. `None` before the first day that a date can be.
    pub fn previous(self, day: Date) -> Option<Date> {
        let mut day = day.yesterday().ok()?;
        while !self.is_open(day) {
            day = day.yesterday().ok()?;
        }
        Some(day)
    }
}

fn is_target_holiday(day: Date) -> bool {
    let easter = easter(day.year());
    let is_beside_easter = easter.is_some_and(|easter| {
        let since = day.day_of_year() - easter.day_of_year();
        since == -2 || since == 1
    });
    is_beside_easter || matches!((day.month(), day.day()), (1 | 5, 1) | (12, 25 | 26))
}

/// Whether a workday is one on which a federal holiday of the United States is observed: a holiday on a Saturday is the Friday
/// before, one on a Sunday the Monday behind.
fn is_federal_holiday(day: Date) -> bool {
    match day.weekday() {
        Weekday::Friday if day.tomorrow().is_ok_and(is_fixed_holiday) => true,
        Weekday::Monday if day.yesterday().is_ok_and(is_fixed_holiday) || is_monday_holiday(day) => true,
        // Thanksgiving is November's fourth Thursday.
        Weekday::Thursday if day.month() == 11 && (22..=28).contains(&day.day()) => true,
        _ => is_fixed_holiday(day),
    }
}

/// New Year's Day, Juneteenth (since 2021), Independence Day, Veterans Day, Christmas Day.
fn is_fixed_holiday(day: Date) -> bool {
    match (day.month(), day.day()) {
        (1, 1) | (7, 4) | (11, 11) | (12, 25) => true,
        (6, 19) => day.year() >= 2021,
        _ => false,
    }
}

/// Martin Luther King's birthday, Washington's birthday, Memorial Day, Labor Day, Columbus Day. `day` is a Monday.
fn is_monday_holiday(day: Date) -> bool {
    match (day.month(), (day.day() - 1) / 7 + 1) {
        (1 | 2, 3) | (9, 1) | (10, 2) => true,
        (5, _) => day.day() > 24,
        _ => false,
    }
}

/// Easter Sunday of the Gregorian calendar (Meeus, "Astronomical Algorithms", chapter 8).
fn easter(year: i16) -> Option<Date> {
    let full = i32::from(year);
    let (golden, century, of_century) = (full % 19, full / 100, full % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let moon = (19 * golden + century - century / 4 - correction + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - moon - of_century % 4) % 7;
    let late = (golden + 11 * moon + 22 * sunday) / 451;
    let days = moon + sunday - 7 * late + 114;
    Date::new(year, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_before_is_a_business_day() {
        for (calendar, date, before) in [
            (Calendar::Weekends, "2026-11-24", "2026-11-23"),
            (Calendar::Weekends, "2026-11-23", "2026-11-20"),
            (Calendar::Weekends, "2026-11-22", "2026-11-20"),
            (Calendar::Weekends, "2026-01-02", "2026-01-01"),
            (Calendar::Target, "2026-01-02", "2025-12-31"),
            (Calendar::Target, "2026-04-07", "2026-04-02"),
            (Calendar::Target, "2025-12-29", "2025-12-24"),
            (Calendar::Target, "2026-05-04", "2026-04-30"),
            (Calendar::UsFederal, "2026-07-06", "2026-07-02"),
            (Calendar::UsFederal, "2022-01-03", "2021-12-30"),
            (Calendar::UsFederal, "2023-01-03", "2022-12-30"),
        ] {
            assert_eq!(calendar.previous(day(date)), Some(day(before)), "{calendar:?} {date}");
        }
        assert_eq!(Calendar::Weekends.previous(Date::MIN), None);
    }

    #[test]
    fn federal_holidays_are_those_of_the_schedule() {
        // As the Office of Personnel Management lists them for 2026 and 2027.
        let years = [
            (2026, "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"),
            (2027, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"),
        ];
        for (year, days) in years {
            let holiday = |day: &Date| Calendar::Weekends.is_open(*day) && !Calendar::UsFederal.is_open(*day);
            let all = Date::constant(year, 1, 1).series(jiff::Span::new().days(1)).take_while(|day| day.year() == year);
            let found: Vec<String> = all.filter(holiday).map(|day| day.strftime("%m-%d").to_string()).collect();
            assert_eq!(found.join(" "), days, "{year}");
        }
    }

    #[test]
    fn easter_is_when_it_was() {
        for date in ["2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"] {
            assert_eq!(easter(day(date).year()), Some(day(date)));
        }
    }
}
