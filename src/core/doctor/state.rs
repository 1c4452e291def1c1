//! Looks at the state store: whether it answers, its server's clock, its indexes, and what waits in it.

use super::report::{Area, CheckResult, Report};
use crate::core::kind::FailureKind;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::names::LeaseKey;
use crate::core::model::policy::Policies;
use crate::core::model::shown;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::store::StoreError;
use jiff::SignedDuration;

/// Clocks that differ by more are worth a warning.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(1);

/// The check that [`fix`] mends.
pub const INDEXES: &str = "indexes";

/// A state store, and whose lease to ask it for.
pub(crate) struct Store<'a> {
    /// Whose lease.
    pub(crate) leader_of: &'a LeaseKey,
    /// The leases; not asked where the store could not be opened.
    pub(crate) leases: Result<&'a dyn LeaseStore, &'a StoreError>,
    /// Its server. `None` where it has none.
    pub(crate) admin: Option<&'a dyn StoreAdmin>,
    /// Lease times.
    pub(crate) policies: &'a Policies,
    /// Time.
    pub(crate) clock: &'a dyn Clock,
}

/// Checks the store and its server. Returns whether the store answers.
pub(crate) async fn state(store: &Store<'_>, report: &mut Report<'_>) -> bool {
    lease_time(store.policies, report);
    let started = store.clock.elapsed();
    let mut lease = match store.leases {
        Err(error) => Err(error.clone()),
        Ok(leases) => leases.read(store.leader_of).await,
    };
    let took = store.clock.elapsed().saturating_sub(started);
    let is_odd = matches!(lease, Err(StoreError::Odd { .. }));
    if let Err(StoreError::Odd { record, .. }) = &lease {
        let detail = format!("{} cannot be read: {}", record.id, shown::text(&record.reason));
        report.add(Area::State, "lease", CheckVerdict::Warn, detail);
        lease = Ok(None);
    }
    let answer = lease.as_ref().map(|lease| match lease {
        None if is_odd => "answers".to_owned(),
        None => "answers; nobody has led yet".to_owned(),
        Some(lease) if lease.released.is_some() => format!("answers; the lease is free, last token {}", lease.token),
        Some(lease) => format!("answers; {} leads with token {}", lease.instance, lease.token),
    });
    report.answered(Area::State, "reachable", Some(took), answer);
    if let (Ok(_), Some(admin)) = (&lease, store.admin) {
        clock(admin, store.clock, report).await;
        indexes(admin, report).await;
    }
    lease.is_ok()
}

/// Whether the store has time enough to answer.
pub(super) fn lease_time(policies: &Policies, report: &mut Report<'_>) {
    let (verdict, detail) = match policies.short_lease() {
        Some((message, hint)) => (CheckVerdict::Warn, format!("{message}; {hint}")),
        None => {
            (CheckVerdict::Pass, format!("{} ms for each call to the store", policies.store_patience().as_millis()))
        }
    };
    report.add(Area::State, "lease time", verdict, detail);
}

/// Compares two wall clocks, as exactly as the answer's travel time allows. Never fails: the clocks are for people only.
pub(crate) async fn clock(admin: &dyn StoreAdmin, clock: &dyn Clock, report: &mut Report<'_>) {
    let (asked, before) = (clock.elapsed(), clock.now());
    let answer = admin.server_time().await;
    let took = clock.elapsed().saturating_sub(asked);
    let (verdict, detail) = match answer {
        Ok(Some(theirs)) => {
            // The server looked at its clock at some moment between the question and the answer.
            let apart = theirs.duration_since(before + took / 2);
            let doubt = SignedDuration::try_from(took / 2).unwrap_or_default();
            let way = if apart.is_negative() { "behind" } else { "ahead of" };
            let detail = format!("the server's clock is {:.3} s {way} this host's", apart.abs().as_secs_f64());
            if apart.abs() - doubt > CLOCKS_APART {
                let advice = "have both kept by NTP: times in tables, logs and events are for people, leases need none";
                (CheckVerdict::Warn, format!("{detail}; {advice}"))
            } else {
                (CheckVerdict::Pass, detail)
            }
        }
        Ok(None) => (CheckVerdict::Pass, "the server does not tell its time".to_owned()),
        Err(error) => (CheckVerdict::Warn, format!("the server's time is not known: {error}")),
    };
    report.add(Area::State, "clock", verdict, detail);
}

/// Reports missing indexes. No run fails without them: what must be unique is unique by its id.
pub(crate) async fn indexes(admin: &dyn StoreAdmin, report: &mut Report<'_>) {
    match admin.missing_indexes().await {
        Ok(missing) if missing.is_empty() => report.add(Area::State, INDEXES, CheckVerdict::Pass, "all there"),
        Ok(missing) => {
            let advice = "the daemon makes them when it starts, `doctor --fix` now";
            report.add(Area::State, INDEXES, CheckVerdict::Warn, format!("missing: {}; {advice}", missing.join(", ")));
        }
        Err(error) => report.fail(Area::State, INDEXES, &error),
    }
}

/// Who asks for a repair, and why.
#[derive(Clone, Copy, Debug)]
pub struct Fix<'a> {
    /// Operating-system user and instance.
    pub who: &'a str,
    /// Why, for the audit trail.
    pub reason: &'a str,
}

/// Makes the missing indexes, and keeps for ever who did it and why. Returns the finding. `None` when nothing was missing, and
/// nothing was done.
///
/// # Errors
/// When the store does not answer or refuses; those made before stay.
pub async fn fix(
    admin: &dyn StoreAdmin,
    trail: &dyn AuditLog,
    clock: &dyn Clock,
    fix: &Fix<'_>,
) -> Result<Option<CheckResult>, StoreError> {
    let missing = admin.missing_indexes().await?.join(", ");
    if missing.is_empty() {
        return Ok(None);
    }
    // First the trail: a change that nobody can explain is worse than a recorded try.
    let detail = format!("make the indexes {missing} of {}", admin.describe());
    let entry = AuditEntry::new(clock.now(), fix.who, "doctor --fix", &detail, fix.reason);
    trail.audit(&entry).await?;
    admin.make_indexes().await?;
    let left = admin.missing_indexes().await?;
    let (verdict, detail) = if left.is_empty() {
        (CheckVerdict::Pass, format!("made: {missing}"))
    } else {
        (CheckVerdict::Fail, format!("still missing after they were made: {}", left.join(", ")))
    };
    let finding = Finding { check: INDEXES.to_owned(), verdict, detail };
    Ok(Some(CheckResult::new(Area::State, finding, FailureKind::Failed)))
}
