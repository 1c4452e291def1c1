//! Error answers: problem details in JSON, as RFC 9457 defines them.

use crate::core::model::shown;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// No such page.
pub(super) async fn not_found(uri: Uri) -> Response {
    problem(StatusCode::NOT_FOUND, &format!("there is no page {}", uri.path()))
}

/// The page exists, and does not take this method.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, &format!("{} takes no {method}", uri.path()))
}

/// The answer took too long.
pub(super) fn late(seconds: u64) -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, &format!("there is no answer after {seconds} s"))
}

/// The request announces a longer body than its route takes.
pub(super) fn announced(most: usize, length: u64) -> Response {
    let detail = format!("a request has at most {most} bytes here, and this one announces {length}");
    problem(StatusCode::PAYLOAD_TOO_LARGE, &detail)
}

/// Too many pages are asked for at once.
pub(super) fn busy() -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, "too many pages are asked for at once; try again")
}

/// The request names a host that is not in the list.
pub(super) fn unknown_host() -> Response {
    problem(
        StatusCode::MISDIRECTED_REQUEST,
        "the request names another host; `--health-host`, or `hosts` of the door, lists those that it may name",
    )
}

/// An internal error.
pub(super) fn failed(error: &dyn std::error::Error) -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

/// Nothing has the key that the path names.
pub(super) fn absent() -> Response {
    problem(StatusCode::NOT_FOUND, "nothing has this key")
}

/// What an answer needs is away.
pub(super) fn away(detail: &str) -> Response {
    ([(header::RETRY_AFTER, "5")], problem(StatusCode::SERVICE_UNAVAILABLE, detail)).into_response()
}

/// The request carries no token, or another one.
pub(super) fn no_token() -> Response {
    problem(StatusCode::UNAUTHORIZED, "this needs a token: `Authorization: Bearer …`")
}

/// A page of another site may not do this.
pub(super) fn refused(detail: &str) -> Response {
    problem(StatusCode::FORBIDDEN, detail)
}

/// Any other error.
pub(super) fn of(status: StatusCode, detail: &str) -> Response {
    problem(status, detail)
}

fn problem(status: StatusCode, detail: &str) -> Response {
    with(status, detail, json!({}))
}

/// A problem with members of its own.
pub(super) fn with(status: StatusCode, detail: &str, members: Value) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let mut body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    if let (Value::Object(body), Value::Object(members)) = (&mut body, members) {
        body.extend(members);
    }
    (status, [(header::CONTENT_TYPE, "application/problem+json")], shown::json(&body.to_string())).into_response()
}
