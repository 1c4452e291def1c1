//! Whether a worker's wanted runs are made: due and not done is a fault, however alive its service is.

use super::record::is_tried_again;
use super::spec::Worker;
use super::window;
use crate::core::health::Probe;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::RunStore;
use crate::core::ports::store::{OddRecord, StoreError};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Runs asked for at a time.
const PAGE: usize = 256;

/// The runs that are wanted and that nobody makes just now.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DueEvent {
    /// How many.
    pub waiting: u64,
    /// The one that has been due longest, and for how long.
    pub oldest: Option<(RunId, Duration)>,
    /// Recorded runs whose dates are not believed.
    pub refused: u64,
    /// Records that cannot be read.
    pub odd: BTreeSet<OddRecord>,
}

/// Asks the state store which runs wait.
pub struct RunsProbe {
    /// Whose.
    pub worker: Arc<Worker>,
    /// Where they are recorded.
    pub runs: Arc<dyn RunStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hears what waits.
    pub observer: Arc<dyn Observer<DueEvent>>,
}

#[async_trait]
impl Probe for RunsProbe {
    fn name(&self) -> &'static str {
        "runs"
    }

    async fn check(&self) -> Result<(), String> {
        let due = look(&self.worker, &*self.runs, &*self.clock).await.map_err(|error| error.to_string())?;
        self.observer.observe(&due);
        if let Some(OddRecord { id, reason }) = due.odd.first() {
            let records = due.odd.len();
            return Err(format!(
                "records of the state store that cannot be read: {records}; the first is {id}: {reason}"
            ));
        }
        match &due.oldest {
            Some((run, age)) if *age > self.worker.policies.max_pending => Err(format!(
                "run {run} has been due for {} minutes and is not made; {} runs wait (`policies.max_pending`)",
                age.as_secs() / 60,
                due.waiting
            )),
            _ => Ok(()),
        }
    }
}

/// Looks at all runs that are not published.
///
/// # Errors
/// When the store cannot be read.
pub async fn look(worker: &Worker, runs: &dyn RunStore, clock: &dyn Clock) -> Result<DueEvent, StoreError> {
    let (mut due, mut after, now) = (DueEvent::default(), None, clock.now());
    loop {
        let found = runs.unpublished(&worker.id, after, PAGE).await?;
        due.odd.extend(found.odd);
        after = found.records.last().map(|last| last.id.date);
        let is_last = found.records.len() < PAGE;
        let waits = |record: &RunRecord| match record.status {
            RunStatus::Pending => true,
            RunStatus::Failed => is_tried_again(record, now),
            RunStatus::Running | RunStatus::Published => false,
        };
        for record in found.records.into_iter().filter(waits) {
            if !window::admits(&worker.business_date, &record) {
                due.refused += 1;
                continue;
            }
            if window::is_early(&worker.business_date, &record, now) {
                continue;
            }
            due.waiting += 1;
            let since = window::due_since(&worker.business_date, &record);
            let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
            if due.oldest.as_ref().is_none_or(|(_, oldest)| age > *oldest) {
                due.oldest = Some((record.id, age));
            }
        }
        if is_last {
            return Ok(due);
        }
    }
}
