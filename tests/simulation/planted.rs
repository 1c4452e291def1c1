//! It can fail: each of these faults, planted in the real code, is found by the same checks.

use crate::seeds;
use crate::world::play;

/// Each must be found within this many schedules: as many as every run of the tests plays.
const WITHIN: u64 = crate::SCHEDULES;

/// Faults that other projects had, or this one.
const FAULTS: [&str; 30] = [
    // The rarest begins first, beside all others.
    "tombstone taken along",
    "copied too far",
    "end forgotten",
    "handed over before published",
    "header first",
    "journal unchecked",
    "late progress counts",
    "manifest believed",
    "manifest first",
    "manifest with its files",
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
    "told ahead of the completion",
    "told before the receipt",
    "unknown renewal counts",
    "wall clock expiry",
];

#[test]
fn every_planted_fault_is_found() {
    let faults = FAULTS.map(|fault| (fault, ()));
    seeds::assert_found(&faults, WITHIN, |seed, ()| play(seed, false).wrong.into_iter().next());
}
