//! Who may write. A candidate watches the lease, mints a token, installs the lease, renews it and releases it.
//!
//! A lease does not make two writers impossible, and nothing here relies on it. A token is minted once, and volume and store
//! refuse an older token themselves. The lease only decides who tries, and when. Wall clocks decide nothing.

mod event;
mod leadership;
pub mod release;
pub mod report;
mod standing;
#[cfg(test)]
mod tests;
mod watch;

pub use event::ElectionEvent;
pub use leadership::LeaderGuard;

use crate::core::backoff::{Backoff, Pause};
use crate::core::failpoints::planted::planted;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::policy::Policies;
use crate::core::model::shown;
use crate::core::model::term::{Term, Token};
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::store::{OddRecord, StoreError};
use standing::Standing;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use watch::Watch;

/// Longest time between two looks at a lease that another holds, even where `takeover_polling_interval` is longer. A standby
/// takes over within one second of a release; half of that is for minting a token. The price is two small reads a second.
const LOOK_FOR_RELEASE: Duration = Duration::from_millis(500);

/// One instance that wants to lead.
#[derive(Clone)]
pub struct Candidate {
    /// For what.
    pub key: LeaseKey,
    /// Under which name it holds the lease.
    pub instance: InstanceId,
    /// Lease times, and the retries when the store is away.
    pub policies: Policies,
    /// Where the lease is.
    pub leases: Arc<dyn LeaseStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hears of waiting, leading, retries and loss.
    pub observer: Arc<dyn Observer<ElectionEvent>>,
    /// Makes a random string, unique to each claim.
    pub nonce: Arc<dyn Fn() -> String + Send + Sync>,
    /// The last resort against work that goes on after its lease was lost: ends the process, without clean-up.
    pub abort: Arc<dyn Fn() + Send + Sync>,
}

/// Why the lease was not acquired.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ElectionError {
    /// Another instance holds it, and the caller does not wait.
    #[error(
        "{} holds the lease of {} with token {}, last seen alive at {:.0}; wait for it, or see `filegen lease show`",
        .record.instance, .record.key, .record.token, .record.renewed_at
    )]
    HeldByOther {
        /// The lease as it was read.
        record: Box<LeaseRecord>,
    },
    /// The lease cannot be read, and somebody renews it all the same.
    #[error("{} cannot be read, and somebody renews it: {}", .record.id, shown::text(&.record.reason))]
    Odd {
        /// Which record, and what is wrong with it.
        record: OddRecord,
    },
    /// Somebody asked for a stop while this candidate waited.
    #[error("stopped while waiting for the lease of {key}")]
    Stopped {
        /// Whose lease.
        key: LeaseKey,
    },
    /// The state store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A store or a tombstone has the highest possible token. No higher one can be minted.
    #[error(
        "no token is left for {key}: a lease, claim or tombstone carries the highest number there is; remove what is damaged"
    )]
    NoTokenLeft {
        /// Whose token.
        key: LeaseKey,
    },
}

impl HasKind for ElectionError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::HeldByOther { .. } | Self::Odd { .. } => FailureKind::Lease,
            Self::Stopped { .. } => FailureKind::Stopped,
            Self::NoTokenLeft { .. } => FailureKind::Conflict,
        }
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

impl Candidate {
    /// Takes the lease as soon as nobody else holds it, under a token higher than any before. A background task then renews it
    /// until the [`LeaderGuard`] is released or dropped.
    ///
    /// `volume_floor` is the highest token that has left a trace on the volume. With it, tokens go on growing even when the store
    /// has lost everything. A candidate waits until the holder was not seen alive for a whole `lease_ttl` on the candidate's own
    /// clock. It does not wait for a lease that was released or never held, nor for a holder that is known to be dead. A lease that cannot
    /// be read may be anybody's: it is waited for, also without `wait`, until nobody has renewed it for so long.
    ///
    /// # Errors
    /// When another holds it and `wait` is false, when `stop` is cancelled, or when the store fails.
    pub async fn acquire(
        &self,
        volume_floor: Token,
        wait: bool,
        stop: &CancellationToken,
    ) -> Result<LeaderGuard, ElectionError> {
        let mut watch = Watch::new(self.policies.lease_ttl);
        let mut floor = volume_floor;
        loop {
            let asked = self.clock.elapsed();
            let lease = self.look(stop).await?;
            watch.see(lease.as_ref().map(Standing::sight), asked, self.clock.elapsed());
            if let Some(holder) = lease.as_ref().filter(|lease| !lease.is_released()) {
                let mut left = watch.left();
                if planted("wall clock expiry")
                    && matches!(holder, Standing::Lease(lease) if lease.expires_at < self.clock.now())
                {
                    left = Duration::ZERO;
                }
                if !left.is_zero() && !self.is_gone(holder, stop).await? {
                    self.stand_by(holder, wait, left, &mut watch)?;
                    let look = self.policies.takeover_polling_interval.min(LOOK_FOR_RELEASE);
                    self.pause(left.min(look), stop).await?;
                    continue;
                }
            }
            let claimed = self.claimed(floor, &mut watch, stop).await?;
            let held = self.held(lease.as_ref(), floor.max(claimed.unwrap_or(Token(0))), &mut watch);
            if claimed > held && watch.is_first_sight_of_claim(claimed) {
                // Somebody may be about to install the lease: going ahead would throw them out at once.
                self.pause(self.settling_time(), stop).await?;
                continue;
            }
            let mut highest = floor.max(held.unwrap_or(Token(0))).max(claimed.unwrap_or(Token(0)));
            if planted("token from the lease") {
                highest = held.unwrap_or(Token(0));
            }
            match self.campaign(highest, stop).await? {
                Some(leadership) => return Ok(leadership),
                // The next token was somebody's. That may be a record that cannot be read and holds it for ever.
                None => floor = Token(highest.0.saturating_add(1)),
            }
            self.pause(self.settling_time(), stop).await?;
        }
    }

