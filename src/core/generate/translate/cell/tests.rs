//! What one value looks like: every kind, every option, every refusal.

use crate::core::generate::spec::{Case, ColumnSpec, FileSpec, Quote, TranslatorSpec, Trim};
use crate::core::generate::translate::fixtures::*;
use crate::core::generate::translate::{FileTranslator, Registry};
use crate::core::model::column::Kind;
use std::collections::BTreeMap;

fn spec(column: ColumnSpec) -> FileSpec {
    file(TranslatorSpec::Delimited(delimited("|", Quote::Never, vec![column])))
}

fn written(column: ColumnSpec, given: Given) -> Result<String, String> {
    let text = text(&spec(column), &[given]).map_err(|error| error.reason)?;
    Ok(text.strip_suffix('\n').unwrap().to_owned())
}

#[test]
fn every_kind_has_its_default_text() {
    let expected = [
        "true",
        "-42",
        "0.1",
        "-12.50",
        "3.140",
        "Ann",
        "0b0e4a2e-7c1c-4e0e-9a3b-0a1b2c3d4e5f",
        r#"{"a": 1.10}"#,
        "00ff",
        "2026-11-21",
        "10:30:00",
        "2026-11-21T10:30:00.123",
        "2026-11-21T10:30:00Z",
        "2026-11-21T10:30:00.1234567+01:00",
    ];
    for (given, expected) in every_kind().into_iter().zip(expected) {
        assert_eq!(written(column(given.0), given).as_deref(), Ok(expected));
    }
}

#[test]
fn floats_that_are_no_numbers_are_refused_in_every_form() {
    for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
        for spec in [column("float"), formatted("float", "0.00")] {
            let error = written(spec, floats("float", &[Some(value)])).unwrap_err();
            assert!(error.contains(&format!("`float` holds \"{word}\"")), "{error}");
        }
    }
}

#[test]
fn every_kind_takes_the_formats_that_fit_it() {
    for (name, format, expected) in [
        ("bool", "Y/N", "Y"),
        ("int", "+0000", "-0042"),
        ("float", "0.00", "0.10"),
        ("decimal", "#,##0.0", "-12.5"),
        ("number", "0.00", "3.14"),
        ("date", "%d.%m.%Y", "21.11.2026"),
        ("time", "%H%M", "1030"),
        ("timestamp", "%Y%m%d%H%M%S", "20261121103000"),
        ("instant", "%H:%M%z", "10:30+0000"),
        ("stamp", "%Y-%m-%d %H:%M", "2026-11-21 10:30"),
        ("date", "%d %b %y", "21 Nov 26"),
    ] {
        let given = every_kind().into_iter().find(|given| given.0 == name).unwrap();
        assert_eq!(written(formatted(name, format), given).as_deref(), Ok(expected), "{name} {format}");
    }
}

#[test]
fn text_takes_the_formats_of_what_it_holds() {
    let cell = |format, text| written(formatted("text", format), texts("text", Kind::Text, &[Some(text)]));
    assert_eq!(cell("%Y%m%d", "2026-11-21").as_deref(), Ok("20261121"));
    assert_eq!(cell("%Y%m%d%H", "2026-11-21 10:30:00").as_deref(), Ok("2026112110"));
    assert_eq!(cell("0.00", "12.345").as_deref(), Ok("12.35"));
    assert!(cell("%Y%m%d", "21.11.2026").unwrap_err().contains("\"21.11.2026\""));
    assert!(cell("0.00", "1e5").unwrap_err().contains("\"1e5\""));
    assert!(cell("0.00", &"x".repeat(500)).unwrap_err().len() < 200);
}

#[test]
fn a_format_that_fits_no_value_of_its_column_is_refused_before_the_first_row() {
    for (name, format) in [
        ("date", "0.00"),
        ("int", "%Y"),
        ("text", "Y/N"),
        ("bool", "0"),
        ("time", "%Y"),
        ("timestamp", "%z"),
        ("bytes", "%Y"),
        ("uuid", "0"),
        ("int", "YES"),
        ("int", "0#"),
        ("date", "%!"),
    ] {
        let given = every_kind().into_iter().find(|given| given.0 == name).unwrap();
        let refused = refusal(&spec(formatted(name, format)), &[given]);
        assert!(refused.row.is_none() && refused.reason.contains(&format!("`{name}`")), "{format}: {refused}");
    }
}

#[test]
fn trim_comes_first_then_case() {
    let with = |case, trim, text| {
        written(ColumnSpec { case, trim, ..column("text") }, texts("text", Kind::Text, &[Some(text)])).unwrap()
    };
    assert_eq!(with(None, Trim::Left, "  a  "), "a  ");
    assert_eq!(with(None, Trim::Right, "  a  "), "  a");
    assert_eq!(with(Some(Case::Upper), Trim::Both, " straße "), "STRASSE");
    assert_eq!(with(Some(Case::Lower), Trim::None, "ÉCOLE"), "école");
    let upper = |name| {
        let given = every_kind().into_iter().find(|given| given.0 == name).unwrap();
        written(ColumnSpec { case: Some(Case::Upper), ..column(name) }, given).unwrap()
    };
    assert_eq!(upper("bytes"), "00FF");
    assert_eq!(upper("bool"), "TRUE");
    let format = ColumnSpec { case: Some(Case::Upper), ..formatted("date", "%d%b%Y") };
    assert_eq!(written(format, dates("date", &[Some(20_778)])).as_deref(), Ok("21NOV2026"));
}

