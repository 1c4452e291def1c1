//! `filegen daemon`: any number of workers in one long-running process.

use super::cli::LogFormat;
use super::context::Context;
use super::exit::{Code, Verdict};
use super::failure::Failure;
use super::stop::{self, SignalReporter, Signals};
use crate::config::{self, Environment};
use crate::core::generate::service::Service;
use crate::core::generate::spec::Worker;
use crate::core::generate::trigger::{Listener, TriggerEvent, listen};
use crate::core::outbox::OutboxPublisher;
use crate::core::ports::observer::Observer;
use crate::telemetry::deadline;
use crate::telemetry::dependencies::Dependencies;
use crate::telemetry::generate::status::WorkerStatus;
use crate::telemetry::log::{self, Level};
use crate::telemetry::metrics;
use crate::telemetry::server::{self, Board, Served};
use crate::wiring::{self, Access};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::SignalKind;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Time between two looks at the worker files.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Serve workers: start runs on events, lead or stand by, send completion events
///
/// Any number of instances may serve the same workers: of each worker, one instance leads and writes, the others stand by and
/// take over when it is gone. Each event of the trigger's topic asks for a run, recorded once a business date; the leader
/// makes it, whichever instance heard of it. SIGTERM finishes the commit in hand, gives the leases back and exits 0; SIGHUP
/// checks the worker files again and says what a restart would change.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen daemon -c loan.yaml -c customer.yaml
  filegen daemon -c loan.yaml --log-format json --health-port 5001

Answers at http://HOST:5000: / (status page), /status (JSON), /health/live, /health/ready, /metrics")]
pub struct Args {
    /// Port for health, metrics and the status page; 0 takes any that is free
    #[arg(long, env = "HEALTH_PORT", value_name = "PORT", default_value_t = 5000)]
    health_port: u16,
}

/// A worker and the file that it stands in.
struct Loaded {
    path: PathBuf,
    worker: Arc<Worker>,
}

/// Serves until a signal.
pub(super) fn run(context: &Context, args: &Args) -> Result<Verdict, Failure> {
    let workers = load_all(context)?;
    let level = match context.globals.verbose {
        0 | 1 => Level::Info,
        2 => Level::Debug,
        _ => Level::Trace,
    };
    log::start(level, context.log_form(LogFormat::Kv));
    let metrics =
        metrics::start().map_err(|error| Failure::caused(Code::Failed, &error).context("cannot record metrics"))?;
    context.block_on(async {
        let identity = wiring::identity();
        let names: Vec<String> = workers.iter().map(|loaded| loaded.worker.id.to_string()).collect();
        let (instance, version) = (identity.instance.to_string(), env!("CARGO_PKG_VERSION"));
        info!(workers = names.join(","), instance, version, "service starting");
        let address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, args.health_port));
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::caused(Code::Failed, &error)
                .context(format!("cannot listen on port {}", args.health_port))
                .hint("another process has it; choose one with --health-port or HEALTH_PORT")
        })?;
        let port = listener.local_addr().map_or(args.health_port, |address| address.port());
        info!(instance, port, "health, metrics and status page are served");

        let signals = Signals::watch(Arc::new(Logged))?;
        let clock = wiring::clock();
        let mut tasks = JoinSet::new();
        let mut served = Vec::new();
        for loaded in &workers {
            served.push(serve(context, &loaded.worker, &identity, &signals.stop, &mut tasks).await?);
        }
        let small = (metrics.clone(), signals.stop.clone());
        tasks.spawn(async move { metrics::keep_small(&small.0, &*wiring::clock(), &small.1).await });
        let started = clock.now();
        let stop = signals.stop.clone();
        let board = Arc::new(Board { instance, started, workers: served, clock, metrics, stop });
        let serving = CancellationToken::new();
        let server = tokio::spawn(server::serve(board, listener, serving.clone()));
        let watch = watch_files(context, &workers);
        tokio::select! {
            () = signals.stop.cancelled() => {}
            ended = watch => ended?,
        }
        // Each finishes its commit in hand and gives its lease back; a second signal ends the process at once.
        while tasks.join_next().await.is_some() {}
        serving.cancel();
        // A client that keeps its connection open must not keep the process.
        let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
        info!("service stopped");
        Ok(Verdict::Done)
    })
}

fn load_all(context: &Context) -> Result<Vec<Loaded>, Failure> {
    if context.globals.config.is_empty() {
        return Err(Failure::new(Code::Usage, "no worker file is named").hint("name one or more with `-c FILE`"));
    }
    let mut all: Vec<Loaded> = Vec::new();
    for path in &context.globals.config {
        let worker = Arc::new(config::load(path, &Environment, &context.registry)?.into_worker()?);
        if let Some(other) = all.iter().find(|other| other.worker.id == worker.id) {
            let text = format!("worker {} stands in {} and in {}", worker.id, other.path.display(), path.display());
            return Err(Failure::new(Code::Config, &text).hint("a worker is served once in a process"));
        }
        all.push(Loaded { path: path.clone(), worker });
    }
    Ok(all)
}

