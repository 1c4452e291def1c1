//! What passes a check of JSON, and in which words the rest is refused.

use super::json::JsonChecker;
use super::schema::Schema;
use crate::core::model::filters::{Each, JsonCheck, RowCount};
use crate::core::ports::filters::Stage;
use serde_json::{Value, json};

fn order() -> Value {
    json!({
        "type": "object", "required": ["id", "amount"], "additionalProperties": false,
        "properties": {
            "id": { "type": "integer" }, "amount": { "type": "number", "minimum": 0 },
            "at": { "type": "string", "format": "date" }, "code": { "type": "string", "pattern": "^(a+)+$" },
            "lines": { "type": "array", "uniqueItems": true, "items": { "$ref": "#/$defs/line" } },
            "more": { "type": "object", "additionalProperties": { "type": "integer" } },
        },
        "$defs": { "line": { "type": "object", "properties": { "sku": { "type": "string" } } } },
    })
}

/// What becomes of a content, whatever pieces it comes in.
fn checked(schema: &Value, each: Each, rows: Option<&str>, content: &[u8]) -> Result<(), String> {
    let rows = rows.map(|text| RowCount::parse(text).unwrap());
    let check = JsonCheck { schema: "s".into(), each, rows, max_size: 64 << 10 };
    let by = |piece: usize| {
        let mut checker = JsonChecker::new(&check, Schema::new(schema.clone()).unwrap());
        let mut out = Vec::new();
        content.chunks(piece).try_for_each(|piece| checker.push(piece, &mut out))?;
        checker.finish(&mut out)?;
        assert!(out == content, "it changes nothing");
        Ok(())
    };
    let whole = by(16 << 10);
    if content.len() < 4096 {
        assert_eq!(by(1), whole, "byte by byte");
    }
    whole
}

#[test]
fn a_document_its_lines_or_its_elements_pass_as_they_are() {
    let one = r#"{"id":1,"amount":2.5,"at":"2026-11-28","lines":[{"sku":"a\"]},[{"},{"sku":"b"}]}"#;
    let schema = order();
    for (each, rows, content) in [
        (Each::Document, None, format!("\n {one} \n")),
        (Each::Line, None, String::new()),
        (Each::Line, Some("2"), format!("{one}\n{one}\n")),
        (Each::Line, Some(">1"), format!("{one}\r\n{one}")),
        (Each::Element, Some("0"), " [ ] ".to_owned()),
        (Each::Element, Some("3"), format!("[{one}, {one}\n,\n{one} ]\n")),
    ] {
        assert_eq!(checked(&schema, each, rows, content.as_bytes()), Ok(()), "{content}");
    }
    assert_eq!(checked(&json!({"type": "integer"}), Each::Element, Some("3"), b"[1,22 ,3]"), Ok(()));
}

