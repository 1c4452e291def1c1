//! It can fail: each of these faults, planted in the real code, is found by the same checks.

use crate::world::play;
use filegen::core::failpoints::planted::plant;

/// Each must be found within this many schedules: as many as every run of the tests plays.
const WITHIN: u64 = crate::SCHEDULES;

/// Faults that other projects had, or this one.
const FAULTS: [&str; 26] = [
    // The rarest begins first, beside all others.
    "tombstone taken along",
    "copied too far",
    "end forgotten",
    "header first",
    "journal unchecked",
    "late progress counts",
    "manifest believed",
    "manifest first",
    "marked before sent",
    "no folder sync",
    "no tombstone",
    "nothing kept",
    "offset first",
    "offset paging",
    "old files first",
    "outbox apart",
    "publish by rename",
    "release by worker",
    "renamed only",
    "renewal by worker",
    "right from the reply",
    "sync tried again",
    "term unchecked",
    "token from the lease",
    "unknown renewal counts",
    "wall clock expiry",
];

/// The first seed that finds a fault, and what it says.
fn first_found(fault: &'static str) -> Option<(u64, String)> {
    plant(fault);
    let found = (0..WITHIN).find_map(|seed| {
        let wrong = play(seed, false).wrong;
        wrong.into_iter().next().map(|wrong| (seed, wrong))
    });
    plant("");
    found
}

#[test]
fn every_planted_fault_is_found() {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let missed = std::sync::Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(fault) = FAULTS.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    match first_found(fault) {
                        Some((seed, wrong)) => println!("{fault}: seed {seed}: {wrong}"),
                        None => crate::sim::locked(&missed).push(*fault),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap_or_default();
    assert!(missed.is_empty(), "not found within {WITHIN} schedules: {missed:?}");
}
