//! Answers of the doors: values as JSON, and errors as problems.

use super::problem;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::data_source::DataSource;
use crate::core::model::shown;
use crate::core::ports::store::StoreError;
use crate::core::schedule::data_source::{Fault, Faults};
use crate::core::schedule::sources::{Saved, SourceError};
use crate::core::schedule::steer::SteerError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// A value as JSON.
pub(super) fn json_of(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], shown::json(&text)).into_response(),
        Err(error) => problem::failed(&error),
    }
}

/// The tag of a version.
pub(super) fn tag(source: &DataSource) -> String {
    format!("\"{}\"", source.version)
}

/// A data source with its tag, and what its owner should know.
pub(super) fn saved(status: StatusCode, saved: &Saved) -> Response {
    let kept = Kept { source: &saved.source, warnings: &saved.warnings };
    ([(header::ETAG, tag(&saved.source))], json_of(status, &kept)).into_response()
}

/// Its fields stand in the order in which every other answer has them.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    source: &'a DataSource,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

fn fault(fault: &Fault) -> Value {
    let mut value = json!({ "pointer": fault.pointer, "detail": fault.message, "hint": fault.hint });
    if let (Some(at), Some(object)) = (&fault.at, value.as_object_mut()) {
        object.insert("at".to_owned(), json!({ "start": at.start, "end": at.end }));
    }
    value
}

/// Every field's fault at once.
pub(super) fn faults(Faults(faults): &Faults) -> Response {
    let detail = match faults.as_slice() {
        [one] => format!("{}: {}", one.message, one.hint),
        more => format!("{} fields are wrong", more.len()),
    };
    let errors: Vec<Value> = faults.iter().map(fault).collect();
    problem::with(StatusCode::UNPROCESSABLE_ENTITY, &detail, json!({ "errors": errors }))
}

/// A data source was not changed, or not found.
pub(super) fn source_error(error: &SourceError) -> Response {
    let detail = error.to_string();
    match error {
        SourceError::Wrong(wrong) => faults(wrong),
        SourceError::NameTaken { .. } => {
            let taken = json!([{ "pointer": "/name", "detail": detail, "hint": "choose another" }]);
            problem::with(StatusCode::CONFLICT, &detail, json!({ "errors": taken }))
        }
        SourceError::Faster { now } => {
            problem::with(StatusCode::PRECONDITION_FAILED, &detail, json!({ "current": now }))
        }
        SourceError::Missing { .. } => problem::of(StatusCode::NOT_FOUND, &detail),
        SourceError::Store(error) => store_error(error),
    }
}

/// A schedule was not steered, or not found.
pub(super) fn steer_error(error: &SteerError) -> Response {
    let status = match error {
        SteerError::Unknown { .. } => StatusCode::NOT_FOUND,
        SteerError::Already { .. } | SteerError::Ambiguous { .. } => StatusCode::CONFLICT,
        SteerError::TooMany | SteerError::Unusable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        SteerError::Store(error) => return store_error(error),
    };
    problem::of(status, &error.to_string())
}

/// The store is away, or failed.
pub(super) fn store_error(error: &StoreError) -> Response {
    let status = match error.kind() {
        FailureKind::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem::of(status, &error.to_string())
}
