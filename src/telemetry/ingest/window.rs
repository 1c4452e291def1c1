//! How fast events were written in the last ten seconds.

use super::Rates;
use std::collections::VecDeque;
use std::time::Duration;

/// Rates are averages over this much time.
const LATELY: Duration = Duration::from_secs(10);

/// Batches that are kept at most.
const BATCHES: usize = 4096;

/// The batches of the last seconds: when, how many events, how long in the sink.
#[derive(Clone, Default, Debug)]
pub(super) struct Window {
    batches: VecDeque<(Duration, u64, Duration)>,
}

impl Window {
    /// One more batch.
    pub(super) fn add(&mut self, now: Duration, events: u64, took: Duration) {
        self.batches.push_back((now, events, took));
        while self.batches.len() > BATCHES || self.batches.front().is_some_and(|(at, ..)| *at + LATELY < now) {
            self.batches.pop_front();
        }
    }

    /// How fast it was.
    #[expect(clippy::cast_precision_loss, reason = "rates for people")]
    pub(super) fn rates(&self, now: Duration) -> Rates {
        let lately: Vec<_> = self.batches.iter().filter(|(at, ..)| *at + LATELY >= now).collect();
        let events: u64 = lately.iter().map(|(_, events, _)| events).sum();
        let mut times: Vec<Duration> = lately.iter().map(|(.., took)| *took).collect();
        times.sort_unstable();
        let p95 = times.get((times.len() * 95).div_ceil(100).saturating_sub(1)).copied();
        let over = now.min(LATELY).as_secs_f64().max(1.0);
        Rates { per_second: events as f64 / over, p95 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_last_ten_seconds() {
        let (second, milli) = (Duration::from_secs, Duration::from_millis);
        let mut window = Window::default();
        assert_eq!(window.rates(second(100)), Rates { per_second: 0.0, p95: None });
        window.add(second(100), 1_000, milli(900));
        for step in 1..=20 {
            window.add(second(111), 50, milli(step));
        }
        assert_eq!(window.rates(second(111)), Rates { per_second: 100.0, p95: Some(milli(19)) });
        assert_eq!(window.rates(second(122)), Rates { per_second: 0.0, p95: None });
    }
}
