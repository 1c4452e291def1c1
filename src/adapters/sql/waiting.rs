//! A session that waits between two questions of a run: so a run logs in once, and learns the types of its columns once.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a session waits for the next question. The questions of a run follow each other closely; a transaction that nobody
/// uses is not to stay open.
const WAITS: Duration = Duration::from_secs(10);

/// What can wait.
pub trait Leave: Send + 'static {
    /// Ends what is open, and takes leave of the server.
    fn leave(self) -> impl Future<Output = ()> + Send;
}

/// The place where one session waits. Clones share it.
pub struct Waiting<S>(Arc<Mutex<Place<S>>>);

struct Place<S> {
    /// Counts those that have waited.
    number: u64,
    session: Option<S>,
}

impl<S: Leave> Waiting<S> {
    /// Lets a session wait, in place of the one before. After a while without a question it leaves.
    pub fn keep(&self, session: S) {
        let (number, before) = {
            let mut place = self.locked();
            place.number += 1;
            (place.number, place.session.replace(session))
        };
        let weak = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            if let Some(before) = before {
                before.leave().await;
            }
            tokio::time::sleep(WAITS).await;
            let left = weak.upgrade().and_then(|place| Self(place).take_if(|place| place.number == number));
            if let Some(left) = left {
                left.leave().await;
            }
        });
    }

    /// Takes the session, if it is of use.
    pub fn take(&self, is_of_use: impl FnOnce(&S) -> bool) -> Option<S> {
        self.take_if(|place| place.session.as_ref().is_some_and(is_of_use))
    }

    /// What the waiting session tells.
    pub fn look<T>(&self, tell: impl FnOnce(&S) -> Option<T>) -> Option<T> {
        self.locked().session.as_ref().and_then(tell)
    }

    /// Sends the session away, if one waits.
    pub async fn end(&self) {
        let left = self.take_if(|_| true);
        if let Some(left) = left {
            left.leave().await;
        }
    }

    fn take_if(&self, wanted: impl FnOnce(&Place<S>) -> bool) -> Option<S> {
        let mut place = self.locked();
        if wanted(&place) { place.session.take() } else { None }
    }
}

impl<S> Waiting<S> {
    fn locked(&self) -> MutexGuard<'_, Place<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Clone for Waiting<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Default for Waiting<S> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Place { number: 0, session: None })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    struct Named(&'static str, UnboundedSender<&'static str>);

    impl Leave for Named {
        async fn leave(self) {
            self.1.send(self.0).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_waits_for_a_while_and_then_takes_leave() {
        let (told, mut left) = unbounded_channel();
        let waiting = Waiting::default();
        waiting.keep(Named("first", told.clone()));
        assert_eq!(waiting.look(|named| Some(named.0)), Some("first"));
        assert!(waiting.take(|named| named.0 == "second").is_none());
        waiting.keep(Named("second", told.clone()));
        assert_eq!(left.recv().await, Some("first"), "one place");
        let second = waiting.take(|named| named.0 == "second").unwrap();
        waiting.keep(second);
        assert_eq!(left.recv().await, Some("second"), "its time is over");
        assert!(waiting.look(|named| Some(named.0)).is_none());
        waiting.keep(Named("third", told));
        waiting.end().await;
        assert_eq!(left.try_recv(), Ok("third"));
    }
}
