//! The simulation: the real core over simulated ports, on a clock of its own, one random schedule per seed.
#![allow(clippy::print_stdout, reason = "a schedule that went wrong says how to see it again")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no outside")]

mod book;
mod broker;
mod check;
mod clockwork;
mod courier;
mod data;
mod disk;
mod images;
mod mix;
#[cfg(feature = "failpoints")]
mod planted;
mod pod;
mod process;
mod rng;
mod sim;
mod source;
mod store;
mod volume;
mod world;

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use world::{Verdict, play};

/// How many schedules; `FILEGEN_SCHEDULES` says otherwise. The rarest of the planted faults takes 3,004.
const SCHEDULES: u64 = 4_000;

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Plays seeds side by side, and returns their verdicts in order.
fn play_all(seeds: std::ops::Range<u64>) -> Vec<Verdict> {
    let next = AtomicU64::new(seeds.start);
    let verdicts = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    // Which seed it was must be known whatever happens in it.
                    let verdict = catch_unwind(|| play(seed, false)).unwrap_or_else(|_| Verdict::panicked(seed));
                    sim::locked(&verdicts).push(verdict);
                }
            });
        }
    });
    let mut verdicts = verdicts.into_inner().unwrap_or_default();
    verdicts.sort_by_key(|verdict| verdict.seed);
    verdicts
}

#[test]
fn whatever_happens_the_files_are_right() {
    if let Some(seed) = number("FILEGEN_SEED") {
        let verdict = play(seed, true);
        assert_eq!(verdict.wrong, [] as [String; 0], "seed {seed}");
        return;
    }
    let schedules = number("FILEGEN_SCHEDULES").unwrap_or(SCHEDULES);
    let started = Instant::now();
    let verdicts = play_all(0..schedules);
    let took = started.elapsed().as_secs_f64();
    let takeovers: u64 = verdicts.iter().map(|verdict| verdict.takeovers).sum();
    let terms: u64 = verdicts.iter().map(|verdict| verdict.terms).sum();
    let simulated: u64 = verdicts.iter().map(|verdict| verdict.took.as_secs()).sum();
    let speed = f64::from(u32::try_from(schedules).unwrap_or(u32::MAX)) / took;
    println!(
        "{schedules} schedules in {took:.1} s, {speed:.0} a second; {terms} terms, {takeovers} takeovers, \
         {} h simulated",
        simulated / 3600
    );
    let failed: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.wrong.is_empty()).collect();
    for verdict in failed.iter().take(20) {
        println!("seed {}: {}", verdict.seed, verdict.wrong[0]);
        println!(
            "  again, with all that happens: FILEGEN_SEED={} cargo test --features failpoints --test simulation whatever",
            verdict.seed
        );
    }
    assert!(failed.is_empty(), "{} of {schedules} schedules went wrong", failed.len());
    // Five takeovers for every two schedules, or too little was tried.
    assert!(takeovers * 2 >= schedules * 5, "only {takeovers} takeovers in {schedules} schedules");
}

#[test]
fn a_seed_is_one_schedule() {
    for seed in 0..100 {
        let (once, again) = (play(seed, false), play(seed, false));
        assert_eq!(once, again, "seed {seed} is played in two ways");
    }
}
