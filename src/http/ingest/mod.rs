//! The doors of the flow ingest: routes that answer from its tables, and what describes them.

mod bodies;
mod openapi;
mod panel;
mod produce;
mod read;

pub use panel::IngestPanel;
pub use produce::Sending;

use crate::core::ingest::event::Served;
use crate::core::ingest::spec::{DoorSpec, Ingest, ProduceSpec, ReadSpec};
use crate::core::model::budget::Budget;
use crate::core::ports::observer::Observer;
use crate::core::ports::table_reader::TableReader;
use crate::http::{origin, token};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::MethodRouter;
use std::sync::Arc;
use std::time::Instant;

/// Who hears of requests.
pub type Watcher = Arc<dyn Observer<Served>>;

/// The routes of the read API.
pub fn reading(spec: &ReadSpec, reader: &Arc<dyn TableReader>, watcher: &Watcher) -> Router {
    let answers = Budget::new(read::ANSWERS_MAX);
    spec.routes.iter().fold(Router::new(), |router, route| {
        router.route(&route.path, guarded(read::route(route, reader, &answers), &route.path, &spec.door, watcher))
    })
}

/// `POST /produce`: events onto the topic.
pub fn producing(ingest: &Arc<Ingest>, door: &ProduceSpec, sending: Sending, watcher: &Watcher) -> Router {
    let methods = produce::methods(Arc::clone(ingest), sending).route_layer(middleware::from_fn(origin::none));
    Router::new()
        .route("/produce", guarded(methods, "/produce", &door.door, watcher))
        .layer(DefaultBodyLimit::disable())
}

/// `/openapi.json`, which describes all doors of the file.
pub fn described(ingest: &Ingest) -> Router {
    openapi::routes(ingest)
}

/// A route that asks for the door's token, and tells of each request.
fn guarded(methods: MethodRouter, path: &str, door: &DoorSpec, watcher: &Watcher) -> MethodRouter {
    let state: (Watcher, Arc<str>) = (Arc::clone(watcher), path.into());
    token::asked(methods, door.token.as_ref()).route_layer(middleware::from_fn_with_state(state, watched))
}

async fn watched(State((watcher, route)): State<(Watcher, Arc<str>)>, request: Request<Body>, next: Next) -> Response {
    let begun = Instant::now();
    let answer = next.run(request).await;
    watcher.observe(&Served { route: route.to_string(), status: answer.status().as_u16(), took: begun.elapsed() });
    answer
}
