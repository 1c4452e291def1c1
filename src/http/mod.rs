//! The daemon's HTTP listener: `/health/live`, `/health/ready`, `/metrics`, and the pages of each flow. Only this module names
//! the web framework.

mod ask;
mod door;
pub mod generate;
mod guard;
mod health;
pub mod ingest;
mod metrics;
mod origin;
pub mod panel;
mod problem;
pub mod schedule;
mod token;
pub mod transfer;

pub use ask::{Answered, ask};
pub use axum::Router;
pub use door::{DOOR_CONNECTIONS, PAGE_CONNECTIONS, bind, serve};
pub use guard::Hosts;
pub use tokio_rustls::TlsAcceptor;

use crate::core::health::Member;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What all flows of this process show together.
#[derive(Clone)]
pub struct Shared {
    /// Who is asked for health.
    pub members: Vec<Member>,
    /// The metrics' text.
    pub metrics: PrometheusHandle,
    /// Cancelled when the process is to end. From then on it is not ready, and a service that has ended is no fault.
    pub stop: CancellationToken,
}

/// All routes: those that the flows share, and each flow's own. A request has to name one of `hosts`. `descriptors` is how many the process may have, as for [`serve`].
pub fn router(shared: Shared, flows: impl IntoIterator<Item = Router>, hosts: Hosts, descriptors: u64) -> Router {
    let shared = Arc::new(shared);
    let pages =
        guard::pages(flows.into_iter().fold(Router::new(), Router::merge), door::most(descriptors, PAGE_CONNECTIONS));
    let router = Router::new().merge(health::routes(&shared)).merge(metrics::routes(&shared)).merge(pages);
    let router = router.fallback(problem::not_found).method_not_allowed_fallback(problem::method_not_allowed);
    guard::all(router, hosts)
}

/// `/api/v1/metrics`: every metric of the process as JSON, for a flow's own door.
pub fn metrics_listed(shared: Shared) -> Router {
    metrics::listed(&Arc::new(shared))
}

/// A flow's own door: its routes, with health and metrics beside them. `descriptors` as for [`router`].
pub fn door(shared: Shared, routes: Router, hosts: Hosts, descriptors: u64) -> Router {
    let shared = Arc::new(shared);
    let routes = guard::door(routes, door::most(descriptors, DOOR_CONNECTIONS));
    let router = Router::new().merge(health::routes(&shared)).merge(metrics::routes(&shared)).merge(routes);
    let router = router.fallback(problem::not_found).method_not_allowed_fallback(problem::method_not_allowed);
    guard::all(router, hosts)
}
