//! Values read back by the `csv` crate; what cannot be read back is refused.

use super::*;
use proptest::prelude::*;

fn rules(delimiter: &str, quote: Quote) -> Result<Quoting, TranslateError> {
    escaping(delimiter, quote, Escape::Double)
}

fn escaping(delimiter: &str, quote: Quote, escape: Escape) -> Result<Quoting, TranslateError> {
    let spec = DelimitedSpec {
        delimiter: delimiter.to_owned(),
        quote,
        empty: EmptyText::Quoted,
        escape,
        leading_quote: LeadingQuote::Refuse,
        names: false,
        columns: Vec::new(),
    };
    Quoting::new(&spec, "\n")
}

fn quoted(rules: &Quoting, value: &str) -> Result<String, String> {
    let mut out = b"before".to_vec();
    rules.finish(&mut out, 6, None)?;
    assert!(out.starts_with(b"before"));
    out.truncate(6);
    out.extend_from_slice(value.as_bytes());
    rules.finish(&mut out, 6, None)?;
    Ok(String::from_utf8(out).unwrap()[6..].to_owned())
}

#[test]
fn minimal_quotes_what_needs_it_only() {
    let rules = rules(",", Quote::Minimal).unwrap();
    for (value, text) in [
        ("plain", "plain"),
        ("", "\"\""),
        (" blanks", "\" blanks\""),
        ("blanks ", "\"blanks \""),
        ("in side", "in side"),
        ("\\N", "\"\\N\""),
        ("\\.", "\"\\.\""),
        ("\\Nx", "\\Nx"),
        ("NULL", "\"NULL\""),
        ("null", "\"null\""),
        ("nullable", "nullable"),
        ("#1", "\"#1\""),
        ("1#", "1#"),
        ("'a'", "\"'a'\""),
        ("it's", "it's"),
        ("a,b", "\"a,b\""),
        ("say \"hi\"", "\"say \"\"hi\"\"\""),
        ("\"", "\"\"\"\""),
        ("a\rb", "\"a\rb\""),
        ("a\nb", "\"a\nb\""),
    ] {
        assert_eq!(quoted(&rules, value).as_deref(), Ok(text), "{value:?}");
    }
    assert!(quoted(&rules, "a\0b").unwrap_err().contains("NUL"));
}

#[test]
fn a_text_that_looks_like_null_is_quoted() {
    let rules = rules(",", Quote::Minimal).unwrap();
    let mut out = b"NULL".to_vec();
    rules.finish(&mut out, 0, Some("NULL")).unwrap();
    assert_eq!(out, b"\"NULL\"");
}

#[test]
fn never_refuses_what_would_break_the_record() {
    let rules = rules("||", Quote::Never).unwrap();
    for (value, what) in [("a||b", "delimiter"), ("a|", "delimiter"), ("a\nb", "line break"), ("a\0", "NUL")] {
        let error = quoted(&rules, value).unwrap_err();
        assert!(error.contains(what), "{value:?}: {error}");
    }
    for value in ["a|b", "|a", "say \"hi\"", "", " NULL#'\\N"] {
        assert_eq!(quoted(&rules, value).as_deref(), Ok(value));
    }
}

#[test]
fn never_refuses_what_readers_take_for_something_else() {
    let never = rules(",", Quote::Never).unwrap();
    assert!(quoted(&never, "\"a").unwrap_err().contains("leading_quote: keep"));
    let mut out = b"NULL".to_vec();
    assert!(never.finish(&mut out, 0, Some("NULL")).unwrap_err().contains("what NULL is written as"));
    assert!(never.finish(&mut out, 0, Some("\\N")).is_ok());
    let keep = DelimitedSpec {
        escape: Escape::Double,
        leading_quote: LeadingQuote::Keep,
        quote: Quote::Never,
        ..super::super::fixtures::delimited(",", Quote::Never, Vec::new())
    };
    assert_eq!(quoted(&Quoting::new(&keep, "\n").unwrap(), "\"a").as_deref(), Ok("\"a"));
}

#[test]
fn marks_that_cannot_be_told_apart_are_refused() {
    for delimiter in ["", "\n", "a\r", "\0", "\""] {
        assert!(rules(delimiter, Quote::Minimal).is_err(), "{delimiter:?}");
    }
    assert!(rules("\"", Quote::Never).is_ok());
}

#[test]
fn null_text_must_not_need_quotes() {
    let rules = rules(",", Quote::Minimal).unwrap();
    assert!(rules.check_null("\\N").is_ok());
    assert!(rules.check_null("a,b").is_err() && rules.check_null("\"").is_err());
}

