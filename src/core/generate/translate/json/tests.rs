//! JSON lines read back by serde_json.

use crate::core::generate::spec::{ColumnSpec, FileSpec, JsonNode, JsonSpec, TranslatorSpec};
use crate::core::generate::translate::fixtures::*;
use crate::core::model::column::Kind;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

fn value(name: &str) -> JsonNode {
    JsonNode::Value(column(name))
}

fn skipping_null(fields: Vec<(&str, JsonNode)>) -> FileSpec {
    let fields = fields.into_iter().map(|(name, node)| (name.to_owned(), node)).collect();
    file(TranslatorSpec::Json(JsonSpec { fields, skip_null: true }))
}

#[test]
fn every_kind_has_its_json_form() {
    let given = every_kind();
    let fields = given.iter().map(|(name, ..)| (*name, value(name))).collect();
    assert_eq!(
        text(&json(fields), &given).as_deref(),
        Ok(concat!(
            r#"{"bool":true,"int":-42,"float":0.1,"decimal":-12.50,"number":3.140,"text":"Ann","#,
            r#""uuid":"0b0e4a2e-7c1c-4e0e-9a3b-0a1b2c3d4e5f","json":{"a": 1.10},"bytes":"00ff","date":"2026-11-21","#,
            r#""time":"10:30:00","timestamp":"2026-11-21T10:30:00.123","instant":"2026-11-21T10:30:00Z","#,
            r#""stamp":"2026-11-21T10:30:00.1234567+01:00"}"#,
            "\n"
        ))
    );
}

#[test]
fn a_text_that_is_written_as_null_is_refused() {
    let named = |name| JsonNode::Value(ColumnSpec { null: Some("none".to_owned()), ..column(name) });
    let given = |text| [texts("Name", Kind::Text, &[None, Some(text)]), ints("n", &[None, Some(1)])];
    let spec = json(vec![("name", named("Name")), ("n", named("n"))]);
    assert!(text(&spec, &given("None")).is_ok());
    let refused = refusal(&spec, &given("none"));
    assert!(refused.row == Some(1) && refused.reason.contains("leave out `null`"), "{refused:?}");
}

#[test]
fn objects_arrays_and_literals_nest() {
    let nested = JsonNode::Object(vec![
        ("kind".to_owned(), JsonNode::Value(literal("lo\"an"))),
        ("ids".to_owned(), JsonNode::Array(vec![value("a"), JsonNode::Array(vec![value("b")])])),
        ("none".to_owned(), JsonNode::Object(Vec::new())),
    ]);
    let given = [ints("a", &[Some(1), None]), texts("b", Kind::Text, &[Some("x"), None])];
    assert_eq!(
        text(&json(vec![("n", nested), ("a", value("a"))]), &given).as_deref(),
        Ok(concat!(
            "{\"n\":{\"kind\":\"lo\\\"an\",\"ids\":[1,[\"x\"]],\"none\":{}},\"a\":1}\n",
            "{\"n\":{\"kind\":\"lo\\\"an\",\"ids\":[null,[null]],\"none\":{}},\"a\":null}\n"
        ))
    );
}

#[test]
fn null_fields_may_be_left_out_but_arrays_keep_their_places() {
    let fields = || {
        vec![
            ("a", value("a")),
            ("b", JsonNode::Value(ColumnSpec { null: Some("n/a".to_owned()), ..column("a") })),
            ("c", JsonNode::Array(vec![value("a")])),
            ("d", value("d")),
        ]
    };
    let given = [ints("a", &[None, Some(1)]), ints("d", &[Some(2), None])];
    assert_eq!(
        text(&skipping_null(fields()), &given).as_deref(),
        Ok("{\"b\":\"n/a\",\"c\":[null],\"d\":2}\n{\"a\":1,\"b\":1,\"c\":[1]}\n")
    );
    assert_eq!(text(&skipping_null(vec![("a", value("a"))]), &given).as_deref(), Ok("{}\n{\"a\":1}\n"));
}

