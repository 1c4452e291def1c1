//! Whether a worker's wanted runs are made: due and not done is a fault, however alive its service is.

use super::record::is_tried_again;
use super::spec::Worker;
use super::walk::{self, Looked};
use super::window;
use crate::core::health::Probe;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::{Behind, RunStore};
use crate::core::ports::store::{OddRecord, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The runs that are wanted and that nobody makes just now.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DueEvent {
    /// How many.
    pub waiting: u64,
    /// The one that has been due longest, and for how long.
    pub oldest: Option<(RunId, Duration)>,
    /// Recorded runs whose dates are not believed.
    pub refused: u64,
    /// Records that cannot be read: the first of them.
    pub odd: BTreeSet<OddRecord>,
}

/// Asks the state store which runs wait.
pub struct RunsProbe {
    worker: Arc<Worker>,
    runs: Arc<dyn RunStore>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer<DueEvent>>,
    walk: Mutex<Walk>,
}

impl RunsProbe {
    /// Asks `runs` about those of `worker`, and tells `observer` what waits.
    pub fn new(
        worker: Arc<Worker>,
        runs: Arc<dyn RunStore>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer<DueEvent>>,
    ) -> Self {
        Self { worker, runs, clock, observer, walk: Mutex::default() }
    }

    /// Which runs wait.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn look(&self) -> Result<DueEvent, StoreError> {
        let walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (due, walk) = look(&self.worker, &*self.runs, self.clock.now(), walk).await?;
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = walk;
        Ok(due)
    }
}

#[async_trait]
impl Probe for RunsProbe {
    fn name(&self) -> &'static str {
        "runs"
    }

    async fn check(&self) -> Result<(), String> {
        let due = self.look().await.map_err(|error| error.to_string())?;
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

/// What the probe knows of the list: it may be longer than one look reads.
#[derive(Clone, Default)]
struct Walk {
    /// Behind which run the next look goes on.
    behind: Option<Behind>,
    /// What was seen before that.
    seen: DueEvent,
    /// What was seen of the whole list the last time.
    whole: DueEvent,
}

/// Looks at the runs that are not published: at all of them where one look reads so many, else at the next part, with what is known of the
/// rest.
async fn look(
    worker: &Worker,
    runs: &dyn RunStore,
    now: Timestamp,
    mut walk: Walk,
) -> Result<(DueEvent, Walk), StoreError> {
    let Walk { behind, seen, .. } = &mut walk;
    let looked = walk::look(runs, &worker.id, behind, |records, odd| {
        walk::keep_odd(&mut seen.odd, odd);
        for record in &records {
            seen.add(worker, record, now);
        }
        None::<()>
    });
    if let Looked::End = looked.await? {
        walk.whole = std::mem::take(&mut walk.seen);
        return Ok((walk.whole.clone(), walk));
    }
    let (seen, whole) = (&walk.seen, &walk.whole);
    let mut due = DueEvent {
        waiting: seen.waiting.max(whole.waiting),
        refused: seen.refused.max(whole.refused),
        oldest: None,
        odd: seen.odd.clone(),
    };
    walk::keep_odd(&mut due.odd, whole.odd.iter().cloned());
    // What waited longest may be made by now; what is due today may not be seen yet.
    let mut known = walk::recent(runs, &worker.id, &worker.business_date, now).await;
    for (run, _) in seen.oldest.iter().chain(&whole.oldest) {
        known.extend(runs.run(run).await.ok().flatten());
    }
    let mut oldest = DueEvent::default();
    for record in &known {
        oldest.add(worker, record, now);
    }
    (due.waiting, due.oldest) = (due.waiting.max(u64::from(oldest.oldest.is_some())), oldest.oldest);
    Ok((due, walk))
}

impl DueEvent {
    fn add(&mut self, worker: &Worker, record: &RunRecord, now: Timestamp) {
        let waits = match record.status {
            RunStatus::Pending => true,
            RunStatus::Failed => is_tried_again(record, now),
            RunStatus::Running | RunStatus::Published => false,
        };
        if !waits {
            return;
        }
        if !window::admits(&worker.business_date, record) {
            self.refused += 1;
            return;
        }
        if window::is_early(&worker.business_date, record, now) {
            return;
        }
        self.waiting += 1;
        let since = window::due_since(&worker.business_date, record);
        let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        if self.oldest.as_ref().is_none_or(|(_, oldest)| age > *oldest) {
            self.oldest = Some((record.id.clone(), age));
        }
    }
}
