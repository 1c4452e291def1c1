//! The door for readers: each route's statements, asked with the path's parameters bound, as one JSON object.

use crate::core::ingest::spec::{MemberSpec, RouteSpec};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::budget::{Budget, Held};
use crate::core::model::param::{ParamValue, Params};
use crate::core::model::shown::{self, is_harmful};
use crate::core::ports::table_reader::{ANSWER_MAX, AnswerRow, AnswerValue, ReadError, TableReader};
use crate::http::problem;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most bytes of all answers of a door that are made or sent at a time.
pub(super) const ANSWERS_MAX: usize = 64 << 20;

/// One route. Its answers share memory with those of the door's other routes.
pub(super) fn route(route: &RouteSpec, reader: &Arc<dyn TableReader>, answers: &Arc<Budget>) -> MethodRouter {
    let (route, reader, answers) = (Arc::new(route.clone()), Arc::clone(reader), Arc::clone(answers));
    get(move |given: Result<Path<BTreeMap<String, String>>, PathRejection>| async move {
        match given {
            Ok(Path(given)) => answer(&route, &*reader, &answers, given).await,
            Err(_) => problem::of(StatusCode::BAD_REQUEST, "the path is no text: its bytes are not UTF-8"),
        }
    })
}

/// An answer's text, which holds its room until it is sent.
struct Kept {
    text: String,
    room: Held,
}

impl Kept {
    /// Takes the room of what was written.
    fn grown(&mut self, from: usize) -> Result<(), ReadError> {
        Ok(self.room.take(self.text.len() - from)?)
    }
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

async fn answer(
    route: &RouteSpec,
    reader: &dyn TableReader,
    answers: &Arc<Budget>,
    given: BTreeMap<String, String>,
) -> Response {
    // No column holds such a text.
    if given.values().any(|value| value.contains('\0')) {
        return problem::absent();
    }
    let params: Params = given.into_iter().map(|(name, value)| (name, ParamValue::Text(value))).collect();
    match written(route, reader, answers, &params).await {
        Ok(None) => problem::absent(),
        Ok(Some(mut kept)) => {
            if kept.text.contains(is_harmful) {
                kept.text = shown::json(&kept.text);
            }
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], Bytes::from_owner(kept)).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// The answer's text. `None` when its first member has no row. Rows and text have room of their own: a row is gone when it is written.
async fn written(
    route: &RouteSpec,
    reader: &dyn TableReader,
    answers: &Arc<Budget>,
    params: &Params,
) -> Result<Option<Kept>, ReadError> {
    let mut kept = Kept { text: String::from("{"), room: answers.share(ANSWER_MAX) };
    for (at, member) in route.members.iter().enumerate() {
        let room = Arc::new(answers.share(ANSWER_MAX));
        let found = ask(member, (reader, &room), params).await?;
        let from = kept.text.len();
        if at > 0 {
            kept.text.push(',');
        }
        push_text(&mut kept.text, &member.name);
        kept.text.push(':');
        match member.many {
            None if found.is_empty() && at == 0 => return Ok(None),
            None => match found.first() {
                Some(row) => push_row(&mut kept.text, row),
                None => kept.text.push_str("null"),
            },
            Some(_) => kept.text.push('['),
        }
        kept.grown(from)?;
        if member.many.is_some() {
            push_rows(&mut kept, found)?;
        }
    }
    kept.text.push('}');
    kept.text.shrink_to_fit();
    Ok(Some(kept))
}

fn push_rows(into: &mut Kept, rows: Vec<AnswerRow>) -> Result<(), ReadError> {
    for (at, row) in rows.into_iter().enumerate() {
        let from = into.text.len();
        if at > 0 {
            into.text.push(',');
        }
        push_row(&mut into.text, &row);
        into.grown(from)?;
    }
    into.text.push(']');
    Ok(())
}

async fn ask(
    member: &MemberSpec,
    (reader, room): (&dyn TableReader, &Arc<Held>),
    params: &Params,
) -> Result<Vec<AnswerRow>, ReadError> {
    let refused =
        |name: String| ReadError::Refused { place: reader.describe(), reason: format!("`{name}` has no value") };
    let sql = member.sql.bind(params).map_err(refused)?;
    reader.ask(&sql, member.many.map_or(1, |many| usize::try_from(many).unwrap_or(usize::MAX)), room).await
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
        let answer = answer(route, reader, &Budget::new(2000), given).await;
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
        let text = |bytes: usize| row(AnswerValue::Text("x".repeat(bytes)));
        reader.answers(&many, vec![text(2000)]);
        assert_eq!(asked(&reader, &route).await.0, 503, "others hold the memory");
        for odd in [text(ANSWER_MAX), row(AnswerValue::Text("\u{1}".repeat(ANSWER_MAX / 3)))] {
            reader.answers(&many, vec![odd]);
            let answers = Budget::new(ANSWERS_MAX);
            let answer = answer(&route, &reader, &answers, BTreeMap::from([("id".to_owned(), "k".to_owned())])).await;
            assert_eq!(answer.status(), 500);
            let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
            let told = "the answer is longer than 8388608 bytes; ask with a smaller `limit`";
            assert!(String::from_utf8_lossy(&body).contains(told), "{body:?}");
            assert_eq!(answers.share(ANSWERS_MAX).take(ANSWERS_MAX), Ok(()), "all is given back");
        }
        let place = "db".to_owned();
        for fault in [ReadError::Late { seconds: 5 }, ReadError::Unreachable { place, reason: "away".to_owned() }] {
            reader.fails(Some(fault));
            assert_eq!(asked(&reader, &route).await.0, 503);
        }
    }
}
