//! Records by template.

use crate::core::generate::spec::{FileSpec, TemplateSpec, TranslatorSpec};
use crate::core::generate::translate::fixtures::*;
use crate::core::generate::translate::{FileTranslator, Registry};
use crate::core::model::column::Kind;

fn spec(record: &str, columns: &[&str]) -> FileSpec {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    file(TranslatorSpec::Template(TemplateSpec { record: record.to_owned(), columns }))
}

#[test]
fn every_kind_prints_its_default_text() {
    let given = every_kind();
    let names: Vec<&str> = given.iter().map(|(name, ..)| *name).collect();
    let record = names.iter().map(|name| format!("{{{{ {name} }}}}")).collect::<Vec<_>>().join("|");
    assert_eq!(
        text(&spec(&record, &names), &given).as_deref(),
        Ok(concat!(
            "true|-42|0.1|-12.50|3.140|Ann|0b0e4a2e-7c1c-4e0e-9a3b-0a1b2c3d4e5f|{\"a\": 1.10}|00ff|2026-11-21|10:30:00|",
            "2026-11-21T10:30:00.123|2026-11-21T10:30:00Z|2026-11-21T10:30:00.1234567+01:00\n"
        ))
    );
}

#[test]
fn numbers_are_exact_and_null_is_nothing() {
    let given = [
        decimals("d", 38, 20, &[Some(10_i128.pow(37) + 1), None]),
        decimals("whole", 38, 0, &[Some(10_i128.pow(37) + 1), None]),
        floats("f", &[Some(1e21), None]),
    ];
    assert_eq!(
        text(&spec("{{ d }} {{ whole }} {{ f }}{% if d is none %}-{% endif %}", &["d", "whole", "f"]), &given)
            .as_deref(),
        Ok(
            "100000000000000000.00000000000000000001 10000000000000000000000000000000000001 1000000000000000000000.0\n  -\n"
        )
    );
}

#[test]
fn values_can_be_computed_with_and_formatted() {
    let given = [ints("n", &[Some(40)]), decimals("d", 9, 3, &[Some(1_234_565)]), dates("day", &[Some(20_778)])];
    let record =
        "{{ n + 2 }};{{ d | number('0.00') | pad(9, '0') }};{{ day | strftime('%d%m%y') }};{{ 'x' if n > 39 }}";
    assert_eq!(text(&spec(record, &["n", "d", "day"]), &given).as_deref(), Ok("42;001234.57;211126;x\n"));
}

#[test]
fn only_columns_that_are_used_are_read() {
    let columns =
        |record| FileTranslator::new(&spec(record, &["a", "b c", "d"]), &Registry::default()).unwrap().columns();
    assert_eq!(columns("{{ d }}{% for a in [1] %}{{ a }}{% endfor %}"), ["d"]);
    assert_eq!(columns("{{ row['b c'] }}"), ["a", "b c", "d"]);
    let given = [ints("a", &[Some(1)]), texts("b c", Kind::Text, &[Some("x")]), ints("d", &[None])];
    assert_eq!(text(&spec("{{ row['b c'] }}{{ a }}", &["a", "b c", "d"]), &given).as_deref(), Ok("x1\n"));
}

#[test]
fn mistakes_are_refused_without_rows() {
    for (record, what) in [
        ("{{ LoanID }}", "did you mean `LoanId`?"),
        ("{{ xyz }}", "it has LoanId"),
        ("{{ LoanId | uper }}", "uper"),
        ("{{ LoanId is oddly }}", "oddly"),
        ("{{ LoanId", "syntax error"),
    ] {
        let refused = refusal(&spec(record, &["LoanId"]), &[ints("LoanId", &[Some(1)])]);
        assert!(refused.row.is_none() && refused.reason.contains(what), "{record}: {refused}");
    }
}

#[test]
fn a_failing_row_is_named() {
    let given = [texts("t", Kind::Text, &[Some("2026-11-21"), Some("never")])];
    let refused = refusal(&spec("{{ t | strftime('%Y') }}", &["t"]), &given);
    assert!(refused.row == Some(1) && refused.reason.contains("\"never\""), "{refused}");
    let refused = refusal(&spec("{{ row['tt'] }}", &["t"]), &given);
    assert!(refused.row == Some(0) && refused.reason.contains("undefined"), "{refused}");
}

#[test]
fn a_line_break_in_a_value_never_makes_a_line() {
    let given = [texts("t", Kind::Text, &[Some("a\nb")])];
    for record in ["{{ t }}", "A\n{{ t }}"] {
        let refused = refusal(&spec(record, &["t"]), &given);
        assert!(refused.row == Some(0) && refused.reason.contains("line break"), "{refused}");
    }
    assert_eq!(text(&spec("{{ t | replace('\\n', ' ') }}", &["t"]), &given).as_deref(), Ok("a b\n"));
    let fine = [texts("t", Kind::Text, &[Some("x")])];
    assert_eq!(text(&spec("A\n{{ t }}\n", &["t"]), &fine).as_deref(), Ok("A\nx\n"));
}
