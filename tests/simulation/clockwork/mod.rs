//! The clockwork of schedules: the real service of several instances over one store and two topics, behind lines that delay, lose and
//! hold back, on clocks that disagree and jump. People describe data sources, and others write the files that these look for.

mod book;
mod check;
mod files;
mod line;
mod office;
mod people;
mod pod;
mod told;
mod topic;
mod world;

pub use world::play;

use std::sync::atomic::{AtomicU64, Ordering};

/// How many schedules; `FILEGEN_SCHEDULES` says otherwise, in parts of a hundred.
const SEEDS: u64 = 100;

#[test]
fn whatever_happens_each_due_time_fires_once() {
    if let Some(seed) = crate::number("FILEGEN_SEED") {
        assert_eq!(play(seed, true).wrong, [] as [String; 0], "seed {seed}");
        return;
    }
    let seeds = crate::number("FILEGEN_SCHEDULES").map_or(SEEDS, |schedules| schedules / 100);
    let [next, fired, terms, told] = [const { AtomicU64::new(0) }; 4];
    let wrong = std::sync::Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let verdict = play(seed, false);
                    fired.fetch_add(verdict.fired, Ordering::Relaxed);
                    terms.fetch_add(verdict.terms, Ordering::Relaxed);
                    told.fetch_add(verdict.told, Ordering::Relaxed);
                    if let Some(first) = verdict.wrong.into_iter().next() {
                        crate::sim::locked(&wrong).push((seed, first));
                    }
                }
            });
        }
    });
    let (fired, terms, told) = (fired.into_inner(), terms.into_inner(), told.into_inner());
    println!("{seeds} worlds, {terms} terms, {fired} executions, {told} files told");
    let wrong = wrong.into_inner().unwrap_or_default();
    for (seed, wrong) in wrong.iter().take(20) {
        println!("FILEGEN_SEED={seed}: {wrong}");
    }
    assert!(wrong.is_empty(), "{} of {seeds} worlds went wrong", wrong.len());
    assert!(terms > seeds * 2, "only {terms} terms in {seeds} worlds: too little was tried");
    assert!(told > seeds * 10, "only {told} files told in {seeds} worlds: too little was tried");
}

/// Faults that other schedulers had. Each must be found within this many worlds.
#[cfg(feature = "failpoints")]
const WITHIN: u64 = 150;

#[cfg(feature = "failpoints")]
const FAULTS: [&str; 8] = [
    "delete beaten by a late update",
    "event applied without version",
    "insert after the run",
    "marked before sent",
    "misfire replay unbounded",
    "next from now",
    "slot by lateness",
    "told before the ledger",
];

#[cfg(feature = "failpoints")]
#[test]
fn every_fault_planted_in_the_clockwork_is_found() {
    use filegen::core::failpoints::planted::plant;
    let missed: Vec<&str> = std::thread::scope(|scope| {
        let found = FAULTS.map(|fault| {
            scope.spawn(move || {
                plant(fault);
                let found = (0..WITHIN).find_map(|seed| Some((seed, play(seed, false).wrong.into_iter().next()?)));
                plant("");
                if let Some((seed, wrong)) = &found {
                    println!("{fault}: seed {seed}: {wrong}");
                }
                found.is_none().then_some(fault)
            })
        });
        found.into_iter().filter_map(|thread| thread.join().unwrap_or(Some("one that panicked"))).collect()
    });
    assert!(missed.is_empty(), "not found within {WITHIN} worlds: {missed:?}");
}
