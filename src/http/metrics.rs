//! `/metrics`, as Prometheus reads it, and the same as JSON for programs.

use super::{Shared, problem};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(shared))
}

/// `/api/v1/metrics`: every metric of the process, for a flow's own door.
pub(super) fn listed(shared: &Arc<Shared>) -> Router {
    Router::new().route("/api/v1/metrics", get(list)).with_state(Arc::clone(shared))
}

fn text(shared: &Shared) -> String {
    for member in &shared.members {
        member.working.refresh();
    }
    shared.metrics.render()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (form, text(&shared)).into_response()
}

async fn list(State(shared): State<Arc<Shared>>) -> Response {
    let text = text(&shared);
    let items = samples(&text);
    match serde_json::to_string(&Samples { total: items.len(), items }) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => problem::failed(&error),
    }
}

#[derive(Serialize)]
struct Samples<'a> {
    total: usize,
    items: Vec<Sample<'a>>,
}

/// One line of the text. Of a histogram, `name` has its `_bucket`, `_sum` or `_count`.
#[derive(Serialize, PartialEq, Debug)]
struct Sample<'a> {
    name: &'a str,
    help: &'a str,
    r#type: &'a str,
    labels: BTreeMap<&'a str, String>,
    /// What JSON has no number for is a text: `NaN`, `+Inf`.
    value: Value,
}

/// Reads what the recorder wrote. A line of another form is passed over.
fn samples(text: &str) -> Vec<Sample<'_>> {
    let (mut help, mut kind) = (("", ""), ("", ""));
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').unwrap_or((rest, ""));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            kind = rest.split_once(' ').unwrap_or((rest, ""));
        } else if let Some((name, labels, value)) = sample(line) {
            let (help, r#type) = (words_of(name, help), words_of(name, kind));
            found.push(Sample { name, help, r#type, labels, value });
        }
    }
    found
}

/// What a line says of a family, where the name is of it: a histogram's have an ending behind it.
fn words_of<'a>(name: &str, (family, words): (&'a str, &'a str)) -> &'a str {
    if name.starts_with(family) { words } else { "" }
}

fn sample(line: &str) -> Option<(&str, BTreeMap<&str, String>, Value)> {
    let (head, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    let (name, labels) = match head.split_once('{') {
        None => (head, BTreeMap::new()),
        Some((name, rest)) => (name, labels(rest.strip_suffix('}')?)?),
    };
    Some((name, labels, number(value)))
}

/// `name="value",…`; a value has `\\`, `\"` and `\n` for what would end it.
fn labels(mut text: &str) -> Option<BTreeMap<&str, String>> {
    let mut all = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = rest.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match letters.next()?.1 {
                    'n' => '\n',
                    letter => letter,
                }),
                (_, letter) => value.push(letter),
            }
        };
        all.insert(name, value);
        text = rest.get(end + 1..)?;
        text = text.strip_prefix(',').unwrap_or(text);
    }
    Some(all)
}

fn number(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return json!(whole);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => json!(value),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_the_recorder_is_read_back() {
        let text = "# HELP fires_total Due times.\n# TYPE fires_total counter\nfires_total{outcome=\"Failed\",why=\"a \\\"b\\\", {c}\\n\"} 2\n\n\
                    # TYPE late_seconds histogram\nlate_seconds_bucket{le=\"0.5\"} 1\nlate_seconds_sum 0.25\nup NaN\n";
        let shown = serde_json::to_value(samples(text)).unwrap();
        let labels = json!({ "outcome": "Failed", "why": "a \"b\", {c}\n" });
        let wanted = json!([
            { "name": "fires_total", "help": "Due times.", "type": "counter", "labels": labels, "value": 2 },
            { "name": "late_seconds_bucket", "help": "", "type": "histogram", "labels": { "le": "0.5" }, "value": 1 },
            { "name": "late_seconds_sum", "help": "", "type": "histogram", "labels": {}, "value": 0.25 },
            { "name": "up", "help": "", "type": "", "labels": {}, "value": "NaN" },
        ]);
        assert_eq!(shown, wanted);
    }
}