#[test]
fn what_is_refused_is_told_by_line_and_pointer_without_a_value() {
    let schema = order();
    for (each, rows, content, why) in [
        (Each::Document, None, r#"{"id":1}"#, "it lacks `amount`"),
        (
            Each::Document,
            None,
            r#"{"id":1,"amount":"s3cret"}"#,
            "`/amount` is not as the schema's `/properties/amount/type` says: \"number\"",
        ),
        (Each::Document, None, r#"{"id":1,"amount":1,"s3cret":2}"#, "it has names that the schema does not have: 1"),
        (Each::Document, None, r#"{"id":1,"amount":1,"more":{"s3cret":"x"}}"#, "`/more/*` is not as"),
        (
            Each::Document,
            None,
            r#"{"id":1,"amount":1,"lines":[{},{"sku":7}]}"#,
            "`/lines/1/sku` is not as the schema's `/$defs/line/properties/sku/type`",
        ),
        (
            Each::Document,
            None,
            r#"{"id":1,"amount":1,"at":"s3cret"}"#,
            "`/at` is not as the schema's `/properties/at/format`",
        ),
        (Each::Document, None, "{\"id\":1,\n\"amount\":s3cret}", "line 2, column 10: expected value"),
        (Each::Document, None, r#"{"id":1,"id":1,"amount":2}"#, "a name stands twice"),
        (Each::Document, None, "", "line 1, column 0: EOF"),
        (Each::Document, None, "{} {}", "trailing characters"),
        (Each::Document, None, "\u{feff}{}", "line 1, column 1: expected value"),
        (Each::Line, None, "{\"id\":1,\"amount\":1}\n{\"id\":1}\n", "line 2: it lacks `amount`"),
        (Each::Line, None, "{\"id\":1,\"amount\":1}\n\n{\"id\":1,\"amount\":1}\n", "line 2 is empty"),
        (Each::Line, None, "{\"id\":1,\"amount\":1}\n{\"id\":", "line 2, column 6: EOF"),
        (Each::Line, Some(">1"), "{\"id\":1,\"amount\":1}\n", "it has 1 lines, and `>1` are wanted"),
        (Each::Element, Some(">0"), "[]", "it has 0 elements"),
        (Each::Element, None, "[{\"id\":1,\"amount\":1},{\"id\":1}]", "element 2: it lacks `amount`"),
        (Each::Element, None, "[{\"id\":1,\"amount\":1},]", "element 2 is missing"),
        (Each::Element, None, "[,]", "element 1 is missing"),
        (Each::Element, None, "[{\"id\":1,\"amount\":1}", "it ends within its array"),
        (Each::Element, None, "[] s3cret", "something behind the end"),
        (Each::Element, None, "{}", "no JSON array"),
        (Each::Element, None, "", "no JSON array"),
        (Each::Element, None, "[{]}", "it ends within its array"),
        (Each::Element, None, "[{]]", "element 1: "),
    ] {
        let refused = checked(&schema, each, rows, content.as_bytes()).unwrap_err();
        assert!(refused.contains(why), "{content:?}: {refused}");
        assert!(!refused.contains("s3cret"), "{content:?}: {refused}");
    }
    assert!(checked(&schema, Each::Document, None, b"{\"id\":\"\xff\"}").unwrap_err().contains("invalid unicode"));
}

#[test]
fn hostile_texts_take_neither_memory_nor_time() {
    let any = json!(true);
    let deep = |count: usize| [b"[".repeat(count), b"]".repeat(count)].concat();
    assert_eq!(checked(&any, Each::Document, None, &deep(120)), Ok(()));
    for each in [Each::Document, Each::Line] {
        assert!(checked(&any, each, None, &deep(20_000)).unwrap_err().contains("recursion limit"));
    }
    let many = format!("[{}0]", "0,".repeat(5_000));
    assert!(checked(&any, Each::Document, None, many.as_bytes()).unwrap_err().contains("too many values"));
    assert_eq!(checked(&any, Each::Element, Some("5001"), many.as_bytes()), Ok(()));
    for each in [Each::Document, Each::Line, Each::Element] {
        let long = format!("[\"{}\"]", "x".repeat(100_000));
        assert!(checked(&any, each, None, long.as_bytes()).unwrap_err().contains("more than 65536 bytes"));
    }
    // A tree by itself, as deep as a text may be.
    let tree = json!({"$ref": "#/$defs/t", "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}});
    assert_eq!(checked(&tree, Each::Document, None, &deep(120)), Ok(()));
    let slow = format!(r#"{{"id":1,"amount":1,"code":"{}!"}}"#, "a".repeat(60_000));
    assert!(checked(&order(), Each::Document, None, slow.as_bytes()).unwrap_err().contains("`/code`"));
}

#[test]
fn a_schema_that_needs_anything_else_is_refused() {
    for (schema, why) in [
        (json!({"type": "nothing"}), "at `/type`"),
        (json!({"$ref": "https://schemas.example/order.json"}), "schemas.example"),
        (json!({"$ref": "file:///etc/passwd"}), "passwd"),
        (json!({"$ref": "#/$defs/none"}), "none"),
        (json!({"pattern": "(?=a)"}), "pattern"),
        (json!([]), ""),
    ] {
        let refused = Schema::new(schema.clone()).map(drop).unwrap_err();
        assert!(refused.contains(why), "{schema}: {refused}");
    }
    let circle = Schema::new(json!({"$ref": "#"})).and_then(|schema| schema.check(&json!(1)));
    assert!(circle.is_ok() || circle.is_err(), "it ends");
}
