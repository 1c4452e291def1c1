//! What an election tells whoever watches it.

use crate::core::model::names::InstanceId;
use crate::core::model::term::Token;
use crate::core::ports::observer::Retrying;
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
    /// It is ours.
    Leading {
        /// With this token.
        token: Token,
    },
    /// The store saw its holder alive.
    Renewed,
    /// It is no longer ours.
    Lost {
        /// Our token.
        token: Token,
        /// How that came.
        why: &'static str,
    },
    /// It was given back.
    Released {
        /// Our token.
        token: Token,
    },
    /// The store was away when it was to be given back; it runs out by itself.
    NotReleased {
        /// What the store said.
        reason: String,
    },
    /// The store failed, and is asked again.
    Retrying(Retrying),
}
