//! A pod's process: the service and its trigger, as the daemon puts them together, over simulated ports.

use crate::broker::{SimEvents, SimSink};
use crate::data;
use crate::handover;
use crate::pod::{Pod, Then, Trap};
use crate::sim::locked;
use crate::source::SimSource;
use crate::store::SimStore;
use crate::volume::SimVolume;
use filegen::Registry;
use filegen::adapters::layer::retry::Retry;
use filegen::core::election::ElectionEvent;
use filegen::core::generate::Ports;
use filegen::core::generate::event::GenerateEvent;
use filegen::core::generate::run::Identity;
use filegen::core::generate::service::Service;
use filegen::core::generate::spec::Worker;
use filegen::core::generate::trigger::{Listener, TriggerEvent, listen};
use filegen::core::model::names::InstanceId;
use filegen::core::outbox::{LOOK_EVERY, OutboxPublisher};
use filegen::core::ports::clock::Clock;
use filegen::core::ports::observer::{Observer, Retrying, Unobserved};
use filegen::core::ports::state::StateStore;
use futures_util::FutureExt;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Tells the trace and the book what a process says of itself.
struct Watcher(Arc<Pod>);

impl Observer<ElectionEvent> for Watcher {
    fn observe(&self, event: &ElectionEvent) {
        let (pod, sim) = (&self.0, &self.0.sim);
        match event {
            ElectionEvent::Leading { token } => {
                sim.note(pod.number, format_args!("leads with {token}"));
                if sim.strikes(sim.mix.trapped_leader) {
                    let mut rng = sim.rng();
                    let then = if rng.chance(600) { Then::Kill } else { Then::Pause };
                    pod.weather.set_trap(Trap { after: rng.below(60), then });
                }
                if !locked(&sim.book).led.insert(*token) {
                    sim.wrong(format!("two terms were led with token {token}"));
                }
            }
            ElectionEvent::Lost { token, why } => sim.note(pod.number, format_args!("lost {token}: {why}")),
            ElectionEvent::NotReleased { reason } => {
                sim.note(pod.number, format_args!("could not give the lease back: {reason}"));
            }
            ElectionEvent::Retrying(retrying) => self.observe(retrying),
            _ => {}
        }
    }
}

impl Observer<Retrying> for Watcher {
    fn observe(&self, Retrying { reason, .. }: &Retrying) {
        self.0.sim.note(self.0.number, format_args!("again: {reason}"));
    }
}

impl Observer<GenerateEvent> for Watcher {
    fn observe(&self, event: &GenerateEvent) {
        let (pod, sim) = (&self.0, &self.0.sim);
        match event {
            GenerateEvent::Warning { text } => sim.note(pod.number, format_args!("warns: {text}")),
            GenerateEvent::Failed { error, .. } if error.contains("a fault of filegen itself") => {
                sim.wrong(format!("a run panicked: {error}"));
            }
            GenerateEvent::Failed { error, .. } => sim.note(pod.number, format_args!("run failed: {error}")),
            GenerateEvent::Resumed { from, page, .. } => {
                sim.note(pod.number, format_args!("resumed {from} behind {page}"));
            }
            GenerateEvent::Committed { page, .. } => sim.note(pod.number, format_args!("committed {page}")),
            _ => {}
        }
    }
}

pub struct Process {
    pub pod: Arc<Pod>,
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Process {
    pub fn start(pod: Pod, worker: &Arc<Worker>) -> Self {
        let pod = Arc::new(pod);
        pod.sim.note(pod.number, format_args!("starts its process {}, {:?}", pod.life, pod.clocks));
        let stop = CancellationToken::new();
        let (service, listener) = service(&pod, worker);
        let events = SimEvents { pod: Arc::clone(&pod) };
        let until = stop.clone();
        let task = tokio::spawn(async move {
            let mut events = events;
            tokio::join!(service.serve(&until), listen(&listener, &mut events, &until));
        });
        Self { pod, stop, task }
    }
}

impl Process {
    /// Ends what is left of it. A panic in it is no way to die.
    pub fn bury(self) {
        self.task.abort();
        if let Some(Err(error)) = self.task.now_or_never()
            && error.is_panic()
        {
            self.pod.sim.wrong(format!("pod {} panicked", self.pod.number));
        }
    }
}

fn service(pod: &Arc<Pod>, worker: &Arc<Worker>) -> (Service, Listener) {
    let clock: Arc<dyn Clock> = Arc::clone(pod) as Arc<dyn Clock>;
    let observer = Arc::new(Watcher(Arc::clone(pod)));
    let store = Arc::new(SimStore::new(Arc::clone(pod)));
    let chance = Arc::clone(&pod.sim);
    let source = Retry::new(
        Arc::new(SimSource { pod: Arc::clone(pod) }),
        worker.policies.retry,
        Arc::clone(&clock),
        Arc::clone(&observer) as Arc<_>,
    );
    let source = source.with_jitter(Arc::new(move || chance.rng().fraction()));
    let state = StateStore::of(store);
    let ports = Ports {
        source: Arc::new(source),
        volume: Arc::new(SimVolume { pod: Arc::clone(pod) }),
        state: state.clone(),
        clock: Arc::clone(&clock),
    };
    let publisher = OutboxPublisher {
        look_every: LOOK_EVERY,
        has_turn: Arc::new(|| true),
        owner: (&worker.id).into(),
        outbox: Arc::clone(&state.outbox),
        sink: Arc::new(SimSink { pod: Arc::clone(pod) }),
        retry: worker.policies.retry,
        clock: Arc::clone(&clock),
        observer: Arc::new(Unobserved),
    };
    let wanted = Arc::new(Notify::new());
    let heard = Arc::clone(&wanted);
    let observed = Arc::new(move |_: &TriggerEvent| heard.notify_one());
    let listener = Listener::new(worker, &state, clock, observed).expect("there is a trigger");
    let (namer, mortal) = (Arc::clone(pod), Arc::clone(pod));
    let identity = Identity {
        instance: InstanceId::new(format!("pod-{}:{}", pod.number, pod.life)),
        nonce: Arc::new(move || namer.nonce()),
        abort: Arc::new(move || mortal.die("it did not stop in time")),
    };
    debug_assert_eq!(worker.id, data::worker_id());
    let registry = Arc::new(Registry::default());
    let courier = handover::courier(pod, worker, &state);
    let service = Service {
        worker: Arc::clone(worker),
        registry,
        ports,
        identity,
        observer,
        wanted,
        publisher: Some(publisher),
        courier,
    };
    (service, listener)
}
