//! This host's clocks.

use crate::core::ports::clock::Clock;
use async_trait::async_trait;
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A suspended host stops tokio's timer but not the lease: nobody sleeps longer than this without looking at
/// `CLOCK_BOOTTIME`.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// Wall time from the system, elapsed time from `CLOCK_BOOTTIME`, which goes on while the host is suspended
/// (`Instant` does not: it reads `CLOCK_MONOTONIC`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
    }

    async fn sleep(&self, time: Duration) {
        let until = self.elapsed().saturating_add(time);
        loop {
            let left = until.saturating_sub(self.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_NAP)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleep_lasts_as_long_as_it_says() {
        let clock = SystemClock;
        let start = clock.elapsed();
        assert!(start > Duration::ZERO, "the host has been up for a while");
        clock.sleep(Duration::from_millis(20)).await;
        assert!(clock.elapsed().saturating_sub(start) >= Duration::from_millis(20));
    }
}
