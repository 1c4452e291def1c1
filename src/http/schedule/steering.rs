//! Schedules are paused, resumed and run, by whoever says who and why.

use super::Doors;
use super::answers::{json_of, steer_error};
use super::asked::{Id, Refused, maybe_body, nothing_of, wrong_fields, wrong_value};
use crate::core::model::schedule::Schedule;
use crate::core::model::shown::text as shown_text;
use crate::core::schedule::steer::{Asked, Standing, SteerError, Steering};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use std::sync::Arc;

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes() -> Router<Arc<Doors>> {
    Router::new()
        .route("/api/v1/schedule/{id}/pause", post(pause))
        .route("/api/v1/schedule/{id}/resume", post(resume))
        .route("/api/v1/schedule/{id}/run", post(run))
}

/// Who asks, and why: `{"reason": …, "by": …}`, both may be left out.
fn asked(doors: &Doors, RawQuery(text): RawQuery, headers: &HeaderMap, body: Body) -> Result<Asked, Refused> {
    nothing_of(text.as_deref())?;
    let given = maybe_body(headers, body)?;
    wrong_fields(&given, &["reason", "by"])?;
    let text = |name: &str| match given.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) if text.chars().count() <= REASON_MAX => {
            Ok(Some(shown_text(text.trim())))
        }
        Some(_) => {
            let hint = format!("write a text of at most {REASON_MAX} characters");
            Err(wrong_value(&format!("/{name}"), &format!("{name} cannot be taken"), &hint))
        }
    };
    let who = text("by")?.filter(|by| !by.is_empty()).unwrap_or_else(|| format!("the API of {}", doors.instance));
    Ok(Asked { who, why: text("reason")?.unwrap_or_default(), at: doors.clock.now() })
}

fn steering(doors: &Doors) -> Steering<'_> {
    Steering { store: &*doors.schedules, trail: &*doors.sources.audit, settings: &doors.settings }
}

fn steered(doors: &Doors, result: Result<Schedule, SteerError>) -> Response {
    match result {
        Ok(schedule) => {
            doors.board.forget();
            doors.steered.notify_one();
            json_of(StatusCode::OK, &Standing::at(doors.clock.now(), schedule, &doors.settings))
        }
        Err(error) => steer_error(&error),
    }
}

async fn pause(
    State(doors): State<Arc<Doors>>,
    Id(id): Id,
    text: RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match asked(&doors, text, &headers, body) {
        Ok(asked) => steered(&doors, steering(&doors).pause(&id, &asked).await),
        Err(refused) => *refused,
    }
}

async fn resume(
    State(doors): State<Arc<Doors>>,
    Id(id): Id,
    text: RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match asked(&doors, text, &headers, body) {
        Ok(asked) => steered(&doors, steering(&doors).resume(&id, &asked).await),
        Err(refused) => *refused,
    }
}

async fn run(State(doors): State<Arc<Doors>>, Id(id): Id, text: RawQuery, headers: HeaderMap, body: Body) -> Response {
    let asked = match asked(&doors, text, &headers, body) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    match steering(&doors).run_now(&id, &asked).await {
        Ok(execution) => {
            doors.steered.notify_one();
            json_of(StatusCode::ACCEPTED, &execution)
        }
        Err(error) => steer_error(&error),
    }
}
