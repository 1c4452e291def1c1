//! Giving a lease back on its holder's behalf: who may, and what is kept of it.

use super::report::{LeaseReport, LeaseState, lease_of};
use crate::core::kind::{HasKind, Kind};
use crate::core::model::names::WorkerId;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::{LeaseRecord, LeaseStore};
use crate::core::ports::store::StoreError;
use jiff::SignedDuration;

/// A lease that may be given back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Releasable {
    /// As the store has it.
    pub record: LeaseRecord,
    /// In a word.
    pub state: LeaseState,
}

/// What to give back, and on whose word.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Whose lease.
    pub worker: &'a WorkerId,
    /// Why, for the audit trail.
    pub reason: &'a str,
    /// Who says so: operating-system user and instance.
    pub who: &'a str,
    /// Also from a holder that is alive: it stops at its next renewal.
    pub force: bool,
}

/// Why a lease was not given back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReleaseError {
    /// There is none.
    #[error("worker {worker} has no lease: nobody ever held it")]
    NoLease {
        /// Whose.
        worker: WorkerId,
    },
    /// It is free already.
    #[error("the lease of {worker} is free already: {reason}")]
    AlreadyFree {
        /// Whose.
        worker: WorkerId,
        /// Why it was given back.
        reason: String,
    },
    /// Its holder renews it.
    #[error("{holder} holds the lease with token {token} and renewed it {age:#} ago")]
    Alive {
        /// Who.
        holder: String,
        /// With which token.
        token: u64,
        /// Since the last renewal.
        age: SignedDuration,
    },
    /// Another took it while we were at it.
    #[error("the lease changed hands meanwhile; look again")]
    Changed,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HasKind for ReleaseError {
    fn kind(&self) -> Kind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Alive { .. } | Self::Changed => Kind::Lease,
            Self::NoLease { .. } | Self::AlreadyFree { .. } => Kind::Conflict,
        }
    }
}

/// Whether a lease may be given back as asked: what [`release`] would do it to.
///
/// # Errors
/// Why not.
pub async fn releasable(
    leases: &dyn LeaseStore,
    clock: &dyn Clock,
    release: &Release<'_>,
) -> Result<Releasable, ReleaseError> {
    let worker = release.worker;
    let LeaseReport { state, record, age } = lease_of(leases, worker, clock.now()).await?;
    let Some(record) = record else { return Err(ReleaseError::NoLease { worker: worker.clone() }) };
    if let Some((_, reason)) = record.released {
        return Err(ReleaseError::AlreadyFree { worker: worker.clone(), reason });
    }
    if state == LeaseState::Held && !release.force {
        let age = SignedDuration::from_secs(age.unwrap_or_default().as_secs());
        return Err(ReleaseError::Alive { holder: record.instance.to_string(), token: record.token.0, age });
    }
    Ok(Releasable { record, state })
}

/// Gives a lease back, and keeps who did it and why for ever. The last holder is fenced by its token whatever it does.
///
/// # Errors
/// Why nothing was given back.
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
    let entry = AuditEntry {
        at: now,
        who: release.who.to_owned(),
        action: "lease release".to_owned(),
        detail: format!(
            "{}, token {token} of {} ({}{forced})",
            release.worker,
            found.record.instance,
            found.state.as_str()
        ),
        reason: release.reason.to_owned(),
    };
    trail.audit(&entry).await?;
    if leases.release(release.worker, token, now, release.reason).await? {
        Ok(found)
    } else {
        Err(ReleaseError::Changed)
    }
}
