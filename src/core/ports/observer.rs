//! What a component tells whoever watches it: a terminal, a log, metrics. Watching never changes the work.

use std::time::Duration;

/// Takes the events of one component. Each component has an event type of its own, in its own room; who watches several
/// implements this for each.
pub trait Observer<E>: Send + Sync {
    /// One event. Returns at once.
    fn observe(&self, event: &E);
}

impl<E, F: Fn(&E) + Send + Sync> Observer<E> for F {
    fn observe(&self, event: &E) {
        self(event);
    }
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unobserved;

impl<E> Observer<E> for Unobserved {
    fn observe(&self, _: &E) {}
}

/// A passing fault: the same is tried again. Everything that retries tells this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retrying {
    /// What failed.
    pub reason: String,
    /// Which try comes next, from 1.
    pub attempt: u32,
    /// After this long.
    pub after: Duration,
}
