//! Looks for whatever would make a run fail, before it does: source, view and key, translators, output folder, state
//! store, topics. Reads the source, writes and removes a few small files in the output folder, changes nothing else.

mod fencing;
mod probe;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod topics;

pub use state::{Fix, INDEXES, fix};

use super::generate::plan::Plan;
use super::generate::publish;
use super::generate::translate::Registry;
use super::generate::{GenerateError, Ports};
use super::model::run::RunId;
use super::model::spec::Worker;
use super::ports::events::{BrokerError, TopicProbe};
use super::ports::leases::StoreError;
use super::ports::source::{Finding, Verdict};
use super::ports::upkeep::StoreUpkeep;
use super::ports::volume::Volume;
use std::sync::Arc;
use std::time::Duration;

/// Share of the free space that the files may take before a person should know.
const TIGHT_PERCENT: u64 = 80;

/// What to examine.
pub struct Examination<'a> {
    /// Source, volume and state store.
    pub ports: &'a Ports,
    /// The worker.
    pub worker: &'a Worker,
    /// Translators that the worker file may name.
    pub registry: &'a Registry,
    /// Tells this examination's folder on the volume from any other's.
    pub name: &'a str,
    /// Why the state store could not be opened, when it could not: it is not asked then.
    pub state_error: Option<StoreError>,
    /// The state store's server; none where it has none.
    pub upkeep: Option<&'a dyn StoreUpkeep>,
    /// The worker's topics.
    pub topics: &'a Topics,
    /// Told each finding at once.
    pub found: &'a (dyn Fn(&Found) + Send + Sync),
}

/// The topics with the names of their sections, or why there are no clients for them.
pub type Topics = Result<Vec<(&'static str, Arc<dyn TopicProbe>)>, BrokerError>;

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Where: source, output, state, kafka.
    pub area: Area,
    /// What, how it ended, and what to do about it.
    pub finding: Finding,
    /// How long it took, where that says something.
    pub took: Option<Duration>,
    /// Whether it failed because a dependency cannot be reached.
    pub unreachable: bool,
}

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// The view and where it is.
    Source,
    /// The files and how they are made.
    Files,
    /// The output folder.
    Output,
    /// The state store.
    State,
    /// The topics.
    Kafka,
}

impl Area {
    /// For tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Files => "files",
            Self::Output => "output",
            Self::State => "state",
            Self::Kafka => "kafka",
        }
    }
}

/// Gathers findings.
struct Chart<'a> {
    found: Vec<Found>,
    tell: &'a (dyn Fn(&Found) + Send + Sync),
}

impl Chart<'_> {
    fn add(&mut self, area: Area, check: &str, verdict: Verdict, detail: impl Into<String>) {
        let finding = Finding { check: check.to_owned(), verdict, detail: detail.into() };
        self.push(Found { area, finding, took: None, unreachable: false });
    }

    fn push(&mut self, found: Found) {
        (self.tell)(&found);
        self.found.push(found);
    }
}

/// Examines everything a run needs; never fails itself.
pub async fn examine(examination: &Examination<'_>) -> Vec<Found> {
    let mut chart = Chart { found: Vec::new(), tell: examination.found };
    let bytes = match Plan::new(examination.worker, examination.registry) {
        Ok(plan) => source::source(examination, plan, &mut chart).await,
        Err(error) => {
            chart.add(Area::Files, "translators", Verdict::Fail, error.to_string());
            None
        }
    };
    output(examination, bytes, &mut chart).await;
    state::state(examination, &mut chart).await;
    topics::topics(examination.topics, &*examination.ports.clock, &mut chart).await;
    chart.found
}

/// Tries on a volume everything that the commit protocol relies on, in a folder named after `name`, and removes it.
pub async fn examine_volume(volume: &dyn Volume, name: &str) -> Vec<Found> {
    let mut chart = Chart { found: Vec::new(), tell: &|_| {} };
    probe::volume(volume, name, &mut chart).await;
    chart.found
}

async fn output(examination: &Examination<'_>, bytes: Option<u64>, chart: &mut Chart<'_>) {
    let volume = &*examination.ports.volume;
    probe::volume(volume, examination.name, chart).await;
    let estimate = match last_size(examination).await {
        Ok(Some(last)) => bytes.map(|bytes| bytes.max(last)).or(Some(last)),
        Ok(None) => bytes,
        Err(error) => return chart.add(Area::Output, "earlier runs", Verdict::Fail, error.to_string()),
    };
    let (verdict, detail) = match (volume.free_bytes().await, estimate) {
        (Err(error), _) => (Verdict::Fail, error.to_string()),
        (Ok(free), None) => (Verdict::Warn, format!("{free} bytes free; how much a run needs is not known")),
        (Ok(free), Some(needed)) => {
            let detail = format!("{free} bytes free, a run needs about {needed}");
            let tight = needed > free / 100 * TIGHT_PERCENT;
            (
                if needed > free {
                    Verdict::Fail
                } else if tight {
                    Verdict::Warn
                } else {
                    Verdict::Pass
                },
                detail,
            )
        }
    };
    chart.add(Area::Output, "free space", verdict, detail);
}

/// Bytes of the latest published run.
async fn last_size(examination: &Examination<'_>) -> Result<Option<u64>, GenerateError> {
    let runs = examination.ports.runs.runs(Some(&examination.worker.id), 30).await.unwrap_or_default();
    for record in runs {
        let id: &RunId = &record.id;
        if let Some(manifest) = publish::published(&*examination.ports.volume, id).await? {
            return Ok(Some(manifest.files.iter().map(|file| file.bytes).sum()));
        }
    }
    Ok(None)
}
