//! What a worker needs from outside: asked now and then in the background, so that health answers at once.

use super::generate::status::WorkerStatus;
use crate::core::generate::spec::Worker;
use crate::core::ports::clock::Clock;
use crate::core::ports::events::TopicProbe;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::source::PageSource;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Time between two questions.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// A dependency that takes longer is down.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the last question found.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// `up`, `down`, or `unknown` before the first answer.
    pub state: &'static str,
    /// How long the last answer took.
    pub latency_seconds: f64,
    /// What was wrong last, even when it is up again.
    pub last_error: Option<String>,
    /// When it was asked.
    pub at: Option<String>,
}

/// The dependencies of one worker: the state store, the source, and the topics.
pub struct Dependencies {
    worker: Arc<Worker>,
    leases: Arc<dyn LeaseStore>,
    source: Arc<dyn PageSource>,
    topics: Vec<(&'static str, Arc<dyn TopicProbe>)>,
    clock: Arc<dyn Clock>,
    live: Arc<WorkerStatus>,
    found: Mutex<BTreeMap<&'static str, Found>>,
}

impl Dependencies {
    /// Nothing was asked yet. `source` is asked for its columns, without retries.
    pub fn new(
        worker: Arc<Worker>,
        leases: Arc<dyn LeaseStore>,
        source: Arc<dyn PageSource>,
        topics: Vec<(&'static str, Arc<dyn TopicProbe>)>,
        clock: Arc<dyn Clock>,
        live: Arc<WorkerStatus>,
    ) -> Self {
        let unknown = || Found { state: "unknown", latency_seconds: 0.0, last_error: None, at: None };
        let kafka = (!topics.is_empty()).then_some("kafka");
        let names = ["state", "source"].into_iter().chain(kafka);
        let found = Mutex::new(names.map(|name| (name, unknown())).collect());
        Self { worker, leases, source, topics, clock, live, found }
    }

    /// What was found last, by name.
    pub fn found(&self) -> BTreeMap<&'static str, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks all of them again and again until `stop`.
    pub async fn watch(&self, stop: &CancellationToken) {
        let asking = async {
            loop {
                self.ask_all().await;
                self.clock.sleep(ASK_EVERY).await;
            }
        };
        tokio::select! {
            biased;
            // Nobody waits for the answer of one that is silent.
            () = stop.cancelled() => {}
            () = asking => {}
        }
    }

    async fn ask_all(&self) {
        let state = async { self.leases.read(&self.worker.id).await.map(drop).map_err(|error| error.to_string()) };
        self.ask("state", state).await;
        let source =
            async { self.source.columns(&self.worker.source.view).await.map(drop).map_err(|error| error.to_string()) };
        self.ask("source", source).await;
        if !self.topics.is_empty() {
            let topics = async {
                for (name, topic) in &self.topics {
                    topic.check().await.map_err(|error| format!("{name}: {error}"))?;
                }
                Ok(())
            };
            self.ask("kafka", topics).await;
        }
    }

    async fn ask(&self, name: &'static str, question: impl Future<Output = Result<(), String>>) {
        let asked = self.clock.elapsed();
        let answer = tokio::select! {
            answer = question => answer,
            () = self.clock.sleep(PATIENCE) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
        };
        let took = self.clock.elapsed().saturating_sub(asked);
        self.live.metrics().dependency(name, answer.is_ok(), took);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let before = found.remove(name);
        let was = before.as_ref().map_or("unknown", |found| found.state);
        let worker = self.worker.id.as_str();
        let (state, last_error) = match answer {
            Ok(()) => {
                if was != "up" {
                    info!(worker, dependency = name, "dependency is up");
                }
                ("up", before.and_then(|found| found.last_error))
            }
            Err(reason) => {
                if was != "down" {
                    warn!(worker, dependency = name, reason, "dependency is down");
                }
                ("down", Some(reason))
            }
        };
        let at = Some(super::moment(self.clock.now()));
        found.insert(name, Found { state, latency_seconds: took.as_secs_f64(), last_error, at });
    }
}