#[test]
fn a_backslash_escapes_quotes_and_itself() {
    let rules = escaping(",", Quote::Minimal, Escape::Backslash).unwrap();
    for (value, text) in [
        ("plain", "plain"),
        ("say \"hi\"", "\"say \\\"hi\\\"\""),
        ("a\\b", "\"a\\\\b\""),
        ("\\", "\"\\\\\""),
        ("a,b", "\"a,b\""),
        ("\\N", "\"\\\\N\""),
    ] {
        assert_eq!(quoted(&rules, value).as_deref(), Ok(text), "{value:?}");
    }
    // NULL's word is written as it is.
    assert!(rules.check_null("\\N").is_ok());
    assert!(escaping(",", Quote::Never, Escape::Backslash).unwrap_err().reason.contains("`escape`"));
    assert!(escaping("\\", Quote::Always, Escape::Backslash).unwrap_err().reason.contains("backslash"));
}

fn read_back(record: &str, delimiter: u8, quoting: bool) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .quoting(quoting)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(record.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), 1, "{record:?}");
    records[0].iter().map(str::to_owned).collect()
}

/// Values full of what needs care.
fn values() -> impl Strategy<Value = Vec<String>> {
    let value = prop_oneof!["[a-c,;|\"\r\n \t\\\\']{0,8}", "\\PC{0,12}", Just(String::new())];
    proptest::collection::vec(value, 2..6)
}

proptest! {
    #[test]
    fn escaped_values_read_back(values in values(), delimiter in "[,;|\t]", always in any::<bool>()) {
        let quote = if always { Quote::Always } else { Quote::Minimal };
        let rules = escaping(&delimiter, quote, Escape::Backslash).unwrap();
        let record: Vec<String> = values.iter().map(|value| quoted(&rules, value).unwrap()).collect();
        let line = record.join(&delimiter) + "\n";
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(delimiter.as_bytes()[0])
            .double_quote(false)
            .escape(Some(b'\\'))
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(line.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(records.len(), 1);
        prop_assert_eq!(records[0].iter().collect::<Vec<_>>(), values);
    }

    #[test]
    fn quoted_values_read_back(values in values(), delimiter in "[,;|\t]", always in any::<bool>()) {
        let rules = rules(&delimiter, if always { Quote::Always } else { Quote::Minimal }).unwrap();
        let record: Vec<String> = values.iter().map(|value| quoted(&rules, value).unwrap()).collect();
        let line = record.join(&delimiter) + "\n";
        prop_assert_eq!(read_back(&line, delimiter.as_bytes()[0], true), values.clone());
        if always {
            prop_assert!(record.iter().all(|value| value.len() >= 2 && value.starts_with('"') && value.ends_with('"')));
        }
    }

    #[test]
    fn unquoted_values_read_back_or_are_refused(values in values(), delimiter in "[,;|\t]") {
        let rules = rules(&delimiter, Quote::Never).unwrap();
        let record: Result<Vec<String>, String> = values.iter().map(|value| quoted(&rules, value)).collect();
        if let Ok(record) = record {
            let line = record.join(&delimiter) + "\n";
            prop_assert_eq!(read_back(&line, delimiter.as_bytes()[0], false), values);
        } else {
            let breaks = |value: &String| value.contains(['\r', '\n', '\0']) || value.contains(&delimiter) || value.starts_with('"');
            prop_assert!(values.iter().any(breaks));
        }
    }

    #[test]
    fn long_delimiters_split_where_they_were_put(values in proptest::collection::vec("[|<>a]{0,6}", 1..5), delimiter in "[|<>]{2,3}") {
        let rules = rules(&delimiter, Quote::Never).unwrap();
        let record: Result<Vec<String>, String> = values.iter().map(|value| quoted(&rules, value)).collect();
        if let Ok(record) = record {
            let joined = record.join(&delimiter);
            prop_assert_eq!(joined.split(&delimiter).collect::<Vec<_>>(), values);
        }
    }
}

#[test]
fn a_part_of_the_delimiter_may_only_end_the_last_value() {
    // `a ` before two blanks reads as `a` and a value that begins with a blank.
    let rules = rules("  ", Quote::Never).unwrap();
    assert!(quoted(&rules, "a ").unwrap_err().contains("a part of the delimiter at its end"));
    assert_eq!(quoted(&rules, " a").as_deref(), Ok(" a"));
    let last = rules.of_last();
    assert_eq!(quoted(&last, "a ").as_deref(), Ok("a "));
    for broken in ["a  ", "a  b", "  "] {
        assert!(quoted(&last, broken).unwrap_err().contains("holds the delimiter"), "{broken:?}");
    }
}
