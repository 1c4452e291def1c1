//! The courier of files: the real collectors and deliverers of a transfer over one folder, one broker as JetStream is, and one target: a
//! folder, an SFTP server or an object store, behind lines that delay, lose and hold back, on clocks that disagree. Others write files, and
//! write them again; readers take what has arrived; people let failed files go again.

mod book;
mod broker;
mod bucket;
mod check;
mod folder;
mod ledger;
mod line;
mod mix;
mod people;
mod server;
mod sftp;
mod target;
mod world;

use crate::seeds;
#[cfg(feature = "failpoints")]
use mix::At;
use std::panic::catch_unwind;
use world::{Verdict, play};

/// How many worlds; `FILEGEN_SCHEDULES` says otherwise, in parts of ten.
const SEEDS: u64 = 400;

fn played(seed: u64) -> Verdict {
    // Which seed it was must be known whatever happens in it.
    catch_unwind(|| play(seed, false)).unwrap_or_else(|_| {
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
    let verdicts = seeds::play_all(0..seeds, played);
    let sum = |of: fn(&Verdict) -> u64| verdicts.iter().map(of).sum::<u64>();
    let (delivered, lives) = (sum(|verdict| verdict.delivered), sum(|verdict| verdict.lives));
    let redriven = sum(|verdict| verdict.redriven);
    println!("{seeds} worlds, {lives} lives, {delivered} files delivered, {redriven} sent again by people");
    seeds::assert_right("courier::whatever", verdicts.iter().map(|verdict| &*verdict.wrong));
    assert!(delivered > seeds * 5 && lives > seeds * 5 && redriven > seeds / 5, "too little was tried");
}

/// Faults that other carriers of files had, in the real code; and the target at which each must be found, where it is one of that alone.
#[cfg(feature = "failpoints")]
const FAULTS: [(&str, Option<At>); 13] = [
    ("acknowledged before the ledger", None),
    ("archived before the receipt", None),
    ("companions first", None),
    ("dedup trusted after a restart", None),
    ("filtered anew", None),
    ("identity by the beginning", None),
    ("acknowledged before the ledger", Some(At::Sftp)),
    ("filtered anew", Some(At::Sftp)),
    ("lost answer taken for a no", Some(At::Sftp)),
    ("not read back", Some(At::Sftp)),
    ("acknowledged before the ledger", Some(At::Bucket)),
    ("filtered anew", Some(At::Bucket)),
    ("lost answer taken for a no", Some(At::Bucket)),
];

/// And in what stands here for an adapter.
#[cfg(feature = "failpoints")]
const OF_ADAPTERS: [(&str, Option<At>); 8] = [
    ("name given by a rename", None),
    ("no sync of the target's folder", None),
    ("term by an old holder", None),
    ("no sync of the target's folder", Some(At::Sftp)),
    ("one unfinished name", Some(At::Sftp)),
    ("412 taken for success", Some(At::Bucket)),
    ("no condition", Some(At::Bucket)),
    ("pieces by number", Some(At::Bucket)),
];

/// Each must be found within as many worlds as every run of the tests plays.
#[cfg(feature = "failpoints")]
#[test]
fn every_fault_planted_in_the_courier_is_found() {
    let faults: Vec<_> = FAULTS.into_iter().chain(OF_ADAPTERS).collect();
    seeds::assert_found(&faults, SEEDS, |seed, at| {
        let is_there = at.is_none_or(|at| mix::Mix::of(seed).1.at == at);
        if is_there { played(seed).wrong.into_iter().next() } else { None }
    });
}

#[test]
fn a_seed_is_one_world_of_files() {
    for seed in 0..20 {
        let (once, again) = (play(seed, false), play(seed, false));
        assert_eq!(once, again, "seed {seed} is played in two ways");
    }
}
