//! ISO and strftime forms against jiff, which reads them back.

use super::*;
use proptest::prelude::*;

fn iso(moment: Moment, digits: u8) -> String {
    let mut out = Vec::new();
    moment.push_iso(digits, &mut out);
    String::from_utf8(out).unwrap()
}

fn formatted(format: &str, moment: Moment) -> Result<String, String> {
    let mut out = Vec::new();
    DateFormat::parse(format)?.push(&moment, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn iso_forms_have_the_digits_of_their_type() {
    let micros = 1_795_257_000_123_456;
    let of = |digits, utc| iso(Moment::from_micros(micros, utc).unwrap(), digits);
    assert_eq!(of(6, false), "2026-11-21T10:30:00.123456");
    assert_eq!(of(3, true), "2026-11-21T10:30:00.123Z");
    assert_eq!(of(0, false), "2026-11-21T10:30:00");
    assert_eq!(iso(Moment::from_days(20_778).unwrap(), 0), "2026-11-21");
    assert_eq!(iso(Moment::from_nanos_of_day(86_399_999_999_999).unwrap(), 9), "23:59:59.999999999");
    assert_eq!(iso(Moment::from_nanos_of_day(NANOS_OF_DAY).unwrap(), 0), "24:00:00");
}

#[test]
fn a_negative_timestamp_is_before_1970() {
    assert_eq!(iso(Moment::from_micros(-1, false).unwrap(), 6), "1969-12-31T23:59:59.999999");
}

#[test]
fn dates_outside_four_digit_years_are_refused() {
    assert_eq!(iso(Moment::from_days(-719_162).unwrap(), 0), "0001-01-01");
    assert_eq!(iso(Moment::from_days(2_932_896).unwrap(), 0), "9999-12-31");
    for days in [-719_163, 2_932_897, i32::MIN, i32::MAX] {
        assert!(Moment::from_days(days).is_err(), "{days}");
    }
    for micros in [i64::MIN, i64::MAX] {
        assert!(Moment::from_micros(micros, false).is_err());
    }
    assert!(Moment::from_nanos_of_day(-1).is_err() && Moment::from_nanos_of_day(NANOS_OF_DAY + 1).is_err());
}

#[test]
fn formats_by_hand_and_by_strftime() {
    let moment = Moment::parse("0987-03-05 07:08:09.25").unwrap();
    for (format, text) in [
        ("%Y%m%d", "09870305"),
        ("%d.%m.%y", "05.03.87"),
        ("%FT%T", "0987-03-05T07:08:09"),
        ("%j", "064"),
        ("%d %b %Y", "05 Mar 0987"),
        ("%H%M%S%3f", "070809250"),
        ("100%%%Y", "100%0987"),
    ] {
        assert_eq!(formatted(format, moment).as_deref(), Ok(text), "{format}");
    }
}

#[test]
fn a_date_counts_as_midnight_but_a_time_has_no_date() {
    assert_eq!(formatted("%Y%m%d%H%M%S", Moment::from_days(0).unwrap()).as_deref(), Ok("19700101000000"));
    assert!(DateFormat::parse("%Y").unwrap().check(Kind::Time { digits: 0 }).is_err());
    assert!(DateFormat::parse("%a %Y").unwrap().check(Kind::Time { digits: 0 }).is_err());
    assert!(DateFormat::parse("%H:%M").unwrap().check(Kind::Time { digits: 0 }).is_ok());
}

#[test]
fn only_an_instant_has_an_offset() {
    let format = DateFormat::parse("%H:%M%z").unwrap();
    assert!(format.check(Kind::Timestamp { digits: 0, utc: false }).is_err());
    assert!(format.check(Kind::Timestamp { digits: 0, utc: true }).is_ok());
    assert!(format.check(Kind::Int).is_err());
    let offset = Moment::parse("2026-11-21T10:30:00+05:30").unwrap();
    assert_eq!(formatted("%H:%M%z", offset).as_deref(), Ok("10:30+0530"));
}

#[test]
fn a_format_that_strftime_does_not_have_is_refused() {
    for format in ["%", "%Y%", "%!", "%É"] {
        let error = DateFormat::parse(format).unwrap_err();
        assert!(error.contains(format), "{error}");
    }
}

#[test]
fn text_that_is_no_date_is_named() {
    for text in ["", "21.11.2026", "2026-02-30", "2026-11-21T25:00", "-000044-03-15", "yesterday"] {
        let error = Moment::parse(text).unwrap_err();
        assert!(error.contains(&format!("{text:?}")), "{error}");
    }
}

proptest! {
    #[test]
    fn every_day_is_the_day_that_jiff_says(days in -719_162..=2_932_896_i32) {
        let expected = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        let moment = Moment::from_days(days).unwrap();
        prop_assert_eq!(iso(moment, 0), expected.to_string());
        prop_assert_eq!(formatted("%Y%m%d", moment).unwrap(), expected.strftime("%Y%m%d").to_string());
    }

    #[test]
    fn every_timestamp_is_the_one_that_jiff_says(micros in -62_135_596_800_000_000..=253_402_300_799_999_999_i64) {
        let expected = Timestamp::from_microsecond(micros);
        prop_assume!(expected.is_ok());
        let moment = Moment::from_micros(micros, true).unwrap();
        prop_assert_eq!(format!("{:.6}", expected.unwrap()), iso(moment, 6));
        prop_assert_eq!(Moment::parse(&iso(moment, 6)).unwrap(), moment);
    }
}
