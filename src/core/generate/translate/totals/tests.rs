//! Sums against big integers, and what cannot be summed.

use super::*;
use crate::core::generate::spec::{ColumnSpec, FixedWidthSpec, From, TranslatorSpec, WidthIn};
use crate::core::generate::translate::number_format::NumberFormat;
use crate::core::model::decimal::ScaledDigits;
use arrow_array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Schema;
use proptest::prelude::*;
use std::sync::Arc;

fn sum(
    kind: Kind,
    array: ArrayRef,
    mask: Option<&BooleanArray>,
    start: Option<&str>,
) -> Result<String, TranslateError> {
    sum_written(Written::default(), kind, array, mask, start)
}

fn sum_written(
    written: Written,
    kind: Kind,
    array: ArrayRef,
    mask: Option<&BooleanArray>,
    start: Option<&str>,
) -> Result<String, TranslateError> {
    let columns = [Column { name: "Amount".to_owned(), kind }];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![kind.field("Amount")])), vec![array]).unwrap();
    let start = start.map(|text| ("Amount".to_owned(), text.to_owned())).into_iter().collect();
    let wanted = Wanted { name: "Amount".to_owned(), column: "Amount".to_owned(), written };
    let mut totals = Totals::new(&[wanted], &columns, &start)?;
    totals.add(&Rows { batch: &batch, mask }, &[0])?;
    Ok(totals.texts()["Amount"].clone())
}

fn numbers(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn sums_are_exact_in_every_kind() {
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.1, 0.2]));
    assert_eq!(sum(Kind::Float64, floats, None, None).as_deref(), Ok("0.3"));
    let whole: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
    assert_eq!(sum(Kind::Float64, whole, None, None).as_deref(), Ok("3"));
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MAX), None, Some(i64::MAX)]));
    assert_eq!(sum(Kind::Int, ints, None, None).as_deref(), Ok("18446744073709551614"));
    let texts = numbers(&[Some("12.50"), Some("-3"), None, Some("0.125")]);
    assert_eq!(sum(Kind::Number, texts, None, None).as_deref(), Ok("9.625"));
    let decimals = Decimal128Array::from(vec![1250, -50]).with_precision_and_scale(15, 2).unwrap();
    let kind = Kind::Decimal { precision: 15, scale: 2 };
    assert_eq!(sum(kind, Arc::new(decimals.clone()), None, None).as_deref(), Ok("12.00"));
    assert_eq!(sum(kind, Arc::new(decimals), None, Some("0.5")).as_deref(), Ok("12.50"));
}

fn written(format: &str) -> Written {
    Written { format: Some(NumberFormat::parse(format).unwrap()), ..Written::default() }
}

#[test]
fn a_sum_is_of_what_is_written() {
    let kind = Kind::Decimal { precision: 12, scale: 3 };
    let halves = |values: Vec<i128>| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(12, 3).unwrap())
    };
    let five = halves(vec![5, 10, 15, 20, 25]);
    assert_eq!(sum_written(written("0.00"), kind, Arc::clone(&five), None, None).as_deref(), Ok("0.09"));
    assert_eq!(sum_written(written("0"), kind, Arc::clone(&five), None, None).as_deref(), Ok("0"));
    assert_eq!(sum_written(written("0.00##"), kind, five, None, None).as_deref(), Ok("0.075"));
    let twice = halves(vec![1005, 1005, -500]);
    assert_eq!(sum_written(written("0.00"), kind, twice, None, None).as_deref(), Ok("1.52"));
    let texts = numbers(&[Some("2.5"), Some("-0.5"), Some("1")]);
    assert_eq!(sum_written(written("0"), Kind::Text, texts, None, None).as_deref(), Ok("3"));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.125, 2.0]));
    assert_eq!(sum_written(written("0V99"), Kind::Float64, floats, None, None).as_deref(), Ok("2.13"));
}

#[test]
fn of_a_boolean_the_true_ones_are_counted() {
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]));
    assert_eq!(sum(Kind::Bool, Arc::clone(&flags), None, Some("40")).as_deref(), Ok("42"));
    let null_is_true = Written { null_is_true: true, ..Written::default() };
    assert_eq!(sum_written(null_is_true, Kind::Bool, flags, None, None).as_deref(), Ok("3"));
}

#[test]
fn only_rows_of_the_file_count() {
    let mask = BooleanArray::from(vec![true, false, true]);
    let texts = numbers(&[Some("1"), Some("x"), Some("2")]);
    assert_eq!(sum(Kind::Number, texts, Some(&mask), None).as_deref(), Ok("3"));
}

#[test]
fn nothing_sums_to_zero_at_the_columns_scale() {
    let none = Decimal128Array::from(vec![None::<i128>]).with_precision_and_scale(15, 2).unwrap();
    assert_eq!(sum(Kind::Decimal { precision: 15, scale: 2 }, Arc::new(none), None, None).as_deref(), Ok("0.00"));
}

#[test]
fn what_cannot_be_summed_exactly_is_an_error() {
    let row = |kind, array| sum(kind, array, None, None).unwrap_err().row;
    assert_eq!(row(Kind::Number, numbers(&[Some("1"), Some("NaN")])), Some(1));
    assert_eq!(row(Kind::Number, numbers(&[Some(&"9".repeat(39))])), Some(0));
    assert_eq!(row(Kind::Float64, Arc::new(Float64Array::from(vec![f64::NAN]))), Some(0));
    assert_eq!(row(Kind::Float64, Arc::new(Float64Array::from(vec![1e-300]))), Some(0));
    assert_eq!(row(Kind::Text, numbers(&[Some("1")])), None);
    assert!(sum(Kind::Number, numbers(&[]), None, Some("12,5")).is_err());
}

