//! `/metrics`, as Prometheus reads it.

use super::Shared;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(shared))
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    for member in &shared.members {
        member.working.refresh();
    }
    let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (form, shared.metrics.render()).into_response()
}
