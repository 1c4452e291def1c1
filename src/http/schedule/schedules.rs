//! `/api/v1/schedule`: schedules shown with their history, paused, resumed and run.

use super::Doors;
use super::answers::{json_of, steer_error};
use super::asked::{Refused, maybe_json, number, query, refuse};
use super::problem;
use crate::core::model::schedule::{Execution, Schedule};
use crate::core::model::shown::text as shown_text;
use crate::core::ports::audit::AuditEntry;
use crate::core::schedule::steer::{self, Asked, Standing, SteerError};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// Executions of one answer, unless the query says otherwise.
const HISTORY: u64 = 50;

/// Most executions of one answer.
const HISTORY_MAX: u64 = 1000;

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes() -> Router<Arc<Doors>> {
    Router::new()
        .route("/api/v1/schedule", get(list))
        .route("/api/v1/schedule/{id}", get(show))
        .route("/api/v1/schedule/{id}/history", get(history))
        .route("/api/v1/schedule/{id}/pause", post(pause))
        .route("/api/v1/schedule/{id}/resume", post(resume))
        .route("/api/v1/schedule/{id}/run", post(run))
}

#[derive(Serialize)]
struct Schedules {
    items: Vec<Standing>,
    total: usize,
}

#[derive(Serialize)]
struct Executions {
    items: Vec<Execution>,
}

async fn list(State(doors): State<Arc<Doors>>) -> Response {
    let now = doors.clock.now();
    match steer::list(&*doors.schedules).await {
        Ok(all) => {
            let items: Vec<Standing> = all.into_iter().map(|schedule| Standing::at(now, schedule)).collect();
            json_of(StatusCode::OK, &Schedules { total: items.len(), items })
        }
        Err(error) => steer_error(&error),
    }
}

async fn show(State(doors): State<Arc<Doors>>, Path(id): Path<String>) -> Response {
    match steer::find(&*doors.schedules, &id).await {
        Ok(schedule) => json_of(StatusCode::OK, &Standing::at(doors.clock.now(), schedule)),
        Err(error) => steer_error(&error),
    }
}

async fn history(State(doors): State<Arc<Doors>>, Path(id): Path<String>, RawQuery(text): RawQuery) -> Response {
    let (mut limit, mut before) = (HISTORY, None);
    for (name, value) in query(text.as_deref()) {
        match name.as_str() {
            "limit" => match number("limit", &value, (1, HISTORY_MAX)) {
                Ok(number) => limit = number,
                Err(refused) => return *refused,
            },
            "before" => match value.parse::<Timestamp>() {
                Ok(at) => before = Some(at),
                Err(_) => {
                    return problem::of(StatusCode::BAD_REQUEST, "before is to be a moment: 2026-11-29T00:00:00Z");
                }
            },
            _ => {}
        }
    }
    let found = async {
        let schedule = steer::find(&*doors.schedules, &id).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok::<_, SteerError>(doors.schedules.history(Some(&schedule.id), before, limit).await?)
    };
    match found.await {
        Ok(items) => json_of(StatusCode::OK, &Executions { items }),
        Err(error) => steer_error(&error),
    }
}

/// Who asks, and why: `{"reason": …, "by": …}`, both may be left out.
fn asked(doors: &Doors, headers: &HeaderMap, body: Body) -> Result<Asked, Refused> {
    let given = maybe_json(headers, body)?;
    let text = |name: &str| match given.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) if text.chars().count() <= REASON_MAX => {
            Ok(Some(shown_text(text.trim())))
        }
        Some(_) => {
            let detail = format!("{name} is to be a text of at most {REASON_MAX} characters");
            Err(refuse(StatusCode::UNPROCESSABLE_ENTITY, &detail))
        }
    };
    let who = text("by")?.filter(|by| !by.is_empty()).unwrap_or_else(|| format!("the API of {}", doors.instance));
    Ok(Asked { who, why: text("reason")?.unwrap_or_default(), at: doors.clock.now() })
}

/// Keeps who asked for what and why.
async fn audit(doors: &Doors, action: &str, detail: &str, asked: &Asked) -> Result<(), SteerError> {
    let entry = AuditEntry::new(asked.at, &asked.who, action, detail, &asked.why);
    Ok(doors.sources.audit.audit(&entry).await?)
}

async fn steered(doors: &Doors, action: &str, asked: &Asked, result: Result<Schedule, SteerError>) -> Response {
    let kept = match result {
        Ok(schedule) => {
            doors.steered.notify_one();
            audit(doors, action, schedule.id.as_str(), asked).await.map(|()| schedule)
        }
        Err(error) => Err(error),
    };
    match kept {
        Ok(schedule) => json_of(StatusCode::OK, &Standing::at(doors.clock.now(), schedule)),
        Err(error) => steer_error(&error),
    }
}

async fn pause(State(doors): State<Arc<Doors>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Response {
    match asked(&doors, &headers, body) {
        Ok(asked) => {
            let paused = steer::pause(&*doors.schedules, &id, &asked).await;
            steered(&doors, "schedule pause", &asked, paused).await
        }
        Err(refused) => *refused,
    }
}

async fn resume(State(doors): State<Arc<Doors>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Response {
    match asked(&doors, &headers, body) {
        Ok(asked) => {
            let resumed = steer::resume(&*doors.schedules, &doors.settings, &id, &asked).await;
            steered(&doors, "schedule resume", &asked, resumed).await
        }
        Err(refused) => *refused,
    }
}

async fn run(State(doors): State<Arc<Doors>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let asked = match asked(&doors, &headers, body) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let begun = async {
        let execution = steer::run_now(&*doors.schedules, &id, &asked).await?;
        doors.steered.notify_one();
        audit(&doors, "schedule run", &execution.id, &asked).await?;
        Ok::<_, SteerError>(execution)
    };
    match begun.await {
        Ok(execution) => json_of(StatusCode::ACCEPTED, &execution),
        Err(error) => steer_error(&error),
    }
}
