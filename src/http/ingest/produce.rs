//! The door for events: one as JSON, or many as lines. An answer is given when the broker has them on all replicas in step; nothing
//! is kept here that could be lost.

use super::bodies::{Bodies, Unread};
use crate::core::ingest::decode::{EVENT_MAX, Labels, read};
use crate::core::ingest::event::Produced;
use crate::core::ingest::spec::Ingest;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::letter::{LetterError, LetterKind};
use crate::core::model::message::{EventId, Message};
use crate::core::model::shown;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::producer::Producer;
use crate::http::problem;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use serde_json::{Value, json};
use std::sync::Arc;

/// The type of a body with an event on each line.
const LINES: &str = "application/x-ndjson";

/// What sends.
#[derive(Clone)]
pub struct Sending {
    /// The topic.
    pub producer: Arc<dyn Producer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who hears of what was sent.
    pub observer: Arc<dyn Observer<Produced>>,
}

pub(super) fn methods(ingest: Arc<Ingest>, sending: Sending) -> MethodRouter {
    let bodies = Bodies::new();
    post(move |request: Request<Body>| async move { answer(&ingest, &sending, &bodies, request).await })
}

async fn answer(ingest: &Ingest, sending: &Sending, bodies: &Arc<Bodies>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    // Held until the answer: what is sent is in memory too.
    let whole = match bodies.whole(body).await {
        Ok(whole) => whole,
        Err(Unread::TooLarge) => return too_large(),
        Err(Unread::Busy) => return busy(),
        Err(Unread::Slow) => return slow(),
        Err(Unread::Broken(error)) => {
            return refused(StatusCode::BAD_REQUEST, None, &format!("the body broke off: {error}"), Value::Null);
        }
    };
    let are_lines = are_lines(&head.headers);
    let payloads: Vec<Bytes> = if are_lines { lines(&whole.bytes) } else { vec![whole.bytes.clone()] };
    if payloads.is_empty() {
        return refused(StatusCode::BAD_REQUEST, None, "the body holds no event", Value::Null);
    }
    let mut all = Vec::with_capacity(payloads.len());
    for (at, payload) in payloads.iter().enumerate() {
        let line = are_lines.then_some(at + 1);
        match looked_at(ingest, payload, sending.clock.now(), line) {
            Ok(labels) => all.push(labels),
            Err(refusal) => return *refusal,
        }
    }
    let message = |(payload, labels): (&Bytes, &Labels)| Message {
        key: labels.key.clone().map(String::into_bytes),
        payload: payload.to_vec(),
        ..Message::default()
    };
    let messages: Vec<Message> = payloads.iter().zip(&all).map(message).collect();
    let answers = sending.producer.send_all(&messages).await;
    let sent: Vec<Value> =
        all.iter().zip(&answers).filter_map(|(labels, answer)| Some(place(labels, answer.as_ref().ok()?))).collect();
    sending.observer.observe(&Produced { count: sent.len() as u64 });
    if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()) {
        if let BrokerError::TooLarge { .. } = error {
            return too_large_for_the_topic(error, sent);
        }
        return not_sent(error, sent);
    }
    match sent.as_slice() {
        [one] if !are_lines => json_answer("application/json", &one.to_string()),
        many => {
            let lines: Vec<String> = many.iter().map(Value::to_string).collect();
            json_answer(LINES, &(lines.join("\n") + "\n"))
        }
    }
}

fn json_answer(kind: &'static str, text: &str) -> Response {
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, kind)], shown::json(text)).into_response()
}

fn are_lines(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(LINES)
}

/// The lines of a body that are not blank.
fn lines(body: &Bytes) -> Vec<Bytes> {
    let line = |line: &[u8]| body.slice_ref(line.trim_ascii());
    body.split(|byte| *byte == b'\n').map(line).filter(|line| !line.is_empty()).collect()
}

/// What an event says it is; or why it is not taken. What only the tables refuse goes on to the queue's judgement, unless the door
/// is strict.
fn looked_at(
    ingest: &Ingest,
    payload: &[u8],
    now: jiff::Timestamp,
    line: Option<usize>,
) -> Result<Labels, Box<Response>> {
    let (labels, made) = read(ingest, payload, now);
    let Err(errors) = made else { return Ok(labels) };
    if let Some(error) = errors.iter().find(|error| matches!(error.kind, LetterKind::Json | LetterKind::Empty)) {
        let detail = if error.kind == LetterKind::Empty { "the body is empty" } else { &error.message };
        return Err(Box::new(refused(StatusCode::BAD_REQUEST, line, detail, Value::Null)));
    }
    if ingest.produce.as_ref().is_some_and(|door| door.strict) {
        let wrong: Vec<Value> = errors.iter().map(wrong).collect();
        let detail =
            format!("{} with this event", if wrong.len() == 1 { "something is wrong" } else { "much is wrong" });
        return Err(Box::new(refused(StatusCode::UNPROCESSABLE_ENTITY, line, &detail, Value::from(wrong))));
    }
    Ok(labels)
}

