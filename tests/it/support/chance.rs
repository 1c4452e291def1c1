//! Numbers by chance that can be had again: a test that fails says their seed, and `FILEGEN_TEST_SEED` sets it. And how
//! often a claim is tried.

use std::ops::Range;
use std::time::Duration;

/// The variable with a seed.
const SEED: &str = "FILEGEN_TEST_SEED";

/// A row of numbers.
pub struct Chance {
    seed: u64,
    numbers: fastrand::Rng,
}

impl Chance {
    /// A new row, or the one that is asked for.
    pub fn new() -> Self {
        Self::of(seed())
    }

    /// The row of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, numbers: fastrand::Rng::with_seed(seed) }
    }

    /// The next number in a range.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        self.numbers.u64(range)
    }

    /// A time in a range.
    pub fn time(&mut self, range: Range<Duration>) -> Duration {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).expect("a time of a test");
        Duration::from_nanos(self.within(nanos(range.start)..nanos(range.end)))
    }

    /// True so many times of a hundred.
    pub fn percent(&mut self, times: u64) -> bool {
        self.within(0..100) < times
    }
}

impl Drop for Chance {
    #[expect(clippy::print_stderr, reason = "shown with the test that has failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with {SEED}={}", self.seed);
        }
    }
}

/// The seed that is asked for, else a new one.
pub fn seed() -> u64 {
    number(SEED).unwrap_or_else(|| fastrand::u64(..))
}

/// A number that an environment variable names.
pub fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
