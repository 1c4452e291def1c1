//! Workers in the daemon. Each takes trigger events, leads or stands by, sends its outbox, probes its dependencies and watches its
//! deadline.

use super::supervisor::{PanicObserver, Supervisor};
use super::{Assembly, DaemonError, Served, Shared, TARGET};
use crate::config::Flow;
use crate::core::generate::deliver::Courier;
use crate::core::generate::due::RunsProbe;
use crate::core::generate::service::Service;
use crate::core::generate::spec::Worker;
use crate::core::generate::trigger::{Listener, TriggerEvent, listen};
use crate::core::generate::{deadline, params};
use crate::core::health::{Dependencies, FaultProbe, Member, Probe, SourceProbe, StateProbe, TopicsProbe};
use crate::core::inlet::Inlet;
use crate::core::model::peer::Insecure;
use crate::core::model::run::RunId;
use crate::core::outbox::{LOOK_EVERY, OutboxPublisher};
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::RunStore;
use crate::core::ports::state::StateStore;
use crate::core::schedule::own::{OwnClock, OwnEvent, OwnTimes};
use crate::core::schedule::plan::PlanFault;
use crate::core::schedule::start::Startable;
use crate::http::Router;
use crate::http::generate::{AppState, WorkerHandle, routes};
use crate::http::panel::Panel;
use crate::telemetry::generate::status::WorkerStatus;
use crate::wiring::{self, Access, WiringError};
use std::sync::Arc;
use tokio::sync::Notify;
use tracing::{info, warn};

impl PanicObserver for WorkerStatus {
    fn ended(&self) {
        Self::ended(self);
    }
}

/// Adds all workers' tasks, and the runs that schedules may start.
pub(super) async fn build(served: &Served, shared: &Shared<'_>, all: &mut Assembly) -> Result<(), DaemonError> {
    for worker in served.each(Flow::worker) {
        let wanted = Arc::new(Notify::new());
        let handle = serve(worker, (&wanted, &all.inlets), shared, &mut all.tasks).await?;
        all.members.push(Member {
            name: worker.id.to_string(),
            working: Arc::clone(&handle.status) as Arc<_>,
            dependencies: Arc::clone(&handle.dependencies),
        });
        let (zone, runs) = (worker.business_date.timezone.clone(), Arc::clone(&handle.state.runs));
        all.startable.push(Startable { worker: worker.id.clone(), zone, runs, wanted });
        all.workers.push(handle);
    }
    Ok(())
}

/// The status page and its JSON: the workers', on which the other flows have `panels`.
pub(super) fn page(workers: Vec<WorkerHandle>, panels: Vec<Arc<dyn Panel>>, shared: &Shared<'_>) -> Router {
    let (clock, instance) = (wiring::clock(), shared.identity.instance.to_string());
    routes(AppState { instance, started: clock.now(), workers, panels, clock })
}

