//! Bytes that many hold together, so that no number of them takes all memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What may be held at a time.
#[derive(Debug)]
pub struct Budget {
    left: AtomicUsize,
}

/// What one of them holds; it is given back with it.
#[derive(Debug)]
pub struct Held {
    budget: Arc<Budget>,
    /// The most that it may hold.
    most: usize,
    bytes: AtomicUsize,
}

/// Why there is no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoRoom {
    /// It would hold more than the most that one may.
    Own(usize),
    /// The others hold the rest.
    Others,
}

impl Budget {
    /// So many bytes for all.
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(bytes) })
    }

    /// A share that may come to hold `most` bytes, and holds none yet.
    pub fn share(self: &Arc<Self>, most: usize) -> Held {
        Held { budget: Arc::clone(self), most, bytes: AtomicUsize::new(0) }
    }
}

impl Held {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// Where there is no room. It holds what it held before.
    pub fn take(&self, bytes: usize) -> Result<(), NoRoom> {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map_err(|_| NoRoom::Own(self.most))?;
        let less = |left: usize| left.checked_sub(bytes);
        if self.budget.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err() {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(NoRoom::Others);
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.left.fetch_add(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_more_than_a_share_and_all_together_not_more_than_there_is() {
        let budget = Budget::new(10);
        let (one, other) = (budget.share(6), budget.share(6));
        assert_eq!(one.take(7), Err(NoRoom::Own(6)));
        assert_eq!((one.take(4), one.take(2), one.take(1)), (Ok(()), Ok(()), Err(NoRoom::Own(6))));
        assert_eq!((other.take(5), other.take(4), other.take(1)), (Err(NoRoom::Others), Ok(()), Err(NoRoom::Others)));
        assert_eq!(one.take(usize::MAX), Err(NoRoom::Own(6)));
        drop(one);
        assert_eq!((other.take(2), budget.share(6).take(5)), (Ok(()), Err(NoRoom::Others)));
        assert_eq!(budget.share(6).take(4), Ok(()));
    }
}
