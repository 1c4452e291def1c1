//! Published files on their way to a transfer: each is handed over in its order, the manifest behind the receipts of all its files.
//!
//! What is due is recorded before the run is (`due`). From then on the courier of whoever leads asks the transfer what has become of
//! each file, and hands over what the transfer knows nothing of. So each step may be repeated, by whichever process comes next: the
//! transfer sends no version twice.

pub(super) mod doctor;
mod due;
pub mod event;
mod step;

pub(in crate::core::generate) use due::files_due;
pub use due::record_due;
pub use event::{DeliverEvent, Standing};

use crate::core::backoff::{Backoff, Pause};
use crate::core::generate::spec::Worker;
use crate::core::inlet::Inlet;
use crate::core::model::delivery::{Delivery, DeliveryState};
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::ports::clock::Clock;
use crate::core::ports::deliveries::Deliveries;
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::RunStore;
use crate::core::ports::store::{OddRecord, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Between two looks at a date of which something has just moved.
const SOON: Duration = Duration::from_millis(100);

/// Longest time between two looks at a date.
const SELDOM: Duration = Duration::from_secs(10);

/// Longest time between two looks for dates of which something is due: another process may have published one.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Brings what a worker has published to transfers.
#[derive(Clone)]
pub struct Courier {
    /// Whose files.
    pub worker: Arc<Worker>,
    /// The transfers of this process.
    pub inlets: Vec<Inlet>,
    /// What has been published.
    pub runs: Arc<dyn RunStore>,
    /// How far it is on its way.
    pub deliveries: Arc<dyn Deliveries>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer<DeliverEvent>>,
}

/// What is remembered from one look to the next.
#[derive(Default)]
struct Memory {
    dates: BTreeMap<BusinessDate, Date>,
    /// Tries to hand something over, by its id.
    tries: HashMap<String, Try>,
    told: BTreeSet<OddRecord>,
}

/// A date of which something is not done.
struct Date {
    /// When it is looked at next, on the clock of [`Clock::elapsed`].
    next: Duration,
    pause: Duration,
    standing: Standing,
}

/// Tries to hand one thing over.
struct Try {
    backoff: Backoff,
    /// When the next one is due.
    next: Duration,
    /// Why the last one failed, if it did for now.
    failing: Option<String>,
}

impl Courier {
    /// Hands over for ever. Looks at once when `due` is notified; notifies `recorded` when an event waits in the outbox.
    pub async fn serve(&self, due: &Notify, recorded: &Notify) {
        let mut memory = Memory::default();
        let mut backoff = Backoff::new(self.worker.policies.retry);
        loop {
            let pause = match self.look(&mut memory, recorded).await {
                Ok(pause) => {
                    backoff.succeeded();
                    pause
                }
                Err(error) => self.failing(&mut backoff, error.to_string()),
            };
            tokio::select! {
                biased;
                () = due.notified() => memory.dates.clear(),
                () = self.clock.sleep(pause) => {}
            }
        }
    }

    fn failing(&self, backoff: &mut Backoff, reason: String) -> Duration {
        let Pause { attempt, after } = backoff.failed();
        self.observer.observe(&DeliverEvent::Failing { reason, attempt, after });
        after
    }

    /// Looks at all dates that are due for a look. How long to wait before the next one.
    async fn look(&self, memory: &mut Memory, recorded: &Notify) -> Result<Duration, StoreError> {
        let found = self.deliveries.undone(&self.worker.id).await?;
        self.tell_odd(memory, found.odd);
        memory.dates.retain(|date, _| found.records.contains(date));
        let mut failed = None;
        for date in found.records {
            let now = self.clock.elapsed();
            if memory.dates.get(&date).is_some_and(|date| date.next > now) {
                continue;
            }
            let before = memory.dates.get(&date).map_or(SOON, |date| date.pause);
            let run = RunId { worker: self.worker.id.clone(), date };
            let (has_moved, standing) = match self.run(&run, memory, recorded).await {
                Ok(looked) => looked,
                Err(error) => {
                    failed.get_or_insert(error);
                    (false, Standing::default())
                }
            };
            let pause = if has_moved { SOON } else { (before * 2).min(SELDOM) };
            memory.dates.insert(date, Date { next: self.clock.elapsed() + pause, pause, standing });
        }
        self.observer.observe(&DeliverEvent::Standing(sum(memory.dates.values().map(|date| &date.standing))));
        if memory.dates.is_empty() {
            memory.tries.clear();
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let (next, now) = (memory.dates.values().map(|date| date.next).min(), self.clock.elapsed());
        Ok(next.map_or(LOOK_EVERY, |next| next.saturating_sub(now)).clamp(SOON / 2, LOOK_EVERY))
    }

    /// Takes each thing of a run a step further. Whether anything moved, and how it stands now.
    async fn run(&self, run: &RunId, memory: &mut Memory, recorded: &Notify) -> Result<(bool, Standing), StoreError> {
        let found = self.deliveries.of_run(run).await?;
        self.tell_odd(memory, found.odd);
        let mut all = found.records;
        let mut has_moved = false;
        for index in 0..all.len() {
            if !all[index].done {
                has_moved |= self.step(&mut all, index, &mut memory.tries, recorded).await?;
            }
        }
        Ok((has_moved, self.standing(&all, &memory.tries)))
    }

    fn tell_odd(&self, memory: &mut Memory, odd: Vec<OddRecord>) {
        for record in odd {
            if memory.told.insert(record.clone()) {
                self.observer.observe(&DeliverEvent::Odd { record });
            }
        }
    }

    fn standing(&self, all: &[Delivery], tries: &HashMap<String, Try>) -> Standing {
        let (mut standing, now) = (Standing::default(), self.clock.now());
        for delivery in all.iter().filter(|delivery| !delivery.done) {
            match delivery.state {
                DeliveryState::Due => standing.due += 1,
                DeliveryState::HandedOver => standing.moving += 1,
                DeliveryState::Failed => {
                    standing.failed += 1;
                    let why = || format!("{}: {}", delivery.path, delivery.reason.as_deref().unwrap_or_default());
                    standing.refused.get_or_insert_with(why);
                }
                DeliveryState::Delivered | DeliveryState::Replaced => continue,
            }
            let waited = Duration::try_from(now.duration_since(delivery.due_at)).unwrap_or_default();
            standing.oldest = standing.oldest.max(waited);
            let failing = tries.get(&delivery.id()).and_then(|tried| tried.failing.clone());
            standing.kept_by = standing.kept_by.take().or(failing);
        }
        standing
    }
}

fn sum<'a>(all: impl Iterator<Item = &'a Standing>) -> Standing {
    all.fold(Standing::default(), |sum, one| Standing {
        due: sum.due + one.due,
        moving: sum.moving + one.moving,
        failed: sum.failed + one.failed,
        oldest: sum.oldest.max(one.oldest),
        kept_by: sum.kept_by.or_else(|| one.kept_by.clone()),
        refused: sum.refused.or_else(|| one.refused.clone()),
    })
}
