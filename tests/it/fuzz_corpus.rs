//! Replays what fuzzing found worth keeping: the same claims, in milliseconds.

#[path = "../../fuzz/claims.rs"]
mod claims;

use std::fs;
use std::path::Path;

/// Runs a claim over each file of a target's corpus.
fn replay(target: &str, claim: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        claim(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "the corpus of {target} is empty");
}

#[test]
fn headers_of_the_corpus_keep_the_claims() {
    replay("header", claims::header);
}

#[test]
fn journals_of_the_corpus_keep_the_claims() {
    replay("journal", claims::journal);
}

#[test]
fn the_corpus_holds_a_journal_that_is_whole() {
    let whole = include_bytes!("../../fuzz/corpus/journal/whole");
    let journal = filegen::core::model::journal::Journal::parse(whole);
    assert_eq!((journal.damage, journal.entries.len()), (None, 6));
}

#[test]
fn trigger_events_of_the_corpus_keep_the_claims() {
    replay("trigger_event", claims::trigger_event);
}

#[test]
fn worker_files_of_the_corpus_keep_the_claims() {
    replay("worker_file", claims::worker_file);
}
