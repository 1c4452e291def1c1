//! Schedules are paused, resumed and run, by whoever says who and why.

use super::Doors;
use super::answers::{json_of, steer_error};
use super::asked::{Id, Refused, maybe_body, wrong_fields, wrong_value};
use crate::core::model::schedule::Schedule;
use crate::core::model::shown::text as shown_text;
use crate::core::ports::audit::AuditEntry;
use crate::core::schedule::steer::{self, Asked, Standing, SteerError};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
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
fn asked(doors: &Doors, headers: &HeaderMap, body: Body) -> Result<Asked, Refused> {
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

/// Keeps who asked for what and why.
async fn audit(doors: &Doors, action: &str, detail: &str, asked: &Asked) -> Result<(), SteerError> {
    let entry = AuditEntry::new(asked.at, &asked.who, action, detail, &asked.why);
    Ok(doors.sources.audit.audit(&entry).await?)
}

async fn steered(doors: &Doors, action: &str, asked: &Asked, result: Result<Schedule, SteerError>) -> Response {
    let kept = match result {
        Ok(schedule) => {
            doors.board.forget();
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

async fn pause(State(doors): State<Arc<Doors>>, Id(id): Id, headers: HeaderMap, body: Body) -> Response {
    match asked(&doors, &headers, body) {
        Ok(asked) => {
            let paused = steer::pause(&*doors.schedules, &id, &asked).await;
            steered(&doors, "schedule pause", &asked, paused).await
        }
        Err(refused) => *refused,
    }
}

async fn resume(State(doors): State<Arc<Doors>>, Id(id): Id, headers: HeaderMap, body: Body) -> Response {
    match asked(&doors, &headers, body) {
        Ok(asked) => {
            let resumed = steer::resume(&*doors.schedules, &doors.settings, &id, &asked).await;
            steered(&doors, "schedule resume", &asked, resumed).await
        }
        Err(refused) => *refused,
    }
}

async fn run(State(doors): State<Arc<Doors>>, Id(id): Id, headers: HeaderMap, body: Body) -> Response {
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
