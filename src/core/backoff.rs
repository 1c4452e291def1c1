//! How long to wait between tries: counts failures in a row. Never sleeps, and leaves it to the caller whether to give up.

use crate::core::model::policy::RetrySpec;
use std::sync::Arc;
use std::time::Duration;

/// Shortest wait before jitter: a policy without waits must not keep a core busy for as long as a server is away.
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

    /// Waits become anything from half of the policy's wait to all of it ("equal jitter"): pods do not knock at one moment, and
    /// a policy outlasts what it is to outlast, whatever chance says.
    #[must_use]
    pub fn with_jitter(self, jitter: Jitter) -> Self {
        Self { jitter: Some(jitter), ..self }
    }

    /// Counts a failure; returns the wait before the next try.
    pub fn failed(&mut self) -> Pause {
        self.failures = self.failures.saturating_add(1);
        self.pause()
    }

    /// Starts the count anew; whether anything had failed.
    pub fn succeeded(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Whether the last try failed.
    pub fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether one more failure is one more than the policy tries again.
    pub fn is_exhausted(&self) -> bool {
        self.failures >= self.policy.max_retries
    }

    /// The wait that fits the failures so far; the first wait when there was none.
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
