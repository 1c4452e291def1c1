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
}

impl Calendar {
    /// The words in worker files.
    pub const NAMES: [&'static str; 2] = ["weekends", "target"];

    /// The word in worker files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weekends => "weekends",
            Self::Target => "target",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Weekends, Self::Target].into_iter().find(|calendar| calendar.as_str() == word)
    }

    /// Whether there is business on this day.
    pub fn is_open(self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && (self == Self::Weekends || !is_target_holiday(day))
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
        ] {
            assert_eq!(calendar.previous(day(date)), Some(day(before)), "{calendar:?} {date}");
        }
        assert_eq!(Calendar::Weekends.previous(Date::MIN), None);
    }

    #[test]
    fn easter_is_when_it_was() {
        for date in ["2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"] {
            assert_eq!(easter(day(date).year()), Some(day(date)));
        }
    }
}
