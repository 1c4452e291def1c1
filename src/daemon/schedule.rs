//! Schedulers in the daemon. Each serves its two doors, leads or stands by, looks for files, and sends its outbox.

use super::seed::seed;
use super::supervisor::{PanicObserver, Supervisor};
use super::{Assembly, DaemonError, OpenDoor, Served, Shared, TARGET};
use crate::config::Flow;
use crate::core::health::{Dependencies, FaultProbe, Member, Probe, StateProbe, TopicsProbe};
use crate::core::inlet::Inlet;
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::message::{EventId, Message};
use crate::core::model::names::LeaseKey;
use crate::core::model::peer::Insecure;
use crate::core::outbox::{OutboxPublisher, relay};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::producer::Producer;
use crate::core::schedule::board::Board;
use crate::core::schedule::change::CHANGES;
use crate::core::schedule::data_source::Others;
use crate::core::schedule::discover::{DISCOVERED, Discovery};
use crate::core::schedule::feed::StoreFeed;
use crate::core::schedule::hear::{Applier, Listener, hear};
use crate::core::schedule::looks::Hanging;
use crate::core::schedule::page_key::PageKey;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::service::{Leading, Service};
use crate::core::schedule::sources::Sources;
use crate::core::schedule::spec::{DoorSpec, Scheduler};
use crate::core::schedule::start::{Startable, Starting};
use crate::http::schedule::{Doors, Origins, SchedulerPanel};
use crate::http::{self, Hosts, Router};
use crate::telemetry::schedule::SchedulerStatus;
use crate::telemetry::schedule::sources::SourcesStatus;
use crate::wiring::{self, Access, SchedulerState};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tracing::{info, warn};

impl PanicObserver for SourcesStatus {
    fn ended(&self) {
        Self::ended(self);
    }
}

/// What the tasks of one scheduler share.
struct Parts<'a> {
    scheduler: &'a Scheduler,
    state: SchedulerState,
    settings: Settings,
    status: Arc<SourcesStatus>,
    clockwork: Arc<SchedulerStatus>,
    /// Notified when a change of a data source waits in the outbox.
    changed: Arc<Notify>,
    /// Notified when an event of a new file waits in the outbox.
    found: Arc<Notify>,
    /// Notified when the leader is to look at once.
    wanted: Arc<Notify>,
    /// Whether this instance leads.
    leading: Leading,
}

/// Adds all schedulers' tasks, and opens their doors. They may start the runs of the workers, and bring files to the transfers, that are
/// built before.
pub(super) async fn build(served: &Served, shared: &Shared<'_>, all: &mut Assembly) -> Result<(), DaemonError> {
    for scheduler in served.each(Flow::scheduler) {
        let (panel, member, doors) = serve(scheduler, (&all.startable, &all.inlets), shared, &mut all.tasks).await?;
        all.panels.push(Arc::new(panel));
        all.members.push(member);
        all.doors.extend(doors);
    }
    Ok(())
}

/// Starts one scheduler's tasks.
async fn serve(
    scheduler: &Scheduler,
    (workers, inlets): (&[Startable], &[Inlet]),
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) -> Result<(SchedulerPanel, Member, [OpenDoor; 2]), DaemonError> {
    let insecure = wiring::insecure_of_scheduler(scheduler);
    for Insecure { field, what, instead, .. } in &insecure {
        warn!(target: TARGET, scheduler = scheduler.id.as_str(), field, instead, "{what}");
    }
    let parts = Parts {
        scheduler,
        state: wiring::scheduler_state(scheduler, Access::Serve).await?,
        settings: wiring::schedule_settings(scheduler)?,
        status: Arc::new(SourcesStatus::new(scheduler.id.as_str())),
        clockwork: Arc::new(SchedulerStatus::new(scheduler.id.as_str())),
        changed: Arc::new(Notify::new()),
        found: Arc::new(Notify::new()),
        wanted: Arc::new(Notify::new()),
        leading: Leading::default(),
    };
    parts.status.insecure(&insecure);
    let others = Others {
        workers: workers.iter().map(|it| it.worker.to_string()).collect(),
        transfers: inlets.iter().map(|inlet| inlet.name.clone()).collect(),
    };
    let who = format!("the API of {}", shared.identity.instance);
    let sources = Arc::new(wiring::sources(scheduler, &parts.state, &parts.settings, &others, who, &parts.changed));
    if let Some(path) = &scheduler.sources {
        seed(path, &sources, &parts.state).await?;
    }
    let member = member(&parts, &sources, shared, tasks);
    let broker = ask_broker(&parts, shared, tasks)?;
    let doors = open_doors(&parts, &sources, (&member, &broker), shared)?;
    send(&parts, shared, tasks)?;
    listen(&parts, shared, tasks)?;
    lead(&parts, &sources, (workers, inlets), shared, tasks);
    watch(&parts, &sources, shared, tasks);
    Ok((panel(&parts, (&member, broker), &doors), member, doors))
}

