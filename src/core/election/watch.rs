//! What one contender has seen of a lease, and since when the lease stands still. Pure: the caller gives the time.

use crate::core::model::term::Token;
use crate::core::ports::leases::LeaseRecord;
use std::time::Duration;

/// A contender's memory of the lease.
pub(super) struct Watch {
    ttl: Duration,
    /// Token and sequence number of the lease, and when they were first seen together.
    seen: Option<(Token, u64, Duration)>,
    /// How long they have stood still.
    still: Duration,
    /// The holder for which waiting was reported.
    told: Option<Token>,
    /// The claim that was given time to become a lease.
    claim: Option<Token>,
}

impl Watch {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, seen: None, still: Duration::ZERO, told: None, claim: None }
    }

    /// Takes in a lease that was asked for and answered at these times. A change counts from the answer. A standstill counts up to
    /// the question, because the lease may have been renewed at any time in between.
    pub(super) fn see(&mut self, lease: Option<&LeaseRecord>, asked: Duration, answered: Duration) {
        match (lease, self.seen) {
            (Some(lease), Some((token, seq, since))) if (lease.token, lease.seq) == (token, seq) => {
                self.still = asked.saturating_sub(since);
            }
            (lease, _) => {
                self.seen = lease.map(|lease| (lease.token, lease.seq, answered));
                self.still = Duration::ZERO;
            }
        }
    }

    /// Time until its holder counts as dead; zero when it does.
    pub(super) fn left(&self) -> Duration {
        self.ttl.saturating_sub(self.still)
    }

    /// True once for each holder.
    pub(super) fn is_news(&mut self) -> bool {
        let holder = self.seen.map(|(token, ..)| token);
        std::mem::replace(&mut self.told, holder) != holder
    }

    /// True once for each claim.
    pub(super) fn is_first_sight_of_claim(&mut self, claim: Option<Token>) -> bool {
        std::mem::replace(&mut self.claim, claim) != claim
    }
}
