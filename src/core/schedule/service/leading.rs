//! Whether this instance leads: for what is done beside the clockwork, and by one instance alone.

use crate::core::model::term::Term;
use std::sync::{Arc, Mutex, PoisonError};

/// The right of this instance to lead, while it has one. Clones are the same.
#[derive(Clone, Default)]
pub struct Leading(Arc<Mutex<Option<Term>>>);

impl Leading {
    /// Whether it leads. No longer from the moment its right ends, also when it has stood still.
    pub fn is_held(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|term| term.check().is_ok())
    }

    pub(super) fn begins(&self, term: Term) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(term);
    }

    pub(super) fn ends(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