#[test]
fn a_format_or_a_width_makes_a_string() {
    let padded = ColumnSpec { width: Some(4), ..column("n") };
    let given = [ints("n", &[Some(7)])];
    let fields = vec![("f", JsonNode::Value(formatted("n", "0.00"))), ("w", JsonNode::Value(padded))];
    assert_eq!(text(&json(fields), &given).as_deref(), Ok("{\"f\":\"7.00\",\"w\":\"7   \"}\n"));
}

#[test]
fn numbers_that_json_does_not_have_are_errors() {
    for given in [floats("n", &[Some(f64::NAN)]), texts("n", Kind::Number, &[Some("NaN")])] {
        let refused = refusal(&json(vec![("n", value("n"))]), &[given]);
        assert!(refused.row == Some(0) && refused.reason.contains("`n` holds \"NaN\""), "{refused}");
    }
    let refused = refusal(&json(vec![("j", value("j"))]), &[texts("j", Kind::Json, &[Some("{}"), Some("{")])]);
    assert_eq!(refused.row, Some(1));
}

#[test]
fn settings_that_cannot_work_are_refused_without_rows() {
    let twice = JsonNode::Object(vec![("x".to_owned(), value("a")), ("x".to_owned(), value("a"))]);
    for (spec, what) in [
        (json(Vec::new()), "`fields` is empty"),
        (json(vec![("a", value("a")), ("a", value("a"))]), "`/a`"),
        (json(vec![("o", twice)]), "`/o/x`"),
        (FileSpec { newline: "~".to_owned(), ..json(vec![("a", value("a"))]) }, "`newline`"),
    ] {
        let refused = refusal(&spec, &[ints("a", &[])]);
        assert!(refused.row.is_none() && refused.reason.contains(what), "{refused}");
    }
}

proptest! {
    #[test]
    fn lines_read_back_exactly(
        rows in proptest::collection::vec((any::<Option<i64>>(), any::<Option<String>>(), any::<i128>(), any::<f64>()), 1..6),
    ) {
        let limit = 10_i128.pow(38);
        let numbers: Vec<Option<i64>> = rows.iter().map(|row| row.0).collect();
        let values: Vec<Option<&str>> = rows.iter().map(|row| row.1.as_deref()).collect();
        let amounts: Vec<Option<i128>> = rows.iter().map(|row| Some(row.2 % limit)).collect();
        let measures: Vec<Option<f64>> = rows.iter().map(|row| row.3.is_finite().then_some(row.3)).collect();
        let given = [
            ints("n", &numbers),
            texts("t", Kind::Text, &values),
            decimals("d", 38, 10, &amounts),
            floats("f", &measures),
        ];
        let spec = json(vec![("ké\"y", value("t")), ("n", value("n")), ("d", value("d")), ("f", value("f"))]);
        let lines = text(&spec, &given).unwrap();
        prop_assert_eq!(lines.lines().count(), rows.len());
        for (at, line) in lines.lines().enumerate() {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap();
            let string: Option<String> = serde_json::from_str(fields["ké\"y"].get()).unwrap();
            prop_assert_eq!(string.as_deref(), values[at]);
            let number: Option<i64> = serde_json::from_str(fields["n"].get()).unwrap();
            prop_assert_eq!(number, numbers[at]);
            // The digits themselves: a JSON reader that keeps them gets the very decimal.
            let digits = fields["d"].get();
            let scaled: i128 = digits.replace('.', "").parse().unwrap();
            prop_assert_eq!(Some(scaled), amounts[at]);
            prop_assert_eq!(digits.split('.').next_back().unwrap().len(), 10);
            let measure: Option<f64> = fields["f"].get().parse().ok();
            prop_assert_eq!(measure.map(f64::to_bits), measures[at].map(f64::to_bits));
            prop_assert!(serde_json::from_str::<Value>(line).unwrap().is_object());
        }
    }
}
