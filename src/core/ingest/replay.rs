//! What people do with dead letters: find some, freeze them as a plan, and replay or drop exactly those.

use super::decode::decode;
use super::plan::{Fate, Filter, Plan, Planned, find};
use super::service::alone;
use super::spec::Ingest;
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::letter::{DeadLetter, LetterError, LetterKind};
use crate::core::ports::clock::Clock;
use crate::core::ports::queue::{Entry, LetterQueue, QueueAudit, Removed};
use crate::core::ports::sql_sink::{Batch, Outcome, SinkError, SqlSink, WriteMode};
use crate::core::ports::store::{OddRecord, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Entries that are judged or replayed in one transaction.
const STEP: usize = 16;

/// The form of a plan.
const VERSION: u32 = 1;

/// Why a replay or plan did not go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplayError {
    /// The sink's.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The queue's.
    #[error("the queue of dead letters: {0}")]
    Queue(#[from] StoreError),
    /// The plan is of another file, queue or form.
    #[error("this plan {0}")]
    Foreign(String),
}

impl HasKind for ReplayError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Sink(error) => error.kind(),
            Self::Queue(error) => error.kind(),
            Self::Foreign(_) => FailureKind::Conflict,
        }
    }
}

/// What works on dead letters.
pub struct Replay<'a> {
    /// The file.
    pub spec: &'a Ingest,
    /// The queue.
    pub queue: &'a dyn LetterQueue,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who works.
    pub instance: String,
}

/// How a replay goes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pace {
    /// Entries a second. `None`: as fast as it goes.
    pub rate: Option<f64>,
    /// Failures of one kind after which it stops.
    pub max_failures: u32,
}

/// An entry's fate, and why.
pub type Ended = (Fate, Option<LetterError>);

