//! The right to write: a fencing token and the time until which it may be used.

use crate::core::failpoints::planted::planted;
use crate::core::kind::{FailureKind, HasKind};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows, one per acquisition of a worker's lease (fencing token).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Token(pub u64);

impl Token {
    /// Tokens are counted one by one. A number so far above every token that is known was never counted: no worker has changed hands so
    /// often. It is not believed, and no token is counted on from it.
    pub const REACH: u64 = 1 << 32;

    /// Whether counting may have come to `other` from this token.
    pub fn reaches(self, other: Self) -> bool {
        other.0 <= self.0.saturating_add(Self::REACH)
    }

    /// Whether a holder behind the one of this token may have `other`. Half of the reach: whoever comes next, and counts on from what it
    /// finds, comes above each token that ends this one's term.
    pub fn may_precede(self, other: Self) -> bool {
        other.0 <= self.0.saturating_add(Self::REACH / 2)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The holder's right to write has ended; nothing may be changed any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the lease with token {token} is no longer ours to write under")]
pub struct TermEnded {
    /// The token that has lost its right.
    pub token: Token,
}

impl HasKind for TermEnded {
    fn kind(&self) -> FailureKind {
        FailureKind::Lease
    }
}

/// One holder's right to write. Cheap to clone; all clones share one deadline.
///
/// Every effect on a volume or store takes a `&Term` and checks it first. The deadline lies two
/// thirds of the lease's time to live after the last successful renewal was *sent*. It counts on a
/// clock that goes on in suspend.
#[derive(Clone)]
pub struct Term {
    token: Token,
    ends_at: Arc<AtomicU64>,
    now: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Term {
    /// Starts a term that may be used until `ends_at` on the clock that `now` reads.
    pub fn new(token: Token, ends_at: Duration, now: Arc<dyn Fn() -> Duration + Send + Sync>) -> Self {
        Self { token, ends_at: Arc::new(AtomicU64::new(nanos(ends_at))), now }
    }

    /// The fencing token.
    pub fn token(&self) -> Token {
        self.token
    }

    /// Passes while the right to write lasts.
    ///
    /// # Errors
    /// From the moment the term has ended; it never comes back.
    pub fn check(&self) -> Result<(), TermEnded> {
        if nanos((self.now)()) < self.ends_at.load(Ordering::Acquire) || planted("term unchecked") {
            Ok(())
        } else {
            self.end();
            Err(TermEnded { token: self.token })
        }
    }

    /// As [`check`](Self::check), for a write that may be nobody's: one without a term passes.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_any(term: Option<&Self>) -> Result<(), TermEnded> {
        term.map_or(Ok(()), Self::check)
    }

    /// Moves the deadline, unless the term has already ended: what is lost is not regained.
    pub fn extend(&self, ends_at: Duration) {
        if self.check().is_ok() {
            let later = nanos(ends_at);
            let _ = self
                .ends_at
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now != 0 && later > now).then_some(later));
        }
    }

    /// Ends the term now: lease lost, released, or nothing on the disk can be trusted any more.
    pub fn end(&self) {
        self.ends_at.store(0, Ordering::Release);
    }

    /// Time left until the deadline; zero when ended.
    pub fn remaining(&self) -> Duration {
        Duration::from_nanos(self.ends_at.load(Ordering::Acquire).saturating_sub(nanos((self.now)())))
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term").field("token", &self.token).field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_that_has_ended_is_not_regained() {
        let now = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&now);
        let term = Term::new(
            Token(7),
            Duration::from_secs(20),
            Arc::new(move || Duration::from_secs(clock.load(Ordering::Relaxed))),
        );
        assert!(term.check().is_ok());
        term.extend(Duration::from_secs(40));
        now.store(39, Ordering::Relaxed);
        assert!(term.check().is_ok());
        now.store(40, Ordering::Relaxed);
        assert_eq!(term.check(), Err(TermEnded { token: Token(7) }));
        term.extend(Duration::from_secs(90));
        assert!(term.check().is_err());
    }
}
