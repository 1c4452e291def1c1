//! `/health/live` and `/health/ready`, for probes; `/health` is the latter.

use super::Shared;
use crate::core::health::Answer;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    let router = Router::new().route("/health/live", get(alive)).route("/health/ready", get(ready));
    router.route("/health", get(ready)).with_state(Arc::clone(shared))
}

/// Whether each member works: its service runs, it renews the lease that it holds, and its run makes progress.
async fn alive(State(shared): State<Arc<Shared>>) -> Response {
    let stopping = shared.stop.is_cancelled();
    let stuck = |member: &crate::core::health::Member| Some((member.name.clone(), member.working.stuck(stopping)?));
    let wrong: BTreeMap<String, String> = shared.members.iter().filter_map(stuck).collect();
    let state = if wrong.is_empty() { "live" } else { "stuck" };
    answer(wrong.is_empty(), &serde_json::json!({ "state": state, "wrong": wrong }))
}

/// Whether every dependency of every member answered when it was last asked. False once the process is to end.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let mut groups: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, Answer>>> = BTreeMap::new();
    for member in &shared.members {
        groups.entry(member.working.group()).or_default().insert(&member.name, member.dependencies.answers());
    }
    let all_up =
        groups.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values).all(|answer| answer.state == "up");
    let stopping = shared.stop.is_cancelled();
    let state = match (stopping, all_up) {
        (true, _) => "stopping",
        (false, true) => "ready",
        (false, false) => "notReady",
    };
    let mut body = serde_json::json!(groups);
    body["state"] = state.into();
    answer(all_up && !stopping, &body)
}

fn answer(good: bool, body: &serde_json::Value) -> Response {
    let code = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
