//! `/api/v1/attention`: what needs a look, of all schedules, whatever a list shows.

use super::Doors;
use super::answers::{json_of, store_error};
use super::asked::nothing_of;
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
    items: &'a [Wrong],
    /// How many there are.
    total: usize,
}

async fn answer(State(doors): State<Arc<Doors>>, RawQuery(text): RawQuery) -> Response {
    if let Err(refused) = nothing_of(text.as_deref()) {
        return *refused;
    }
    match doors.board.look().await {
        Ok(look) => json_of(StatusCode::OK, &Attention { items: &look.wrong, total: look.wrong_total }),
        Err(error) => store_error(&error),
    }
}
