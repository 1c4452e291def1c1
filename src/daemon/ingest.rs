//! Ingests in the daemon. Each reads its log into its tables, sends dead letters to their queue, and opens the doors of its file.

use super::supervisor::{PanicObserver, Supervisor};
use super::{Assembly, DaemonError, IngestParts, OpenDoor, Served, Shared, TARGET};
use crate::config::Flow;
use crate::core::backoff::Backoff;
use crate::core::health::{Dependencies, FaultProbe, Member, Probe, TopicsProbe};
use crate::core::ingest::event::IngestEvent;
use crate::core::ingest::health::SinkProbe;
use crate::core::ingest::keep::Keeping;
use crate::core::ingest::relay;
use crate::core::ingest::service::{IngestPorts, Service};
use crate::core::ingest::spec::{DoorSpec, Ingest};
use crate::core::model::finding::CheckVerdict;
use crate::core::model::peer::Insecure;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::table_reader::TableReader;
use crate::http::ingest::{IngestPanel, Sending, Watcher, described, producing, reading};
use crate::http::{self, Hosts, Router};
use crate::telemetry::ingest::IngestStatus;
use crate::wiring::{self, WiringError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long reading pauses after an error that no wait mends. A person may have mended it by then.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Time between two lines about how it goes.
const TELL_EVERY: Duration = Duration::from_secs(10);

impl PanicObserver for IngestStatus {
    fn ended(&self) {
        Self::ended(self);
    }
}

/// Adds all ingests' tasks, and opens their doors.
pub(super) fn build(served: &Served, shared: &Shared<'_>, all: &mut Assembly) -> Result<(), DaemonError> {
    let parts = served.parts;
    for ingest in served.each(Flow::ingest) {
        let clock = wiring::clock();
        let status = Arc::new(IngestStatus::new(ingest, Arc::clone(&clock)));
        let insecure = wiring::insecure_of_ingest(ingest);
        for Insecure { field, what, instead, .. } in &insecure {
            warn!(target: TARGET, ingest = ingest.id.as_str(), field, instead, "{what}");
        }
        status.insecure(&insecure);
        let reader = wiring::table_reader(ingest)?;
        let dependencies = dependencies((ingest, parts), &status, &reader, &clock)?;
        let member = Member {
            name: ingest.id.as_str().to_owned(),
            working: Arc::clone(&status) as Arc<_>,
            dependencies: Arc::clone(&dependencies),
        };
        all.doors.extend(doors((ingest, parts), &status, &reader, (&member, shared.hosts))?);
        if parts.ingest {
            start(ingest, &status, shared, &mut all.tasks)?;
        }
        let (asked, stop) = (Arc::clone(&dependencies), shared.stop.clone());
        all.tasks.add("dependencies", Some(Arc::clone(&status) as Arc<_>), async move { asked.watch(&stop).await });
        all.members.push(member);
        all.panels.push(Arc::new(IngestPanel { status, dependencies, queue: wiring::letter_queue(ingest)? }));
    }
    Ok(())
}

/// The probes that health asks.
fn dependencies(
    (ingest, parts): (&Arc<Ingest>, IngestParts),
    status: &Arc<IngestStatus>,
    reader: &Arc<dyn TableReader>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Dependencies>, WiringError> {
    let watched = Arc::clone(status);
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    if parts.ingest || parts.read {
        probes.push(Box::new(SinkProbe { reader: Arc::clone(reader) }));
    }
    if parts.ingest {
        let records = Arc::clone(&watched);
        probes
            .push(Box::new(FaultProbe { name: "writing", fault: Box::new(move || watched.now().hold_up().cloned()) }));
        probes.push(Box::new(FaultProbe { name: "records", fault: Box::new(move || records.now().odd_record()) }));
    }
    if let Some(topic) = wiring::event_topic_probe(ingest)?.filter(|_| parts.ingest || parts.produce) {
        probes.push(Box::new(TopicsProbe { topics: vec![("source", topic)] }));
    }
    Ok(Arc::new(Dependencies::new(probes, Arc::clone(clock), Arc::clone(status) as Arc<_>)))
}

/// Starts reading, and sending dead letters.
fn start(
    ingest: &Arc<Ingest>,
    status: &Arc<IngestStatus>,
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) -> Result<(), WiringError> {
    let letters = Arc::new(Notify::new());
    // Made once here, so that a wrong property is told at the start.
    drop(wiring::events(ingest, None, true)?);
    let member = || Some(Arc::clone(status) as Arc<dyn PanicObserver>);
    let (instance, stop) = (shared.identity.instance.to_string(), shared.stop.clone());
    tasks.add("events", member(), read(Arc::clone(ingest), instance, Arc::clone(status), Arc::clone(&letters), stop));

    let (queue, mut sink, clock) = (wiring::letter_queue(ingest)?, wiring::sql_sink(ingest)?, wiring::clock());
    let backoff = Backoff::new(ingest.policies.retry).with_jitter(wiring::jitter());
    let (observer, stop) = (Arc::clone(status), shared.stop.clone());
    let id = ingest.id.as_str().to_owned();
    let mut keeping = Keeping::new(&ingest.dead_letters, shared.identity.instance.as_str());
    tasks.add("dead letters", member(), async move {
        for finding in queue.examine().await.unwrap_or_default() {
            if finding.verdict != CheckVerdict::Pass {
                warn!(target: TARGET, ingest = id, check = finding.check, "{}", finding.detail);
            }
        }
        relay::run(&mut *sink, &*queue, &*clock, &*observer, (letters, backoff, &mut keeping), &stop).await;
    });

    let (told, clock, stop) = (Arc::clone(status), wiring::clock(), shared.stop.clone());
    tasks.add("rates", member(), async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(TELL_EVERY) => told.tell(),
            }
        }
    });
    Ok(())
}

