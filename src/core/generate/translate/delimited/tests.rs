//! Whole delimited records; what quoting does to single values is tested with it.

use super::names_line;
use crate::core::generate::spec::{
    Align, ColumnSpec, DelimitedSpec, EmptyText, FileSpec, OnOverflow, Quote, TranslatorSpec,
};
use crate::core::generate::translate::fixtures::*;
use crate::core::model::column::Kind;
use proptest::prelude::*;

fn spec(delimiter: &str, quote: Quote, columns: Vec<ColumnSpec>) -> FileSpec {
    file(TranslatorSpec::Delimited(delimited(delimiter, quote, columns)))
}

fn null_as(name: &str, null: &str) -> ColumnSpec {
    ColumnSpec { null: Some(null.to_owned()), ..column(name) }
}

#[test]
fn null_and_empty_text_stay_different_where_quotes_can_say_so() {
    let given = [texts("a", Kind::Text, &[Some(""), None, Some("x")]), ints("b", &[Some(1), None, Some(3)])];
    let columns = || vec![column("a"), column("b")];
    assert_eq!(text(&spec(",", Quote::Minimal, columns()), &given).as_deref(), Ok("\"\",1\n,\nx,3\n"));
    assert_eq!(text(&spec(",", Quote::Always, columns()), &given).as_deref(), Ok("\"\",\"1\"\n,\n\"x\",\"3\"\n"));
    assert_eq!(text(&spec("|", Quote::Never, columns()), &given).as_deref(), Ok("|1\n|\nx|3\n"));
    let bare = DelimitedSpec { empty: EmptyText::Bare, ..delimited(",", Quote::Minimal, columns()) };
    assert_eq!(text(&file(TranslatorSpec::Delimited(bare)), &given).as_deref(), Ok(",1\n,\nx,3\n"));
}

#[test]
fn a_null_text_is_never_quoted_and_a_value_that_looks_like_it_is() {
    let given = [texts("a", Kind::Text, &[None, Some("NULL"), Some("")])];
    let columns = || vec![null_as("a", "NULL")];
    assert_eq!(text(&spec(",", Quote::Minimal, columns()), &given).as_deref(), Ok("NULL\n\"NULL\"\n\"\"\n"));
    assert_eq!(text(&spec(",", Quote::Always, columns()), &given).as_deref(), Ok("NULL\n\"NULL\"\n\"\"\n"));
    let numbers = [ints("a", &[None, Some(0)])];
    assert_eq!(text(&spec(",", Quote::Minimal, vec![null_as("a", "0")]), &numbers).as_deref(), Ok("0\n\"0\"\n"));
}

#[test]
fn an_empty_line_is_no_record_of_one_column() {
    let given = [texts("a", Kind::Text, &[Some("x"), None])];
    let of = |quote, column| spec(",", quote, vec![column]);
    assert_eq!(refusal(&of(Quote::Minimal, column("a")), &given).row, Some(1));
    assert_eq!(text(&of(Quote::Minimal, null_as("a", "")), &given).as_deref(), Ok("x\n\n"));
    assert_eq!(text(&of(Quote::Minimal, null_as("a", "\\N")), &given).as_deref(), Ok("x\n\\N\n"));
    let empty = [texts("a", Kind::Text, &[Some("")])];
    assert!(refusal(&of(Quote::Never, column("a")), &empty).reason.contains("empty line"));
    assert_eq!(text(&of(Quote::Minimal, column("a")), &empty).as_deref(), Ok("\"\"\n"));
    let ends = [texts("a", Kind::Text, &[Some("\\."), Some("\\N")])];
    assert_eq!(text(&of(Quote::Minimal, null_as("a", "\\N")), &ends).as_deref(), Ok("\"\\.\"\n\"\\N\"\n"));
}

#[test]
fn what_is_never_quoted_is_never_mistaken() {
    let given = [texts("a", Kind::Text, &[Some("x"), Some("NULL")]), ints("n", &[Some(1), Some(0)])];
    let columns = |null: &str| vec![null_as("a", null), null_as("n", "0")];
    assert!(refusal(&spec("|", Quote::Never, columns("NULL")), &given).reason.contains("what NULL is written as"));
    assert_eq!(text(&spec("|", Quote::Never, columns("")), &given).as_deref(), Ok("x|1\nNULL|0\n"));
    let wide = ColumnSpec { width: Some(6), ..null_as("a", "NULL") };
    assert!(refusal(&spec("|", Quote::Never, vec![wide]), &given).reason.contains("what NULL is written as"));
    // Cutting at the left leaves a quote at the beginning.
    let quote = [texts("a", Kind::Text, &[Some("ab\"c")])];
    let cut = ColumnSpec { width: Some(2), align: Align::Right, ..column("a") };
    let cutting = FileSpec { on_overflow: OnOverflow::Truncate, ..spec("|", Quote::Never, vec![cut]) };
    assert!(refusal(&cutting, &quote).reason.contains("begins with a quote"));
}

#[test]
fn a_value_that_would_break_the_record_names_column_row_and_remedy() {
    let given = [ints("Id", &[Some(1), Some(2)]), texts("Name", Kind::Text, &[Some("Ann"), Some("B|b")])];
    let refused = refusal(&spec("|", Quote::Never, vec![column("Id"), column("Name")]), &given);
    assert_eq!(refused.row, Some(1));
    assert_eq!(
        refused.reason,
        "column `Name` holds the delimiter, which would break the record; choose `quote: minimal`, another delimiter, \
         or take it out in the view"
    );
}

