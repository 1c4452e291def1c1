//! What a request says: its body, its query and the versions that it is meant for, each with its own refusal.

use super::problem;
use super::strict::Strict;
use crate::core::model::schedule::ScheduleStatus;
use crate::core::model::shown;
use crate::core::schedule::sources::Seen;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Records of one answer, unless the query says otherwise.
const PAGE_SIZE: u32 = 50;

/// Most records of one answer.
pub(super) const PAGE_MAX: u64 = 500;

/// The answer to a request that cannot be done.
pub(super) type Refused = Box<Response>;

/// Refuses, and says why.
#[expect(clippy::unnecessary_box_returns, reason = "an error as large as a response would be carried by every answer")]
pub(super) fn refuse(status: StatusCode, detail: &str) -> Refused {
    Box::new(problem::of(status, detail))
}

/// The body as JSON. Deepest JSON is what `serde_json` takes: 128 levels.
pub(super) fn body(headers: &HeaderMap, given: Result<Bytes, BytesRejection>) -> Result<Value, Refused> {
    let body = bytes(given)?;
    // A page of another site can send a form without asking, and JSON only after asking.
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default().to_ascii_lowercase());
    let kind = kind.as_deref().map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if !kind.is_some_and(|kind| kind == "application/json" || kind.ends_with("+json")) {
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is to be application/json"));
    }
    serde_json::from_slice(&body)
        .map(|Strict(value)| value)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, &format!("the body is no JSON: {error}")))
}

/// As [`body`]; no body is an empty object.
pub(super) fn maybe_body(headers: &HeaderMap, given: Result<Bytes, BytesRejection>) -> Result<Value, Refused> {
    match given {
        Ok(given) if given.is_empty() => Ok(Value::Object(serde_json::Map::new())),
        given => body(headers, given),
    }
}

/// Refuses a body that is no object, and each field of it that is none of `known`.
pub(super) fn wrong_fields(given: &Value, known: &[&str]) -> Result<(), Refused> {
    let Some(fields) = given.as_object() else {
        return Err(refuse(StatusCode::UNPROCESSABLE_ENTITY, "the body is to be an object"));
    };
    let hint = format!("it takes {}", known.join(" and "));
    let wrong: Vec<Value> = fields
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| {
            let name = shown::name(name);
            json!({ "pointer": format!("/{name}"), "detail": format!("there is no field {name}"), "hint": hint })
        })
        .collect();
    let detail = match wrong.as_slice() {
        [] => return Ok(()),
        [one] => one["detail"].as_str().unwrap_or_default().to_owned(),
        more => format!("{} fields are wrong", more.len()),
    };
    Err(Box::new(problem::with(StatusCode::UNPROCESSABLE_ENTITY, &detail, json!({ "errors": wrong }))))
}

fn bytes(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refused> {
    body.map_err(|rejected| match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than a data source can be: 64 KiB")
        }
        _ => refuse(StatusCode::BAD_REQUEST, "the body did not come whole"),
    })
}

/// What a path names. One that is no text names nothing that there could be.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(problem::of(StatusCode::BAD_REQUEST, "what the path names is no text in UTF-8")),
        }
    }
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
            // A tag that is no version of ours fits none, and neither does a weak one (RFC 9110, 13.1.1).
            versions.extend(tag.trim_matches('"').parse::<u64>().ok());
        }
    }
    Ok(Seen::Versions(versions))
}

/// The query's names and values, decoded. A name that stands twice is refused: of two readers, each might take another value.
pub(super) fn query(text: Option<&str>) -> Result<Vec<(String, String)>, Refused> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).take(100);
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut given: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs.map(|(name, value)| (decoded(name), decoded(value))) {
        if given.iter().any(|(before, _)| *before == name) {
            return Err(wrong_value(&pointer(&name), &format!("{} stands twice", shown::name(&name)), "write it once"));
        }
        given.push((name, value));
    }
    Ok(given)
}

/// The answer to a parameter that the address does not have. What it was to do would not be done, and nobody would know.
#[expect(clippy::unnecessary_box_returns, reason = "as of `refuse`")]
pub(super) fn unknown(name: &str, known: &[&str]) -> Refused {
    let takes = match known {
        [] => "it takes none".to_owned(),
        known => format!("it takes {}", known.join(", ")),
    };
    wrong_value(&pointer(name), &format!("there is no parameter {}", shown::name(name)), &takes)
}

/// The answer to a parameter whose value cannot be taken.
#[expect(clippy::unnecessary_box_returns, reason = "as of `refuse`")]
pub(super) fn wrong(name: &str, fault: &str, hint: &str) -> Refused {
    wrong_value(&pointer(name), &format!("{name} {fault}"), hint)
}

fn pointer(parameter: &str) -> String {
    format!("?{}", shown::text(parameter))
}

/// The answer to one value that cannot be taken.
#[expect(clippy::unnecessary_box_returns, reason = "as of `refuse`")]
pub(super) fn wrong_value(pointer: &str, fault: &str, hint: &str) -> Refused {
    let errors = json!([{ "pointer": pointer, "detail": fault, "hint": hint }]);
    Box::new(problem::with(StatusCode::UNPROCESSABLE_ENTITY, &format!("{fault}: {hint}"), json!({ "errors": errors })))
}

/// The query of an address that takes none.
pub(super) fn nothing_of(text: Option<&str>) -> Result<(), Refused> {
    query(text)?.first().map_or(Ok(()), |(name, _)| Err(unknown(name, &[])))
}

/// Which page of a list is wanted, from 1, and how long a page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Paged {
    pub(super) page: u64,
    pub(super) size: u32,
}

impl Default for Paged {
    fn default() -> Self {
        Self { page: 1, size: PAGE_SIZE }
    }
}

impl Paged {
    /// Takes a parameter, if it is one of a page's.
    pub(super) fn takes(&mut self, name: &str, value: &str) -> Result<bool, Refused> {
        match name {
            "page" => self.page = number(name, value, (1, 1_000_000_000))?,
            "size" => self.size = u32::try_from(number(name, value, (1, PAGE_MAX))?).unwrap_or(PAGE_SIZE),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How many come before the page.
    pub(super) fn skip(self) -> u64 {
        (self.page - 1) * u64::from(self.size)
    }

    /// How many pages there are of so many.
    pub(super) fn pages(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size))
    }
}

/// What a list's `status` says: whether the data source is active, and the status of its schedule.
pub(super) fn status(word: &str) -> Result<(Option<bool>, Option<ScheduleStatus>), Refused> {
    match word.to_ascii_lowercase().as_str() {
        "" => Ok((None, None)),
        "inactive" => Ok((Some(false), None)),
        word => {
            let known = ScheduleStatus::ALL.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(word));
            let refused = || wrong("status", "is none that there is", "write active, inactive, paused or failed");
            Ok((Some(true), Some(known.ok_or_else(refused)?)))
        }
    }
}

/// A query's whole number within limits.
pub(super) fn number(name: &str, text: &str, (least, most): (u64, u64)) -> Result<u64, Refused> {
    let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
    let hint = || format!("write a whole number from {least} to {most}");
    number.ok_or_else(|| wrong(name, "is no number that it can be", &hint()))
}
