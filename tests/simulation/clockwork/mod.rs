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

pub use world::{Verdict, play};

use crate::seeds;

/// How many schedules; `FILEGEN_SCHEDULES` says otherwise, in parts of a hundred.
const SEEDS: u64 = 100;

#[test]
fn whatever_happens_each_due_time_fires_once() {
    if let Some(seed) = crate::number("FILEGEN_SEED") {
        assert_eq!(play(seed, true).wrong, [] as [String; 0], "seed {seed}");
        return;
    }
    let seeds = crate::number("FILEGEN_SCHEDULES").map_or(SEEDS, |schedules| schedules / 100);
    let verdicts = seeds::play_all(0..seeds, |seed| play(seed, false));
    let sum = |of: fn(&Verdict) -> u64| verdicts.iter().map(of).sum::<u64>();
    let (fired, terms, told) =
        (sum(|verdict| verdict.fired), sum(|verdict| verdict.terms), sum(|verdict| verdict.told));
    println!("{seeds} worlds, {terms} terms, {fired} executions, {told} files told");
    seeds::assert_right("clockwork::whatever", verdicts.iter().map(|verdict| &*verdict.wrong));
    assert!(terms > seeds * 2, "only {terms} terms in {seeds} worlds: too little was tried");
    assert!(told > seeds * 10, "only {told} files told in {seeds} worlds: too little was tried");
}

/// Faults that other schedulers had. Each must be found within this many worlds.
#[cfg(feature = "failpoints")]
const WITHIN: u64 = 150;

#[cfg(feature = "failpoints")]
const FAULTS: [(&str, ()); 8] = [
    ("delete beaten by a late update", ()),
    ("event applied without version", ()),
    ("insert after the run", ()),
    ("marked before sent", ()),
    ("misfire replay unbounded", ()),
    ("next from now", ()),
    ("slot by lateness", ()),
    ("told before the ledger", ()),
];

#[cfg(feature = "failpoints")]
#[test]
fn every_fault_planted_in_the_clockwork_is_found() {
    seeds::assert_found(&FAULTS, WITHIN, |seed, ()| play(seed, false).wrong.into_iter().next());
}