#[test]
fn a_value_outside_the_calendar_is_an_error_with_its_row() {
    let refused = refusal(&spec(column("date")), &[dates("date", &[Some(0), Some(i32::MAX)])]);
    assert_eq!(refused.row, Some(1));
    assert!(refused.reason.contains("`date`"), "{refused}");
}

#[test]
fn an_array_of_another_type_than_announced_is_an_error() {
    let (name, _, array) = ints("text", &[Some(1)]);
    let mut translator = FileTranslator::new(&spec(column(name)), &Registry::default()).unwrap();
    let announced = columns(&[texts("text", Kind::Text, &[])]);
    translator.bind(&announced, None, &BTreeMap::default()).unwrap();
    let refused = translator.translate(&page(&[(name, Kind::Int, array)]), Vec::new()).unwrap_err();
    assert!(refused.reason.contains("another type"), "{refused}");
}

/// The value of `every_kind` in that column, as a file with a zone writes it.
fn in_zone(column: ColumnSpec, zone: &str, given: Given) -> String {
    let spec = FileSpec { zone: Some(zone.to_owned()), ..spec(column) };
    let text = text(&spec, &[given]).unwrap();
    text.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn instants_are_written_on_the_clock_of_the_files_zone_and_nothing_else_is() {
    let of = |name: &str| every_kind().into_iter().find(|given| given.0 == name).unwrap();
    for (name, zone, expected) in [
        ("instant", "Europe/Berlin", "2026-11-21T11:30:00+01:00"),
        ("instant", "America/St_Johns", "2026-11-21T07:00:00-03:30"),
        ("instant", "Europe/London", "2026-11-21T10:30:00+00:00"),
        ("instant", "UTC", "2026-11-21T10:30:00Z"),
        ("stamp", "America/New_York", "2026-11-21T04:30:00.1234567-05:00"),
        ("stamp", "UTC", "2026-11-21T09:30:00.1234567Z"),
        ("timestamp", "Asia/Tokyo", "2026-11-21T10:30:00.123"),
        ("date", "Asia/Tokyo", "2026-11-21"),
        ("time", "Asia/Tokyo", "10:30:00"),
        ("int", "Asia/Tokyo", "-42"),
    ] {
        assert_eq!(in_zone(column(name), zone, of(name)), expected, "{name} {zone}");
    }
    let bare = texts("stamp", Kind::TimestampText, &[Some("2026-11-21T10:30:00.5")]);
    assert_eq!(in_zone(column("stamp"), "Asia/Tokyo", bare), "2026-11-21T10:30:00.5", "no instant");
}

#[test]
fn the_date_is_the_zones_also_in_a_format_and_across_a_change_of_clocks() {
    let at = |micros: i64| {
        let array = arrow_array::TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC");
        ("at", Kind::Timestamp { digits: 0, utc: true }, std::sync::Arc::new(array) as arrow_array::ArrayRef)
    };
    let day = |micros| in_zone(formatted("at", "%Y%m%d %H:%M"), "America/New_York", at(micros));
    // 2026-11-22 04:30 in UTC is 23:30 of the day before; an hour of the night of 2026-11-01 comes twice.
    assert_eq!(day(1_795_321_800_000_000), "20261121 23:30");
    assert_eq!(day(1_793_511_000_000_000), "20261101 01:30");
    assert_eq!(day(1_793_514_600_000_000), "20261101 01:30");
    // The last instants of the calendar, which many a system writes for "without an end".
    assert_eq!(day(253_402_300_799_999_999), "99991231 18:59");
    let end = texts("stamp", Kind::TimestampText, &[Some("9999-12-31T23:59:59-05:00")]);
    assert_eq!(in_zone(column("stamp"), "America/New_York", end), "9999-12-31T23:59:59-05:00");
    assert_eq!(in_zone(column("at"), "America/New_York", at(253_402_207_200_000_000)), "9999-12-30T17:00:00-05:00");
    assert_eq!(in_zone(column("at"), "America/New_York", at(-2_900_000_000_000_000)), "1878-02-06T23:30:38-04:56:02");
}

#[test]
fn an_instant_whose_local_year_is_10000_is_refused() {
    let end = texts("stamp", Kind::TimestampText, &[Some("9999-12-31T23:59:59Z")]);
    let spec = FileSpec { zone: Some("Asia/Tokyo".to_owned()), ..spec(column("stamp")) };
    assert_eq!(refusal(&spec, &[end]).row, Some(0));
}
