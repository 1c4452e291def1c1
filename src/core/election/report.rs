//! A lease as shown to people: who holds it, and how fresh it is. Only reads; wall clocks are good enough.

use crate::core::model::names::LeaseKey;
use crate::core::ports::leases::{LeaseRecord, LeaseStore};
use crate::core::ports::store::{OddRecord, StoreError};
use jiff::{SignedDuration, Timestamp};

/// A lease and how fresh it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LeaseReport {
    /// In a word.
    pub state: LeaseState,
    /// As it is stored. `None` when there never was one.
    pub record: Option<LeaseRecord>,
    /// What is wrong with it, where it cannot be read.
    pub odd: Option<OddRecord>,
    /// Time since the last renewal: this host's wall clock less the holder's. Negative when the two disagree.
    pub age: Option<SignedDuration>,
}

/// The state of a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LeaseState {
    /// No lease exists.
    #[default]
    None,
    /// Its holder was seen alive recently.
    Held,
    /// It ran out, or its holder is known to be dead: the next candidate takes over.
    Expired,
    /// Its holder or a person released it.
    Released,
    /// Its record cannot be read. The next candidate takes over once nobody has renewed it for `lease_ttl`.
    Odd,
}

impl LeaseState {
    /// The word in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Held => "held",
            Self::Expired => "expired",
            Self::Released => "released",
            Self::Odd => "unreadable",
        }
    }
}

/// A lease, and what is known of its holder now.
///
/// # Errors
/// When the store cannot be read.
pub async fn lease_of(leases: &dyn LeaseStore, key: &LeaseKey, at: Timestamp) -> Result<LeaseReport, StoreError> {
    let record = match leases.read(key).await {
        Err(StoreError::Odd { record, .. }) => {
            return Ok(LeaseReport { state: LeaseState::Odd, odd: Some(*record), ..LeaseReport::default() });
        }
        lease => lease?,
    };
    let Some(record) = record else { return Ok(LeaseReport::default()) };
    let state = if record.released.is_some() {
        LeaseState::Released
    } else if record.expires_at <= at || leases.holder_is_gone(&record).await? {
        LeaseState::Expired
    } else {
        LeaseState::Held
    };
    let age = Some(at.duration_since(record.renewed_at));
    Ok(LeaseReport { state, record: Some(record), odd: None, age })
}
