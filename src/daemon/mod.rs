//! The long-running process. Its flows run side by side, behind one HTTP listener, and stop in one way.

mod certificates;
mod files;
pub mod generate;
mod ingest;
mod schedule;
mod seed;
mod supervisor;
mod traces;
mod transfer;

use crate::config::calendar::CalendarError;
use crate::config::{ConfigError, Traces};
use crate::core::generate::run::Identity;
use crate::core::generate::translate::Registry;
use crate::core::health::Member;
use crate::core::inlet::Inlet;
use crate::core::model::door::TlsFiles;
use crate::core::schedule::plan::PlanFault;
use crate::core::schedule::sources::SourceError;
use crate::core::schedule::start::Startable;
use crate::http::generate::WorkerHandle;
use crate::http::panel::Panel;
use crate::http::{self, Hosts, Router, TlsAcceptor};
use crate::telemetry::metrics;
use crate::wiring::{self, DoorTls, WiringError};
pub use files::{IngestParts, Served, ServedFile};
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use supervisor::Supervisor;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// What JSON and text lines call their `target`. People filter by it, so it stays wherever this module stands.
const TARGET: &str = "filegen::commands::daemon";

/// Longest time that the end waits for a client that keeps its connection open.
const GRACE: Duration = Duration::from_secs(1);

/// What a daemon is made of.
pub struct Daemon {
    /// What it serves, each with its file.
    pub served: Served,
    /// Translators that worker files may name.
    pub registry: Arc<Registry>,
    /// As whom.
    pub identity: Identity,
    /// Where it listens for HTTP.
    pub door: Door,
    /// The recorder of its metrics.
    pub metrics: PrometheusHandle,
    /// Where the traces of its files go.
    pub traces: Traces,
    /// Cancelled when it is to end.
    pub stop: CancellationToken,
    /// SIGHUP: each signal makes it read the worker files again.
    pub hangups: Signal,
}

/// Where and for whom the HTTP listener is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Door {
    /// Its address. `None` stands for all addresses.
    pub address: Option<IpAddr>,
    /// Its port; 0 takes any free port.
    pub port: u16,
    /// Host names that requests may carry. Without one they may carry any.
    pub hosts: Vec<String>,
    /// Its certificate. `None` where it answers in clear.
    pub tls: Option<TlsFiles>,
}

/// Why a daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The port cannot be bound.
    #[error("cannot listen on port {port}{}", .address.map_or_else(String::new, |address| format!(" of {address}")))]
    Listen {
        /// Which.
        port: u16,
        /// Of which address. `None` stands for all addresses.
        address: Option<IpAddr>,
        /// Why.
        source: std::io::Error,
    },
    /// A flow cannot be put together.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// A file that a scheduler names is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A worker's own clock cannot be kept.
    #[error("trigger.schedule.{0}")]
    Clock(#[from] PlanFault),
    /// A calendar of a scheduler cannot be used.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The data sources that a scheduler brings along cannot be made.
    #[error("{}: {error}", .path.display())]
    Sources {
        /// Their file.
        path: PathBuf,
        /// Why.
        error: SourceError,
    },
}

/// What each flow is built with.
struct Shared<'a> {
    registry: &'a Arc<Registry>,
    identity: &'a Identity,
    stop: &'a CancellationToken,
    metrics: &'a PrometheusHandle,
    /// Host names of `--health-host`.
    hosts: &'a [String],
    /// Where traces go, where they go anywhere.
    traces: Option<&'a traces::Sink>,
}

/// What the flows add to the process, each in its turn.
#[derive(Default)]
struct Assembly {
    /// The tasks. None runs before all flows are put together.
    tasks: Supervisor,
    /// Whom health asks.
    members: Vec<Member>,
    doors: Vec<OpenDoor>,
    /// The parts of the status page.
    panels: Vec<Arc<dyn Panel>>,
    workers: Vec<WorkerHandle>,
    /// The workers' runs that schedules may start.
    startable: Vec<Startable>,
    /// The transfers that other flows may bring files to.
    inlets: Vec<Inlet>,
}

/// A door of a flow's own: bound, and not answered yet.
struct OpenDoor {
    listener: TcpListener,
    routes: Router,
    /// Whose health it tells.
    member: Member,
    /// Which hosts its requests may name.
    hosts: Hosts,
    /// Its name in log and metrics, and its certificate.
    tls: Option<(String, DoorTls)>,
}

