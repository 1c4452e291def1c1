//! Lease times, and what is done about passing faults.

use std::time::Duration;

/// Lease times and retries.
#[derive(Clone, PartialEq, Debug)]
pub struct Policies {
    /// A holder not seen alive for this long may be replaced.
    pub lease_ttl: Duration,
    /// Time between renewals; well below the lease's time to live.
    pub lease_heartbeat_interval: Duration,
    /// How often a holder looks for wanted runs, and a contender at the lease: that at least twice a second.
    pub takeover_polling_interval: Duration,
    /// What is done about passing faults.
    pub retry: RetrySpec,
}

/// Below this, a disk that is busy for a moment may end a run.
const SHORT_LEASE: Duration = Duration::from_secs(5);

impl Policies {
    /// Longest wait for one answer of the state store: a renewal that is tried again must still come in time.
    pub fn store_patience(&self) -> Duration {
        self.lease_ttl / 8
    }

    /// What is wrong with a lease that is kept so short, and what to write; none for one that is long enough.
    pub fn short_lease(&self) -> Option<(String, &'static str)> {
        let message = format!(
            "`lease_ttl` is short: a call to the state store may take an eighth of it, {} ms, and a run ends (exit code 6) \
             when a busy disk or network takes longer",
            self.store_patience().as_millis()
        );
        let hint =
            "5s is the least for a quiet host, 30s suits most networks; a holder that is killed is replaced after it";
        (self.lease_ttl < SHORT_LEASE).then_some((message, hint))
    }
}

/// Exponential backoff with jitter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RetrySpec {
    /// Tries after the first; zero gives up at once.
    pub max_retries: u32,
    /// Wait before the first retry.
    pub initial_backoff: Duration,
    /// Each wait is this many times the one before.
    pub backoff_multiplier: f64,
    /// No wait is longer.
    pub max_backoff: Duration,
}

impl RetrySpec {
    /// Shortest wait: a policy without waits must not keep a core busy for as long as a server is away.
    const SHORTEST: Duration = Duration::from_millis(50);

    /// The wait before retry `attempt`, from 1: grows from the first wait to the longest.
    pub fn wait(&self, attempt: u32) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let wait = self.initial_backoff.as_secs_f64() * self.backoff_multiplier.powi(exponent);
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(self.max_backoff);
        wait.min(self.max_backoff).max(Self::SHORTEST)
    }
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self {
            max_retries: 13,
            initial_backoff: Duration::from_millis(500),
            backoff_multiplier: 2.0,
            max_backoff: Duration::from_secs(30),
        }
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            lease_ttl: Duration::from_secs(30),
            lease_heartbeat_interval: Duration::from_secs(10),
            takeover_polling_interval: Duration::from_secs(5),
            retry: RetrySpec::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_are_never_nothing() {
        let policy = RetrySpec::default();
        let waits: Vec<u128> = [1, 2, 3, 6, 7, 1000, u32::MAX].map(|count| policy.wait(count).as_millis()).to_vec();
        assert_eq!(waits, [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
        let none = RetrySpec { initial_backoff: Duration::ZERO, ..policy };
        assert_eq!([1, 99].map(|count| none.wait(count)), [RetrySpec::SHORTEST; 2]);
    }
}
