//! A count that is kept for as long as its database can tell that it still holds.

use crate::core::ports::source::{Extent, Query};
use std::sync::{Arc, Mutex, PoisonError};

/// What a source counted last, with the mark by which its database tells whether anything has changed since. Clones share
/// it.
///
/// A view that looks at the clock may hold other rows all the same; the rows read tell that.
#[derive(Debug)]
pub struct LastCount<M>(Arc<Mutex<Option<(Query, Extent, M)>>>);

impl<M> LastCount<M> {
    /// Keeps a count in the place of the one before; none where nothing tells whether it still holds.
    pub fn keep(&self, query: &Query, extent: &Extent, mark: Option<M>) {
        self.replace(mark.map(|mark| (query.clone(), extent.clone(), mark)));
    }

    /// Takes the count out, if it answers this query: it is asked for once, behind the read that it stood before.
    pub fn take(&self, query: &Query) -> Option<(Extent, M)> {
        let (counted, extent, mark) = self.replace(None)?;
        counted.asks_as(query).then_some((extent, mark))
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