/// How a file writes a column with this `format` and this text for NULL.
fn with_null(format: Option<&str>, null: &str) -> Result<Written, String> {
    let amount = ColumnSpec {
        format: format.map(str::to_owned),
        null: Some(null.to_owned()),
        from: From::Column("Amount".to_owned()),
        ..ColumnSpec::default()
    };
    let spec = TranslatorSpec::FixedWidth(FixedWidthSpec { columns: vec![amount], width_in: WidthIn::Bytes });
    Written::of(&spec, "Amount").map(Option::unwrap)
}

#[test]
fn a_number_that_stands_for_null_is_added_up_as_it_is_shown() {
    let kind = Kind::Decimal { precision: 12, scale: 2 };
    for (format, null, total) in [
        (Some("#,##0.00"), "1,000.5", "1001.50"),
        (Some("#,##0.00"), " -1,234,567.25 ", "-1234566.25"),
        (Some("#,##0.00"), "999", "1000.00"),
        (Some("0.00"), "1000.5", "1001.50"),
        (None, "+0.005", "1.005"),
        (Some("#,##0.00"), "n/a", "1.00"),
        (None, "K9", "1.00"),
        (None, "", "1.00"),
    ] {
        let values = Decimal128Array::from(vec![Some(100), None]).with_precision_and_scale(12, 2).unwrap();
        let sum = sum_written(with_null(format, null).unwrap(), kind, Arc::new(values), None, None);
        assert_eq!(sum.as_deref(), Ok(total), "{format:?} {null:?}");
    }
    let refused = [
        (Some("0.00"), "1,000"),
        (None, "1e3"),
        (None, "1,5"),
        (Some("#,##0.00"), "1,00"),
        (Some("#,##0.00"), "1,000,00"),
        (Some("#,##0.00"), ",500"),
        (Some("#,##0.00"), "0.000,000"),
        (None, "5-"),
        (None, "(5)"),
        (None, "1 000"),
        (None, "5 €"),
        (None, "٥"),
    ];
    for (format, null) in refused {
        let why = with_null(format, null).unwrap_err();
        assert!(why.contains("plain digits") && why.contains("source_sum"), "{format:?} {null:?}: {why}");
    }
}

proptest! {
    #[test]
    fn a_written_sum_is_the_sum_of_the_written_texts(
        values in proptest::collection::vec((any::<i64>(), 0..8_u8), 1..12),
        format in proptest::sample::select(vec!["0", "0.00", "#,##0.0##", "+000.0", "0.0000-", "0.###"]),
    ) {
        let form = NumberFormat::parse(format).unwrap();
        let mut texts = Vec::new();
        let mut added = sum_written(written(format), Kind::Number, numbers(&[]), None, None).unwrap();
        for (value, scale) in &values {
            let mut out = Vec::new();
            push_scaled(&mut out, (*value).into(), *scale);
            texts.push(Some(String::from_utf8(out.clone()).unwrap()));
            // As a reader takes it from the file.
            let mut field = Vec::new();
            form.push(Digits::parse(&out).unwrap(), &mut field);
            let field = String::from_utf8(field).unwrap().replace([',', '+'], "");
            let field = field.strip_suffix('-').map_or(field.clone(), |number| format!("-{number}"));
            added = sum(Kind::Number, numbers(&[Some(&field)]), None, Some(&added)).unwrap();
            let exact = ScaledDigits::new((*value).into(), *scale);
            prop_assert_eq!(form.rounded(exact.digits()), form.rounded_scaled((*value).into(), (*scale).into()));
        }
        let total = sum_written(written(format), Kind::Number, Arc::new(StringArray::from(texts)), None, None);
        prop_assert_eq!(total.unwrap(), added);
    }

    #[test]
    fn a_sum_is_the_same_in_any_order_and_any_cut(
        values in proptest::collection::vec((any::<i64>(), 0..6_u32), 0..12),
        cut in 0..12_usize,
    ) {
        let text = |(value, scale): &(i64, u32)| {
            let mut out = Vec::new();
            push_scaled(&mut out, (*value).into(), u8::try_from(*scale).unwrap());
            Some(String::from_utf8(out).unwrap())
        };
        let texts: Vec<Option<String>> = values.iter().map(text).collect();
        let whole = |texts: &[Option<String>], start: Option<&str>| {
            sum(Kind::Number, Arc::new(StringArray::from(texts.to_vec())), None, start).unwrap()
        };
        let (head, tail) = texts.split_at(cut.min(texts.len()));
        let total = whole(&texts, None);
        prop_assert_eq!(&whole(tail, Some(&whole(head, None))), &total);
        let reversed: Vec<Option<String>> = texts.iter().rev().cloned().collect();
        prop_assert_eq!(&whole(&reversed, None), &total);
        let expected: i128 = values.iter().map(|(value, scale)| i128::from(*value) * 10_i128.pow(6 - scale)).sum();
        let (value, scale) = Digits::parse(total.as_bytes()).unwrap().scaled().unwrap();
        prop_assert_eq!(value * 10_i128.pow(6 - scale), expected);
    }
}
