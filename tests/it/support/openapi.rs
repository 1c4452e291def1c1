//! The doors' own description (OpenAPI), held against what they really answer: a route, a status, a header, a type or a field that it
//! does not have fails the test.

use super::http::Answer;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

/// What the page's door serves for people: the page itself.
const PAGE: [&str; 4] = ["/", "/page.css", "/page.js", "/icon.svg"];

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../src/http/schedule/openapi.json")).expect("the description is JSON")
});

static VALIDATORS: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// An operation and a status of it.
pub type Heard = (String, u16);

/// The description as it is served.
pub fn description() -> &'static Value {
    &DESCRIPTION
}

/// Each operation with each status that is described.
pub fn described() -> BTreeSet<Heard> {
    operations()
        .flat_map(|(_, _, operation)| {
            let codes = operation["responses"].as_object().expect("responses").keys();
            codes.map(|code| (name(operation), code.parse().expect("a status"))).collect::<Vec<_>>()
        })
        .collect()
}

/// Each operation with its path and method.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DESCRIPTION["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").iter().filter(|(method, _)| *method != "parameters");
        methods.map(|(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The name of an operation.
pub fn name(operation: &Value) -> String {
    operation["operationId"].as_str().expect("an operation has a name").to_owned()
}

/// Holds an answer against the description. `None` for one of the page itself, or of no path or method that there is.
#[track_caller]
pub fn hold(method: &str, path: &str, answer: &Answer) -> Option<Heard> {
    let what = format!("{method} {path}: {} {}", answer.code, answer.body);
    let asked = path.split('?').next().unwrap_or_default();
    let found = operations().find(|(path, its, _)| its.eq_ignore_ascii_case(method) && fits(path, asked));
    let Some((_, _, operation)) = found else {
        // A browser's question beforehand, the page, and what there is not.
        let is_known = method == "OPTIONS" || PAGE.contains(&asked);
        assert!(is_known || matches!(answer.code, 403 | 404 | 405 | 421), "this is not described: {what}");
        if !is_known {
            valid("Problem", &json!({ "$ref": "#/components/schemas/Problem" }), &answer.json(), &what);
        }
        return None;
    };
    let operation_id = name(operation);
    let response = operation["responses"].get(answer.code.to_string());
    let response = response.unwrap_or_else(|| panic!("this status is not described: {what}"));
    let response = resolved(response);
    headers(response, answer, &what);
    match response.get("content").and_then(Value::as_object).and_then(|kinds| kinds.iter().next()) {
        None => assert_eq!(answer.body, "", "nothing is described: {what}"),
        Some((kind, content)) => {
            let given = answer.header("content-type").split(';').next().unwrap_or_default();
            assert_eq!(given, kind, "{what}");
            let value = if kind.ends_with("json") { answer.json() } else { Value::String(answer.body.clone()) };
            valid(&format!("{operation_id} {}", answer.code), &content["schema"], &value, &what);
        }
    }
    Some((operation_id, answer.code))
}

/// Holds a body that was taken against the description.
#[track_caller]
pub fn hold_body(operation_id: &str, body: &Value) {
    let found = operations().find(|(_, _, operation)| name(operation) == operation_id);
    let (_, _, operation) = found.unwrap_or_else(|| panic!("there is no {operation_id}"));
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    valid(&format!("{operation_id} body"), schema, body, &format!("{operation_id} takes {body}"));
}

fn headers(response: &Value, answer: &Answer, what: &str) {
    let described = response.get("headers").and_then(Value::as_object);
    let described = |name: &str| described?.iter().find(|(its, _)| its.eq_ignore_ascii_case(name)).map(|(_, it)| it);
    for name in ["etag", "location", "www-authenticate", "retry-after"] {
        let (is_given, described) = (!answer.header(name).is_empty(), described(name));
        assert!(!is_given || described.is_some(), "{name} is not described: {what}");
        let is_required = described.is_some_and(|it| it["required"] == json!(true));
        assert!(is_given || !is_required, "{name} is described and missing: {what}");
    }
}

fn fits(described: &str, asked: &str) -> bool {
    let (described, asked): (Vec<_>, Vec<_>) = (described.split('/').collect(), asked.split('/').collect());
    let same =
        |(described, asked): (&&str, &&str)| described == asked || described.starts_with('{') && !asked.is_empty();
    described.len() == asked.len() && described.iter().zip(&asked).all(same)
}

fn resolved(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(place) => DESCRIPTION.pointer(place.trim_start_matches('#')).expect("a reference leads somewhere"),
        None => value,
    }
}

#[track_caller]
fn valid(key: &str, schema: &Value, value: &Value, what: &str) {
    let validator = {
        let mut known = VALIDATORS.lock().expect("nobody panics in it");
        Arc::clone(known.entry(key.to_owned()).or_insert_with(|| Arc::new(validator(schema))))
    };
    let faults: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{what}\nis not as described: {faults:#?}");
}

fn validator(schema: &Value) -> Validator {
    let Value::Object(mut whole) = closed(schema) else { panic!("no schema: {schema}") };
    let schemas = DESCRIPTION["components"]["schemas"].as_object().expect("schemas");
    // Closed where it is used: one that is a part of another does not know the other's fields.
    let schemas: Map<String, Value> = schemas.iter().map(|(name, schema)| (name.clone(), part(schema))).collect();
    whole.insert("components".to_owned(), json!({ "schemas": schemas }));
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    options.build(&Value::Object(whole)).unwrap_or_else(|error| panic!("no schema: {error}: {schema}"))
}

/// A schema that takes no field which it does not name. Those that people read stay open, for later versions.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut closed: Map<String, Value> = fields.iter().map(below).collect();
            let names_fields = ["$ref", "allOf", "properties"].iter().any(|word| fields.contains_key(*word));
            if names_fields && !fields.contains_key("additionalProperties") {
                closed.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            Value::Object(closed)
        }
        Value::Array(items) => Value::Array(items.iter().map(closed).collect()),
        other => other.clone(),
    }
}

/// A schema that is open, with closed ones below it.
fn part(schema: &Value) -> Value {
    Value::Object(schema.as_object().expect("a schema").iter().map(below).collect())
}

/// What stands below a word of a schema, closed, where it is not a part of the whole.
fn below((word, value): (&String, &Value)) -> (String, Value) {
    let value = match (word.as_str(), value) {
        ("properties", Value::Object(fields)) => {
            Value::Object(fields.iter().map(|(name, schema)| (name.clone(), closed(schema))).collect())
        }
        ("allOf", Value::Array(parts)) => Value::Array(parts.iter().map(part).collect()),
        ("items" | "anyOf" | "additionalProperties", value) => closed(value),
        (_, value) => value.clone(),
    };
    (word.clone(), value)
}
