//! `/api/v1/attention`: what needs a look, of all schedules, whatever a list shows.

use super::Doors;
use super::answers::{json_of, store_error};
use super::asked::nothing_of;
use crate::core::health::Answer;
use crate::core::model::shown;
use crate::core::schedule::board::Wrong;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Doors>> {
    Router::new().route("/api/v1/attention", get(answer))
}

#[derive(Serialize)]
struct Attention<'a> {
    /// The worst first; so many as a person reads.
    items: Vec<&'a Wrong>,
    /// How many there are.
    total: usize,
}

/// A broker that is away: nothing is lost, and nobody hears of anything.
fn broker(doors: &Doors) -> Vec<Wrong> {
    let answers = doors.broker.iter().flat_map(|broker| broker.answers());
    let down = answers.filter(|(_, answer)| answer.state == "down");
    let wrong = |(name, answer): (&str, Answer)| Wrong {
        id: name.to_owned(),
        name: name.to_owned(),
        what: "is down",
        detail: answer.last_error.as_deref().map(shown::text).unwrap_or_default(),
    };
    down.map(wrong).collect()
}

async fn answer(State(doors): State<Arc<Doors>>, RawQuery(text): RawQuery) -> Response {
    if let Err(refused) = nothing_of(text.as_deref()) {
        return *refused;
    }
    match doors.board.look().await {
        Ok(look) => {
            let broker = broker(&doors);
            let total = look.wrong_total + broker.len();
            let items = broker.iter().chain(&look.wrong).collect();
            json_of(StatusCode::OK, &Attention { items, total })
        }
        Err(error) => store_error(&error),
    }
}