/// Starts one worker's tasks.
async fn serve(
    worker: &Arc<Worker>,
    (wanted, inlets): (&Arc<Notify>, &[Inlet]),
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) -> Result<WorkerHandle, DaemonError> {
    let clock = wiring::clock();
    let (instance, ttl) = (shared.identity.instance.as_str(), worker.policies.lease_ttl);
    let status = Arc::new(WorkerStatus::new(worker.id.clone(), instance, ttl, Arc::clone(&clock)));
    let insecure = wiring::insecure(worker);
    for Insecure { field, what, instead, .. } in &insecure {
        warn!(target: TARGET, worker = worker.id.as_str(), field, instead, "{what}");
    }
    status.insecure(&insecure);
    let ports = wiring::ports(worker, Access::Serve, Arc::clone(&status) as Arc<_>).await?;
    let publisher = wiring::producer(worker)?.map(|sink| OutboxPublisher {
        look_every: LOOK_EVERY,
        // It runs in the holder's term alone.
        has_turn: Arc::new(|| true),
        owner: (&worker.id).into(),
        outbox: Arc::clone(&ports.state.outbox),
        sink,
        retry: worker.policies.retry,
        clock: Arc::clone(&clock),
        observer: Arc::clone(&status) as Arc<_>,
    });
    let has_outbox = publisher.is_some();
    start_trigger(worker, &ports.state, (&status, wanted), shared, tasks)?;
    let own_times = own_times(worker)?;
    start_clock(worker, own_times.clone(), &ports.state, (&status, wanted), shared, tasks);
    warn_of_values(worker);
    let (state, volume) = (ports.state.clone(), Arc::clone(&ports.volume));
    let mut probes = probes(worker, &state.leases)?;
    let (runs, observer) = (Arc::clone(&state.runs), Arc::clone(&status) as Arc<_>);
    probes.push(Box::new(RunsProbe::new(Arc::clone(worker), runs, Arc::clone(&clock), observer)));
    probes.extend(delivering(worker, &status));
    let courier = courier(worker, &state, (&status, inlets));
    let dependencies = Arc::new(Dependencies::new(probes, clock, Arc::clone(&status) as Arc<_>));
    let asked = (Arc::clone(&dependencies), shared.stop.clone());
    tasks.add("dependencies", Some(Arc::clone(&status) as Arc<_>), async move { asked.0.watch(&asked.1).await });
    watch_deadline(worker, &state.runs, &status, shared, tasks);
    let service = Service {
        worker: Arc::clone(worker),
        registry: Arc::clone(shared.registry),
        ports,
        identity: shared.identity.clone(),
        observer: Arc::clone(&status) as Arc<_>,
        wanted: Arc::clone(wanted),
        publisher,
        courier,
    };
    let (ended, stop) = (Arc::clone(&status), shared.stop.clone());
    tasks.add("service", Some(Arc::clone(&status) as Arc<_>), async move {
        Box::pin(service.serve(&stop)).await;
        ended.ended();
    });
    Ok(WorkerHandle { status, dependencies, state, volume, has_outbox, deadline: worker.deadline.clone(), own_times })
}

/// Who brings what the worker publishes to its transfer, where it names one.
fn courier(
    worker: &Arc<Worker>,
    state: &StateStore,
    (status, inlets): (&Arc<WorkerStatus>, &[Inlet]),
) -> Option<Courier> {
    worker.deliver.as_ref()?;
    Some(Courier {
        worker: Arc::clone(worker),
        inlets: inlets.to_vec(),
        runs: Arc::clone(&state.runs),
        deliveries: Arc::clone(&state.deliveries),
        clock: wiring::clock(),
        observer: Arc::clone(status) as Arc<_>,
    })
}

/// Tells of a hand-over that fails for now. Where no file goes to a transfer there is nothing to ask.
fn delivering(worker: &Worker, status: &Arc<WorkerStatus>) -> Option<Box<dyn Probe>> {
    worker.deliver.as_ref()?;
    let watched = Arc::clone(status);
    Some(Box::new(FaultProbe { name: "deliver", fault: Box::new(move || watched.now().deliveries?.kept_by) }))
}

/// When the worker's runs are due without an event.
fn own_times(worker: &Worker) -> Result<Option<OwnTimes>, PlanFault> {
    worker.schedule.as_ref().map(OwnTimes::of).transpose()
}

