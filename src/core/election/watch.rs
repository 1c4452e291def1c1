//! What one contender has seen of a lease, and since when the lease stands still. Pure: the caller gives the time.

use crate::core::model::term::Token;
use std::collections::HashSet;
use std::time::Duration;

/// A contender's memory of the lease.
pub(super) struct Watch {
    ttl: Duration,
    /// What tells whether the lease was renewed, and when it was first seen so.
    seen: Option<(Sight, Duration)>,
    /// How long it has stood still.
    still: Duration,
    /// How often it was seen otherwise than before.
    changes: u32,
    /// The holder for which waiting was reported.
    told: Option<Sight>,
    /// The claim that was given time to become a lease.
    claim: Option<Token>,
    /// Records that were told as odd.
    odd: HashSet<String>,
}

/// What tells one state of a lease from another.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// A lease: its token and sequence number.
    Lease(Token, u64),
    /// One that cannot be read: its mark.
    Odd(String),
}

impl Sight {
    /// Of the same holder as another one.
    fn is_of_same_holder(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lease(token, _), Self::Lease(other, _)) => token == other,
            (Self::Odd(_), Self::Odd(_)) => true,
            _ => false,
        }
    }
}

impl Watch {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, seen: None, still: Duration::ZERO, changes: 0, told: None, claim: None, odd: HashSet::new() }
    }

    /// Takes in a lease that was asked for and answered at these times. A change counts from the answer. A standstill counts up to
    /// the question, because the lease may have been renewed at any time in between.
    pub(super) fn see(&mut self, lease: Option<Sight>, asked: Duration, answered: Duration) {
        match &self.seen {
            Some((seen, since)) if lease.as_ref() == Some(seen) => self.still = asked.saturating_sub(*since),
            _ => {
                self.seen = lease.map(|lease| (lease, answered));
                self.still = Duration::ZERO;
                self.changes = self.changes.saturating_add(1);
            }
        }
    }

    /// Time until its holder counts as dead; zero when it does.
    pub(super) fn left(&self) -> Duration {
        self.ttl.saturating_sub(self.still)
    }

    /// True once for each holder.
    pub(super) fn is_news(&mut self) -> bool {
        let holder = self.seen.as_ref().map(|(sight, _)| sight.clone());
        match (std::mem::replace(&mut self.told, holder), &self.told) {
            (Some(before), Some(now)) => !before.is_of_same_holder(now),
            (before, now) => before.is_some() != now.is_some(),
        }
    }

    /// Whether the lease has changed since it was first seen.
    pub(super) fn was_renewed(&self) -> bool {
        self.changes > 1
    }

    /// True once for each record.
    pub(super) fn is_new_oddity(&mut self, id: &str) -> bool {
        self.odd.insert(id.to_owned())
    }

    /// True once for each claim.
    pub(super) fn is_first_sight_of_claim(&mut self, claim: Option<Token>) -> bool {
        std::mem::replace(&mut self.claim, claim) != claim
    }
}
