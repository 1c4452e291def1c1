//! `/api/v1/cron`: what an expression means, in words, and its next times.

use super::Doors;
use super::answers::json_of;
use super::asked::{number, query, unknown, wrong};
use crate::core::schedule::explain::{Question, explain};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;

/// What is asked by.
const PARAMETERS: [&str; 6] = ["expression", "zone", "calendar", "closedDay", "dst", "count"];

/// Longest text that is looked at, in characters.
const TEXT_MAX: usize = 200;

pub(super) fn routes() -> Router<Arc<Doors>> {
    Router::new().route("/api/v1/cron", get(answer))
}

/// 200 also for an expression that means nothing: that is what was asked.
async fn answer(State(doors): State<Arc<Doors>>, RawQuery(text): RawQuery) -> Response {
    let mut question = Question { count: 5, ..Question::default() };
    let given = match query(text.as_deref()) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    for (name, value) in given {
        if value.chars().count() > TEXT_MAX {
            return *wrong(&name, "is too long", &format!("write at most {TEXT_MAX} characters"));
        }
        match name.as_str() {
            "expression" => question.expression = value,
            "zone" => question.zone = Some(value).filter(|zone| !zone.is_empty()),
            "calendar" => question.calendar = Some(value).filter(|calendar| !calendar.is_empty()),
            "closedDay" => question.closed_day = Some(value).filter(|word| !word.is_empty()),
            "dst" => question.dst = Some(value).filter(|dst| !dst.is_empty()),
            "count" => match number("count", &value, (1, 100)) {
                Ok(count) => question.count = usize::try_from(count).unwrap_or(5),
                Err(refused) => return *refused,
            },
            name => return *unknown(name, &PARAMETERS),
        }
    }
    json_of(StatusCode::OK, &explain(&question, &doors.settings, &doors.sources.rules.defaults, doors.clock.now()))
}
