//! The delivering side at work: takes what waits, some at once. A version that finds no room, or that the target says no to, waits alone,
//! and holds up no other one.

use super::{LARGE, Patience, Until, ended, places_of_large};
use crate::core::backoff::{Backoff, Jitter};
use crate::core::kind::HasKind;
use crate::core::model::transfer::Side;
use crate::core::ports::file_broker::Parcel;
use crate::core::ports::file_target::TargetError;
use crate::core::transfer::collect::CLAIM;
use crate::core::transfer::deliver::Deliverer;
use crate::core::transfer::envelope::Envelope;
use crate::core::transfer::error::TransferError;
use crate::core::transfer::event::TransferEvent;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longest time between two looks for messages.
const MESSAGES: Duration = Duration::from_millis(500);

/// Time between the look that found nothing and the one that makes it the end: a broker may overlook for a moment what it has just
/// stored. nats-server 2.15.2 does so in one of two hundred looks right behind a publish.
const SURELY: Duration = Duration::from_millis(100);

/// Before a large file, for which there is no place, is looked at again.
const NO_PLACE: Duration = Duration::from_secs(1);

/// The delivering side, to its end.
pub(super) async fn deliver(
    deliverer: &Arc<Deliverer>,
    until: Until,
    jitter: &Jitter,
    (collected, stop): (&CancellationToken, &CancellationToken),
) -> Result<(), TransferError> {
    let (clock, observer) = (&*deliverer.ports.clock, &*deliverer.ports.observer);
    let retry = deliverer.transfer.policies.retry;
    let patience = || Patience::new((retry, jitter), Side::Deliver, (clock, observer), until);
    let tries = Backoff::new(retry).with_jitter(Arc::clone(jitter));
    let mut work = Taking::new(deliverer, stop, (patience(), patience()), tries);
    let is_endless = until == Until::Stopped;
    let mut was_empty = false;
    // Where that fails, the next start tries it again.
    let _ = deliverer.sweep().await;
    loop {
        let is_last = collected.is_cancelled();
        let came = work.take_more().await;
        was_empty &= came == 0 && work.running.is_empty();
        if work.running.is_empty() {
            if let Some(error) = work.gave_up.take() {
                return Err(error);
            }
            match work.failed.take() {
                Some(error) => {
                    let is_refused = matches!(error, TransferError::Target(TargetError::Login { .. }));
                    tokio::select! {
                        biased;
                        failed = work.patience.failed(error, stop) => failed?,
                        () = deliverer.ports.target.mended(), if is_refused => {}
                    }
                }
                None if came > 0 || stop.is_cancelled() => {}
                None => {
                    if was_empty && !is_endless && !work.is_waited_for() {
                        return Ok(());
                    }
                    if !work.lacks_room() {
                        work.patience.succeeded();
                    }
                    was_empty = is_last;
                    let pause = if is_last && !is_endless { SURELY } else { MESSAGES };
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = collected.cancelled(), if !is_last => {}
                        () = deliverer.ports.receiver.wait(pause) => {}
                    }
                }
            }
        } else {
            // A message that comes while a large file is on its way does not wait for its end.
            let has_place = work.has_place();
            tokio::select! {
                biased;
                taken = work.running.join_next() => work.ended(ended(taken)).await,
                () = deliverer.ports.receiver.wait(MESSAGES), if has_place => {}
            }
        }
        if stop.is_cancelled() && work.running.is_empty() {
            return if is_endless { Ok(()) } else { Err(TransferError::Stopped) };
        }
    }
}

/// One message that was taken: its id, whether it is a large file's, and what became of it.
type Ended = (String, bool, Result<bool, TransferError>);

/// A message that is left for a while.
struct Left {
    /// When it is looked at again, on the clock that only goes forward.
    until: Duration,
    lacks_room: bool,
    /// How often the target said no to it alone.
    tries: Option<Backoff>,
}

/// What is being taken.
struct Taking<'a> {
    deliverer: &'a Arc<Deliverer>,
    stop: &'a CancellationToken,
    /// Each a task of its own: one that nobody polls would keep the lock that it was given, and hold up everybody.
    running: JoinSet<Ended>,
    in_hand: Vec<String>,
    running_large: usize,
    left: HashMap<String, Left>,
    /// The first error: nothing more begins behind it.
    failed: Option<TransferError>,
    /// Want of room, where it is no use to wait for it any longer: that is the end.
    gave_up: Option<TransferError>,
    /// With all that is needed.
    patience: Patience<'a>,
    /// With the target's room.
    room: Patience<'a>,
    /// Of one message: nothing has failed yet.
    tries: Backoff,
}

impl<'a> Taking<'a> {
    fn new(
        deliverer: &'a Arc<Deliverer>,
        stop: &'a CancellationToken,
        (patience, room): (Patience<'a>, Patience<'a>),
        tries: Backoff,
    ) -> Self {
        Self {
            deliverer,
            stop,
            running: JoinSet::new(),
            in_hand: Vec::new(),
            running_large: 0,
            left: HashMap::new(),
            failed: None,
            gave_up: None,
            patience,
            room,
            tries,
        }
    }

