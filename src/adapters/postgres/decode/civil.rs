//! PostgreSQL's days and microseconds since 2000-01-01, in Unix terms and as text.

use std::fmt::Write;

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days from 1970-01-01 to 0001-01-01 and to 9999-12-31.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

/// Days since 1970-01-01.
///
/// # Errors
/// Says why, for infinity and for years that are not 1 to 9999.
pub(super) fn date(days: i32) -> Result<i32, String> {
    match days {
        i32::MAX => Err(outside("infinity")),
        i32::MIN => Err(outside("-infinity")),
        _ => match days.checked_add(EPOCH_DAYS) {
            Some(unix) if (FIRST_DAY..=LAST_DAY).contains(&unix) => Ok(unix),
            _ => Err(outside(&date_text(days))),
        },
    }
}

/// Microseconds since 1970-01-01.
///
/// # Errors
/// Says why, for infinity and for years that are not 1 to 9999.
pub(super) fn timestamp(micros: i64) -> Result<i64, String> {
    const FIRST: i64 = FIRST_DAY as i64 * MICROS_PER_DAY;
    const END: i64 = (LAST_DAY as i64 + 1) * MICROS_PER_DAY;
    match micros.checked_add(i64::from(EPOCH_DAYS) * MICROS_PER_DAY) {
        Some(unix) if (FIRST..END).contains(&unix) => Ok(unix),
        _ => Err(outside(&timestamp_text(micros, ""))),
    }
}

/// Nanoseconds since midnight.
///
/// # Errors
/// Says why, for `24:00:00`, which is no time of a day.
pub(super) fn time(micros: i64) -> Result<i64, String> {
    if (0..MICROS_PER_DAY).contains(&micros) {
        return Ok(micros * 1_000);
    }
    Err(format!("`{}` is not a time of the day; give NULL or a text for it in the view", time_text(micros)))
}

fn outside(value: &str) -> String {
    format!("`{value}` is not a date in the years 1 to 9999; give NULL or a text for it in the view")
}

/// `2026-11-21`, `0044-03-15 BC`, `infinity`.
pub(super) fn date_text(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        _ => civil(i64::from(days), ""),
    }
}

/// `2026-11-21 10:30:00.123456+00`, always with six digits, `zone` behind them.
pub(super) fn timestamp_text(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        _ => {
            let time = micros.rem_euclid(MICROS_PER_DAY);
            civil(micros.div_euclid(MICROS_PER_DAY), &format!(" {}{zone}", time_text(time)))
        }
    }
}

/// `10:30:00.123456`.
pub(super) fn time_text(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (minutes, fraction) = (seconds / 60, micros % 1_000_000);
    format!("{:02}:{:02}:{:02}.{fraction:06}", minutes / 60, minutes % 60, seconds % 60)
}

/// The date of a day since 2000-01-01 in the proleptic Gregorian calendar, with a time before its `BC`.
fn civil(days: i64, time: &str) -> String {
    // Years begin in March here, so that the leap day is the last of its year; eras are 400 years.
    let shifted = days + i64::from(EPOCH_DAYS) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let mut text = String::new();
    let shown = if year > 0 { year } else { 1 - year };
    // Writing to a string cannot fail.
    let _ = write!(text, "{shown:04}-{month:02}-{day:02}{time}{}", if year > 0 { "" } else { " BC" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_of_the_proleptic_gregorian_calendar() {
        assert_eq!(date_text(0), "2000-01-01");
        assert_eq!(date_text(-1), "1999-12-31");
        assert_eq!(date_text(59), "2000-02-29");
        assert_eq!(date_text(FIRST_DAY - EPOCH_DAYS), "0001-01-01");
        assert_eq!(date_text(FIRST_DAY - EPOCH_DAYS - 1), "0001-12-31 BC");
        assert_eq!(date_text(LAST_DAY - EPOCH_DAYS), "9999-12-31");
        assert_eq!(timestamp_text(-1, ""), "1999-12-31 23:59:59.999999");
    }

    #[test]
    fn only_years_1_to_9999_are_carried() {
        assert_eq!(date(0), Ok(EPOCH_DAYS));
        assert_eq!(timestamp(0), Ok(946_684_800_000_000));
        for bad in [i32::MAX, i32::MIN, FIRST_DAY - EPOCH_DAYS - 1, LAST_DAY - EPOCH_DAYS + 1] {
            assert!(date(bad).is_err(), "{bad}");
        }
        let end = i64::from(LAST_DAY - EPOCH_DAYS + 1) * MICROS_PER_DAY;
        assert!(timestamp(end - 1).is_ok());
        for bad in [i64::MAX, i64::MIN, end] {
            assert!(timestamp(bad).is_err(), "{bad}");
        }
    }
}
