//! Numbers by chance that can be had again: a test that fails says their seed, and `FILEGEN_TEST_SEED` sets it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;

/// The variable with a seed.
const SEED: &str = "FILEGEN_TEST_SEED";

/// A row of numbers.
pub struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    /// A new row, or the one that is asked for.
    pub fn new() -> Self {
        let given = std::env::var(SEED).ok().map(|seed| seed.parse().expect("the seed is a number"));
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Self { seed, state: seed }
    }

    /// The next number in a range.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (mixed ^ (mixed >> 31)) % (range.end - range.start)
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
