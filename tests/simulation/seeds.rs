//! Plays many seeds side by side, and says how to see one again that went wrong.

use crate::sim::locked;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many of them a failing test shows.
const SHOWN: usize = 20;

/// Does one thing after the other in as many threads as there are processors.
fn side_by_side(numbers: Range<u64>, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(numbers.start);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// The verdicts of all seeds, in order.
pub fn play_all<V: Send>(seeds: Range<u64>, play: impl Fn(u64) -> V + Sync) -> Vec<V> {
    let verdicts = Mutex::new(Vec::new());
    side_by_side(seeds, |seed| {
        let verdict = play(seed);
        locked(&verdicts).push((seed, verdict));
    });
    let mut verdicts = verdicts.into_inner().unwrap_or_default();
    verdicts.sort_by_key(|(seed, _)| *seed);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

/// Fails when a seed went wrong; `test` is what plays it again.
pub fn assert_right<'a>(test: &str, verdicts: impl Iterator<Item = &'a [String]>) {
    let (mut played, mut failed) = (0, 0);
    for (seed, wrong) in verdicts.enumerate() {
        played += 1;
        let Some(first) = wrong.first() else { continue };
        failed += 1;
        if failed <= SHOWN {
            println!("seed {seed}: {first}");
            println!(
                "  again, with all that happens: FILEGEN_SEED={seed} cargo test --features failpoints --test simulation {test}"
            );
        }
    }
    assert!(failed == 0, "{failed} of {played} went wrong");
}

/// Plants each fault in turn, or the one that `FILEGEN_FAULT` names. Fails when one of them is not found.
#[cfg(feature = "failpoints")]
pub fn assert_found<F: Sync>(
    faults: &[(&'static str, F)],
    within: u64,
    play: impl Fn(u64, &F) -> Option<String> + Sync,
) {
    use filegen::core::failpoints::planted::plant;
    let missed = Mutex::new(Vec::new());
    let only = std::env::var("FILEGEN_FAULT").ok();
    let faults: Vec<_> = faults.iter().filter(|(fault, _)| only.as_ref().is_none_or(|only| only == fault)).collect();
    side_by_side(0..faults.len() as u64, |index| {
        let (fault, of) = faults[usize::try_from(index).unwrap_or_default()];
        plant(fault);
        let found = (0..within).find_map(|seed| Some((seed, play(seed, of)?)));
        plant("");
        match found {
            Some((seed, wrong)) => println!("{fault}: seed {seed}: {wrong}"),
            None => locked(&missed).push(*fault),
        }
    });
    let missed = missed.into_inner().unwrap_or_default();
    assert!(missed.is_empty(), "not found within {within}: {missed:?}");
}