#[test]
fn values_that_are_no_text_are_looked_at_where_the_delimiter_could_be_in_them() {
    let given = [decimals("Amount", 9, 2, &[Some(1_234_567)])];
    assert_eq!(text(&spec(",", Quote::Minimal, vec![column("Amount")]), &given).as_deref(), Ok("12345.67\n"));
    let grouped = || vec![formatted("Amount", "#,##0.00")];
    assert_eq!(text(&spec(",", Quote::Minimal, grouped()), &given).as_deref(), Ok("\"12,345.67\"\n"));
    assert_eq!(refusal(&spec(",", Quote::Never, grouped()), &given).row, Some(0));
    assert_eq!(refusal(&spec(".", Quote::Never, vec![column("Amount")]), &given).row, Some(0));
    assert_eq!(text(&spec("5", Quote::Minimal, vec![column("Amount")]), &given).as_deref(), Ok("\"12345.67\"\n"));
}

#[test]
fn literals_and_widths() {
    let padded = ColumnSpec { width: Some(6), align: Align::Right, pad: Some('0'), ..column("Id") };
    let columns = vec![literal("A,B"), padded, literal("")];
    let given = [ints("Id", &[Some(-12), None])];
    assert_eq!(
        text(&spec(",", Quote::Minimal, columns), &given).as_deref(),
        Ok("\"A,B\",-00012,\"\"\n\"A,B\",,\"\"\n")
    );
    let narrow = ColumnSpec { width: Some(2), ..column("Id") };
    assert!(refusal(&spec(",", Quote::Never, vec![narrow]), &given).reason.contains("never cut"));
}

#[test]
fn settings_that_cannot_work_are_refused_without_rows() {
    let twice = vec![column("a"), column("a")];
    for (spec, what) in [
        (spec(",", Quote::Never, Vec::new()), "`columns` is empty"),
        (spec("", Quote::Never, vec![column("a")]), "is empty"),
        (spec("\"", Quote::Minimal, vec![column("a")]), "quote character"),
        (spec(",", Quote::Never, twice), "column `a` stands in `columns` twice"),
        (spec(",", Quote::Never, vec![literal("a,b")]), "the delimiter"),
        (spec(",", Quote::Minimal, vec![null_as("a", "n,a")]), "writes NULL as"),
        (spec(",", Quote::Never, vec![ColumnSpec { pad: Some('0'), ..column("a") }]), "no width"),
        (spec(",", Quote::Never, vec![ColumnSpec { width: Some(0), ..column("a") }]), "width 0"),
        (spec(",", Quote::Never, vec![ColumnSpec { width: Some(2), ..literal("abc") }]), "does not fit"),
    ] {
        let refused = refusal(&spec, &[ints("a", &[])]);
        assert!(refused.row.is_none() && refused.reason.contains(what), "{refused}");
    }
}

#[test]
fn one_column_in_two_forms_is_read_once() {
    let given = [dates("d", &[Some(20_778)])];
    let spec = spec("|", Quote::Never, vec![formatted("d", "%Y"), formatted("d", "%m"), column("d")]);
    assert_eq!(text(&spec, &given).as_deref(), Ok("2026|11|2026-11-21\n"));
}

#[test]
fn the_line_of_names_is_quoted_like_the_values() {
    let named = ColumnSpec { name: Some("Name, full".to_owned()), ..column("a") };
    let with = |columns| DelimitedSpec { names: true, ..delimited(",", Quote::Minimal, columns) };
    assert_eq!(names_line(&with(vec![column("Id"), named.clone()]), "\n"), Ok(Some("Id,\"Name, full\"".to_owned())));
    assert!(names_line(&with(vec![named.clone(), named]), "\n").unwrap_err().reason.contains("`Name, full`"));
    assert_eq!(names_line(&delimited(",", Quote::Never, vec![column("Id")]), "\n"), Ok(None));
}

proptest! {
    #[test]
    fn records_read_back_with_every_way_of_quoting(
        rows in proptest::collection::vec((any::<Option<i64>>(), proptest::option::of("[a,\"|\r\n é]{0,6}"), any::<bool>()), 1..8),
        quote in prop_oneof![Just(Quote::Minimal), Just(Quote::Always)],
    ) {
        let numbers: Vec<Option<i64>> = rows.iter().map(|row| row.0).collect();
        let values: Vec<Option<&str>> = rows.iter().map(|row| row.1.as_deref()).collect();
        let selected: Vec<bool> = rows.iter().map(|row| row.2).collect();
        let given = [ints("n", &numbers), texts("t", Kind::Text, &values), mask("mask", &selected)];
        let translated = translate(&spec(",", quote, vec![column("n"), column("t")]), &given).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(translated.bytes.as_slice());
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(translated.records, records.len() as u64);
        let expected: Vec<_> = rows.iter().filter(|row| row.2).collect();
        prop_assert_eq!(records.len(), expected.len());
        for (record, (number, value, _)) in records.iter().zip(expected) {
            prop_assert_eq!(&record[0], number.map(|n| n.to_string()).unwrap_or_default());
            prop_assert_eq!(&record[1], value.as_deref().unwrap_or_default());
        }
    }
}

#[test]
fn values_are_found_again_behind_a_delimiter_of_two_blanks() {
    let columns = || vec![column("a"), column("b")];
    let given = |a, b| [texts("a", Kind::Text, &[Some(a)]), texts("b", Kind::Text, &[Some(b)])];
    for (a, b) in [("x", "y "), (" x", "y"), ("x", " y "), ("x y", "y z")] {
        let line = text(&spec("  ", Quote::Never, columns()), &given(a, b)).unwrap();
        assert_eq!(line.trim_end_matches('\n').split_once("  "), Some((a, b)));
    }
    assert_eq!(refusal(&spec("  ", Quote::Never, columns()), &given("x ", "y")).row, Some(0));
}
