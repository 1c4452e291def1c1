//! Both sides at work: until all that is there has arrived, or for as long as the process lives.

use super::collect::Collector;
use super::deliver::Deliverer;
use super::error::TransferError;
use super::event::TransferEvent;
use crate::core::backoff::{Backoff, Jitter};
use crate::core::kind::HasKind;
use crate::core::model::policy::RetrySpec;
use crate::core::model::transfer::Side;
use crate::core::ports::clock::Clock;
use crate::core::ports::file_broker::Parcel;
use crate::core::ports::folders::FoundFile;
use crate::core::ports::observer::Observer;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Before what was ready is looked at again.
const AGAIN: Duration = Duration::from_millis(20);

/// Longest time between two looks at answers while some are missing.
const ANSWERS: Duration = Duration::from_millis(200);

/// Between word of a change and the look: several changes come together.
const SETTLING: Duration = Duration::from_millis(20);

/// Longest time between two looks for messages.
const MESSAGES: Duration = Duration::from_millis(500);

/// Time between the look that found nothing and the one that makes it the end: a broker may overlook for a moment what it has just
/// stored. nats-server 2.15.2 does so in one of two hundred looks right behind a publish.
const SURELY: Duration = Duration::from_millis(100);

/// Files from this size on take a place for long, in bytes.
const LARGE: u64 = 64 << 20;

/// When a run of both sides ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// All that is there has arrived; what is still being written is waited for.
    Arrived,
    /// What is ready now has arrived.
    Once,
    /// Never.
    Stopped,
}

/// Waits after failures, and tries again.
struct Patience<'a> {
    backoff: Backoff,
    side: Side,
    clock: &'a dyn Clock,
    observer: &'a dyn Observer<TransferEvent>,
    /// A service never gives up.
    is_endless: bool,
}

impl Patience<'_> {
    fn succeeded(&mut self) {
        self.backoff.succeeded();
        self.observer.observe(&TransferEvent::Looked { side: self.side });
    }

    /// Waits, or gives the error back when it is no use to wait.
    async fn failed(&mut self, error: TransferError, stop: &CancellationToken) -> Result<(), TransferError> {
        if error == TransferError::Stopped || stop.is_cancelled() {
            return Err(TransferError::Stopped);
        }
        let kind = error.kind();
        if !self.is_endless && (!kind.is_passing() || self.backoff.is_exhausted()) {
            return Err(error);
        }
        let after = self.backoff.failed().after;
        self.observer.observe(&TransferEvent::Waiting { side: self.side, kind, reason: error.to_string(), after });
        rest(self.clock, after, stop).await;
        Ok(())
    }
}

/// Waits, or until a stop.
async fn rest(clock: &dyn Clock, time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = clock.sleep(time) => {}
        () = stop.cancelled() => {}
    }
}

/// Runs both sides, or the one that there is.
///
/// # Errors
/// When something needed does not answer for longer than the file waits, or a stop.
pub async fn run(
    mut collector: Option<Collector>,
    deliverer: Option<Deliverer>,
    until: Until,
    jitter: Jitter,
    stop: &CancellationToken,
) -> Result<(), TransferError> {
    // The delivering side ends behind the collecting one: then nothing more comes.
    let (ended, failed) = (CancellationToken::new(), stop.child_token());
    let collecting = async {
        let result = match &mut collector {
            Some(collector) => collect(collector, until, &jitter, &failed).await,
            None => Ok(()),
        };
        ended.cancel();
        if result.is_err() {
            failed.cancel();
        }
        result
    };
    let delivering = async {
        let result = match &deliverer {
            Some(deliverer) => deliver(deliverer, until, &jitter, (&ended, &failed)).await,
            None => Ok(()),
        };
        if result.is_err() {
            failed.cancel();
        }
        result
    };
    match tokio::join!(collecting, delivering) {
        // Whoever failed first tells why; the other one was only stopped.
        (Err(TransferError::Stopped), other) => other.and(Err(TransferError::Stopped)),
        (collected, delivered) => collected.and(delivered),
    }
}

