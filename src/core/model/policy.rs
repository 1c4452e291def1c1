//! Lease times and retries.

use std::time::Duration;

/// Lease times and retries.
#[derive(Clone, PartialEq, Debug)]
pub struct Policies {
    /// A holder not seen alive for this long may be replaced.
    pub lease_ttl: Duration,
    /// Time between renewals; well below the lease's time to live.
    pub lease_heartbeat_interval: Duration,
    /// How often a holder looks for wanted runs, and a contender at the lease. A contender looks at least twice a second.
    pub takeover_polling_interval: Duration,
    /// Retries after passing faults.
    pub retry: RetrySpec,
    /// Readiness reports work that has waited for longer than this.
    pub max_pending: Duration,
}

/// Below this, a disk that is busy for a moment may end a run.
const SHORT_LEASE: Duration = Duration::from_secs(5);

impl Policies {
    /// Longest wait for one answer of the state store. It leaves time for a renewal to be tried again.
    pub fn store_patience(&self) -> Duration {
        self.lease_ttl / 8
    }

    /// Why the lease is too short, and what to write. `None` for a lease that is long enough.
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
            max_pending: Duration::from_hours(2),
        }
    }
}
