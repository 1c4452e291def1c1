//! The daemon's HTTP listener: `/health/live`, `/health/ready`, `/metrics`, and the pages of each flow. Only this module names
//! the web framework.

pub mod generate;
mod health;
mod metrics;
mod problem;

pub use axum::Router;

use crate::core::health::Member;
use axum::extract::DefaultBodyLimit;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Longest body that a request may bring.
const BODY_MAX: usize = 64 * 1024;

/// What all flows of this process show together.
pub struct Shared {
    /// Who is asked for health.
    pub members: Vec<Member>,
    /// The metrics' text.
    pub metrics: PrometheusHandle,
    /// Cancelled when the process is to end. From then on it is not ready, and a service that has ended is no fault.
    pub stop: CancellationToken,
}

/// Listens on a port of all addresses; 0 takes any free port.
///
/// # Errors
/// When the port cannot be bound.
pub async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await
}

/// All routes: those that the flows share, and each flow's own.
pub fn router(shared: Shared, flows: impl IntoIterator<Item = Router>) -> Router {
    let shared = Arc::new(shared);
    let router = Router::new().merge(health::routes(&shared)).merge(metrics::routes(&shared));
    flows
        .into_iter()
        .fold(router, Router::merge)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

/// Answers until `stop`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(router: Router, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
}
