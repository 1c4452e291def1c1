//! How long to wait between tries. [`Backoff`] counts failures in a row. It never sleeps; the caller decides when to give up.

use crate::core::model::policy::RetrySpec;
use std::sync::Arc;
use std::time::Duration;

/// Shortest wait before jitter. Without it, a policy without waits keeps a core busy while a server is away.
const SHORTEST: Duration = Duration::from_millis(50);

/// Gives numbers from 0 to below 1.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Failures in a row, and the waits that a policy gives them.
#[derive(Clone)]
pub struct Backoff {
    policy: RetrySpec,
    jitter: Option<Jitter>,
    failures: u32,
}

/// A wait before the next try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pause {
    /// Failures in a row so far.
    pub attempt: u32,
    /// Time to wait.
    pub after: Duration,
}

impl Backoff {
    /// Nothing has failed yet. Waits grow from the policy's first to its longest.
    pub fn new(policy: RetrySpec) -> Self {
        Self { policy, jitter: None, failures: 0 }
    }

    /// Makes each wait random between half of the policy's wait and all of it ("equal jitter"). Pods then do not all try at one
    /// moment, and the sum of the waits has a lower bound.
    #[must_use]
    pub fn with_jitter(self, jitter: Jitter) -> Self {
        Self { jitter: Some(jitter), ..self }
    }

    /// Counts a failure; returns the wait before the next try.
    pub fn failed(&mut self) -> Pause {
        self.failures = self.failures.saturating_add(1);
        self.pause()
    }

    /// Starts the count anew. Returns whether anything had failed.
    pub fn succeeded(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Whether the last try failed.
    pub fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether the policy allows no further try.
    pub fn is_exhausted(&self) -> bool {
        self.failures >= self.policy.max_retries
    }

    /// The wait after the failures so far. Without a failure it is the first wait.
    pub fn pause(&self) -> Pause {
        let wait = self.wait();
        let after = self.jitter.as_ref().map_or(wait, |jitter| wait.mul_f64(0.5 + jitter() / 2.0));
        Pause { attempt: self.failures, after }
    }

    fn wait(&self) -> Duration {
        let RetrySpec { initial_backoff, backoff_multiplier, max_backoff, .. } = self.policy;
        let exponent = i32::try_from(self.failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let wait = initial_backoff.as_secs_f64() * backoff_multiplier.powi(exponent);
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(max_backoff);
        wait.min(max_backoff).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(policy: RetrySpec, failures: u32) -> Duration {
        Backoff { failures: failures - 1, ..Backoff::new(policy) }.failed().after
    }

    #[test]
    fn waits_grow_to_the_longest_and_are_never_nothing() {
        let policy = RetrySpec::default();
        let waits = [1, 2, 3, 6, 7, 1000, u32::MAX].map(|failures| after(policy, failures).as_millis());
        assert_eq!(waits, [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
        let none = RetrySpec { initial_backoff: Duration::ZERO, ..policy };
        assert_eq!([1, 99].map(|failures| after(none, failures)), [SHORTEST; 2]);
    }

    #[test]
    fn a_success_starts_the_count_anew() {
        let mut backoff = Backoff::new(RetrySpec { max_retries: 2, ..RetrySpec::default() });
        let first = Duration::from_millis(500);
        assert_eq!(backoff.pause(), Pause { attempt: 0, after: first });
        assert!(!backoff.succeeded() && !backoff.has_failed());
        assert_eq!(backoff.failed(), Pause { attempt: 1, after: first });
        assert!(backoff.has_failed() && !backoff.is_exhausted());
        assert_eq!(backoff.failed(), Pause { attempt: 2, after: first * 2 });
        assert!(backoff.is_exhausted() && backoff.succeeded() && !backoff.is_exhausted());
        assert_eq!(backoff.failed(), Pause { attempt: 1, after: first });
    }

    #[test]
    fn jitter_shortens_a_wait_and_a_policy_without_retries_is_exhausted_at_once() {
        let mut backoff = Backoff::new(RetrySpec { max_retries: 0, ..RetrySpec::default() });
        assert!(backoff.is_exhausted());
        backoff = backoff.with_jitter(Arc::new(|| 0.5));
        assert_eq!(backoff.failed().after, Duration::from_millis(375));
    }
}
