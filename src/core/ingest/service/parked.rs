//! Events that wait for their parent: written when it has come, dead when it has not in time.

use super::{Service, Sunk, alone};
use crate::core::failpoints::crash::crash_point;
use crate::core::ingest::decode::decode;
use crate::core::ingest::error::IngestError;
use crate::core::ingest::event::{IngestEvent, Tally};
use crate::core::kind::HasKind;
use crate::core::model::letter::{DeadLetter, LetterError, LetterKind, RawEvent};
use crate::core::ports::sql_sink::{Batch, Change, Outcome};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks at what is parked, when nothing else asks for one.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Parked events that are taken up in one transaction.
const RELEASED_MAX: usize = 1000;

impl Service {
    /// Looks at what is parked, now and then.
    pub(super) async fn sweep(&mut self, stop: &CancellationToken) -> Result<(), IngestError> {
        let elapsed = self.ports.clock.elapsed();
        if !self.has_parked || self.swept.is_some_and(|swept| elapsed < swept + SWEEP_EVERY) {
            return Ok(());
        }
        self.swept = Some(elapsed);
        // What queues behind an event that has expired goes in, or expires itself.
        loop {
            self.release(stop).await?;
            if self.expire().await? == 0 || stop.is_cancelled() {
                break;
            }
        }
        if let Ok(has_parked) = self.ports.sink.has_parked().await {
            self.has_parked = has_parked;
        }
        Ok(())
    }

    /// Makes dead letters of what has waited for too long. Gives how many.
    async fn expire(&mut self) -> Result<u64, IngestError> {
        let now = self.ports.clock.now();
        let before = now.checked_sub(self.spec.policies.park_for).unwrap_or(now);
        let mut all = 0;
        loop {
            match self.ports.sink.expire(before, now, &self.instance).await {
                Ok(0) => return Ok(all),
                Ok(count) => {
                    all += count;
                    self.tally.parked = self.tally.parked.saturating_sub(count);
                    self.tally.dead += count;
                    self.ports.letters.notify_one();
                    self.ports.observer.observe(&IngestEvent::Expired { count });
                }
                Err(error) if error.kind().is_passing() => return Ok(0),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes parked events whose parent has come, and those that waited for them in turn.
    pub(super) async fn release(&mut self, stop: &CancellationToken) -> Result<(), IngestError> {
        loop {
            let parked = match self.ports.sink.released(RELEASED_MAX).await {
                Ok(parked) => parked,
                Err(error) if error.kind().is_passing() => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if parked.is_empty() || stop.is_cancelled() {
                return Ok(());
            }
            let mut batch = self.empty_batch();
            let mut tally = Tally::default();
            for (number, parked) in parked.into_iter().enumerate() {
                batch.numbers += 1;
                match decode(&self.spec, parked.event, number, batch.now) {
                    Ok(change) => batch.rows.push(alone(Change { parked: Some(parked.number), ..change })),
                    Err(refused) => self.unfit(&mut batch, *refused, parked.number),
                }
            }
            let died_before = batch.dead.len() as u64;
            batch.rows.sort_by_key(|row| self.spec.tables.shapes[row.last.shape].table);
            let Sunk::Done(outcomes) = self.sink(&batch, stop).await? else { return Ok(()) };
            crash_point!("ingest.released");
            let mut dead: Vec<LetterKind> = batch.dead.iter().map(|letter| letter.error.kind).collect();
            for row in &batch.rows {
                let outcome = outcomes.get(row.last.number).unwrap_or(&Outcome::Stale);
                tally.count(outcome);
                if let Outcome::Dead(error) = outcome {
                    dead.push(error.kind);
                }
            }
            tally.dead += died_before;
            let left = tally.all() - tally.parked;
            tally.parked = 0;
            self.tally.parked = self.tally.parked.saturating_sub(left);
            self.note(&tally);
            self.ports.observer.observe(&IngestEvent::Released { tally, dead });
            if left == 0 {
                return Ok(());
            }
        }
    }

    /// A parked event that the file no longer takes.
    fn unfit(&self, batch: &mut Batch, (event, error): (RawEvent, LetterError), number: i64) {
        batch.dead.push(DeadLetter::new(&event, error, 1, batch.now, &self.instance));
        batch.unpark.push(number);
    }
}