/// What the daemon's status page shows.
fn panel(
    parts: &Parts<'_>,
    (member, broker): (&Member, Option<Arc<Dependencies>>),
    [_, page]: &[OpenDoor; 2],
) -> SchedulerPanel {
    SchedulerPanel {
        name: parts.scheduler.id.to_string(),
        key: (&parts.scheduler.id).into(),
        page_port: page.listener.local_addr().map_or(parts.scheduler.page.port, |address| address.port()),
        clockwork: Arc::clone(&parts.clockwork),
        dependencies: Arc::clone(&member.dependencies),
        broker,
        stores: parts.state.stores(),
        settings: parts.settings.clone(),
        clock: wiring::clock(),
    }
}

/// Whom health asks.
fn member(parts: &Parts<'_>, sources: &Sources, shared: &Shared<'_>, tasks: &mut Supervisor) -> Member {
    let scheduler = parts.scheduler;
    let probe = StateProbe { leases: Arc::clone(&parts.state.leases), key: (&scheduler.id).into() };
    let clockwork = Arc::clone(&parts.clockwork);
    let records = FaultProbe { name: "records", fault: Box::new(move || clockwork.odd_record()) };
    let clockwork = Arc::clone(&parts.clockwork);
    let due = FaultProbe { name: "clockwork", fault: Box::new(move || clockwork.fault(wiring::clock().elapsed())) };
    let looks = Arc::clone(&sources.looks);
    let folders = FaultProbe { name: "folders", fault: Box::new(move || looks.hanging().first().map(Hanging::words)) };
    let observer = Arc::clone(&parts.status) as Arc<_>;
    let probes: Vec<Box<dyn Probe>> = vec![Box::new(probe), Box::new(records), Box::new(due), Box::new(folders)];
    let dependencies = Arc::new(Dependencies::new(probes, wiring::clock(), observer));
    let asked = (Arc::clone(&dependencies), shared.stop.clone());
    tasks.add("dependencies", Some(Arc::clone(&parts.status) as Arc<_>), async move {
        asked.0.watch(&asked.1).await;
    });
    let name = format!("schedule:{}", scheduler.id);
    Member { name, working: Arc::clone(&parts.status) as Arc<_>, dependencies }
}

/// Asks Kafka, where there is a topic. It is told on the pages, and health does not hear of it: without it the doors go on, due times are
/// fired and events wait, so nobody is to send people elsewhere.
fn ask_broker(
    parts: &Parts<'_>,
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) -> Result<Option<Arc<Dependencies>>, DaemonError> {
    let found = wiring::scheduler_probes(parts.scheduler)?;
    let topics: Vec<_> = found.into_iter().map(|it| (it.name, it.probe)).collect();
    if topics.is_empty() {
        return Ok(None);
    }
    let observer = Arc::clone(&parts.status) as Arc<_>;
    let broker = Arc::new(Dependencies::new(vec![Box::new(TopicsProbe { topics })], wiring::clock(), observer));
    let (asked, stop) = (Arc::clone(&broker), shared.stop.clone());
    tasks.add("broker", Some(Arc::clone(&parts.status) as Arc<_>), async move { asked.watch(&stop).await });
    Ok(Some(broker))
}

