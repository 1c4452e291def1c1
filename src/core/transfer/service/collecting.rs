//! The collecting side at work: looks, sends what is ready, and deals with what was answered.

use super::{LARGE, Patience, Until, places_of_large, rest};
use crate::core::backoff::Jitter;
use crate::core::model::transfer::Side;
use crate::core::ports::folders::FoundFile;
use crate::core::transfer::collect::Collector;
use crate::core::transfer::error::TransferError;
use crate::core::transfer::ready::Ready;
use crate::core::transfer::service::ended;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Before what was ready is looked at again.
const AGAIN: Duration = Duration::from_millis(20);

/// Longest time between two looks at answers while some are missing.
const ANSWERS: Duration = Duration::from_millis(200);

/// Between word of a change and the look: several changes come together.
const SETTLING: Duration = Duration::from_millis(20);

/// The collecting side, to its end.
pub(super) async fn collect(
    collector: &Arc<Collector>,
    until: Until,
    jitter: &Jitter,
    stop: &CancellationToken,
) -> Result<(), TransferError> {
    let (clock, observer) = (&*collector.ports.clock, &*collector.ports.observer);
    let retry = collector.transfer.policies.retry;
    let mut patience = Patience::new((retry, jitter), Side::Collect, (clock, observer), until);
    let is_endless = until == Until::Stopped;
    let mut work = Sending::new(collector, stop);
    let mut is_first = true;
    loop {
        match turn(&mut work, until, &mut is_first).await {
            Ok(None) => return Ok(()),
            Ok(Some(pause)) => {
                patience.succeeded();
                let changed = async {
                    collector.ports.inbox.changed().await;
                    clock.sleep(SETTLING).await;
                };
                tokio::select! {
                    biased;
                    () = work.end_of_one(), if !work.running.is_empty() => {}
                    () = changed, if is_endless => {}
                    () = rest(clock, pause, stop) => {}
                }
            }
            Err(error) => {
                work.end_of_all(false).await;
                patience.failed(error, stop).await?;
            }
        }
        if stop.is_cancelled() {
            // What is on its way ends at its next step.
            work.end_of_all(false).await;
            return if is_endless { Ok(()) } else { Err(TransferError::Stopped) };
        }
    }
}

/// One look, and all that follows from it; large files may still be on their way behind it. How long to wait before the next one;
/// `None` when nothing is left to do.
async fn turn(work: &mut Sending<'_>, until: Until, is_first: &mut bool) -> Result<Option<Duration>, TransferError> {
    let (collector, stop) = (Arc::clone(work.collector), work.stop);
    let poll = collector.collect.poll;
    let ready = collector.look(&work.in_flight).await?;
    work.line_up(&ready);
    work.send_small().await;
    if until == Until::Once {
        work.end_of_all(true).await;
    }
    if let Some(error) = work.failed.take() {
        return Err(error);
    }
    let unanswered = collector.settle(stop).await?;
    if unanswered > 0 {
        return Ok(Some(poll.min(ANSWERS)));
    }
    let next = ready.next.map_or(poll, |next| next.min(poll));
    Ok(match until {
        // Whether a file holds still shows at a second look.
        Until::Once => ready.next.filter(|_| std::mem::take(is_first)),
        Until::Arrived if !work.running.is_empty() || ready.waiting > 0 => Some(next),
        Until::Arrived if ready.files.is_empty() => None,
        // What was ready is looked at once more: it may have been dropped.
        Until::Arrived => Some(AGAIN),
        Until::Stopped => Some(next),
    })
}

/// One file that is sent: its path, and what became of it.
type Ended = (String, u64, Result<(), TransferError>);

/// What is being sent.
struct Sending<'a> {
    collector: &'a Arc<Collector>,
    stop: &'a CancellationToken,
    /// Ready files, the oldest first.
    large: VecDeque<FoundFile>,
    small: VecDeque<FoundFile>,
    /// Each a task of its own: one that nobody polls would keep the lock that it was given, and hold up everybody.
    running: JoinSet<Ended>,
    /// Paths of what is on its way.
    in_flight: HashSet<String>,
    running_large: usize,
    /// The first error: nothing more begins behind it.
    failed: Option<TransferError>,
}

impl<'a> Sending<'a> {
    fn new(collector: &'a Arc<Collector>, stop: &'a CancellationToken) -> Self {
        Self {
            collector,
            stop,
            large: VecDeque::new(),
            small: VecDeque::new(),
            running: JoinSet::new(),
            in_flight: HashSet::new(),
            running_large: 0,
            failed: None,
        }
    }

    /// Takes what a look found. Nothing of what the look before it found has to be kept.
    fn line_up(&mut self, ready: &Ready) {
        (self.large, self.small) = ready.files.iter().cloned().partition(|file| file.size > LARGE);
    }

    /// Sends files, the oldest first, some at once; while small ones wait, large ones have at most half of the places. Ends when
    /// nothing but large files is on its way, and no more of those may begin.
    async fn send_small(&mut self) {
        loop {
            self.begin();
            let has_small = self.running.len() > self.running_large;
            let has_room = self.running.len() < self.collector.transfer.policies.concurrency;
            if !has_small && (has_room || self.small.is_empty() || self.is_ending()) {
                return;
            }
            self.end_of_one().await;
        }
    }

    fn is_ending(&self) -> bool {
        self.failed.is_some() || self.stop.is_cancelled()
    }

    /// Begins with as many as have a place.
    fn begin(&mut self) {
        let most = self.collector.transfer.policies.concurrency;
        while !self.is_ending() && self.running.len() < most {
            let may_be_large = self.running_large < places_of_large(most);
            let age = |file: &FoundFile| (file.modified_at, file.path.clone());
            let is_large_next = may_be_large
                && match (self.large.front(), self.small.front()) {
                    (Some(large), Some(small)) => age(large) < age(small),
                    (large, _) => large.is_some(),
                };
            let next = if is_large_next { self.large.pop_front() } else { self.small.pop_front() };
            let Some(file) = next else { break };
            self.running_large += usize::from(file.size > LARGE);
            self.in_flight.insert(file.path.clone());
            let (collector, stop) = (Arc::clone(self.collector), self.stop.clone());
            self.running.spawn(async move {
                let sent = collector.send(&file, &stop).await;
                (file.path, file.size, sent)
            });
        }
    }

    /// Waits for the end of one.
    async fn end_of_one(&mut self) {
        let Some((path, size, ended)) = ended(self.running.join_next().await) else { return };
        self.running_large -= usize::from(size > LARGE);
        self.in_flight.remove(&path);
        match ended {
            Ok(()) | Err(TransferError::TakenOver { .. }) => {}
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }

    /// Waits for the end of what is on its way; with `begins`, also of what has had no place so far.
    async fn end_of_all(&mut self, begins: bool) {
        while !self.running.is_empty() {
            if begins {
                self.begin();
            }
            self.end_of_one().await;
        }
    }
}
