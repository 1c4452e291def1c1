//! The JSON Schema against real worker files, and against the loader.

use super::*;
use crate::config::grammar::generate::WORKER;
use crate::config::grammar::ingest::INGEST;
use crate::config::grammar::schedule::SCHEDULER;
use crate::config::grammar::{Section, Shape};
use crate::config::json::to_json;
use serde_json::{Value, json};

/// Holds a value against a schema. Knows the keywords that our schema uses and no others, and says so.
fn fits(schema: &Value, value: &Value, root: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return schema.as_bool().unwrap() };
    let one = |schema: &Value| fits(schema, value, root);
    keywords.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$ref" => one(root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap()),
        "anyOf" => rule.as_array().unwrap().iter().any(one),
        "oneOf" => rule.as_array().unwrap().iter().filter(|schema| one(schema)).count() == 1,
        "not" => !one(rule),
        "enum" => rule.as_array().unwrap().contains(value),
        "type" => match rule {
            Value::Array(types) => types.iter().any(|name| is_a(name.as_str().unwrap(), value)),
            name => is_a(name.as_str().unwrap(), value),
        },
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
        "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "minProperties" => value.as_object().is_none_or(|map| map.len() as u64 >= rule.as_u64().unwrap()),
        "maxProperties" => value.as_object().is_none_or(|map| map.len() as u64 <= rule.as_u64().unwrap()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(rule, item, root))),
        "required" => value
            .as_object()
            .is_none_or(|map| rule.as_array().unwrap().iter().all(|n| map.contains_key(n.as_str().unwrap()))),
        "properties" => value.as_object().is_none_or(|map| {
            map.iter().all(|(name, value)| rule.get(name).is_none_or(|schema| fits(schema, value, root)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|map| {
            let known = keywords.get("properties").and_then(Value::as_object);
            map.iter()
                .filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)))
                .all(|(_, v)| fits(rule, v, root))
        }),
        "pattern" if rule == r"\$\{" => value.as_str().is_none_or(|text| text.contains("${")),
        // The other patterns are for editors; what they let through is the loader's to refuse.
        "description" | "default" | "examples" | "title" | "$schema" | "$defs" | "pattern" => true,
        other => panic!("the schema uses {other}, which this test does not know"),
    })
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("{other}"),
    }
}

/// A worker file as a JSON Schema tool sees it: with references as they stand.
fn as_json(text: &str) -> Value {
    let everything = text.replace("${", "$${");
    to_json(&tree::parse(&everything, &()).0.unwrap().value)
}

fn accepts(text: &str) -> bool {
    let schema = schema(&Registry::default());
    fits(&schema, &as_json(text), &schema)
}

#[test]
fn real_worker_files_fit_the_schema() {
    for text in [DESIGN, FULL, include_str!("scheduler.yaml")].into_iter().chain(kinds().map(|(_, example)| example)) {
        assert!(accepts(text));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let examples = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let examples: Vec<_> = examples.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    assert!(!examples.is_empty(), "{}", folder.display());
    for path in examples {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(accepts(&text), "{}", path.display());
        parse(&text, &path, &(), &Registry::default()).unwrap();
    }
    let environment = [("SQL_CONNECTION_STRING", "Server=db;Database=x"), ("OUTPUT_ROOT_PATH", "/data")];
    for name in ["loan.yaml", "customer.yaml"] {
        let text = std::fs::read_to_string(folder.join("production").join(name)).unwrap();
        assert!(accepts(&text), "{name}");
        assert!(parsed(&text, &environment).unwrap().into_worker().unwrap().deadline.is_some(), "{name}");
    }
    let shown = parsed(DESIGN, &[]).unwrap().resolved(&|url| url.reveal().to_owned()).to_yaml();
    assert!(accepts(&shown));
}

#[test]
fn what_the_loader_refuses_does_not_fit_the_schema() {
    for (right, wrong) in [
        ("worker: LoanWorker", "workers: LoanWorker"),
        ("page_size: 10000", "page_size: 0"),
        ("page_size: 10000", "page_size: []"),
        ("key: [LoanId]", "key: []"),
        ("quote: minimal", "quote: maybe"),
        ("{ literal: \"USD\" }", "{ literal: \"USD\", column: LoanId }"),
        ("{ literal: \"USD\" }", "{ width: 5 }"),
        ("pad: \"0\"", "pad: \"00\""),
        ("json: { fields:", "json: { skip: 1, fields:"),
        ("json: { fields: {", "json: { fields: { b: { column: A, wdith: 1 },"),
        ("json: {", "jason: {"),
        ("      json: {", "      template: { record: x, columns: [A] }\n      json: {"),
        ("backoff_multiplier: 2.0", "backoff_multiplier: 0.5"),
        ("view: v_LoanData", ""),
        ("policies:", "deadline: { days_after: 2 }\npolicies:"),
        ("policies:", "deadline: { time: \"06:30\", weekdays: [monday] }\npolicies:"),
    ] {
        let text = DESIGN.replacen(right, wrong, 1);
        assert_ne!(text, DESIGN, "{right}");
        assert!(parsed(&text, &[]).is_err(), "the loader takes {wrong}");
        assert!(!accepts(&text), "the schema takes {wrong}");
    }
}

#[test]
fn the_schema_says_what_every_field_is_and_its_default() {
    fn check(section: &Section, schema: &Value) {
        for field in section.fields {
            let property = &schema["properties"][field.name];
            assert!(property["description"].as_str().is_some_and(|text| text.starts_with(field.doc)), "{}", field.name);
            match field.shape {
                Shape::Section(inner) => check(inner, property.pointer("/anyOf/0").unwrap_or(property)),
                Shape::List(&Shape::Section(inner)) => check(inner, &property["items"]),
                _ => {}
            }
        }
    }
    let schema = schema(&Registry::default());
    let of = |key: &str| {
        let kinds = schema["oneOf"].as_array().unwrap();
        kinds.iter().find(|kind| kind["properties"].get(key).is_some()).unwrap()
    };
    check(&WORKER, of("worker"));
    check(&INGEST, of("ingest"));
    check(&SCHEDULER, of("scheduler"));
    let page_size = of("worker").pointer("/properties/source/properties/page_size").unwrap();
    assert_eq!(page_size["default"], json!(10_000));
}

#[test]
fn the_schema_knows_the_translators_of_this_build() {
    let text = DESIGN.replace("json: {", "mine: {");
    let value = as_json(&text);
    let without = schema(&Registry::default());
    assert!(!fits(&without, &value, &without));
    let with = schema(&Registry::default().with("mine", |_| Err(String::new())));
    assert!(fits(&with, &value, &with));
}
