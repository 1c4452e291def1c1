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
mod handover;
mod images;
mod mix;
#[cfg(feature = "failpoints")]
mod planted;
mod pod;
mod process;
mod rng;
mod seeds;
mod sim;
mod source;
mod store;
mod volume;
mod weather;
mod world;

use std::panic::catch_unwind;
use std::time::Instant;
use world::{Verdict, play};

/// How many schedules; `FILEGEN_SCHEDULES` says otherwise. The rarest of the planted faults takes 3,004.
const SCHEDULES: u64 = 4_000;

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn played(seed: u64) -> Verdict {
    // Which seed it was must be known whatever happens in it.
    catch_unwind(|| play(seed, false)).unwrap_or_else(|_| Verdict::panicked(seed))
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
    let verdicts = seeds::play_all(0..schedules, played);
    let took = started.elapsed().as_secs_f64();
    let takeovers: u64 = verdicts.iter().map(|verdict| verdict.takeovers).sum();
    let told: u64 = verdicts.iter().map(|verdict| verdict.told).sum();
    let terms: u64 = verdicts.iter().map(|verdict| verdict.terms).sum();
    let simulated: u64 = verdicts.iter().map(|verdict| verdict.took.as_secs()).sum();
    let speed = f64::from(u32::try_from(schedules).unwrap_or(u32::MAX)) / took;
    println!(
        "{schedules} schedules in {took:.1} s, {speed:.0} a second; {terms} terms, {takeovers} takeovers, \
         {told} files told as delivered, {} h simulated",
        simulated / 3600
    );
    seeds::assert_right("whatever_happens_the_files", verdicts.iter().map(|verdict| &*verdict.wrong));
    // Five takeovers for every two schedules, or too little was tried.
    assert!(told * 2 >= schedules, "only {told} files told as delivered in {schedules} schedules");
    assert!(takeovers * 2 >= schedules * 5, "only {takeovers} takeovers in {schedules} schedules");
}

#[test]
fn a_seed_is_one_schedule() {
    for seed in 0..100 {
        let (once, again) = (play(seed, false), play(seed, false));
        assert_eq!(once, again, "seed {seed} is played in two ways");
    }
}
