//! Releasing a lease on its holder's behalf: when that is allowed, and what the audit trail keeps.

use super::report::{LeaseReport, LeaseState, lease_of};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::names::LeaseKey;
use crate::core::model::shown;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::{LeaseRecord, LeaseStore};
use crate::core::ports::store::{OddRecord, StoreError};
use jiff::SignedDuration;

/// A lease that may be released.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Releasable {
    /// As the store has it.
    pub record: LeaseRecord,
    /// In a word.
    pub state: LeaseState,
}

/// Which lease to release, who asks for it, and why.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Whose lease.
    pub key: &'a LeaseKey,
    /// Why, for the audit trail.
    pub reason: &'a str,
    /// Who says so: operating-system user and instance.
    pub who: &'a str,
    /// Whether to release it even if its holder is alive. That holder stops at its next renewal.
    pub force: bool,
}

/// Why a lease was not released.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The key has no lease.
    #[error("worker {key} has no lease: nobody ever held it")]
    NoLease {
        /// Whose.
        key: LeaseKey,
    },
    /// The lease is released already.
    #[error("the lease of {key} is free already: {reason}")]
    AlreadyFree {
        /// Whose.
        key: LeaseKey,
        /// Why it was released.
        reason: String,
    },
    /// The lease cannot be read.
    #[error(
        "{} cannot be read, so it cannot be released: {}; who wants the lease takes it over once nobody has renewed it for `lease_ttl`",
        .record.id, shown::text(&.record.reason)
    )]
    Odd {
        /// Which, and what is wrong with it.
        record: OddRecord,
    },
    /// The holder still renews the lease.
    #[error("{holder} holds the lease with token {token} and renewed it {age:#} ago")]
    Alive {
        /// Who.
        holder: String,
        /// With which token.
        token: u64,
        /// Since the last renewal.
        age: SignedDuration,
    },
    /// Another instance took the lease meanwhile.
    #[error("the lease changed hands meanwhile; look again")]
    Changed,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HasKind for ReleaseError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Alive { .. } | Self::Changed => FailureKind::Lease,
            Self::NoLease { .. } | Self::Odd { .. } | Self::AlreadyFree { .. } => FailureKind::Conflict,
        }
    }
}

/// The lease that [`release`] would release.
///
/// # Errors
/// Why not.
pub async fn releasable(
    leases: &dyn LeaseStore,
    clock: &dyn Clock,
    release: &Release<'_>,
) -> Result<Releasable, ReleaseError> {
    let key = release.key;
    let LeaseReport { state, record, odd, age } = lease_of(leases, key, clock.now()).await?;
    if let Some(record) = odd {
        return Err(ReleaseError::Odd { record });
    }
    let Some(record) = record else { return Err(ReleaseError::NoLease { key: key.clone() }) };
    if let Some((_, reason)) = record.released {
        return Err(ReleaseError::AlreadyFree { key: key.clone(), reason });
    }
    if state == LeaseState::Held && !release.force {
        let age = SignedDuration::from_secs(age.unwrap_or_default().as_secs());
        return Err(ReleaseError::Alive { holder: record.instance.to_string(), token: record.token.0, age });
    }
    Ok(Releasable { record, state })
}

/// Releases a lease, and keeps for ever who did it and why. The last holder is fenced by its token, whatever it does.
///
/// # Errors
/// Why nothing was released.
pub async fn release(
    leases: &dyn LeaseStore,
    trail: &dyn AuditLog,
    clock: &dyn Clock,
    release: &Release<'_>,
) -> Result<Releasable, ReleaseError> {
    let found = releasable(leases, clock, release).await?;
    let (token, now) = (found.record.token, clock.now());
    let forced = if release.force { ", forced" } else { "" };
    // First the trail: a change that nobody can explain is worse than a recorded try.
    let (key, holder, state) = (release.key, &found.record.instance, found.state.as_str());
    let detail = format!("{key}, token {token} of {holder} ({state}{forced})");
    let entry = AuditEntry::new(now, release.who, "lease release", &detail, release.reason);
    trail.audit(&entry).await?;
    if leases.release(release.key, token, now, &shown::text(release.reason)).await? {
        Ok(found)
    } else {
        Err(ReleaseError::Changed)
    }
}
