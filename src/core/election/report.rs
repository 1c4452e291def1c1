//! A lease as a person asks for it: who holds it, and how fresh it is. Only looks; wall clocks will do.

use crate::core::model::names::WorkerId;
use crate::core::ports::leases::{LeaseRecord, LeaseStore};
use crate::core::ports::store::StoreError;
use jiff::{SignedDuration, Timestamp};

/// A lease and how fresh it is.
#[derive(Clone, PartialEq, Debug)]
pub struct LeaseReport {
    /// In a word.
    pub state: LeaseState,
    /// As it is stored. `None` when there never was one.
    pub record: Option<LeaseRecord>,
    /// Since the last renewal, by our wall clock against the holder's: negative when they disagree.
    pub age: Option<SignedDuration>,
}

/// A lease in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaseState {
    /// There never was one.
    None,
    /// Its holder was lately seen alive.
    Held,
    /// It ran out, or its holder is known to be dead: the next candidate takes over.
    Expired,
    /// Its holder, or a person, gave it back.
    Released,
}

impl LeaseState {
    /// The word in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Held => "held",
            Self::Expired => "expired",
            Self::Released => "released",
        }
    }
}

/// One worker's lease, and what is known of its holder now.
///
/// # Errors
/// When the store cannot be read.
pub async fn lease_of(leases: &dyn LeaseStore, worker: &WorkerId, at: Timestamp) -> Result<LeaseReport, StoreError> {
    let Some(record) = leases.read(worker).await? else {
        return Ok(LeaseReport { state: LeaseState::None, record: None, age: None });
    };
    let state = if record.released.is_some() {
        LeaseState::Released
    } else if record.expires_at <= at || leases.holder_is_gone(&record).await? {
        LeaseState::Expired
    } else {
        LeaseState::Held
    };
    let age = Some(at.duration_since(record.renewed_at));
    Ok(LeaseReport { state, record: Some(record), age })
}
