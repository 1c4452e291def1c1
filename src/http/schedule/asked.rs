//! What a request says: its body, its query and the versions that it is meant for, each with its own refusal.

use super::problem;
use crate::core::schedule::sources::Seen;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The answer to a request that cannot be done.
pub(super) type Refused = Box<Response>;

/// Refuses, and says why.
#[expect(clippy::unnecessary_box_returns, reason = "an error as large as a response would be carried by every answer")]
pub(super) fn refuse(status: StatusCode, detail: &str) -> Refused {
    Box::new(problem::of(status, detail))
}

/// The body as JSON. Deepest JSON is what `serde_json` takes: 128 levels.
pub(super) fn json(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, Refused> {
    let body = bytes(body)?;
    // A page of another site can send a form without asking, and JSON only after asking.
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default().to_ascii_lowercase());
    let kind = kind.as_deref().map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if !kind.is_some_and(|kind| kind == "application/json" || kind.ends_with("+json")) {
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is to be application/json"));
    }
    serde_json::from_slice(&body)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, &format!("the body is no JSON: {error}")))
}

/// As [`json`]; no body is an empty object.
pub(super) fn maybe_json(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, Refused> {
    match body {
        Ok(body) if body.is_empty() => Ok(Value::Object(serde_json::Map::new())),
        body => json(headers, body),
    }
}

fn bytes(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refused> {
    body.map_err(|rejected| match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than a data source can be: 64 KiB")
        }
        _ => refuse(StatusCode::BAD_REQUEST, "the body did not come whole"),
    })
}

/// The versions of `If-Match`: `"3"`, a list of such, or `*`.
pub(super) fn seen(headers: &HeaderMap) -> Result<Seen, Refused> {
    let mut versions = Vec::new();
    let mut given = headers.get_all(header::IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        let detail = "a change says in If-Match which version it saw: the ETag of the answer that showed it";
        return Err(refuse(StatusCode::PRECONDITION_REQUIRED, detail));
    }
    for value in given {
        for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Seen::Any);
            }
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            // A tag that is no version of ours fits none.
            versions.extend(tag.parse::<u64>().ok());
        }
    }
    Ok(Seen::Versions(versions))
}

/// The query's names and values, decoded.
pub(super) fn query(text: Option<&str>) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).take(100);
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// A query's whole number within limits.
pub(super) fn number(name: &str, text: &str, (least, most): (u64, u64)) -> Result<u64, Refused> {
    let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        refuse(StatusCode::BAD_REQUEST, &format!("{name} is to be a whole number from {least} to {most}"))
    })
}
