//! Who has a place at a door, and who gives one up for a newcomer when all are taken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A body that comes at all brings so many bytes from time to time. One byte a second is no body that comes.
const STEP: u64 = 1024;

/// What a connection is at.
#[derive(Clone, Copy)]
enum Stage {
    /// The head of a request is not whole, or the client takes an answer.
    Idle,
    /// The body of a request comes.
    Body {
        /// When it last came forward by a [`STEP`].
        since: Instant,
        /// Bytes since then.
        bytes: u64,
    },
    /// A request is being answered.
    Answer,
}

/// One open connection.
pub(in crate::http) struct ConnectionSlot {
    stage: Mutex<Stage>,
    /// Cancelled when another takes its place.
    pub(super) gone: CancellationToken,
}

impl Default for ConnectionSlot {
    fn default() -> Self {
        Self { stage: Mutex::new(Stage::Idle), gone: CancellationToken::new() }
    }
}

impl ConnectionSlot {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn idles(&self) {
        *self.stage() = Stage::Idle;
    }

    pub(super) fn reads(&self) {
        *self.stage() = Stage::Body { since: Instant::now(), bytes: 0 };
    }

    /// So many bytes of the body have come.
    pub(super) fn has_read(&self, count: usize) {
        if let Stage::Body { since, bytes } = &mut *self.stage() {
            *bytes = bytes.saturating_add(count as u64);
            if *bytes >= STEP {
                (*since, *bytes) = (Instant::now(), 0);
            }
        }
    }

    pub(super) fn answers(&self) {
        *self.stage() = Stage::Answer;
    }

    /// Since when nothing of a body came worth the name.
    fn waits_since(&self) -> Option<Instant> {
        match *self.stage() {
            Stage::Body { since, .. } => Some(since),
            Stage::Idle | Stage::Answer => None,
        }
    }

    fn is_idle(&self) -> bool {
        matches!(*self.stage(), Stage::Idle)
    }
}

/// A place, for as long as this lives.
pub(in crate::http) struct Place(Arc<ConnectionSlot>);

/// The places of a door, or of a kind of its requests.
pub(in crate::http) struct Places {
    most: usize,
    taken: Mutex<Vec<Weak<Place>>>,
}

impl Places {
    pub(in crate::http) const fn new(most: usize) -> Self {
        Self { most, taken: Mutex::new(Vec::new()) }
    }

    /// A place for a connection. When all are taken, one that answers no request is ended: the oldest that is idle, else the one whose
    /// body keeps the door waiting for longest. Half a request must not keep anybody out. `None` when each answers one.
    pub(in crate::http) fn take(&self, slot: Arc<ConnectionSlot>) -> Option<Arc<Place>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|place| place.strong_count() > 0);
        if taken.len() >= self.most {
            let held: Vec<Option<Arc<Place>>> = taken.iter().map(Weak::upgrade).collect();
            let idle = held.iter().position(|place| place.as_ref().is_none_or(|place| place.0.is_idle()));
            let waited = held.iter().enumerate().filter_map(|(at, place)| Some((place.as_ref()?.0.waits_since()?, at)));
            let at = idle.or_else(|| Some(waited.min()?.1))?;
            if let Some(place) = taken.remove(at).upgrade() {
                place.0.gone.cancel();
            }
        }
        let place = Arc::new(Place(slot));
        taken.push(Arc::downgrade(&place));
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_oldest_that_answers_nothing_goes() {
        let slots: [Arc<ConnectionSlot>; 4] = Default::default();
        let places = Places::new(2);
        let taken: Vec<_> = slots[..2].iter().map(|slot| places.take(Arc::clone(slot)).unwrap()).collect();
        slots[0].answers();
        let third = places.take(Arc::clone(&slots[2])).unwrap();
        assert!(slots[1].gone.is_cancelled() && !slots[0].gone.is_cancelled());
        slots[2].answers();
        assert!(places.take(Arc::clone(&slots[3])).is_none(), "each is answering");
        drop((taken, third));
        assert!(places.take(Arc::clone(&slots[3])).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_body_that_is_waited_for_longest_goes_before_one_that_comes() {
        let slots: [Arc<ConnectionSlot>; 5] = Default::default();
        let places = Places::new(3);
        let _taken: Vec<_> = slots[..3].iter().map(|slot| places.take(Arc::clone(slot)).unwrap()).collect();
        let pause = || tokio::time::advance(Duration::from_secs(1));
        for slot in &slots[..3] {
            slot.reads();
            pause().await;
        }
        // The oldest comes as fast as it can; the second brings a byte at a time.
        slots[0].has_read(4096);
        slots[1].has_read(1);
        slots[1].has_read(1);
        let _fourth = places.take(Arc::clone(&slots[3])).unwrap();
        let gone: Vec<bool> = slots.iter().map(|slot| slot.gone.is_cancelled()).collect();
        assert_eq!(gone, [false, true, false, false, false]);
        slots[2].answers();
        slots[3].answers();
        let _fifth = places.take(Arc::clone(&slots[4])).unwrap();
        assert!(slots[0].gone.is_cancelled(), "it comes, and yet answers nothing");
    }
}
