//! Runs SQLite on a thread of its own. SQLite blocks; when nobody waits for the answer any more, it is interrupted.

use super::connect::{Db, Place};
use crate::core::ports::source::SourceError;
use rusqlite::InterruptHandle;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Interrupts the thread's statement when dropped.
#[derive(Default)]
pub(super) struct Leash {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    dropped: bool,
    handle: Option<InterruptHandle>,
}

/// The thread's end of a [`Leash`].
pub(super) struct Leashed {
    state: Arc<Mutex<State>>,
}

impl Leash {
    /// Starts a thread that opens the place and works with it until `work` returns. Whoever drops the leash ends what
    /// SQLite is doing then; `work` sees that as an error that nobody reads.
    pub(super) fn spawn(
        place: &Place,
        work: impl FnOnce(Result<Db, SourceError>) + Send + 'static,
    ) -> Result<Self, SourceError> {
        let leash = Self::default();
        let leashed = Leashed { state: Arc::clone(&leash.state) };
        let own = place.clone();
        std::thread::Builder::new()
            .name("sqlite-source".to_owned())
            .spawn(move || {
                let opened = own.open();
                if let Ok(db) = &opened
                    && !leashed.hold(db)
                {
                    return;
                }
                work(opened);
            })
            .map_err(|error| place.failed(format!("cannot start a thread: {error}")))?;
        Ok(leash)
    }
}

impl Leashed {
    /// Makes the connection interruptible; false when the leash has been dropped already.
    fn hold(&self, db: &Db) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.handle = Some(db.connection.get_interrupt_handle());
        !state.dropped
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.dropped = true;
        if let Some(handle) = &state.handle {
            handle.interrupt();
        }
    }
}

/// Does one piece of work on a connection of its own.
pub(super) async fn run<T: Send + 'static>(
    place: &Place,
    work: impl FnOnce(&Db) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let (answer, answered) = oneshot::channel();
    let _leash = Leash::spawn(place, move |db| {
        // Nobody may be waiting any more.
        let _ = answer.send(db.and_then(|db| work(&db)));
    })?;
    answered.await.unwrap_or_else(|_| Err(place.failed("the reading thread ended without an answer")))
}