/// Reads until it is to stop. What no wait mends is told, and tried again now and then.
async fn read(
    ingest: Arc<Ingest>,
    instance: String,
    status: Arc<IngestStatus>,
    letters: Arc<Notify>,
    stop: CancellationToken,
) {
    let clock = wiring::clock();
    while !stop.is_cancelled() {
        let built = wiring::events(&ingest, None, true).map_err(WiringError::from);
        let ended = match built.and_then(|consumer| Ok((consumer, wiring::sql_sink(&ingest)?))) {
            Ok((consumer, sink)) => {
                let observer: Arc<dyn Observer<IngestEvent>> = Arc::clone(&status) as _;
                let ports = IngestPorts {
                    consumer,
                    sink,
                    clock: Arc::clone(&clock),
                    observer,
                    jitter: wiring::jitter(),
                    letters: Arc::clone(&letters),
                };
                let service = Service::new(Arc::clone(&ingest), instance.clone(), ports);
                service.run(false, &stop).await.map(drop).map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        let Err(reason) = ended else { continue };
        status.halted(&reason);
        tokio::select! {
            () = stop.cancelled() => {}
            () = clock.sleep(AGAIN_AFTER) => {}
        }
    }
}

/// Binds the doors of a file.
fn doors(
    (ingest, parts): (&Arc<Ingest>, IngestParts),
    status: &Arc<IngestStatus>,
    reader: &Arc<dyn TableReader>,
    (member, hosts): (&Member, &[String]),
) -> Result<Vec<OpenDoor>, DaemonError> {
    let watcher: Watcher = Arc::clone(status) as _;
    let mut opened = Vec::new();
    let producer = wiring::event_producer(ingest).map_err(WiringError::from)?;
    if let Some((door, producer)) = ingest.produce.as_ref().zip(producer).filter(|_| parts.produce) {
        let sending = Sending { producer, clock: wiring::clock(), observer: Arc::clone(status) as _ };
        let routes = producing(ingest, door, sending, &watcher).merge(described(ingest));
        opened.push(open(ingest, ("produce", &door.door), routes, (member, hosts))?);
    }
    if let Some(read) = ingest.read.as_ref().filter(|_| parts.read) {
        let routes = reading(read, reader, &watcher).merge(described(ingest));
        opened.push(open(ingest, ("read", &read.door), routes, (member, hosts))?);
    }
    Ok(opened)
}

fn open(
    ingest: &Ingest,
    (name, spec): (&str, &DoorSpec),
    routes: Router,
    (member, hosts): (&Member, &[String]),
) -> Result<OpenDoor, DaemonError> {
    let DoorSpec { port, listen: address, ref tls, .. } = *spec;
    let key = format!("{}/{name}", ingest.id.as_str());
    let tls = wiring::door_tls(&key, tls.as_ref())?.map(|tls| (key, tls));
    // A list of its own, and the names of the daemon's listener.
    let hosts = Hosts::of_door(address, spec.hosts.iter().chain(hosts).cloned().collect());
    let listener = http::bind(address, port).map_err(|source| DaemonError::Listen { port, address, source })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    info!(target: TARGET, ingest = ingest.id.as_str(), door = name, port, "door is open");
    Ok(OpenDoor { listener, routes, member: member.clone(), hosts, tls })
}
