//! The proleptic Gregorian calendar as whole numbers: days since 1970-01-01 and year, month, day. Two forms that cost a few
//! nanoseconds, for values by the million.

/// Days since 1970-01-01 of a day; a day of the month beyond its last counts on into the next.
///
/// Years begin in March here, so that the leap day is the last of its year; cycles are 400 years (Howard Hinnant,
/// "chrono-compatible low-level date algorithms").
#[inline]
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (cycle, year_of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}

/// Year, month and day so many days after 1970-01-01: [`days`] the other way.
#[inline]
pub fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (cycle, of_cycle) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_cycle + cycle * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Span;
    use jiff::civil::Date;

    #[test]
    fn a_day_is_what_a_calendar_says() {
        let epoch = Date::constant(1970, 1, 1);
        let (first, last) = (days(-9999, 1, 1), days(9999, 12, 31));
        let leap_years = (days(1895, 1, 1)..days(1905, 1, 1)).chain(days(1995, 1, 1)..days(2005, 1, 1));
        for count in (first..=last).step_by(29).chain(leap_years).chain([last]) {
            let day = epoch.checked_add(Span::new().days(count)).unwrap();
            let parts = (i64::from(day.year()), i64::from(day.month()), i64::from(day.day()));
            assert_eq!((date(count), days(parts.0, parts.1, parts.2)), (parts, count));
        }
        assert_eq!((days(1, 1, 1), last), (-719_162, 2_932_896));
    }
}
