//! Who holds which lease, as people ask for it; and giving one back on a holder's behalf.

use super::model::names::WorkerId;
use super::ports::clock::Clock;
use super::ports::leases::{LeaseRecord, LeaseStore, StoreError};
use super::ports::runs::{AuditEntry, RunStore};
use jiff::SignedDuration;

/// A lease and what is known about its holder now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseView {
    /// As the store has it.
    pub record: LeaseRecord,
    /// What that means.
    pub condition: Condition,
    /// Time since the last renewal, by this host's clock; for people only.
    pub age: SignedDuration,
}

/// What a lease's record means, by this host's clock and what its kernel knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Its holder has renewed it in time.
    Held,
    /// Nobody renewed it in time: the next contender takes over.
    Expired,
    /// Its holder's process is certainly gone: the next contender takes over at once.
    Gone,
    /// Given back.
    Released,
}

impl Condition {
    /// For tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Expired => "expired",
            Self::Gone => "holder gone",
            Self::Released => "released",
        }
    }
}

/// One worker's lease, or those of all.
///
/// # Errors
/// When the store does not answer.
pub async fn show(
    leases: &dyn LeaseStore,
    clock: &dyn Clock,
    worker: Option<&WorkerId>,
) -> Result<Vec<LeaseView>, StoreError> {
    let records = match worker {
        Some(worker) => leases.read(worker).await?.into_iter().collect(),
        None => leases.list().await?,
    };
    let mut views = Vec::with_capacity(records.len());
    for record in records {
        views.push(view(leases, clock, record).await?);
    }
    Ok(views)
}

async fn view(leases: &dyn LeaseStore, clock: &dyn Clock, record: LeaseRecord) -> Result<LeaseView, StoreError> {
    let now = clock.now();
    let condition = if record.released.is_some() {
        Condition::Released
    } else if leases.holder_is_gone(&record).await? {
        Condition::Gone
    } else if record.expires_at <= now {
        Condition::Expired
    } else {
        Condition::Held
    };
    let age = now.duration_since(record.renewed_at);
    Ok(LeaseView { record, condition, age })
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

/// Whether a lease may be given back as asked: what [`release`] would do it to.
///
/// # Errors
/// Why not.
pub async fn releasable(
    leases: &dyn LeaseStore,
    clock: &dyn Clock,
    release: &Release<'_>,
) -> Result<LeaseView, ReleaseError> {
    let worker = release.worker;
    let Some(view) = show(leases, clock, Some(worker)).await?.pop() else {
        return Err(ReleaseError::NoLease { worker: worker.clone() });
    };
    match (&view.condition, &view.record.released) {
        (_, Some((_, reason))) => Err(ReleaseError::AlreadyFree { worker: worker.clone(), reason: reason.clone() }),
        (Condition::Held, None) if !release.force => Err(ReleaseError::Alive {
            holder: view.record.instance.to_string(),
            token: view.record.token.0,
            age: SignedDuration::from_secs(view.age.as_secs()),
        }),
        _ => Ok(view),
    }
}

/// Gives a lease back, and keeps who did it and why for ever. The last holder is fenced by its token whatever it does.
///
/// # Errors
/// Why nothing was given back.
pub async fn release(
    leases: &dyn LeaseStore,
    runs: &dyn RunStore,
    clock: &dyn Clock,
    release: &Release<'_>,
) -> Result<LeaseView, ReleaseError> {
    let view = releasable(leases, clock, release).await?;
    let (token, now) = (view.record.token, clock.now());
    let forced = if release.force { ", forced" } else { "" };
    // First the trail: a change that nobody can explain is worse than a recorded try.
    let entry = AuditEntry {
        at: now,
        who: release.who.to_owned(),
        action: "lease release".to_owned(),
        detail: format!(
            "{}, token {token} of {} ({}{forced})",
            release.worker,
            view.record.instance,
            view.condition.as_str()
        ),
        reason: release.reason.to_owned(),
    };
    runs.audit(&entry).await?;
    if leases.release(release.worker, token, now, release.reason).await? {
        Ok(view)
    } else {
        Err(ReleaseError::Changed)
    }
}
