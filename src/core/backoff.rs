//! Waits between tries that never give up.

use super::model::spec::RetrySpec;
use std::time::Duration;

/// Shortest wait: a policy without waits must not keep a core busy for as long as a server is away.
const SHORTEST: Duration = Duration::from_millis(50);

/// The wait behind so many failures in a row, from 1: grows from the policy's first wait to its longest.
pub(super) fn wait(policy: &RetrySpec, failures: u32) -> Duration {
    let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
    let seconds = policy.initial_backoff.as_secs_f64() * policy.backoff_multiplier.powi(exponent);
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or(policy.max_backoff);
    wait.min(policy.max_backoff).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_are_never_nothing() {
        let policy = RetrySpec::default();
        let waits: Vec<u128> = [1, 2, 3, 7, 40, u32::MAX].map(|count| wait(&policy, count).as_millis()).to_vec();
        assert_eq!(waits, [500, 1000, 2000, 30_000, 30_000, 30_000]);
        let none = RetrySpec { initial_backoff: Duration::ZERO, ..policy };
        assert_eq!([1, 99].map(|count| wait(&none, count)), [SHORTEST; 2]);
    }
}
