//! Dead letters from the sink's outbox to the queue: off the path of the events, and each once.

use super::event::{IngestEvent, Records};
use super::keep::Keeping;
use crate::core::backoff::Backoff;
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::letter::DeadLetter;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::queue::LetterQueue;
use crate::core::ports::sql_sink::{SinkError, SqlSink};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Letters that go to the queue in one step.
const STEP: usize = 500;

/// Time between two looks when nobody says that letters wait.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why letters did not go.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RelayError {
    /// The sink's.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The queue's.
    #[error("the queue of dead letters: {0}")]
    Queue(#[from] StoreError),
    /// The queue holds as many bytes as it may.
    #[error(
        "the queue of dead letters {queue} is full: {bytes} bytes of {limit}; replay or drop some (`filegen dlq plan`), or raise \
         `dead_letters.max_bytes`"
    )]
    Full {
        /// Where it is, without secrets.
        queue: String,
        /// What it holds.
        bytes: u64,
        /// What it may hold.
        limit: u64,
    },
}

impl HasKind for RelayError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Sink(error) => error.kind(),
            Self::Queue(error) => error.kind(),
            Self::Full { .. } => FailureKind::Unreachable,
        }
    }
}

/// Sends all that wait, or those of one step when it is to stop. The queue has a letter before the sink forgets it; a letter that is
/// sent again is there once. A row that cannot be read is told and stays; each row is looked at once, so this ends.
///
/// # Errors
/// When the sink or the queue does not answer. What was sent stays sent.
pub async fn drain(
    sink: &mut dyn SqlSink,
    queue: &dyn LetterQueue,
    observer: &dyn Observer<IngestEvent>,
    keeping: &mut Keeping,
    stop: &CancellationToken,
) -> Result<(), RelayError> {
    let (mut after, mut odd) = (i64::MIN, Vec::new());
    loop {
        let outgoing = sink.outbox(after, STEP).await?;
        odd.extend(outgoing.odd);
        odd.truncate(Found::<DeadLetter>::ODD_MAX);
        let Some(last) = outgoing.last.filter(|last| *last > after) else { break };
        after = last;
        if !outgoing.letters.is_empty() {
            let (numbers, letters): (Vec<i64>, Vec<DeadLetter>) = outgoing.letters.into_iter().unzip();
            if let Some((bytes, limit)) = keeping.full(queue).await? {
                return Err(RelayError::Full { queue: queue.describe(), bytes, limit });
            }
            queue.add(&letters).await?;
            keeping.sent(letters.iter().map(|letter| letter.payload.len() as u64).sum());
            crash_point!("letters.added");
            sink.sent(&numbers).await?;
            observer.observe(&IngestEvent::Sent { count: numbers.len() });
        }
        if stop.is_cancelled() {
            return Ok(());
        }
    }
    observer.observe(&IngestEvent::Odd { of: Records::Outbox, records: odd });
    Ok(())
}

/// Rows of the outbox that cannot be read: the first of them. Nothing is sent.
///
/// # Errors
/// When the sink does not answer.
pub async fn odd(sink: &mut dyn SqlSink) -> Result<Vec<OddRecord>, SinkError> {
    let (mut after, mut odd) = (i64::MIN, Vec::new());
    while odd.len() < Found::<DeadLetter>::ODD_MAX {
        let outgoing = sink.outbox(after, STEP).await?;
        odd.extend(outgoing.odd);
        let Some(last) = outgoing.last.filter(|last| *last > after) else { break };
        after = last;
    }
    odd.truncate(Found::<DeadLetter>::ODD_MAX);
    Ok(odd)
}

/// Sends what waits, and takes letters away that are too old.
///
/// # Errors
/// As [`drain`]. A queue that lets nothing be taken away now is asked again later.
pub async fn send_and_sweep(
    sink: &mut dyn SqlSink,
    queue: &dyn LetterQueue,
    clock: &dyn Clock,
    observer: &dyn Observer<IngestEvent>,
    keeping: &mut Keeping,
    stop: &CancellationToken,
) -> Result<(), RelayError> {
    drain(sink, queue, observer, keeping, stop).await?;
    // Behind a sink that answers: a queue in the sink's own file is not to make it. One that is away is tried again.
    if let Ok(count @ 1..) = keeping.sweep(queue, (clock.elapsed(), clock.now()), stop).await {
        observer.observe(&IngestEvent::Dropped { count });
    }
    Ok(())
}

/// Sends whenever letters wait, until `stop`; tries again with growing waits while the queue is away.
pub async fn run(
    sink: &mut dyn SqlSink,
    queue: &dyn LetterQueue,
    clock: &dyn Clock,
    observer: &dyn Observer<IngestEvent>,
    (letters, mut backoff, keeping): (Arc<Notify>, Backoff, &mut Keeping),
    stop: &CancellationToken,
) {
    while !stop.is_cancelled() {
        let wait = match send_and_sweep(sink, queue, clock, observer, keeping, stop).await {
            Ok(()) => {
                backoff.succeeded();
                None
            }
            Err(error) => {
                let pause = backoff.failed();
                // Who writes the rows tells of a sink that is away, or not made yet.
                if !matches!(error, RelayError::Sink(_)) {
                    observer.observe(&IngestEvent::QueueAway { reason: error.to_string() });
                }
                Some(pause.after)
            }
        };
        tokio::select! {
            () = clock.sleep(wait.unwrap_or(LOOK_EVERY)) => {}
            () = letters.notified(), if wait.is_none() => {}
            () = stop.cancelled() => {}
        }
    }
}