/// Opens the doors for programs and for people.
fn open_doors(
    parts: &Parts<'_>,
    sources: &Arc<Sources>,
    (member, broker): (&Member, &Option<Arc<Dependencies>>),
    shared: &Shared<'_>,
) -> Result<[OpenDoor; 2], DaemonError> {
    let doors = Arc::new(Doors {
        name: parts.scheduler.id.to_string(),
        sources: Arc::clone(sources),
        schedules: Arc::clone(&parts.state.schedules),
        settings: parts.settings.clone(),
        steered: Arc::clone(&parts.wanted),
        instance: shared.identity.instance.to_string(),
        clock: wiring::clock(),
        broker: broker.clone(),
        board: Board::new(Arc::clone(&parts.state.schedules), parts.settings.clone(), wiring::clock()),
        page_key: PageKey::new(
            Arc::clone(&parts.state.leases),
            &parts.scheduler.id,
            shared.identity.instance.clone(),
            wiring::new_ids(),
            wiring::clock(),
        ),
    });
    let Scheduler { api, page, .. } = parts.scheduler;
    let (metrics, stop) = (shared.metrics.clone(), shared.stop.clone());
    let metrics = http::metrics_listed(http::Shared { members: vec![member.clone()], metrics, stop });
    let routes = http::schedule::api(&doors, metrics, Origins(api.cors.clone()), api.token.as_ref());
    let open = |name, spec: &DoorSpec, routes| {
        // Each door has a list of its own, and takes the names of the daemon's listener too.
        let names = spec.hosts.iter().chain(shared.hosts).cloned().collect();
        open(name, spec, (routes, Hosts::of_door(spec.listen, names)), parts, member)
    };
    Ok([open("api", api, routes)?, open("page", page, http::schedule::page(&doors))?])
}

fn open(
    name: &'static str,
    spec: &DoorSpec,
    (routes, hosts): (Router, Hosts),
    parts: &Parts<'_>,
    member: &Member,
) -> Result<OpenDoor, DaemonError> {
    let DoorSpec { port, listen: address, ref tls, .. } = *spec;
    let key = format!("{}/{name}", parts.scheduler.id.as_str());
    let tls = wiring::door_tls(&key, tls.as_ref())?.map(|tls| (key, tls));
    let listener = http::bind(address, port).map_err(|source| DaemonError::Listen { port, address, source })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    info!(target: TARGET, scheduler = parts.scheduler.id.as_str(), door = name, port, "door is open");
    Ok(OpenDoor { listener, routes, member: member.clone(), hosts, tls })
}

/// Sends the outbox: changes of data sources, and new files where there is a topic for them.
fn send(parts: &Parts<'_>, shared: &Shared<'_>, tasks: &mut Supervisor) -> Result<(), DaemonError> {
    let publish = |owner: &str, sink, is_topic: bool| {
        let (owner, leading) = (LeaseKey::new(owner).ok()?, parts.leading.clone());
        Some(OutboxPublisher {
            owner,
            look_every: LOOK_EVERY,
            // On a topic each data source's changes have their order. Here a late one is known by its version.
            has_turn: Arc::new(move || !is_topic || leading.is_held()),
            outbox: Arc::clone(&parts.state.outbox),
            sink,
            retry: parts.scheduler.policies.retry,
            clock: wiring::clock(),
            observer: Arc::clone(&parts.status) as Arc<_>,
        })
    };
    let here = || Arc::new(Here(applier(parts))) as Arc<dyn Producer>;
    let changes = parts.scheduler.changes.as_ref().map(wiring::topic_producer).transpose()?.unwrap_or_else(here);
    let files = parts.scheduler.discovered.as_ref().map(wiring::topic_producer).transpose()?;
    let both = [
        (publish(CHANGES, changes, parts.scheduler.changes.is_some()), &parts.changed),
        (files.and_then(|files| publish(DISCOVERED, files, true)), &parts.found),
    ];
    for (publisher, wake) in both {
        let Some(publisher) = publisher else { continue };
        let (wake, stop) = (Arc::clone(wake), shared.stop.clone());
        tasks.add("outbox", Some(Arc::clone(&parts.status) as Arc<_>), async move {
            relay(&publisher, &wake, &stop).await;
        });
    }
    Ok(())
}

