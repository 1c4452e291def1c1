//! Records of fixed width, cut apart again by character.

use crate::core::generate::spec::{
    Align, ColumnSpec, Encoding, FileSpec, FixedWidthSpec, OnOverflow, OnUnmappable, TranslatorSpec, WidthIn,
};
use crate::core::generate::translate::fixtures::*;
use crate::core::model::column::Kind;
use proptest::prelude::*;

fn wide(column: ColumnSpec, width: u32) -> ColumnSpec {
    ColumnSpec { width: Some(width), ..column }
}

fn right(column: ColumnSpec, width: u32, pad: char) -> ColumnSpec {
    ColumnSpec { align: Align::Right, pad: Some(pad), ..wide(column, width) }
}

#[test]
fn fields_stand_side_by_side() {
    let spec = fixed_width(vec![
        right(column("LoanId"), 12, '0'),
        right(formatted("Amount", "0.00"), 15, ' '),
        wide(formatted("StartDate", "%Y%m%d"), 8),
        literal("USD"),
        wide(literal("X"), 3),
        wide(column("Name"), 5),
    ]);
    let given = [
        ints("LoanId", &[Some(17), Some(-123)]),
        decimals("Amount", 15, 3, &[Some(1_234_565), None]),
        dates("StartDate", &[Some(20_778), None]),
        texts("Name", Kind::Text, &[Some("Zoë"), None]),
    ];
    assert_eq!(
        text(&spec, &given).as_deref(),
        Ok("000000000017        1234.5720261121USDX  Zoë  \n-00000000123                       USDX       \n")
    );
}

#[test]
fn null_has_the_text_that_it_was_given_padded_like_a_value() {
    let spec = fixed_width(vec![ColumnSpec { null: Some("0".to_owned()), ..right(column("n"), 5, '0') }]);
    assert_eq!(text(&spec, &[ints("n", &[None, Some(7)])]).as_deref(), Ok("00000\n00007\n"));
    let wider = fixed_width(vec![ColumnSpec { null: Some("none".to_owned()), ..wide(column("n"), 3) }]);
    assert_eq!(refusal(&wider, &[ints("n", &[None])]).row, Some(0));
}

#[test]
fn a_value_that_is_written_as_null_is_refused() {
    let null = |text: &str, column| ColumnSpec { null: Some(text.to_owned()), ..column };
    let name = |text| [texts("Name", Kind::Text, &[None, Some(text)])];
    let spec = fixed_width(vec![null("n/a", wide(column("Name"), 5))]);
    assert_eq!(text(&spec, &name("n/b")).as_deref(), Ok("n/a  \nn/b  \n"));
    let refused = refusal(&spec, &name("n/a"));
    assert!(refused.row == Some(1) && refused.reason.contains("what NULL is written as"), "{refused:?}");
    // Cut, it would be the same field.
    let cut = FileSpec { on_overflow: OnOverflow::Truncate, ..fixed_width(vec![null("n/a", wide(column("Name"), 3))]) };
    assert_eq!(refusal(&cut, &name("n/ab")).row, Some(1));
    let day = fixed_width(vec![null("2026", wide(formatted("Day", "%Y"), 4))]);
    assert_eq!(refusal(&day, &[dates("Day", &[None, Some(20_778)])]).row, Some(1));
    // Blanks are what NULL is anyway, and a number in its place is meant.
    assert!(text(&fixed_width(vec![null("", wide(column("Name"), 3))]), &name("")).is_ok());
    assert!(text(&fixed_width(vec![null("7", wide(column("n"), 3))]), &[ints("n", &[None, Some(7)])]).is_ok());
}

#[test]
fn a_value_wider_than_its_field_is_an_error_that_says_all() {
    let spec = fixed_width(vec![wide(column("Name"), 3)]);
    let refused = refusal(&spec, &[texts("Name", Kind::Text, &[Some("Ann"), Some("Zoë B")])]);
    assert_eq!(refused.row, Some(1));
    assert_eq!(
        refused.reason,
        "column `Name` holds \"Zoë B\": 5 characters in a field of 3; widen the field, or say `on_overflow: truncate`"
    );
}

#[test]
fn truncate_cuts_texts_and_counts_them_but_never_a_number() {
    let truncate = |columns| FileSpec { on_overflow: OnOverflow::Truncate, ..fixed_width(columns) };
    let spec = truncate(vec![wide(column("a"), 3), right(column("b"), 2, ' ')]);
    let given =
        [texts("a", Kind::Text, &[Some("Zoë B"), Some("ok")]), texts("b", Kind::Text, &[Some("12345"), Some("é")])];
    let translated = translate(&spec, &given).unwrap();
    assert_eq!(String::from_utf8(translated.bytes).unwrap(), "Zoë45\nok  é\n");
    assert_eq!((translated.records, translated.replaced.overflow), (2, 2));
    for given in [ints("n", &[Some(1234)]), texts("n", Kind::Number, &[Some("12.5")]), floats("n", &[Some(0.25)])] {
        assert!(refusal(&truncate(vec![wide(column("n"), 3)]), &[given]).reason.contains("never cut"));
    }
    let as_number = truncate(vec![wide(formatted("n", "0.00"), 3)]);
    assert!(refusal(&as_number, &[texts("n", Kind::Text, &[Some("12")])]).reason.contains("never cut"));
}

#[test]
fn what_would_break_the_record_is_refused() {
    let spec = fixed_width(vec![wide(column("t"), 9)]);
    for (value, what) in [("a\nb", "line break"), ("a\rb", "line break"), ("a\0b", "NUL")] {
        let refused = refusal(&spec, &[texts("t", Kind::Text, &[Some("fine\tyes"), Some(value)])]);
        assert!(refused.row == Some(1) && refused.reason.contains(what), "{refused}");
    }
    let marked = FileSpec { newline: "~~".to_owned(), ..spec };
    assert!(refusal(&marked, &[texts("t", Kind::Text, &[Some("a~~b")])]).reason.contains("line break"));
    assert_eq!(text(&marked, &[texts("t", Kind::Text, &[Some("a~b")])]).as_deref(), Ok("a~b      ~~"));
}

