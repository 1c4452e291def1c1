//! The door for readers: each route's statements, asked with the path's parameters bound, as one JSON object.

use crate::core::ingest::spec::{MemberSpec, RouteSpec};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::param::{ParamValue, Params};
use crate::core::model::shown;
use crate::core::ports::table_reader::{AnswerRow, AnswerValue, ReadError, TableReader};
use crate::http::problem;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One route.
pub(super) fn route(route: &RouteSpec, reader: &Arc<dyn TableReader>) -> MethodRouter {
    let (route, reader) = (Arc::new(route.clone()), Arc::clone(reader));
    get(move |given: Result<Path<BTreeMap<String, String>>, PathRejection>| async move {
        match given {
            Ok(Path(given)) => answer(&route, &*reader, given).await,
            Err(_) => problem::of(StatusCode::BAD_REQUEST, "the path is no text: its bytes are not UTF-8"),
        }
    })
}

async fn answer(route: &RouteSpec, reader: &dyn TableReader, given: BTreeMap<String, String>) -> Response {
    // No column holds such a text.
    if given.values().any(|value| value.contains('\0')) {
        return problem::absent();
    }
    let params: Params = given.into_iter().map(|(name, value)| (name, ParamValue::Text(value))).collect();
    let mut text = String::from("{");
    for (at, member) in route.members.iter().enumerate() {
        let found = match ask(member, reader, &params).await {
            Ok(found) => found,
            Err(error) => return failed(&error),
        };
        if at > 0 {
            text.push(',');
        }
        push_text(&mut text, &member.name);
        text.push(':');
        match (member.many, found.as_slice()) {
            (None, []) if at == 0 => return problem::absent(),
            (None, []) => text.push_str("null"),
            (None, [row, ..]) => push_row(&mut text, row),
            (Some(_), rows) => {
                text.push('[');
                for (at, row) in rows.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    push_row(&mut text, row);
                }
                text.push(']');
            }
        }
    }
    text.push('}');
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], shown::json(&text)).into_response()
}

async fn ask(member: &MemberSpec, reader: &dyn TableReader, params: &Params) -> Result<Vec<AnswerRow>, ReadError> {
    let refused =
        |name: String| ReadError::Refused { place: reader.describe(), reason: format!("`{name}` has no value") };
    let sql = member.sql.bind(params).map_err(refused)?;
    reader.ask(&sql, member.many.map_or(1, |many| usize::try_from(many).unwrap_or(usize::MAX))).await
}

fn failed(error: &ReadError) -> Response {
    match error.kind() {
        FailureKind::Unreachable => problem::away(&error.to_string()),
        _ => problem::failed(error),
    }
}

fn push_text(into: &mut String, text: &str) {
    into.push_str(&serde_json::Value::from(text).to_string());
}

fn push_row(into: &mut String, row: &AnswerRow) {
    into.push('{');
    for (at, (name, value)) in row.iter().enumerate() {
        if at > 0 {
            into.push(',');
        }
        push_text(into, name);
        into.push(':');
        match value {
            AnswerValue::Null => into.push_str("null"),
            AnswerValue::Bool(value) => into.push_str(if *value { "true" } else { "false" }),
            AnswerValue::Number(text) | AnswerValue::Json(text) => into.push_str(text),
            AnswerValue::Text(text) => push_text(into, text),
        }
    }
    into.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::table_reader::MemoryReader;
    use crate::core::model::sql::Template;

    /// The code and body of a route's answer for the key `k`.
    async fn asked(reader: &MemoryReader, route: &RouteSpec) -> (u16, String) {
        let given = BTreeMap::from([("id".to_owned(), "k".to_owned())]);
        let answer = answer(route, reader, given).await;
        let code = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        (code, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn each_end_of_a_question_has_its_answer() {
        let template = |sql: &str| Template::parse(sql, |name| name == "id").unwrap();
        let member = |name: &str, sql, many| MemberSpec { name: name.to_owned(), sql: template(sql), many };
        let (one, many) = (member("one", "SELECT {id}", None), member("many", "SELECT x", Some(2)));
        let members = vec![one.clone(), many.clone()];
        let route = RouteSpec { path: "/x/{id}".to_owned(), parameters: vec!["id".to_owned()], members };
        let params = Params::from([("id".to_owned(), ParamValue::Text("k".to_owned()))]);
        let (one, many) = (one.sql.bind(&params).unwrap(), many.sql.bind(&params).unwrap());
        let reader = MemoryReader::default();
        let row = |value: AnswerValue| vec![("a\"".to_owned(), value)];

        assert_eq!(asked(&reader, &route).await.0, 500, "no such table");
        reader.answers(&one, Vec::new());
        reader.answers(&many, [AnswerValue::Null, AnswerValue::Bool(true), AnswerValue::Null].map(row).to_vec());
        assert_eq!(asked(&reader, &route).await.0, 404);
        reader.answers(&one, vec![row(AnswerValue::Number("12345678901234567890.10".to_owned()))]);
        let body = r#"{"one":{"a\"":12345678901234567890.10},"many":[{"a\"":null},{"a\"":true}]}"#;
        assert_eq!(asked(&reader, &route).await, (200, body.to_owned()));
        let place = "db".to_owned();
        for fault in [ReadError::Late { seconds: 5 }, ReadError::Unreachable { place, reason: "away".to_owned() }] {
            reader.fails(Some(fault));
            assert_eq!(asked(&reader, &route).await.0, 503);
        }
    }
}
