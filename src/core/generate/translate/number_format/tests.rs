//! The format against examples and against an independent, simple implementation on big integers.

use super::*;
use proptest::prelude::*;

fn formatted(format: &str, number: &str) -> String {
    let mut out = Vec::new();
    NumberFormat::parse(format).unwrap().push(Digits::parse(number.as_bytes()).unwrap(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn examples() {
    for (format, number, text) in [
        ("0.00", "12.5", "12.50"),
        ("0.00", "0", "0.00"),
        ("0.00", "-0.005", "-0.01"),
        ("0.00", "-0.004", "0.00"),
        ("0.00", "2.675", "2.68"),
        ("0.00", "99.995", "100.00"),
        ("0.0", ".95", "1.0"),
        ("0", "0.5", "1"),
        ("0", "-1.5", "-2"),
        ("0", "1.4999", "1"),
        ("#,##0.00", "1234567.891", "1,234,567.89"),
        ("#,##0.00", "-999999.999", "-1,000,000.00"),
        ("#,##0", "12", "12"),
        ("0,000", "7", "0,007"),
        ("+0000", "12", "+0012"),
        ("+0000", "-12", "-0012"),
        ("+0", "-0.2", "+0"),
        ("0000", "-12", "-0012"),
        ("0000", "123456", "123456"),
        ("0.00-", "-3", "3.00-"),
        ("0.00-", "3", "3.00"),
        ("0.00+", "3", "3.00+"),
        ("0.00##", "1.5", "1.50"),
        ("0.00##", "1.23456", "1.2346"),
        ("#.##", "0.5", ".5"),
        ("#.##", "0", "0"),
        ("00000V00", "123.456", "0012346"),
        ("0.00", "00012.3400", "12.34"),
    ] {
        assert_eq!(formatted(format, number), text, "{number} in {format}");
    }
}

#[test]
fn a_format_that_makes_no_sense_is_refused() {
    for format in ["", ".", "+", ",", "0#", "0.#0", "#,#0", ",000", "#,##,##0", "0,00", "0.0.0", "0+0", "0V#", "0.0,00"]
    {
        assert!(NumberFormat::parse(format).is_err(), "{format:?}");
    }
    assert!(NumberFormat::parse(&"0".repeat(61)).is_err());
}

#[test]
fn number_formats_are_told_from_others() {
    assert!(NumberFormat::is_one("#,##0.00"));
    assert!(!NumberFormat::is_one("%Y"));
    assert!(!NumberFormat::is_one("+-"));
    assert!(!NumberFormat::is_one("0 USD"));
}

/// Rounds `digits` (a number times ten to the power of `scale`) to `places`, half away from zero, as plain text.
fn rounded(value: i128, scale: u32, places: u32) -> String {
    let shift = scale.saturating_sub(places);
    let divisor = 10_i128.pow(shift);
    let (mut quotient, rest) = (value / divisor, value % divisor);
    if rest.abs() * 2 >= divisor && shift > 0 {
        quotient += value.signum();
    }
    quotient *= 10_i128.pow(places.saturating_sub(scale));
    let one = 10_i128.pow(places);
    let sign = if quotient < 0 { "-" } else { "" };
    let (int, frac) = (quotient.abs() / one, quotient.abs() % one);
    if places == 0 { format!("{sign}{int}") } else { format!("{sign}{int}.{frac:0width$}", width = places as usize) }
}

proptest! {
    #[test]
    fn rounds_half_away_from_zero(value in -10_i128.pow(20)..10_i128.pow(20), scale in 0..12_u32, places in 0..10_u32) {
        let one = 10_i128.pow(scale);
        let sign = if value < 0 { "-" } else { "" };
        let number = format!("{sign}{}.{:0width$}", value.abs() / one, value.abs() % one, width = scale as usize);
        // Scale 0 leaves one digit behind the point, which is a zero.
        let format = if places == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(places as usize)) };
        prop_assert_eq!(formatted(&format, &number), rounded(value, scale, places));
    }

    #[test]
    fn a_half_is_always_rounded_away(int in 0..1_000_000_u64, negative in any::<bool>()) {
        let sign = if negative { "-" } else { "" };
        prop_assert_eq!(formatted("0", &format!("{sign}{int}.5")), format!("{sign}{}", int + 1));
    }

    #[test]
    fn commas_stand_between_thousands_only(value in any::<i64>()) {
        let grouped = formatted("#,##0", &value.to_string());
        prop_assert_eq!(grouped.replace(',', ""), value.to_string());
        let groups: Vec<&str> = grouped.trim_start_matches('-').split(',').collect();
        prop_assert!(groups.iter().skip(1).all(|group| group.len() == 3));
        prop_assert!((1..=3).contains(&groups[0].len()));
    }

    #[test]
    fn any_format_and_number_is_written_without_panic(format in "[0#,.+V-]{0,12}", number in "-?[0-9]{0,30}(\\.[0-9]{0,30})?") {
        if let (Ok(format), Some(number)) = (NumberFormat::parse(&format), Digits::parse(number.as_bytes())) {
            let mut out = Vec::new();
            format.push(number, &mut out);
            prop_assert!(out.iter().any(u8::is_ascii_digit));
        }
    }
}
