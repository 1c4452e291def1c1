//! The bodies that come to a door, and the memory they share. When that is taken, who comes too slowly to be whole in time gives
//! up what it holds: clients that hold a body back keep nobody out whose bytes come.

use crate::core::ingest::decode::EVENT_MAX;
use crate::core::model::budget::{Budget, Held, NoRoom};
use crate::http::guard;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Most bytes of all bodies of a door that come or are sent at a time.
const BODIES_MAX: usize = 32 << 20;

/// A body that comes at all brings so many bytes within [`STEP_TIME`]: at that rate the longest one takes as long as an answer may.
const STEP: usize = 32 << 10;

/// See [`STEP`].
const STEP_TIME: Duration = Duration::from_secs(1);

/// Longest wait for the room of those that are ended.
const ROOM_TIME: Duration = Duration::from_secs(2);

/// The bodies of a door.
pub(super) struct Bodies {
    budget: Arc<Budget>,
    coming: Mutex<Vec<Weak<Coming>>>,
    /// Notified when one gives its room back.
    freed: Notify,
}

/// A body on its way.
struct Coming {
    pace: Mutex<Pace>,
    /// Cancelled when its room is for others.
    gone: CancellationToken,
}

/// How it comes.
struct Pace {
    /// When it last came forward by a [`STEP`].
    since: Instant,
    /// Bytes since then.
    bytes: usize,
}

/// A whole body, which holds its room until it is dropped.
#[derive(Debug)]
pub(super) struct Whole {
    /// Its bytes.
    pub(super) bytes: Bytes,
    _room: Room,
}

/// Why there is no body.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is longer than one may be.
    TooLarge,
    /// Other bodies hold the memory there is for them.
    Busy,
    /// It came slowly, and others needed its room.
    Slow,
    /// It broke off.
    Broken(axum::Error),
}

impl Coming {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_read(&self, count: usize) {
        let mut pace = self.pace();
        pace.bytes += count;
        if pace.bytes >= STEP {
            *pace = Pace { since: Instant::now(), bytes: 0 };
        }
    }
}

/// Room that tells when it is given back.
#[derive(Debug)]
struct Room {
    /// Given back first.
    held: Option<Held>,
    bodies: Arc<Bodies>,
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(self.held.take());
        self.bodies.freed.notify_waiters();
    }
}

impl std::fmt::Debug for Bodies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bodies").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Bodies {
    pub(super) fn new() -> Arc<Self> {
        Self::of(BODIES_MAX)
    }

    fn of(bytes: usize) -> Arc<Self> {
        Arc::new(Self { budget: Budget::new(bytes), coming: Mutex::default(), freed: Notify::new() })
    }

    /// A body, or why there is none, as soon as that is known.
    pub(super) async fn whole(self: &Arc<Self>, mut body: Body) -> Result<Whole, Unread> {
        if guard::announced_beyond(&body, EVENT_MAX).is_some() {
            return Err(Unread::TooLarge);
        }
        let held = self.budget.share(EVENT_MAX);
        let room = Room { held: Some(held), bodies: Arc::clone(self) };
        let pace = Mutex::new(Pace { since: Instant::now(), bytes: 0 });
        let coming = Arc::new(Coming { pace, gone: CancellationToken::new() });
        self.add(&coming);
        let mut bytes = Vec::new();
        loop {
            let frame = tokio::select! {
                biased;
                () = coming.gone.cancelled() => return Err(Unread::Slow),
                frame = next(&mut body) => frame,
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(Unread::Broken)?.into_data() else { continue };
            self.take(room.held.as_ref(), data.len()).await?;
            coming.has_read(data.len());
            bytes.extend_from_slice(&data);
        }
        Ok(Whole { bytes: bytes.into(), _room: room })
    }

    fn add(&self, coming: &Arc<Coming>) {
        let mut all = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| it.strong_count() > 0);
        all.push(Arc::downgrade(coming));
    }

    /// Takes room; where there is none, that of the slowest.
    async fn take(&self, held: Option<&Held>, bytes: usize) -> Result<(), Unread> {
        let Some(held) = held else { return Err(Unread::Busy) };
        let until = Instant::now() + ROOM_TIME;
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // From here on nothing that is given back is missed.
            freed.as_mut().enable();
            match held.take(bytes) {
                Ok(()) => return Ok(()),
                Err(NoRoom::Own(_)) => return Err(Unread::TooLarge),
                Err(NoRoom::Others) => {}
            }
            if !self.end_slowest() {
                return Err(Unread::Busy);
            }
            if tokio::time::timeout_at(until, freed).await.is_err() {
                return Err(Unread::Busy);
            }
        }
    }

    /// Ends the body that has come slowest, if there is one too slow. True where one is being ended.
    fn end_slowest(&self) -> bool {
        let all: Vec<Arc<Coming>> =
            self.coming.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        let since = |it: &Arc<Coming>| it.pace().since;
        let slowest = all.iter().filter(|it| !it.gone.is_cancelled()).min_by_key(|it| since(it));
        match slowest.filter(|it| since(it).elapsed() >= STEP_TIME) {
            Some(slowest) => {
                slowest.gone.cancel();
                true
            }
            None => all.iter().any(|it| it.gone.is_cancelled()),
        }
    }
}

/// What comes next of a body.
async fn next(body: &mut Body) -> Option<Result<Frame<Bytes>, axum::Error>> {
    poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream::{self, StreamExt as _};

    fn fast(bytes: usize) -> Body {
        Body::from("x".repeat(bytes))
    }

    /// All but its end comes at once.
    fn stuck(bytes: usize) -> Body {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from("x".repeat(bytes)))]);
        Body::from_stream(first.chain(stream::pending()))
    }

    #[tokio::test]
    async fn bodies_share_the_memory_there_is_for_them() {
        let bodies = Bodies::of(EVENT_MAX + 10);
        let one = bodies.whole(fast(EVENT_MAX)).await.unwrap();
        assert_eq!(one.bytes.len(), EVENT_MAX);
        assert!(matches!(bodies.whole(fast(11)).await, Err(Unread::Busy)));
        assert_eq!(bodies.whole(fast(10)).await.unwrap().bytes.len(), 10);
        assert!(matches!(bodies.whole(fast(EVENT_MAX + 1)).await, Err(Unread::TooLarge)));
        drop(one);
        assert!(bodies.whole(fast(11)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_a_body_back_gives_its_room_to_those_whose_bytes_come() {
        let bodies = Bodies::of(3 * EVENT_MAX);
        let begin = |body: Body| {
            let bodies = Arc::clone(&bodies);
            tokio::spawn(async move { bodies.whole(body).await })
        };
        let slow: Vec<_> = (0..3).map(|_| begin(stuck(EVENT_MAX - 1))).collect();
        tokio::task::yield_now().await;
        // They have only just begun: they may be as fast as any other.
        assert!(matches!(bodies.whole(fast(EVENT_MAX)).await, Err(Unread::Busy)));
        tokio::time::advance(STEP_TIME).await;
        let one = bodies.whole(fast(EVENT_MAX)).await.unwrap();
        let other = bodies.whole(fast(EVENT_MAX)).await.unwrap();
        drop((one, other));
        assert!(bodies.whole(fast(2 * EVENT_MAX / 3)).await.is_ok());
        let ended = slow.iter().filter(|it| it.is_finished()).count();
        assert_eq!(ended, 2, "the third has room enough beside the others");
    }
}
