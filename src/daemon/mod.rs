//! The long-running process. Its flows run side by side, behind one HTTP listener, and stop in one way.

mod files;
pub mod generate;
mod supervisor;

use crate::core::generate::run::Identity;
use crate::core::generate::translate::Registry;
use crate::core::health::Member;
use crate::http::{self, Router};
use crate::telemetry::metrics;
use crate::wiring::{self, WiringError};
pub use files::WorkerFile;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::time::Duration;
use supervisor::Supervisor;
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// What JSON and text lines call their `target`. People filter by it, so it stays wherever this module stands.
const TARGET: &str = "filegen::commands::daemon";

/// Longest time that the end waits for a client that keeps its connection open.
const GRACE: Duration = Duration::from_secs(1);

/// What a daemon is made of.
pub struct Daemon {
    /// The workers it serves, each with its file.
    pub workers: Vec<WorkerFile>,
    /// Translators that worker files may name.
    pub registry: Arc<Registry>,
    /// As whom.
    pub identity: Identity,
    /// The port of its HTTP listener; 0 takes any free port.
    pub port: u16,
    /// The recorder of its metrics.
    pub metrics: PrometheusHandle,
    /// Cancelled when it is to end.
    pub stop: CancellationToken,
    /// SIGHUP: each signal makes it read the worker files again.
    pub hangups: Signal,
}

/// Why a daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The port cannot be bound.
    #[error("cannot listen on port {port}")]
    Listen {
        /// Which.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// A worker cannot be put together.
    #[error(transparent)]
    Wiring(#[from] WiringError),
}

/// What each flow is built with.
struct Shared<'a> {
    registry: &'a Arc<Registry>,
    identity: &'a Identity,
    stop: &'a CancellationToken,
}

/// What a flow adds to the process. Its tasks run already.
struct Flow {
    members: Vec<Member>,
    routes: Router,
}

/// Serves until `stop`. Then each flow finishes its commit in hand and releases its leases.
///
/// # Errors
/// When it cannot start.
pub async fn serve(daemon: Daemon) -> Result<(), DaemonError> {
    let Daemon { workers, registry, identity, port, metrics, stop, hangups } = daemon;
    let names: Vec<&str> = workers.iter().map(|file| file.worker.id.as_str()).collect();
    let (instance, version) = (identity.instance.to_string(), env!("CARGO_PKG_VERSION"));
    info!(target: TARGET, workers = names.join(","), instance, version, "service starting");
    let listener = http::bind(port).await.map_err(|source| DaemonError::Listen { port, source })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    info!(target: TARGET, instance, port, "health, metrics and status page are served");

    let mut tasks = Supervisor::default();
    let shared = Shared { registry: &registry, identity: &identity, stop: &stop };
    let flow = generate::build(&workers, &shared, &mut tasks).await?;
    let small = (metrics.clone(), stop.clone());
    tasks.start("metrics", None, async move { metrics::keep_small(&small.0, &*wiring::clock(), &small.1).await });
    let door = http::router(http::Shared { members: flow.members, metrics, stop: stop.clone() }, [flow.routes]);
    let serving = CancellationToken::new();
    let server = tokio::spawn(http::serve(door, listener, serving.clone()));
    tokio::select! {
        () = stop.cancelled() => {}
        () = files::watch(&workers, &registry, hangups) => {}
    }
    // Each flow finishes its commit in hand and releases its leases. A second signal ends the process at once.
    tasks.join().await;
    serving.cancel();
    let _ = tokio::time::timeout(GRACE, server).await;
    info!(target: TARGET, "service stopped");
    Ok(())
}
