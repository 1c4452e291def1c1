//! The delivering side at work: takes what waits, some at once. A version that finds no room waits alone, and holds up none that fits.

use super::{LARGE, Patience, Until, ended, places_of_large};
use crate::core::backoff::Jitter;
use crate::core::model::transfer::Side;
use crate::core::ports::file_broker::Parcel;
use crate::core::ports::file_target::TargetError;
use crate::core::transfer::collect::CLAIM;
use crate::core::transfer::deliver::Deliverer;
use crate::core::transfer::envelope::Envelope;
use crate::core::transfer::error::TransferError;
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
    let patience =
        || Patience::new((deliverer.transfer.policies.retry, jitter), Side::Deliver, (clock, observer), until);
    let mut work = Taking::new(deliverer, stop, (patience(), patience()));
    let is_endless = until == Until::Stopped;
    let mut was_empty = false;
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
                        failed = work.patience.failed(error, stop) => failed?,
                        () = deliverer.ports.target.mended(), if is_refused => {}
                    }
                }
                None if came > 0 || stop.is_cancelled() => {}
                None => {
                    let lacks_room = work.lacks_room();
                    if was_empty && !is_endless && !lacks_room {
                        return Ok(());
                    }
                    if !lacks_room {
                        work.patience.succeeded();
                    }
                    was_empty = is_last;
                    let pause = if is_last && !is_endless { SURELY } else { MESSAGES };
                    tokio::select! {
                        () = deliverer.ports.receiver.wait(pause) => {}
                        () = collected.cancelled(), if !is_last => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        } else {
            // A message that comes while a large file is on its way does not wait for its end.
            let has_place = work.has_place();
            tokio::select! {
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
}

impl<'a> Taking<'a> {
    fn new(
        deliverer: &'a Arc<Deliverer>,
        stop: &'a CancellationToken,
        (patience, room): (Patience<'a>, Patience<'a>),
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
        }
    }

    fn has_place(&self) -> bool {
        let most = self.deliverer.transfer.policies.concurrency;
        self.failed.is_none() && self.gave_up.is_none() && !self.stop.is_cancelled() && self.running.len() < most
    }

    /// Whether a version waits for room.
    fn lacks_room(&self) -> bool {
        self.left.values().any(|left| left.lacks_room)
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
        let most = self.deliverer.transfer.policies.concurrency - self.running.len();
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
        if is_large && self.running_large >= places_of_large(self.deliverer.transfer.policies.concurrency) {
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
        self.left.insert(id, Left { until, lacks_room });
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
            Err(error) => {
                receiver.release(&id, Duration::ZERO).await;
                self.failed = self.failed.take().or(Some(error));
            }
        }
    }
}
