//! The doors without a network: what is described is served, and what is asked wrongly is refused by its own words.

use super::asked::{number, query, seen};
use crate::core::schedule::sources::Seen;
use crate::http::origin::is_own;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use std::collections::BTreeSet;

fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

#[test]
fn if_match_names_versions() {
    for (given, expected) in [
        ("\"3\"", Seen::Versions(vec![3])),
        ("3", Seen::Versions(vec![3])),
        ("W/\"3\", \"4\"", Seen::Versions(vec![4])),
        ("W/\"3\"", Seen::Versions(vec![])),
        ("\"x\"", Seen::Versions(vec![])),
        ("*", Seen::Any),
    ] {
        assert_eq!(seen(&headers(&[(header::IF_MATCH, given)])).unwrap(), expected, "{given}");
    }
    assert_eq!(seen(&HeaderMap::new()).unwrap_err().status(), StatusCode::PRECONDITION_REQUIRED);
}

#[test]
fn a_query_is_read_as_browsers_write_it() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        query(Some("a=1+2&b=%2A%3F&c&&d=")).unwrap(),
        [pair("a", "1 2"), pair("b", "*?"), pair("c", ""), pair("d", "")]
    );
    assert_eq!(number("page", "7", (1, 9)).unwrap(), 7);
    for bad in ["0", "10", "-1", "x", ""] {
        assert_eq!(number("page", bad, (1, 9)).unwrap_err().status(), StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
}

#[test]
fn a_page_is_the_doors_own_by_its_host_and_port() {
    let host = headers(&[(header::HOST, "localhost:8080")]);
    assert!(is_own("http://localhost:8080", &host) && is_own("https://LOCALHOST:8080", &host));
    for other in ["http://localhost", "http://localhost:8081", "http://evil.example", "null", ""] {
        assert!(!is_own(other, &host), "{other}");
    }
}

/// The sources that name routes.
const ROUTES: [&str; 9] = [
    include_str!("mod.rs"),
    include_str!("attention.rs"),
    include_str!("data_sources.rs"),
    include_str!("explain.rs"),
    include_str!("page.rs"),
    include_str!("schedules.rs"),
    include_str!("steering.rs"),
    include_str!("../health.rs"),
    include_str!("../metrics.rs"),
];

/// The page itself, for browsers alone.
const PAGE: [&str; 4] = ["/", "/icon.svg", "/page.css", "/page.js"];

#[test]
fn each_route_is_described_and_no_other() {
    let description: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
    let described: BTreeSet<&str> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let named = |source: &'static str| source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let served: BTreeSet<&str> = ROUTES.into_iter().flat_map(named).filter(|path| !PAGE.contains(path)).collect();
    assert_eq!(described, served);
    let mut references = Vec::new();
    collect(&description, &mut references);
    for reference in &references {
        assert!(description.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for (kind, part) in description["components"].as_object().unwrap() {
        for name in part.as_object().unwrap().keys().filter(|_| kind != "securitySchemes") {
            assert!(references.contains(&format!("#/components/{kind}/{name}")), "{kind} {name} is used nowhere");
        }
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