/// The collecting side, to its end.
async fn collect(
    collector: &mut Collector,
    until: Until,
    jitter: &Jitter,
    stop: &CancellationToken,
) -> Result<(), TransferError> {
    let (clock, observer) = (Arc::clone(&collector.ports.clock), Arc::clone(&collector.ports.observer));
    let backoff = backoff(collector.transfer.policies.retry, jitter);
    let is_endless = until == Until::Stopped;
    let mut patience = Patience { backoff, side: Side::Collect, clock: &*clock, observer: &*observer, is_endless };
    let mut is_first = true;
    loop {
        match look_and_send(collector, until, &mut is_first, stop).await {
            Ok(None) => return Ok(()),
            Ok(Some(pause)) => {
                patience.succeeded();
                let changed = async {
                    collector.ports.inbox.changed().await;
                    clock.sleep(SETTLING).await;
                };
                tokio::select! {
                    () = rest(&*clock, pause, stop) => {}
                    () = changed, if is_endless => {}
                }
            }
            Err(error) => patience.failed(error, stop).await?,
        }
        if stop.is_cancelled() {
            return if is_endless { Ok(()) } else { Err(TransferError::Stopped) };
        }
    }
}

fn backoff(retry: RetrySpec, jitter: &Jitter) -> Backoff {
    Backoff::new(retry).with_jitter(Arc::clone(jitter))
}

/// One look, and all that follows from it. How long to wait before the next one; `None` when nothing is left to do.
async fn look_and_send(
    collector: &mut Collector,
    until: Until,
    is_first: &mut bool,
    stop: &CancellationToken,
) -> Result<Option<Duration>, TransferError> {
    let poll = collector.collect.poll;
    let ready = collector.look().await?;
    send_all(collector, &ready.files, stop).await?;
    let unanswered = collector.settle(stop).await?;
    if unanswered > 0 {
        return Ok(Some(poll.min(ANSWERS)));
    }
    Ok(match until {
        Until::Stopped => Some(ready.next.map_or(poll, |next| next.min(poll))),
        // Whether a file holds still shows at a second look.
        Until::Once => ready.next.filter(|_| std::mem::take(is_first)),
        Until::Arrived if ready.waiting == 0 && ready.files.is_empty() => None,
        // What was ready is looked at once more: it may have been dropped.
        Until::Arrived if ready.waiting == 0 => Some(AGAIN),
        Until::Arrived => Some(ready.next.map_or(poll, |next| next.min(poll))),
    })
}

/// Sends files, the oldest first, some at once; while small ones wait, large ones have at most half of the places. The first error
/// ends it; what has begun is ended.
async fn send_all(collector: &Collector, files: &[FoundFile], stop: &CancellationToken) -> Result<(), TransferError> {
    let most = collector.transfer.policies.concurrency;
    let (large, small): (Vec<&FoundFile>, Vec<&FoundFile>) = files.iter().partition(|file| file.size > LARGE);
    let (mut large, mut small) = (large.into_iter().peekable(), small.into_iter().peekable());
    let (mut running, mut running_large, mut first) = (FuturesUnordered::new(), 0, None);
    loop {
        while first.is_none() && running.len() < most && !stop.is_cancelled() {
            let may_be_large = running_large < places_of_large(most);
            let is_next = |file: &&FoundFile, small: Option<&&FoundFile>| {
                small.is_none_or(|small| (file.modified_at, &file.path) < (small.modified_at, &small.path))
            };
            let next = match large.next_if(|file| may_be_large && is_next(file, small.peek())) {
                Some(file) => Some(file),
                None => small.next(),
            };
            let Some(file) = next else { break };
            let is_large = file.size > LARGE;
            running_large += usize::from(is_large);
            running.push(async move { (is_large, collector.send(file, stop).await) });
        }
        let Some((is_large, ended)) = running.next().await else { break };
        running_large -= usize::from(is_large);
        match ended {
            Ok(()) | Err(TransferError::TakenOver { .. }) => {}
            Err(error) => first = first.or(Some(error)),
        }
    }
    first.map_or(Ok(()), Err)
}

