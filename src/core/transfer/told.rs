//! What both sides tell of their steps: traces are made of it.

use super::collect::Collector;
use super::deliver::{Deliverer, Fault};
use super::error::TransferError;
use super::event::{Step, TransferEvent};
use super::ready::{Ready, Stillness};
use crate::core::model::trace::{SpanId, TraceId, TraceParent};
use crate::core::model::transfer::{FileRecord, Side};
use crate::core::ports::file_broker::Parcel;
use crate::core::ports::folders::FoundFile;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::PoisonError;
use tokio_util::sync::CancellationToken;

impl Collector {
    /// Remembers since when each ready file has held still. Only where traces are kept.
    pub(super) fn remember_still(&self, ready: &Ready, still: &Stillness) {
        if self.ports.traces.is_none() {
            return;
        }
        let (now, wall) = (self.ports.clock.elapsed(), self.ports.clock.now());
        let since = |file: &FoundFile| {
            let held = SignedDuration::try_from(now.saturating_sub(still.since(&file.path)?)).ok()?;
            Some((file.path.clone(), wall.saturating_sub(held).ok()?))
        };
        let all = ready.files.iter().filter_map(since).collect();
        *self.still.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }

    /// Tells how a file came to be read, once its id is known.
    pub(super) fn told_read(&self, record: &FileRecord, (since, until): (Timestamp, Timestamp)) {
        let still = self.still.lock().unwrap_or_else(PoisonError::into_inner).remove(&record.path);
        if let Some(still) = still {
            self.stepped(record, Step::Stable, (still, since), None);
        }
        self.stepped(record, Step::Hash, (since, until), None);
    }

    /// Tells of a step.
    pub(super) fn stepped(
        &self,
        record: &FileRecord,
        step: Step,
        (since, until): (Timestamp, Timestamp),
        failed: Option<String>,
    ) {
        let (side, id, way) = (Side::Collect, record.id.clone(), record.way());
        self.ports.observer.observe(&TransferEvent::Stepped { side, id, way, step, since, until, failed });
    }

    /// What a version's message says of its trace: the other side's part belongs below this way.
    pub(super) fn trace_of(&self, record: &FileRecord) -> Option<TraceParent> {
        let sampler = self.ports.traces?;
        let trace = TraceId::of_file(&record.id);
        let span = SpanId::of_way(&record.transfer, &record.id, record.way());
        Some(TraceParent { trace, span, is_sampled: sampler.keeps(trace, None) })
    }
}

impl Deliverer {
    /// Takes a message to its end: delivered, or refused for good. `false` when another process works on it. What the target says of this
    /// file alone is for good once it was tried as often as the file says, by whichever processes.
    ///
    /// # Errors
    /// When something needed does not answer, or on a stop. The message stays, and another try goes on where this one ended.
    pub async fn take(&self, parcel: Parcel, stop: &CancellationToken) -> Result<bool, TransferError> {
        let (id, trace) = (parcel.id.clone(), parcel.trace);
        self.ports.observer.observe(&TransferEvent::Taken { id: id.clone(), trace });
        let taken = self.bring_in(parcel, stop).await;
        let failed = taken.as_ref().err().map(ToString::to_string);
        let is_anothers = matches!(taken, Ok(false) | Err(TransferError::TakenOver { .. }));
        self.ports.observer.observe(&TransferEvent::LetGo { id, failed, is_anothers });
        taken
    }

    /// Makes a step, and tells of it.
    pub(super) async fn step<T, E: fmt::Display>(
        &self,
        id: &str,
        step: Step,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let since = self.ports.clock.now();
        let done = work.await;
        let failed = done.as_ref().err().map(ToString::to_string);
        let (side, id, way, until) = (Side::Deliver, id.to_owned(), 0, self.ports.clock.now());
        self.ports.observer.observe(&TransferEvent::Stepped { side, id, way, step, since, until, failed });
        done
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lasting(_, reason) => f.write_str(reason),
            Self::Passing(error) => error.fmt(f),
        }
    }
}
