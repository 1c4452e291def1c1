//! How a component reports its events to a terminal, a log or metrics. Watching never changes the work.

use std::sync::Arc;
use std::time::Duration;

/// Takes the events of one component. Each component has an event type of its own, beside it. Whoever watches several components
/// implements this trait for each.
pub trait Observer<E>: Send + Sync {
    /// One event. Returns at once.
    fn observe(&self, event: &E);
}

impl<E, F: Fn(&E) + Send + Sync> Observer<E> for F {
    fn observe(&self, event: &E) {
        self(event);
    }
}

/// Several who watch, in this order.
pub struct Observers<E>(pub Vec<Arc<dyn Observer<E>>>);

impl<E> Observer<E> for Observers<E> {
    fn observe(&self, event: &E) {
        self.0.iter().for_each(|observer| observer.observe(event));
    }
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unobserved;

impl<E> Observer<E> for Unobserved {
    fn observe(&self, _: &E) {}
}

/// A passing fault, after which the same call is tried again. Everything that retries reports this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retrying {
    /// What failed.
    pub reason: String,
    /// Which try comes next, from 1.
    pub attempt: u32,
    /// After this long.
    pub after: Duration,
}