/// Starts the worker's own clock; where it has none, one that it had is forgotten. Each due time is told to the status, and wakes who waits for a run.
fn start_clock(
    worker: &Arc<Worker>,
    times: Option<OwnTimes>,
    state: &StateStore,
    (status, wanted): (&Arc<WorkerStatus>, &Arc<Notify>),
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) {
    let next = times.as_ref().map(|times| times.next(wiring::clock().now()));
    if let Some(Some(due)) = next {
        info!(target: TARGET, worker = worker.id.as_str(), due = %due.at, date = %due.date, "the worker's own clock: next run");
    } else if next.is_some() {
        warn!(target: TARGET, worker = worker.id.as_str(), "the worker's own clock: no run is ever due again");
    }
    let (observers, has_times) = ((Arc::clone(status), Arc::clone(wanted)), times.is_some());
    let own = OwnClock {
        worker: worker.id.clone(),
        times,
        retry: worker.policies.retry,
        runs: Arc::clone(&state.runs),
        marks: Arc::clone(&state.clocks),
        clock: wiring::clock(),
        observer: Arc::new(move |event: &OwnEvent| {
            // A worker without a clock has none that fails.
            if !has_times {
                return;
            }
            observers.0.observe(event);
            observers.1.notify_one();
        }),
    };
    let stop = shared.stop.clone();
    tasks.add("clock", Some(Arc::clone(status) as Arc<_>), async move { own.keep(&stop).await });
}

/// Says which parameters have no value: a service cannot be given one.
fn warn_of_values(worker: &Worker) {
    for name in params::without_value(worker) {
        let worker = worker.id.as_str();
        let text = format!(
            "the parameter `{name}` has no value in the worker file: a run fails until one is there; by hand, with the daemon stopped, \
             `filegen run --param {name}=VALUE` gives one"
        );
        warn!(target: TARGET, worker, "{text}");
    }
}

/// Starts to listen to the worker's topic, where it has one. Each taken event is told to the status, and wakes who waits for a run.
fn start_trigger(
    worker: &Arc<Worker>,
    state: &StateStore,
    (status, wanted): (&Arc<WorkerStatus>, &Arc<Notify>),
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) -> Result<(), WiringError> {
    let Some(mut source) = wiring::consumer(worker)? else {
        let (worker, has_clock) = (worker.id.as_str(), worker.schedule.is_some());
        if !has_clock {
            info!(target: TARGET, worker, "no trigger: a run begins only when `filegen run` asks for it");
        }
        return Ok(());
    };
    let observers = (Arc::clone(status), Arc::clone(wanted));
    let observer = move |event: &TriggerEvent| {
        observers.0.observe(event);
        observers.1.notify_one();
    };
    let listener = Listener::new(worker, state, wiring::clock(), Arc::new(observer));
    let stop = shared.stop.clone();
    tasks.add("trigger", Some(Arc::clone(status) as Arc<_>), async move {
        if let Some(listener) = listener {
            listen(&listener, &mut *source, &stop).await;
        }
    });
    Ok(())
}

/// The probes of a worker's dependencies. The source is asked without retries, so that health shows the first fault.
fn probes(worker: &Arc<Worker>, leases: &Arc<dyn LeaseStore>) -> Result<Vec<Box<dyn Probe>>, WiringError> {
    let (source, asked, clock) = (wiring::source_at(&worker.source.url)?, Arc::clone(worker), wiring::clock());
    let view = Box::new(move || params::for_health(&asked, clock.now()));
    let mut probes: Vec<Box<dyn Probe>> = vec![
        Box::new(StateProbe { leases: Arc::clone(leases), key: (&worker.id).into() }),
        Box::new(SourceProbe { source, view }),
    ];
    let topics = wiring::topic_probes(worker)?;
    if !topics.is_empty() {
        let topics = topics.into_iter().map(|topic| (topic.name, topic.probe)).collect();
        probes.push(Box::new(TopicsProbe { topics }));
    }
    Ok(probes)
}

fn watch_deadline(
    worker: &Arc<Worker>,
    runs: &Arc<dyn RunStore>,
    status: &Arc<WorkerStatus>,
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) {
    let (worker, runs, stop) = (Arc::clone(worker), Arc::clone(runs), shared.stop.clone());
    let (watched, observer) = (Arc::clone(status), Arc::clone(status));
    tasks.add("deadline", Some(Arc::clone(status) as Arc<_>), async move {
        let rate = |id: &RunId| watched.now().run.filter(|run| run.id == id.to_string()).map(|run| run.rate.0);
        deadline::watch(&worker, &*runs, &rate, &*wiring::clock(), &*observer, &stop).await;
    });
}