#[test]
fn settings_that_cannot_work_are_refused_without_rows() {
    for (spec, what) in [
        (fixed_width(Vec::new()), "`columns` is empty"),
        (fixed_width(vec![column("n")]), "has no width"),
        (fixed_width(vec![wide(column("n"), 0)]), "width 0"),
        (fixed_width(vec![wide(column("n"), 1), wide(column("n"), 1)]), "twice"),
        (fixed_width(vec![literal("a\nb")]), "line break"),
        (fixed_width(vec![wide(literal("abc"), 2)]), "does not fit"),
        (fixed_width(vec![ColumnSpec { null: Some("\n".to_owned()), ..wide(column("n"), 3) }]), "writes NULL"),
    ] {
        let refused = refusal(&spec, &[ints("n", &[])]);
        assert!(refused.row.is_none() && refused.reason.contains(what), "{refused}");
    }
}

#[test]
fn widths_hold_in_single_byte_encodings_even_where_characters_are_replaced() {
    let spec = FileSpec {
        encoding: Encoding::Ibm037,
        on_unmappable: OnUnmappable::Replace,
        ..fixed_width(vec![wide(column("t"), 4)])
    };
    let translated = translate(&spec, &[texts("t", Kind::Text, &[Some("A€é")])]).unwrap();
    assert_eq!(translated.bytes, [0xC1, 0x6F, 0x51, 0x40, 0x25]);
    assert_eq!(translated.replaced.unmappable, 1);
}

/// Cuts a record into fields of those widths, by characters.
fn slice(record: &str, widths: &[u32]) -> Vec<String> {
    let mut chars = record.chars();
    let fields = widths.iter().map(|width| chars.by_ref().take(*width as usize).collect()).collect();
    assert_eq!(chars.next(), None, "{record:?} is longer than its fields");
    fields
}

proptest! {
    #[test]
    fn records_are_cut_apart_into_what_went_in(
        rows in proptest::collection::vec(("\\PC{0,8}", any::<i64>()), 1..8),
        widths in (8..12_u32, 20..24_u32, 8..12_u32),
    ) {
        let widths = [widths.0, widths.1, widths.2];
        let spec = fixed_width(vec![
            ColumnSpec { pad: Some('·'), ..wide(column("t"), widths[0]) },
            right(column("n"), widths[1], '0'),
            right(column("t"), widths[2], ' '),
        ]);
        let values: Vec<Option<&str>> = rows.iter().map(|row| Some(row.0.as_str())).collect();
        let numbers: Vec<Option<i64>> = rows.iter().map(|row| Some(row.1)).collect();
        let all = text(&spec, &[texts("t", Kind::Text, &values), ints("n", &numbers)]).unwrap();
        let records: Vec<&str> = all.strip_suffix('\n').unwrap().split('\n').collect();
        prop_assert_eq!(records.len(), rows.len());
        for (record, (value, number)) in records.into_iter().zip(rows) {
            let fields = slice(record, &widths);
            let length = value.chars().count();
            prop_assert_eq!(fields[0].chars().take(length).collect::<String>(), value.clone());
            prop_assert!(fields[0].chars().skip(length).all(|pad| pad == '·'));
            prop_assert_eq!(fields[1].parse::<i64>().unwrap(), number);
            prop_assert_eq!(&fields[2], &format!("{value:>width$}", width = widths[2] as usize));
        }
    }
}

#[test]
fn in_bytes_every_record_of_utf_8_is_as_long() {
    let columns = vec![ColumnSpec { width: Some(4), ..column("Name") }, literal("é")];
    let wide = FixedWidthSpec { columns: columns.clone(), width_in: WidthIn::Bytes };
    let given = [texts("Name", Kind::Text, &[Some("Zoë"), Some("a"), Some("日"), None])];
    let spec = file(TranslatorSpec::FixedWidth(wide));
    assert_eq!(text(&spec, &given).as_deref(), Ok("Zoëé\na   é\n日 é\n    é\n"));
    let none = FileSpec { newline: String::new(), ..spec };
    assert_eq!(super::record_bytes(&none), Some(6));
    assert_eq!(text(&none, &given).map(|text| text.len()), Ok(24));
    let characters = FileSpec { newline: String::new(), ..fixed_width(columns) };
    assert!(refusal(&characters, &given).reason.contains("width_in: bytes"));
}

#[test]
fn a_number_that_stands_for_null_is_padded_as_one_and_never_cut() {
    let amount = |null: &str, width| ColumnSpec {
        null: Some(null.to_owned()),
        width: Some(width),
        pad: Some('0'),
        align: Align::Right,
        ..column("n")
    };
    let given = [ints("n", &[Some(-5), None])];
    assert_eq!(text(&fixed_width(vec![amount("-1", 5)]), &given).as_deref(), Ok("-0005\n-0001\n"));
    assert_eq!(text(&fixed_width(vec![amount("n/a", 5)]), &given).as_deref(), Ok("-0005\n00n/a\n"));
    let cut = |null| FileSpec { on_overflow: OnOverflow::Truncate, ..fixed_width(vec![amount(null, 3)]) };
    for null in ["1234", "1,234"] {
        let refused = refusal(&cut(null), &given);
        assert!(refused.row == Some(1) && refused.reason.contains("a number is never cut"), "{refused}");
    }
    assert_eq!(text(&cut("none"), &given).as_deref(), Ok("-05\none\n"));
}