/// Starts one worker's tasks.
async fn serve(
    context: &Context,
    worker: &Arc<Worker>,
    identity: &crate::core::generate::run::Identity,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Result<Served, Failure> {
    let clock = wiring::clock();
    let live = Arc::new(WorkerStatus::new(worker.id.clone(), identity.instance.as_str(), Arc::clone(&clock)));
    let ports = wiring::ports(worker, Access::Serve, Arc::clone(&live) as Arc<_>).await?;
    let announcer = wiring::event_sink(worker)?.map(|sink| OutboxPublisher {
        worker: worker.id.clone(),
        runs: Arc::clone(&ports.runs),
        sink,
        retry: worker.policies.retry,
        clock: Arc::clone(&clock),
        observer: Arc::clone(&live) as Arc<_>,
    });
    let announces = announcer.is_some();
    let wanted = Arc::new(Notify::new());
    if let Some(mut source) = wiring::event_source(worker)? {
        let heard = (Arc::clone(&live), Arc::clone(&wanted));
        let tell = move |event: &TriggerEvent| {
            heard.0.observe(event);
            heard.1.notify_one();
        };
        let listener = Listener::new(worker, Arc::clone(&ports.runs), Arc::clone(&clock), Arc::new(tell));
        let stop = stop.clone();
        start(tasks, &live, async move {
            if let Some(listener) = listener {
                listen(&listener, &mut *source, &stop).await;
            }
        });
    }
    let (leases, runs) = (Arc::clone(&ports.leases), Arc::clone(&ports.runs));
    let dependencies = Arc::new(Dependencies::new(
        Arc::clone(worker),
        Arc::clone(&leases),
        wiring::source_at(&worker.source.url)?,
        wiring::topic_probes(worker)?,
        clock,
        Arc::clone(&live),
    ));
    let asked = (Arc::clone(&dependencies), stop.clone());
    start(tasks, &live, async move { asked.0.watch(&asked.1).await });
    let due = (Arc::clone(worker), Arc::clone(&runs), Arc::clone(&live), stop.clone());
    start(tasks, &live, async move { deadline::watch(&due.0, &*due.1, &due.2, &*wiring::clock(), &due.3).await });
    let service = Service {
        worker: Arc::clone(worker),
        registry: Arc::clone(&context.registry),
        ports,
        identity: identity.clone(),
        observer: Arc::clone(&live) as Arc<_>,
        wanted,
        announcer,
    };
    let (ended, stop) = (Arc::clone(&live), stop.clone());
    start(tasks, &live, async move {
        service.serve(&stop).await;
        ended.ended();
    });
    Ok(Served { live, dependencies, leases, runs, lease_ttl: worker.policies.lease_ttl, announces })
}

/// Starts a task of a worker. Should it die of a fault of its own, the worker is not served any more, and its health says so:
/// nobody waits for the task before the process is told to stop.
fn start(tasks: &mut JoinSet<()>, live: &Arc<WorkerStatus>, work: impl Future<Output = ()> + Send + 'static) {
    let mortal = Mortal(Arc::clone(live));
    tasks.spawn(async move {
        let _mortal = mortal;
        work.await;
    });
}

/// What a task holds for as long as it lives.
struct Mortal(Arc<WorkerStatus>);

impl Drop for Mortal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.ended();
        }
    }
}

/// Looks at the worker files when they change and at SIGHUP, and says what a restart would change.
async fn watch_files(context: &Context, workers: &[Loaded]) -> Result<(), Failure> {
    let mut hangups = stop::listen(SignalKind::hangup())?;
    let mut seen: Vec<_> = workers.iter().map(|loaded| changed_at(&loaded.path)).collect();
    loop {
        let asked = tokio::select! {
            _ = hangups.recv() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
        for (loaded, seen) in workers.iter().zip(&mut seen) {
            let now = changed_at(&loaded.path);
            if std::mem::replace(seen, now) != now || asked {
                check_again(context, loaded);
            }
        }
    }
}

fn changed_at(path: &Path) -> Option<std::time::SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

fn check_again(context: &Context, loaded: &Loaded) {
    let (worker, file) = (loaded.worker.id.as_str(), loaded.path.display());
    match config::load(&loaded.path, &Environment, &context.registry).and_then(config::Loaded::into_worker) {
        Err(problem) => warn!(worker, %file, %problem, "the worker file is wrong now: a restart would fail"),
        Ok(now) if now == *loaded.worker => info!(worker, %file, "the worker file says what is served"),
        Ok(now) => {
            let sections = changed_sections(&loaded.worker, &now).join(",");
            warn!(worker, %file, sections, "the worker file has changed: a restart would apply it");
        }
    }
}

/// The sections in which two worker files differ.
fn changed_sections(before: &Worker, after: &Worker) -> Vec<&'static str> {
    let differs = [
        ("worker", before.id != after.id),
        ("source", before.source != after.source),
        ("output", before.output != after.output),
        ("files", before.files != after.files),
        ("business_date", before.business_date != after.business_date),
        ("state", before.state != after.state),
        ("trigger", before.trigger != after.trigger),
        ("completion", before.completion != after.completion),
        ("deadline", before.deadline != after.deadline),
        ("commit", before.commit != after.commit),
        ("policies", before.policies != after.policies),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Says into the log what a signal does.
struct Logged;

impl SignalReporter for Logged {
    fn say(&self, text: &str) {
        info!("{text}");
    }

    fn finish(&self) {}
}
