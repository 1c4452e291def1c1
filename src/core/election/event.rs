//! The events of an election.

use crate::core::model::names::InstanceId;
use crate::core::model::term::Token;
use crate::core::ports::observer::Retrying;
use crate::core::ports::store::OddRecord;
use std::time::Duration;

/// What happened to the lease.
#[derive(Clone, PartialEq, Debug)]
pub enum ElectionEvent {
    /// Another instance holds it; this one waits.
    Waiting {
        /// Who holds it.
        holder: InstanceId,
        /// Its token.
        token: Token,
        /// Longest time until this one may take over.
        at_most: Duration,
    },
    /// A record cannot be read or makes no sense: it is not believed, and stops nobody.
    Odd {
        /// Which, and what is wrong with it.
        record: OddRecord,
    },
    /// This instance holds it.
    Leading {
        /// Its token.
        token: Token,
    },
    /// The store has recorded a renewal.
    Renewed,
    /// This instance has lost it.
    Lost {
        /// Our token.
        token: Token,
        /// Why.
        why: &'static str,
    },
    /// This instance released it.
    Released {
        /// Our token.
        token: Token,
    },
    /// The store was away at the release. The lease runs out by itself.
    NotReleased {
        /// What the store said.
        reason: String,
    },
    /// The store failed, and the call is tried again.
    Retrying(Retrying),
}
