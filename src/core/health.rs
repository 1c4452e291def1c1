//! Whether what a part of this process needs from outside answers. Probes are asked in the background, so that `/health` answers
//! at once.

use crate::core::model::moment::moment;
use crate::core::model::names::LeaseKey;
use crate::core::model::sql::Relation;
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::observer::Observer;
use crate::core::ports::probe::TopicProbe;
use crate::core::ports::source::PageSource;
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two questions.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// A dependency that takes longer is down.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something outside that is needed.
#[async_trait]
pub trait Probe: Send + Sync {
    /// What health and metrics call it.
    fn name(&self) -> &'static str;
    /// Asks it. The error says why it cannot be used.
    async fn check(&self) -> Result<(), String>;
}

/// The state store, asked for a lease.
pub struct StateProbe {
    /// Where leases are.
    pub leases: Arc<dyn LeaseStore>,
    /// Whose is asked for.
    pub key: LeaseKey,
}

#[async_trait]
impl Probe for StateProbe {
    fn name(&self) -> &'static str {
        "state"
    }

    async fn check(&self) -> Result<(), String> {
        match self.leases.read(&self.key).await {
            // The store answers, and a candidate takes over from what cannot be read.
            Ok(_) | Err(StoreError::Odd { .. }) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A source, asked for a view's columns. It should have no retries, so that the probe reports the first fault.
pub struct SourceProbe {
    /// The source.
    pub source: Arc<dyn PageSource>,
    /// Which view: asked for before each question, because its parameters hang on the day.
    pub view: Box<dyn Fn() -> Relation + Send + Sync>,
}

#[async_trait]
impl Probe for SourceProbe {
    fn name(&self) -> &'static str {
        "source"
    }

    async fn check(&self) -> Result<(), String> {
        self.source.columns(&(self.view)()).await.map(drop).map_err(|error| error.to_string())
    }
}

/// Topics, asked for one after the other.
pub struct TopicsProbe {
    /// Each with the name of its section in the file.
    pub topics: Vec<(&'static str, Arc<dyn TopicProbe>)>,
}

#[async_trait]
impl Probe for TopicsProbe {
    fn name(&self) -> &'static str {
        "kafka"
    }

    async fn check(&self) -> Result<(), String> {
        for (name, topic) in &self.topics {
            topic.check().await.map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(())
    }
}

/// What another task of the process sees: a record that cannot be read, or why the work has stopped.
pub struct FaultProbe {
    /// Its name.
    pub name: &'static str,
    /// What is wrong; `None` when nothing is.
    pub fault: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

#[async_trait]
impl Probe for FaultProbe {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn check(&self) -> Result<(), String> {
        (self.fault)().map_or(Ok(()), Err)
    }
}

/// What the last question found.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// `up`, `down`, or `unknown` before the first answer.
    pub state: &'static str,
    /// How long the last answer took.
    pub latency_seconds: f64,
    /// The latest fault. It stays when the dependency is up again.
    pub last_error: Option<String>,
    /// When it was asked.
    pub at: Option<String>,
}

impl Answer {
    const UNKNOWN: Self = Self { state: "unknown", latency_seconds: 0.0, last_error: None, at: None };
}

/// One probe's answer, or the lack of one.
#[derive(Clone, PartialEq, Debug)]
pub struct HealthEvent {
    /// Which.
    pub probe: &'static str,
    /// How long that took.
    pub took: Duration,
    /// Why it is down. `None` when it is up.
    pub down: Option<String>,
    /// Whether the state has changed with this answer.
    pub changed: bool,
}

/// Everything that one part of this process needs.
pub struct Dependencies {
    probes: Vec<Box<dyn Probe>>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer<HealthEvent>>,
    answers: Mutex<BTreeMap<&'static str, Answer>>,
}

impl Dependencies {
    /// Nothing was asked yet.
    pub fn new(probes: Vec<Box<dyn Probe>>, clock: Arc<dyn Clock>, observer: Arc<dyn Observer<HealthEvent>>) -> Self {
        let answers = Mutex::new(probes.iter().map(|probe| (probe.name(), Answer::UNKNOWN)).collect());
        Self { probes, clock, observer, answers }
    }

    /// The last answers, by name.
    pub fn answers(&self) -> BTreeMap<&'static str, Answer> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks all of them again and again until `stop`.
    pub async fn watch(&self, stop: &CancellationToken) {
        let asking = async {
            loop {
                for probe in &self.probes {
                    self.ask(&**probe).await;
                }
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

    async fn ask(&self, probe: &dyn Probe) {
        let asked = self.clock.elapsed();
        let answer = tokio::select! {
            answer = probe.check() => answer,
            () = self.clock.sleep(PATIENCE) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
        };
        let took = self.clock.elapsed().saturating_sub(asked);
        let (state, down) = match answer {
            Ok(()) => ("up", None),
            Err(reason) => ("down", Some(reason)),
        };
        let changed = self.keep(probe.name(), state, took, down.clone());
        self.observer.observe(&HealthEvent { probe: probe.name(), took, down, changed });
    }

    /// Keeps an answer. Returns whether the state has changed.
    fn keep(&self, name: &'static str, state: &'static str, took: Duration, error: Option<String>) -> bool {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.entry(name).or_insert(Answer::UNKNOWN);
        let changed = answer.state != state;
        let last_error = error.or_else(|| answer.last_error.take());
        let at = Some(moment(self.clock.now()));
        *answer = Answer { state, latency_seconds: took.as_secs_f64(), last_error, at };
        changed
    }
}

/// A part of this process that has work to do.
pub trait Working: Send + Sync {
    /// Why it makes no progress. `None` when it does. Once the process is stopping, an end is no fault.
    fn stuck(&self, stopping: bool) -> Option<String>;
    /// What health calls parts of this kind.
    fn group(&self) -> &'static str {
        "workers"
    }
    /// Updates gauges that grow with time. Called before the metrics are read.
    fn refresh(&self);
}

/// A part of this process, as health shows it.
#[derive(Clone)]
pub struct Member {
    /// Under this name.
    pub name: String,
    /// Whether it works.
    pub working: Arc<dyn Working>,
    /// What it needs.
    pub dependencies: Arc<Dependencies>,
}