/// How many of the places large files may have: the others are for small ones.
fn places_of_large(most: usize) -> usize {
    (most / 2).max(1)
}

/// The delivering side, to its end.
async fn deliver(
    deliverer: &Deliverer,
    until: Until,
    jitter: &Jitter,
    (ended, stop): (&CancellationToken, &CancellationToken),
) -> Result<(), TransferError> {
    let (clock, observer) = (&*deliverer.ports.clock, &*deliverer.ports.observer);
    let is_endless = until == Until::Stopped;
    let backoff = backoff(deliverer.transfer.policies.retry, jitter);
    let mut patience = Patience { backoff, side: Side::Deliver, clock, observer, is_endless };
    let mut was_empty = false;
    loop {
        let is_last = ended.is_cancelled();
        match take_waiting(deliverer, stop).await {
            Ok(0) if was_empty && !is_endless => return Ok(()),
            Ok(0) => {
                patience.succeeded();
                was_empty = is_last;
                tokio::select! {
                    () = deliverer.ports.receiver.wait(if is_last && !is_endless { SURELY } else { MESSAGES }) => {}
                    () = ended.cancelled(), if !is_last => {}
                    () = stop.cancelled() => {}
                }
            }
            Ok(_) => {
                was_empty = false;
                patience.succeeded();
            }
            Err(error) => patience.failed(error, stop).await?,
        }
        if stop.is_cancelled() {
            return if is_endless { Ok(()) } else { Err(TransferError::Stopped) };
        }
    }
}

/// Takes what waits, some at once. How many messages came to their end.
async fn take_waiting(deliverer: &Deliverer, stop: &CancellationToken) -> Result<u64, TransferError> {
    let most = deliverer.transfer.policies.concurrency;
    let mut running = FuturesUnordered::new();
    let mut busy: Vec<String> = Vec::new();
    let (mut done, mut first) = (0, None);
    loop {
        if first.is_none() && !stop.is_cancelled() && running.len() < most {
            match deliverer.ports.receiver.waiting(&busy, most - running.len()).await {
                Ok(parcels) => {
                    for parcel in parcels {
                        busy.push(parcel.id.clone());
                        running.push(take(deliverer, parcel, stop));
                    }
                }
                Err(error) => first = Some(error.into()),
            }
        }
        // A message that comes while a large file is on its way does not wait for its end.
        let has_room = first.is_none() && !stop.is_cancelled() && running.len() < most && !running.is_empty();
        let next = tokio::select! {
            next = running.next() => next,
            () = deliverer.ports.receiver.wait(MESSAGES), if has_room => continue,
        };
        match next {
            Some((id, Ok(is_done))) => {
                done += u64::from(is_done);
                // One that is another's stays busy for this round.
                if is_done {
                    busy.retain(|other| *other != id);
                }
            }
            Some((_, Err(TransferError::TakenOver { .. }))) => {}
            Some((_, Err(error))) => first = first.or(Some(error)),
            None => break,
        }
    }
    first.map_or(Ok(done), Err)
}

async fn take(
    deliverer: &Deliverer,
    parcel: Parcel,
    stop: &CancellationToken,
) -> (String, Result<bool, TransferError>) {
    let id = parcel.id.clone();
    let taken = deliverer.take(parcel, stop).await;
    // What another process has taken over is its own to give back.
    if taken.as_ref().is_err_and(|error| !matches!(error, TransferError::TakenOver { .. })) {
        deliverer.ports.receiver.release(&id).await;
    }
    (id, taken)
}
