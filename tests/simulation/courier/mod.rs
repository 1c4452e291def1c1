//! The courier of files: the real collectors and deliverers of a transfer over one folder, one broker as JetStream is, and one target, behind
//! lines that delay, lose and hold back, on clocks that disagree. Others write files, and write them again; readers take what has arrived;
//! people let failed files go again.

mod book;
mod broker;
mod check;
mod folder;
mod ledger;
mod line;
mod mix;
mod people;
mod server;
mod target;
mod world;

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use world::{Verdict, play};

/// How many worlds; `FILEGEN_SCHEDULES` says otherwise, in parts of ten.
const SEEDS: u64 = 400;

fn played(seed: u64, shown: bool) -> Verdict {
    // Which seed it was must be known whatever happens in it.
    catch_unwind(|| play(seed, shown)).unwrap_or_else(|_| {
        let wrong = vec!["it panicked".to_owned()];
        Verdict { wrong, hash: 0, delivered: 0, lives: 0, redriven: 0 }
    })
}

#[test]
fn whatever_happens_each_file_arrives_once() {
    if let Some(seed) = crate::number("FILEGEN_SEED") {
        assert_eq!(play(seed, true).wrong, [] as [String; 0], "seed {seed}");
        return;
    }
    let seeds = crate::number("FILEGEN_SCHEDULES").map_or(SEEDS, |schedules| schedules / 10);
    let [next, delivered, lives, redriven] = [const { AtomicU64::new(0) }; 4];
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
                    let verdict = played(seed, false);
                    delivered.fetch_add(verdict.delivered, Ordering::Relaxed);
                    lives.fetch_add(verdict.lives, Ordering::Relaxed);
                    redriven.fetch_add(verdict.redriven, Ordering::Relaxed);
                    if let Some(first) = verdict.wrong.into_iter().next() {
                        crate::sim::locked(&wrong).push((seed, first));
                    }
                }
            });
        }
    });
    let (delivered, lives, redriven) = (delivered.into_inner(), lives.into_inner(), redriven.into_inner());
    println!("{seeds} worlds, {lives} lives, {delivered} files delivered, {redriven} sent again by people");
    let mut wrong = wrong.into_inner().unwrap_or_default();
    wrong.sort();
    for (seed, wrong) in wrong.iter().take(20) {
        println!("seed {seed}: {wrong}");
        println!(
            "  again, with all that happens: FILEGEN_SEED={seed} cargo test --features failpoints --test simulation courier::whatever"
        );
    }
    assert!(wrong.is_empty(), "{} of {seeds} worlds went wrong", wrong.len());
    assert!(delivered > seeds * 5 && lives > seeds * 5 && redriven > seeds / 5, "too little was tried");
}

/// Faults that other carriers of files had, in the real code.
#[cfg(feature = "failpoints")]
const FAULTS: [&str; 5] = [
    "acknowledged before the ledger",
    "archived before the receipt",
    "dedup trusted after a restart",
    "filtered anew",
    "identity by the beginning",
];

/// And in what stands here for an adapter.
#[cfg(feature = "failpoints")]
const OF_ADAPTERS: [&str; 3] = ["name given by a rename", "no sync of the target's folder", "term by an old holder"];

/// Each must be found within as many worlds as every run of the tests plays.
#[cfg(feature = "failpoints")]
#[test]
fn every_fault_planted_in_the_courier_is_found() {
    use filegen::core::failpoints::planted::plant;
    let (next, missed) = (AtomicU64::new(0), std::sync::Mutex::new(Vec::new()));
    let faults: Vec<&str> = FAULTS.into_iter().chain(OF_ADAPTERS).collect();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let index = || usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
                while let Some(fault) = faults.get(index()) {
                    plant(fault);
                    let found = (0..SEEDS).find_map(|seed| Some((seed, played(seed, false).wrong.into_iter().next()?)));
                    plant("");
                    match found {
                        Some((seed, wrong)) => println!("{fault}: seed {seed}: {wrong}"),
                        None => crate::sim::locked(&missed).push(*fault),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap_or_default();
    assert!(missed.is_empty(), "not found within {SEEDS} worlds: {missed:?}");
}

#[test]
fn a_seed_is_one_world_of_files() {
    for seed in 0..20 {
        let (once, again) = (play(seed, false), play(seed, false));
        assert_eq!(once, again, "seed {seed} is played in two ways");
    }
}