impl Replay<'_> {
    /// Freezes the entries that the filter takes, and says what a replay would do with each today. Changes nothing. Entries that cannot be
    /// read are in no plan: the first of them come beside it.
    ///
    /// # Errors
    /// When queue or sink does not answer.
    pub async fn plan(&self, filter: &Filter, sink: &mut dyn SqlSink) -> Result<(Plan, Vec<OddRecord>), ReplayError> {
        let mut places = Vec::new();
        let odd = find(self.queue, filter, |letter| places.push((letter.place(), letter.index()))).await?;
        places.sort();
        let mut entries = Vec::with_capacity(places.len());
        // Payloads are in memory a few at a time.
        for step in places.chunks(STEP) {
            let mut letters = Vec::with_capacity(step.len());
            for (_, index) in step {
                if let Some(Entry::Letter(letter)) = self.queue.get(index).await? {
                    letters.push(*letter);
                }
            }
            for (letter, (forecast, error)) in letters.iter().zip(self.write(&letters, sink, WriteMode::Judge).await?) {
                entries.push(Planned {
                    id: letter.id.clone(),
                    topic_id: letter.topic_id.clone(),
                    digest: letter.digest(),
                    event_id: letter.event_id.clone(),
                    event: letter.kind.clone(),
                    key: letter.key.clone(),
                    forecast,
                    reason: error.map(|error| format!("{}: {}", error.kind.as_str(), error.message)),
                });
            }
        }
        let plan = Plan {
            version: VERSION,
            ingest: self.spec.id.as_str().to_owned(),
            queue: self.spec.dead_letters.key.clone(),
            created_at: self.clock.now(),
            filter: filter.clone(),
            entries,
        };
        Ok((plan, odd))
    }

    /// Refuses a plan of another file or form.
    ///
    /// # Errors
    /// Says what it is of.
    pub fn check(&self, plan: &Plan) -> Result<(), ReplayError> {
        if plan.version != VERSION {
            return Err(ReplayError::Foreign(format!("has form {}, and this filegen knows {VERSION}", plan.version)));
        }
        if plan.ingest != self.spec.id.as_str() || plan.queue != self.spec.dead_letters.key {
            return Err(ReplayError::Foreign(format!(
                "is of ingest `{}` and queue `{}`, and this file is of `{}` and `{}`",
                plan.ingest, plan.queue, self.spec.id, self.spec.dead_letters.key
            )));
        }
        Ok(())
    }

    /// Replays exactly the plan's entries, in their order. An entry leaves the queue when its effect is durable. A call that was
    /// broken off may be repeated.
    ///
    /// # Errors
    /// When queue or sink does not answer; what was done stays done.
    pub async fn apply(
        &self,
        plan: &Plan,
        sink: &mut dyn SqlSink,
        pace: Pace,
        stop: &CancellationToken,
        mut each: impl FnMut(&Planned, &Ended),
    ) -> Result<(), ReplayError> {
        let step = pace.rate.map_or(STEP, |_| 1);
        let mut failures: BTreeMap<LetterKind, u32> = BTreeMap::new();
        for planned in plan.entries.chunks(step) {
            if stop.is_cancelled() || failures.values().any(|count| *count >= pace.max_failures) {
                for entry in planned {
                    each(entry, &(Fate::Left, None));
                }
                continue;
            }
            let (mut letters, mut owners) = (Vec::new(), Vec::new());
            for entry in planned {
                match self.queue.get(&entry.index()).await? {
                    None => each(entry, &(Fate::Gone, None)),
                    Some(Entry::Letter(letter)) if letter.digest() == entry.digest => {
                        letters.push(*letter);
                        owners.push(entry);
                    }
                    Some(Entry::Letter(_) | Entry::Odd(_)) => each(entry, &(Fate::Changed, None)),
                }
            }
            let fates = self.write(&letters, sink, WriteMode::Replay).await?;
            crash_point!("replay.written");
            for (entry, (mut fate, error)) in owners.into_iter().zip(fates) {
                if fate == Fate::Dead {
                    *failures.entry(error.as_ref().map_or(LetterKind::Json, |error| error.kind)).or_default() += 1;
                } else {
                    // The effect is durable. Whoever took the entry away meanwhile has done the same.
                    match self.queue.remove(&entry.index(), &entry.digest).await? {
                        Removed::Done | Removed::Gone => {}
                        Removed::Changed => fate = Fate::Changed,
                    }
                }
                each(entry, &(fate, error));
            }
            if let Some(rate) = pace.rate {
                self.clock.sleep(Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::ZERO)).await;
            }
        }
        Ok(())
    }

    /// Takes exactly the plan's entries away.
    ///
    /// # Errors
    /// When the queue does not answer; what is gone stays gone.
    pub async fn discard(&self, plan: &Plan, mut each: impl FnMut(&Planned, Fate)) -> Result<(), ReplayError> {
        for entry in &plan.entries {
            let fate = match self.queue.remove(&entry.index(), &entry.digest).await? {
                Removed::Done => Fate::Dropped,
                Removed::Gone => Fate::Gone,
                Removed::Changed => Fate::Changed,
            };
            each(entry, fate);
        }
        Ok(())
    }

    /// Keeps a line about what somebody does.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn audit(&self, who: &str, action: &str, reason: &str, detail: String) -> Result<(), ReplayError> {
        let line = QueueAudit {
            at: self.clock.now(),
            who: who.to_owned(),
            action: action.to_owned(),
            reason: reason.to_owned(),
            detail,
        };
        Ok(self.queue.audit(&line).await?)
    }

    /// What becomes of these entries, in one transaction.
    async fn write(
        &self,
        letters: &[DeadLetter],
        sink: &mut dyn SqlSink,
        mode: WriteMode,
    ) -> Result<Vec<Ended>, ReplayError> {
        let now = self.clock.now();
        let mut fates: Vec<Ended> = Vec::with_capacity(letters.len());
        let mut rows = Vec::new();
        for (number, letter) in letters.iter().enumerate() {
            let Some(event) = letter.event() else {
                let why = match &letter.cut {
                    Some(cut) => format!(
                        "only the beginning of its {} bytes is kept: send it again from where it came, or mend the entry and \
                         leave `cut` out",
                        cut.bytes
                    ),
                    None => "the payload's base64 is damaged".to_owned(),
                };
                fates.push((Fate::Dead, Some(LetterError::new(letter.error.kind, why))));
                continue;
            };
            match decode(self.spec, event, number, now) {
                Ok(change) => {
                    rows.push(alone(change));
                    fates.push((Fate::Stale, None));
                }
                Err(refused) => fates.push((Fate::Dead, Some(refused.1))),
            }
        }
        if rows.is_empty() {
            return Ok(fates);
        }
        rows.sort_by_key(|row| self.spec.tables.shapes[row.last.shape].table);
        let numbers: Vec<usize> = rows.iter().map(|row| row.last.number).collect();
        let batch = Batch {
            rows,
            dead: Vec::new(),
            unpark: Vec::new(),
            moves: Vec::new(),
            numbers: letters.len(),
            mode,
            now,
            instance: self.instance.clone(),
            attempts: self.spec.policies.attempts,
        };
        let outcomes = sink.write(&batch).await?;
        for number in numbers {
            let fate = match outcomes.get(number) {
                Some(Outcome::Written) => (Fate::Written, None),
                Some(Outcome::Parked) => (Fate::Parked, None),
                Some(Outcome::Dead(error)) => (Fate::Dead, Some(error.clone())),
                Some(Outcome::Stale | Outcome::Folded) | None => (Fate::Stale, None),
            };
            if let Some(slot) = fates.get_mut(number) {
                *slot = fate;
            }
        }
        Ok(fates)
    }
}