/// Serves until `stop`. Then each flow finishes its commit in hand and releases its leases.
///
/// # Errors
/// When it cannot start.
pub async fn serve(daemon: Daemon) -> Result<(), DaemonError> {
    let Daemon { served, registry, identity, door, metrics, traces, stop, hangups } = daemon;
    let (instance, version) = (identity.instance.to_string(), env!("CARGO_PKG_VERSION"));
    let [workers, ingests] = ["worker", "ingest"].map(|key| served.ids(key));
    let [schedulers, transfers] = ["scheduler", "transfer"].map(|key| served.ids(key));
    info!(target: TARGET, workers, ingests, schedulers, transfers, instance, version, "service starting");
    let Door { address, port, hosts, tls } = door;
    let tls = wiring::door_tls("status", tls.as_ref())?.map(|tls| ("status".to_owned(), tls));
    let listener = http::bind(address, port).map_err(|source| DaemonError::Listen { port, address, source })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    info!(target: TARGET, instance, port, "health, metrics and status page are served");

    // Only transfers make spans.
    let traces = if transfers.is_empty() { None } else { traces::start(traces) };
    let shared = Shared {
        registry: &registry,
        identity: &identity,
        stop: &stop,
        metrics: &metrics,
        hosts: &hosts,
        traces: traces.as_ref(),
    };
    // First the ways in: workers and schedules bring files to transfers.
    let mut all = Assembly { inlets: transfer::inlets(&served).await?, ..Assembly::default() };
    // One line a flow. Schedules come last, because they start the workers' runs.
    generate::build(&served, &shared, &mut all).await?;
    ingest::build(&served, &shared, &mut all)?;
    transfer::build(&served, &shared, &mut all).await?;
    schedule::build(&served, &shared, &mut all).await?;
    let Assembly { mut tasks, members, doors, panels, workers, startable: _, inlets: _ } = all;
    let page = generate::page(workers, panels, &shared);
    let small = (metrics.clone(), stop.clone());
    tasks.add("metrics", None, async move { metrics::keep_small(&small.0, &*wiring::clock(), &small.1).await });
    let certified = certified(tls, &stop, &mut tasks);
    let doors: Vec<_> = doors.into_iter().map(|door| door.certified(&stop, &mut tasks)).collect();
    tasks.begin();
    let descriptors = wiring::descriptors();
    let serving = CancellationToken::new();
    let mut servers = JoinSet::new();
    // All flows' doors together take as many descriptors as the listener of health does: the work keeps the other half.
    let share = descriptors / u64::try_from(doors.len()).unwrap_or(1).max(1);
    for (door, tls) in doors {
        let own = http::Shared { members: vec![door.member], metrics: metrics.clone(), stop: stop.clone() };
        let router = http::door(own, door.routes, door.hosts, share);
        let wanted = (share, http::DOOR_CONNECTIONS);
        servers.spawn(http::serve(router, door.listener, wanted, tls, serving.clone()));
    }
    let common = http::Shared { members, metrics, stop: stop.clone() };
    let router = http::router(common, [page], Hosts::of_door(address, hosts), descriptors);
    let wanted = (descriptors, http::PAGE_CONNECTIONS);
    servers.spawn(http::serve(router, listener, wanted, certified, serving.clone()));
    tokio::select! {
        () = stop.cancelled() => {}
        () = files::watch(&served.files, &registry, hangups) => {}
    }
    // A second signal ends the process at once.
    tasks.join().await;
    if let Some(traces) = traces {
        traces.close().await;
    }
    serving.cancel();
    let _ = tokio::time::timeout(GRACE, servers.join_all()).await;
    info!(target: TARGET, "service stopped");
    Ok(())
}

impl OpenDoor {
    /// Apart from what it shakes hands with. Its certificate is renewed from now on.
    fn certified(mut self, stop: &CancellationToken, tasks: &mut Supervisor) -> (Self, Option<TlsAcceptor>) {
        let tls = certified(self.tls.take(), stop, tasks);
        (self, tls)
    }
}

/// What a door shakes hands with. Its certificate is renewed from now on.
fn certified(tls: Option<(String, DoorTls)>, stop: &CancellationToken, tasks: &mut Supervisor) -> Option<TlsAcceptor> {
    let (door, tls) = tls?;
    let acceptor = TlsAcceptor::from(tls.settings());
    let stop = stop.clone();
    tasks.add("certificate", None, async move { certificates::renew(door, tls, &*wiring::clock(), &stop).await });
    Some(acceptor)
}
