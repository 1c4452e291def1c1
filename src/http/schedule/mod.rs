//! The doors of a scheduler: REST for programs, and a page for people.

mod answers;
mod asked;
mod attention;
mod data_sources;
mod every;
mod explain;
mod page;
mod panel;
mod schedules;
mod steering;
mod strict;

pub use super::origin::Origins;
pub use panel::SchedulerPanel;

use super::{guard, origin, problem, token};
use crate::core::health::Dependencies;
use crate::core::model::secret::Secret;
use crate::core::ports::clock::Clock;
use crate::core::ports::schedules::ScheduleStore;
use crate::core::schedule::board::Board;
use crate::core::schedule::page_key::PageKey;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::sources::Sources;
use axum::Router;
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use tokio::sync::Notify;

/// What the doors show and change.
pub struct Doors {
    /// The scheduler's name.
    pub name: String,
    /// Data sources.
    pub sources: Arc<Sources>,
    /// Schedules and their history.
    pub schedules: Arc<dyn ScheduleStore>,
    /// The broker, where there is a topic.
    pub broker: Option<Arc<Dependencies>>,
    /// All of them in short.
    pub board: Board,
    /// What holds for all schedules.
    pub settings: Settings,
    /// Notified when somebody steers a schedule.
    pub steered: Arc<Notify>,
    /// Host and process, for the trail of who paused what.
    pub instance: String,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What makes the tokens that a page of ours carries when it writes.
    pub page_key: PageKey,
}

/// The routes that both doors have.
fn shared(doors: &Arc<Doors>) -> Router {
    let routes = Router::new().merge(data_sources::routes()).merge(schedules::routes()).merge(steering::routes());
    let routes = routes.merge(attention::routes()).merge(explain::routes());
    guard::short_bodies(routes).with_state(Arc::clone(doors))
}

/// The door for programs, with `metrics` among its routes. Pages of `origins` may use it from a browser. With a token, whoever asks
/// has to send it; what the door can do is told without one.
pub fn api(doors: &Arc<Doors>, metrics: Router, origins: Origins, token: Option<&Secret>) -> Router {
    let routes = token::asked_on_each(shared(doors).merge(metrics), token).route("/openapi.json", get(openapi));
    // Around the answers to unknown methods too: a browser's question beforehand has a method that no route takes, and no token.
    let origins = middleware::from_fn_with_state(Arc::new(origins), origin::guard);
    answered(routes).layer(origins)
}

/// The door for people. What writes carries the page's token.
pub fn page(doors: &Arc<Doors>) -> Router {
    let writes = middleware::from_fn_with_state(Arc::clone(doors), page::with_token);
    let own = page::routes().with_state(Arc::clone(doors)).route("/openapi.json", get(openapi));
    answered(shared(doors).layer(writes).merge(own))
}

/// The routes, with an answer to any method.
fn answered(router: Router) -> Router {
    router.method_not_allowed_fallback(problem::method_not_allowed)
}

/// Written by hand: it is one file that people read, and a test holds it against routes and fields.
async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

#[cfg(test)]
mod tests;