    /// How many are taken at a time.
    fn places(&self) -> usize {
        self.deliverer.ports.receiver.places(self.deliverer.transfer.policies.concurrency)
    }

    fn has_place(&self) -> bool {
        let is_going_on = self.failed.is_none() && self.gave_up.is_none() && !self.stop.is_cancelled();
        is_going_on && self.running.len() < self.places()
    }

    /// Whether a version waits for room.
    fn lacks_room(&self) -> bool {
        self.left.values().any(|left| left.lacks_room)
    }

    /// Whether a version waits that is tried again.
    fn is_waited_for(&self) -> bool {
        self.left.values().any(|left| left.lacks_room || left.tries.is_some())
    }

    /// How often a version was tried.
    fn tries(&self, id: &str) -> Backoff {
        self.left.get(id).and_then(|left| left.tries.clone()).unwrap_or_else(|| self.tries.clone())
    }

    fn now(&self) -> Duration {
        self.deliverer.ports.clock.elapsed()
    }

    /// Begins with as many messages as have a place. How many came.
    async fn take_more(&mut self) -> usize {
        if !self.has_place() {
            return 0;
        }
        let now = self.now();
        // One that has waited for long enough, and does not come again, was taken by another process.
        self.left.retain(|_, left| now.saturating_sub(left.until) < CLAIM.unsigned_abs());
        let resting = self.left.iter().filter(|(_, left)| left.until > now).map(|(id, _)| id.clone());
        let busy: Vec<String> = self.in_hand.iter().cloned().chain(resting).collect();
        let most = self.places().saturating_sub(self.running.len());
        match self.deliverer.ports.receiver.waiting(&busy, most).await {
            Ok(parcels) => {
                let came = parcels.len();
                for parcel in parcels {
                    self.begin(parcel).await;
                }
                came
            }
            Err(error) => {
                self.failed = Some(error.into());
                0
            }
        }
    }

    /// Begins with a message, unless it is of a large file that has no place.
    async fn begin(&mut self, parcel: Parcel) {
        let is_large = parcel.content.is_none()
            && Envelope::read(&parcel.envelope, &parcel.id).is_ok_and(|envelope| envelope.size > LARGE);
        if is_large && self.running_large >= places_of_large(self.places()) {
            self.deliverer.ports.receiver.release(&parcel.id, NO_PLACE).await;
            self.leave(parcel.id, NO_PLACE, false);
            return;
        }
        self.running_large += usize::from(is_large);
        self.in_hand.push(parcel.id.clone());
        let (deliverer, stop) = (Arc::clone(self.deliverer), self.stop.clone());
        self.running.spawn(async move {
            let id = parcel.id.clone();
            let taken = deliverer.take(parcel, &stop).await;
            (id, is_large, taken)
        });
    }

    fn leave(&mut self, id: String, time: Duration, lacks_room: bool) {
        let until = self.now().saturating_add(time);
        let tries = self.left.remove(&id).and_then(|left| left.tries);
        self.left.insert(id, Left { until, lacks_room, tries });
    }

    /// The target says no to one version: it is tried again by itself, as often as the file says.
    async fn try_alone(&mut self, id: String, mut tries: Backoff, error: TransferError) {
        let (after, ports) = (tries.failed().after, &self.deliverer.ports);
        let (kind, reason) = (error.kind(), error.to_string());
        ports.observer.observe(&TransferEvent::Waiting { side: Side::Deliver, kind, reason, after });
        ports.receiver.release(&id, after).await;
        let until = self.now().saturating_add(after);
        self.left.insert(id, Left { until, lacks_room: false, tries: Some(tries) });
    }

    /// What one came to.
    async fn ended(&mut self, ended: Option<Ended>) {
        let Some((id, was_large, taken)) = ended else { return };
        self.running_large -= usize::from(was_large);
        self.in_hand.retain(|other| *other != id);
        let receiver = &self.deliverer.ports.receiver;
        match taken {
            Ok(true) => {
                self.patience.succeeded();
                if self.left.remove(&id).is_some_and(|left| left.lacks_room) {
                    self.room.succeeded();
                }
            }
            // It is another's, who gives it back or ends it.
            Ok(false) | Err(TransferError::TakenOver { .. }) => self.leave(id, MESSAGES, false),
            Err(error @ TransferError::Target(TargetError::Full { .. })) if !self.stop.is_cancelled() => {
                let now = self.now();
                // Those that lack room lack the same: they are tried together.
                let together = self.left.values().filter(|left| left.lacks_room && left.until > now);
                let after = match together.map(|left| left.until.saturating_sub(now)).max() {
                    Some(after) => after,
                    None => self.room.told(error).unwrap_or_else(|error| {
                        self.gave_up = Some(error);
                        Duration::ZERO
                    }),
                };
                receiver.release(&id, after).await;
                self.leave(id, after, true);
            }
            Err(error @ TransferError::Target(TargetError::Failed { .. }))
                if !self.stop.is_cancelled() && !self.tries(&id).is_exhausted() =>
            {
                let tries = self.tries(&id);
                self.try_alone(id, tries, error).await;
            }
            Err(error) => {
                receiver.release(&id, Duration::ZERO).await;
                self.failed = self.failed.take().or(Some(error));
            }
        }
    }
}
