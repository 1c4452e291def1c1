//! Holding the lease: a background task renews it, gives it up in time, and releases it at the end.

use super::{Candidate, ElectionEvent};
use crate::core::backoff::Backoff;
use crate::core::failpoints::planted::planted;
use crate::core::kind::HasKind;
use crate::core::model::term::Term;
use crate::core::ports::observer::Retrying;
use crate::core::ports::store::StoreError;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A lease that this instance holds. Keep it while there is work under its term. Dropping it ends the term and the renewals, and
/// the next holder waits until the lease runs out. After [`LeaderGuard::release`] it need not wait.
///
/// When the lease is lost, the term ends and [`LeaderGuard::lost`] fires. The work then has a quarter of `lease_ttl` to stop and
/// drop this. If it does not, the process is aborted: it has no right to write, and others are about to.
pub struct LeaderGuard {
    candidate: Candidate,
    term: Term,
    lost: CancellationToken,
    done: CancellationToken,
    keeper: Option<JoinHandle<()>>,
}

/// Why this instance has lost its lease.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// The store says that another holds it, or that somebody released it.
    Taken,
    /// It could not be renewed in time.
    RanOut,
    /// The work itself ended the term, because what it wrote cannot be trusted.
    GivenUp,
}

impl Loss {
    fn why(self) -> &'static str {
        match self {
            Self::Taken => "another instance took it, or somebody released it",
            Self::RanOut => "it could not be renewed in time",
            Self::GivenUp => "a write failed, and nothing more is trusted under it",
        }
    }
}

impl LeaderGuard {
    /// Starts the renewals. `sent` is when the lease was requested.
    pub(super) fn start(candidate: Candidate, term: Term, sent: Duration) -> Self {
        let (lost, done) = (CancellationToken::new(), CancellationToken::new());
        let keeper =
            Keeper { candidate: candidate.clone(), term: term.clone(), lost: lost.clone(), done: done.clone() };
        let keeper = Some(tokio::spawn(keeper.run(sent)));
        Self { candidate, term, lost, done, keeper }
    }

    /// The right to write under this lease.
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// Cancelled when the lease is lost. Stop at once then: nothing more will be accepted.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// [`LeaderGuard::release`]. Reports a store that cannot be reached to the observer.
    pub async fn release_or_warn(self, reason: &str) {
        let observer = self.candidate.observer.clone();
        if let Err(error) = self.release(reason).await {
            observer.observe(&ElectionEvent::NotReleased { reason: error.to_string() });
        }
    }

    /// Releases the lease, so that the next holder need not wait. Call it when all work under the term has ended and its files are
    /// closed. Returns false when this instance no longer held it. A loss that nobody has noticed yet is then reported.
    ///
    /// # Errors
    /// When the store cannot be reached. The lease then runs out by itself.
    pub async fn release(mut self, reason: &str) -> Result<bool, StoreError> {
        self.done.cancel();
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked has nothing left to stop.
            let _ = keeper.await;
        }
        self.term.end();
        let candidate = &self.candidate;
        if !self.lost.is_cancelled() {
            candidate.tell(&ElectionEvent::Released { token: self.term.token() });
        }
        let release = || candidate.leases.release(&candidate.key, self.term.token(), candidate.clock.now(), reason);
        match release().await {
            // Once more, and then it may run out: whoever stops us is waiting.
            Err(error) if error.kind().is_transient() => {
                candidate.clock.sleep(Backoff::new(candidate.policies.retry).failed().after).await;
                release().await
            }
            answer => answer,
        }
    }
}

#[cfg(test)]
impl LeaderGuard {
    /// Does what SIGSTOP does to a holder: no more renewals, and no notice of it.
    pub(super) fn freeze(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }
}

impl Drop for LeaderGuard {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
        self.term.end();
    }
}

/// The background task. Renews until it is told to stop or the lease is lost, then makes sure that the work stops.
struct Keeper {
    candidate: Candidate,
    term: Term,
    lost: CancellationToken,
    done: CancellationToken,
}

impl Keeper {
    async fn run(self, sent: Duration) {
        let Some(loss) = self.renew(sent).await else { return };
        self.term.end();
        let candidate = &self.candidate;
        candidate.tell(&ElectionEvent::Lost { token: self.term.token(), why: loss.why() });
        self.lost.cancel();
        tokio::select! {
            biased;
            () = self.done.cancelled() => {}
            () = candidate.clock.sleep(candidate.margin()) => (candidate.abort)(),
        }
    }

    /// Renews at each heartbeat, until the lease is lost. `None` when told to stop before.
    async fn renew(&self, mut sent: Duration) -> Option<Loss> {
        let candidate = &self.candidate;
        let clock = &candidate.clock;
        let heartbeat = candidate.policies.lease_heartbeat_interval;
        let mut due = sent + heartbeat;
        let mut until = sent + candidate.right();
        let mut failures = 0;
        loop {
            let pause = due.saturating_sub(clock.elapsed()).min(self.term.remaining());
            tokio::select! {
                biased;
                () = self.done.cancelled() => return self.ended(until),
                () = clock.sleep(pause) => {}
            }
            if let Some(loss) = self.ended(until) {
                return Some(loss);
            }
            sent = clock.elapsed();
            let now = clock.now();
            let renewal = candidate.leases.renew(
                &candidate.key,
                self.term.token(),
                &candidate.instance,
                now,
                candidate.expiry(now),
            );
            let renewed = tokio::select! {
                biased;
                () = self.done.cancelled() => return self.ended(until),
                renewed = renewal => renewed,
                () = clock.sleep(self.term.remaining()) => return Some(Loss::RanOut),
            };
            if planted("right from the reply") {
                sent = clock.elapsed();
            }
            match renewed {
                Err(_) if planted("unknown renewal counts") => {
                    self.term.extend(sent + candidate.right());
                    due = sent + heartbeat;
                }
                // Counted from the question: when the store saw it is not known.
                Ok(true) => {
                    until = sent + candidate.right();
                    self.term.extend(until);
                    due = sent + heartbeat;
                    failures = 0;
                    candidate.tell(&ElectionEvent::Renewed);
                }
                Ok(false) => return Some(Loss::Taken),
                // It may have arrived or not: nothing is extended, and it is soon tried again.
                Err(error) => {
                    failures += 1;
                    let after = heartbeat / 10;
                    due = clock.elapsed() + after;
                    candidate.tell(&ElectionEvent::Retrying(Retrying {
                        reason: error.to_string(),
                        attempt: failures,
                        after,
                    }));
                }
            }
        }
    }

    /// Why the term has ended. `None` while it lasts. In a process that was stopped, the work may notice before this task.
    fn ended(&self, until: Duration) -> Option<Loss> {
        self.term.check().err()?;
        Some(if self.candidate.clock.elapsed() < until { Loss::GivenUp } else { Loss::RanOut })
    }
}
