//! The door for readers: each route's statements, asked with the path's parameters bound, as one JSON object.

use super::Door;
use crate::core::ingest::spec::{MemberSpec, ReadSpec, RouteSpec};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::param::{ParamValue, Params};
use crate::core::model::shown;
use crate::core::ports::table_reader::{AnswerRow, AnswerValue, ReadError, TableReader};
use crate::http::problem;
use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// The routes of the read API.
pub(super) fn routes(spec: &ReadSpec, reader: &Arc<dyn TableReader>, door: &Door) -> Router {
    let mut router = Router::new();
    for route in &spec.routes {
        let (own, reader, door) = (Arc::new(route.clone()), Arc::clone(reader), door.clone());
        let handler = move |Path(given): Path<BTreeMap<String, String>>| {
            let (route, reader, door) = (Arc::clone(&own), Arc::clone(&reader), door.clone());
            async move {
                let begun = Instant::now();
                let answer = answer(&route, &*reader, given).await;
                (door.answered)(&route.path, answer.status().as_u16(), begun.elapsed());
                answer
            }
        };
        router = router.route(&route.path, get(handler));
    }
    router
}

async fn answer(route: &RouteSpec, reader: &dyn TableReader, given: BTreeMap<String, String>) -> Response {
    // No column holds such a text.
    if given.values().any(|value| value.contains('\0')) {
        return problem::absent("nothing has this key");
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
            (None, []) if at == 0 => return problem::absent("nothing has this key"),
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
    let refused = |name: String| ReadError::Refused { place: reader.describe(), reason: format!("`{name}` has no value") };
    let sql = member.sql.bind(params).map_err(refused)?;
    reader.ask(&sql, member.many.map_or(1, |many| usize::try_from(many).unwrap_or(usize::MAX))).await
}

fn failed(error: &ReadError) -> Response {
    match error.kind() {
        FailureKind::Unreachable => ([(header::RETRY_AFTER, "5")], problem::away(&error.to_string())).into_response(),
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