fn wrong(error: &LetterError) -> Value {
    json!({
        "kind": error.kind.as_str(), "detail": error.message, "pointer": pointer(&error.message), "table": error.table,
        "column": error.column,
    })
}

/// The pointer that a message names in backticks.
fn pointer(message: &str) -> Option<&str> {
    message.split('`').skip(1).step_by(2).find(|word| word.starts_with('/'))
}

/// A refusal of the whole request: nothing of it was sent.
fn refused(status: StatusCode, line: Option<usize>, detail: &str, errors: Value) -> Response {
    let (detail, mut members) = match line {
        Some(line) => (format!("line {line}: {detail}"), json!({ "line": line })),
        None => (detail.to_owned(), json!({})),
    };
    members["pointer"] = "".into();
    members["hint"] = match errors {
        Value::Null => {
            "send one event as a JSON object, or one a line as application/x-ndjson; nothing was sent".into()
        }
        _ => "mend what `errors` names, and send it again; nothing was sent".into(),
    };
    if let Some(list) = errors.as_array() {
        members["pointer"] = list.first().map_or(Value::Null, |first| first["pointer"].clone());
        members["errors"] = errors;
    }
    problem::with(status, &detail, members)
}

fn too_large() -> Response {
    let members = json!({ "hint": "send fewer events in one request, or smaller ones; nothing was sent" });
    let detail = format!("a request has at most {EVENT_MAX} bytes");
    problem::with(StatusCode::PAYLOAD_TOO_LARGE, &detail, members)
}

fn busy() -> Response {
    let members = json!({ "hint": "send the same again in a moment; nothing was sent" });
    let answer = problem::with(StatusCode::SERVICE_UNAVAILABLE, "too much is sent here at once", members);
    ([(header::RETRY_AFTER, "5")], answer).into_response()
}

fn slow() -> Response {
    let members = json!({ "hint": "send the same again, faster; nothing was sent" });
    let answer =
        problem::with(StatusCode::REQUEST_TIMEOUT, "the body came slowly, and others needed its room", members);
    ([(header::RETRY_AFTER, "5"), (header::CONNECTION, "close")], answer).into_response()
}

fn place(labels: &Labels, EventId { topic, partition, offset }: &EventId) -> Value {
    json!({ "eventId": labels.id, "topic": topic, "partition": partition, "offset": offset })
}

/// The topic takes less than the door does.
fn too_large_for_the_topic(error: &BrokerError, sent: Vec<Value>) -> Response {
    let mut members = json!({ "hint": "send a smaller event" });
    if !sent.is_empty() {
        members["accepted"] = Value::from(sent);
    }
    problem::with(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string(), members)
}

/// The broker has not confirmed all. A client sends the same again: an event's id makes a repeat harmless.
fn not_sent(error: &BrokerError, sent: Vec<Value>) -> Response {
    let hint = "send the same again: an event whose id was taken before has no second effect";
    let mut members = json!({ "hint": hint });
    if !sent.is_empty() {
        members["accepted"] = Value::from(sent);
    }
    // A topic that is missing, or no permission: a person mends it, and the client may try again then.
    let wait = if error.kind() == FailureKind::Unreachable { "5" } else { "30" };
    let answer = problem::with(StatusCode::SERVICE_UNAVAILABLE, &error.to_string(), members);
    ([(header::RETRY_AFTER, wait)], answer).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_blank_are_no_events() {
        let body = Bytes::from_static(b"{\"a\":1}\r\n\n  \n{}\n");
        assert_eq!(lines(&body), [Bytes::from_static(b"{\"a\":1}"), Bytes::from_static(b"{}")]);
        assert!(lines(&Bytes::from_static(b" \n\n")).is_empty());
    }

    #[test]
    fn a_message_names_its_pointer() {
        assert_eq!(pointer("`/data/amount`: it is `x`"), Some("/data/amount"));
        assert_eq!(pointer("the event's id is missing at `/eventId`"), Some("/eventId"));
        assert_eq!(pointer("the file declares no events of type `X`"), None);
    }
}