/// Hears changes from their topic.
fn listen(parts: &Parts<'_>, shared: &Shared<'_>, tasks: &mut Supervisor) -> Result<(), DaemonError> {
    let Some(spec): Option<&KafkaSpec> = parts.scheduler.changes.as_ref() else { return Ok(()) };
    let mut consumer = wiring::topic_consumer(spec)?;
    let listener = Listener {
        owner: (&parts.scheduler.id).into(),
        applier: applier(parts),
        dead_letters: Arc::clone(&parts.state.dead_letters),
        retry: parts.scheduler.policies.retry,
        observer: Arc::clone(&parts.status) as Arc<_>,
    };
    let stop = shared.stop.clone();
    tasks.add("changes", Some(Arc::clone(&parts.status) as Arc<_>), async move {
        hear(&listener, &mut *consumer, &stop).await;
    });
    Ok(())
}

fn applier(parts: &Parts<'_>) -> Applier {
    Applier {
        schedules: Arc::clone(&parts.state.schedules),
        settings: parts.settings.clone(),
        clock: wiring::clock(),
        wanted: Arc::clone(&parts.wanted),
    }
}

/// Leads or stands by.
fn lead(
    parts: &Parts<'_>,
    sources: &Arc<Sources>,
    (workers, inlets): (&[Startable], &[Inlet]),
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) {
    let discovery = Discovery {
        sources: Arc::clone(&parts.state.sources),
        ledger: Arc::clone(&parts.state.ledger),
        looks: Arc::clone(&sources.looks),
        roots: parts.scheduler.roots.clone(),
        stable_for: parts.scheduler.defaults.stable_for,
        max_size: parts.scheduler.defaults.max_size,
        look_within: parts.scheduler.defaults.look_within,
        has_topic: parts.scheduler.discovered.is_some(),
        inlets: inlets.to_vec(),
        clock: wiring::clock(),
        wake: Arc::clone(&parts.found),
        observer: Arc::clone(&parts.status) as Arc<_>,
    };
    let service = Service {
        key: (&parts.scheduler.id).into(),
        instance: shared.identity.instance.clone(),
        policies: parts.scheduler.policies.clone(),
        leases: Arc::clone(&parts.state.leases),
        schedules: Arc::clone(&parts.state.schedules),
        feed: Some(Arc::new(StoreFeed(Arc::clone(&parts.state.sources)))),
        clock: wiring::clock(),
        settings: Arc::new(parts.settings.clone()),
        action: Arc::new(Starting { discovery, workers: workers.to_vec(), clock: wiring::clock() }),
        observer: Arc::clone(&parts.clockwork) as Arc<_>,
        nonce: Arc::clone(&shared.identity.nonce),
        abort: Arc::clone(&shared.identity.abort),
        wanted: Arc::clone(&parts.wanted),
        leading: parts.leading.clone(),
    };
    let (stop, ended) = (shared.stop.clone(), Arc::clone(&parts.status));
    tasks.add("clockwork", Some(Arc::clone(&parts.status) as Arc<_>), async move {
        Box::pin(service.serve(&stop)).await;
        ended.ended();
    });
}

/// Tells looks at folders that hang.
fn watch(parts: &Parts<'_>, sources: &Sources, shared: &Shared<'_>, tasks: &mut Supervisor) {
    let (looks, observer, stop) = (Arc::clone(&sources.looks), Arc::clone(&parts.status), shared.stop.clone());
    tasks.add("looks", Some(Arc::clone(&parts.status) as Arc<_>), async move {
        looks.watch(&*observer, &stop).await;
    });
}

/// What stands for a topic where there is none.
const HERE: &str = "the schedules";

/// Time between two looks into an outbox: other instances and commands write to it, too.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Where changes go without a topic: into the schedules, at once.
struct Here(Applier);

#[async_trait]
impl Producer for Here {
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<EventId, BrokerError>> {
        // No log keeps it, so all have one place.
        let place = || EventId { topic: HERE.to_owned(), partition: 0, offset: 0 };
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            let applied = self.0.apply(&message.payload).await;
            answers.push(applied.map(|_| place()).map_err(|error| {
                let (topic, reason) = (HERE.to_owned(), error.to_string());
                BrokerError::Unreachable { topic, reason }
            }));
        }
        answers
    }
}
