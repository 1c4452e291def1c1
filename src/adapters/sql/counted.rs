//! A count that is kept for as long as its database shows that nothing has changed.

use crate::core::model::key::Key;
use crate::core::ports::source::{After, Extent, Query};
use std::sync::{Arc, Mutex, PoisonError};

/// What a source counted last, with the mark by which its database tells whether anything has changed since. Clones share
/// it.
///
/// A view that looks at the clock may hold other rows all the same; the rows read tell that.
#[derive(Debug)]
pub struct LastCount<M>(Arc<Mutex<Option<(Query, Extent, M)>>>);

impl<M> LastCount<M> {
    /// Keeps a count in place of the one before. `None` when the database cannot show whether it still holds.
    pub fn keep(&self, query: &Query, extent: &Extent, mark: Option<M>) {
        self.replace(mark.map(|mark| (query.clone(), extent.clone(), mark)));
    }

    /// Takes the count out, if it answers this query and its last key is `until`: it is asked for once, behind the read that
    /// it stood before.
    pub fn take(&self, query: &Query, until: Option<&Key>) -> Option<(After, M)> {
        let (counted, extent, mark) = self.replace(None)?;
        let last = extent.range.as_ref().map(|(_, last)| last);
        (counted.asks_as(query) && last == until).then(|| (After { within: extent.rows, extent: extent.clone() }, mark))
    }

    fn replace(&self, now: Option<(Query, Extent, M)>) -> Option<(Query, Extent, M)> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

impl<M> Clone for LastCount<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Default for LastCount<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