    /// Waits for a holder, or for one that cannot be read; or says who it is, where the caller does not wait.
    fn stand_by(&self, holder: &Standing, wait: bool, left: Duration, watch: &mut Watch) -> Result<(), ElectionError> {
        match holder {
            Standing::Lease(record) if !wait => {
                return Err(ElectionError::HeldByOther { record: Box::new(record.clone()) });
            }
            Standing::Lease(record) if watch.is_news() => self.tell(&ElectionEvent::Waiting {
                holder: record.instance.clone(),
                token: record.token,
                at_most: left,
            }),
            Standing::Odd { record, .. } if watch.is_news() => {
                self.tell(&ElectionEvent::Odd { record: record.clone() });
            }
            Standing::Odd { record, .. } if !wait && watch.was_renewed() => {
                return Err(ElectionError::Odd { record: record.clone() });
            }
            Standing::Lease(_) | Standing::Odd { .. } => {}
        }
        Ok(())
    }

    /// Mints the next token and installs the lease. `None` when another candidate was faster.
    async fn campaign(&self, highest: Token, stop: &CancellationToken) -> Result<Option<LeaderGuard>, ElectionError> {
        let next = highest.0.checked_add(1).map(Token);
        let token = next.ok_or_else(|| ElectionError::NoTokenLeft { key: self.key.clone() })?;
        if self.mint(token, stop).await? == Mint::Taken {
            return Ok(None);
        }
        // Counted from before the first try: whichever of them put the lease in place, others saw it no earlier.
        let sent = self.clock.elapsed();
        let now = self.clock.now();
        let record = LeaseRecord {
            key: self.key.clone(),
            instance: self.instance.clone(),
            token,
            seq: 1,
            acquired_at: now,
            renewed_at: now,
            expires_at: self.expiry(now),
            released: None,
        };
        if !self.persist(stop, || self.leases.install(&record)).await? {
            return Ok(None);
        }
        let clock = Arc::clone(&self.clock);
        let term = Term::new(token, sent + self.right(), Arc::new(move || clock.elapsed()));
        // So late that the right has ended again: the next token starts afresh.
        if term.check().is_err() {
            return Ok(None);
        }
        self.tell(&ElectionEvent::Leading { token });
        Ok(Some(LeaderGuard::start(self.clone(), term, sent)))
    }

    /// Inserts a claim. After a lost answer the claim is read back by its nonce.
    async fn mint(&self, token: Token, stop: &CancellationToken) -> Result<Mint, ElectionError> {
        let claim = EpochClaim {
            key: self.key.clone(),
            token,
            instance: self.instance.clone(),
            nonce: (self.nonce)(),
            claimed_at: self.clock.now(),
        };
        let mut backoff = Backoff::new(self.policies.retry);
        loop {
            match self.leases.mint(&claim).await {
                Ok(Mint::Won) => return Ok(Mint::Won),
                Ok(Mint::Taken) if !backoff.has_failed() => return Ok(Mint::Taken),
                // Perhaps by our own first try.
                Ok(Mint::Taken) => {}
                Err(error) => self.wait_to_retry(error, &mut backoff, stop).await?,
            }
            match self.persist(stop, || self.leases.claim(&self.key, token)).await {
                Ok(Some(winner)) if winner.nonce == claim.nonce => return Ok(Mint::Won),
                // What cannot be read is not what we wrote.
                Ok(Some(_)) | Err(ElectionError::Store(StoreError::Odd { .. })) => return Ok(Mint::Taken),
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks until the store answers, as often as the policy allows. Only for questions that may be asked twice.
    async fn persist<'a, T>(
        &self,
        stop: &CancellationToken,
        ask: impl Fn() -> Answer<'a, T>,
    ) -> Result<T, ElectionError> {
        let mut backoff = Backoff::new(self.policies.retry);
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.wait_to_retry(error, &mut backoff, stop).await?,
            }
        }
    }

    /// Waits before the next try. Returns the error when the policy allows no further try.
    async fn wait_to_retry(
        &self,
        error: StoreError,
        backoff: &mut Backoff,
        stop: &CancellationToken,
    ) -> Result<(), ElectionError> {
        if !error.kind().is_transient() || backoff.is_exhausted() {
            return Err(error.into());
        }
        let Pause { attempt, after } = backoff.failed();
        self.tell(&ElectionEvent::Retrying(Retrying { reason: error.to_string(), attempt, after }));
        self.pause(after, stop).await
    }

    async fn pause(&self, time: Duration, stop: &CancellationToken) -> Result<(), ElectionError> {
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(self.stopped()),
            () = self.clock.sleep(time) => Ok(()),
        }
    }

    fn stopped(&self) -> ElectionError {
        ElectionError::Stopped { key: self.key.clone() }
    }

    fn tell(&self, event: &ElectionEvent) {
        self.observer.observe(event);
    }

    /// How long a successful renewal allows writing: two thirds of the time after which others may take over.
    fn right(&self) -> Duration {
        self.policies.lease_ttl * 2 / 3
    }

    /// Time for the work to stop after its right has ended. It is what is left until others may take over, less a quarter for
    /// the process to die in.
    fn margin(&self) -> Duration {
        self.policies.lease_ttl.saturating_sub(self.right()) * 3 / 4
    }

    /// Time for the winner of a token to install its lease.
    fn settling_time(&self) -> Duration {
        self.policies.takeover_polling_interval / 5
    }

    /// For people only.
    fn expiry(&self, now: jiff::Timestamp) -> jiff::Timestamp {
        now.saturating_add(self.policies.lease_ttl).unwrap_or(now)
    }
}
