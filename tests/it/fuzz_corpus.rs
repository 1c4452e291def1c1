//! Replays what fuzzing found worth keeping: the same claims, in milliseconds.

#[path = "../../fuzz/claims.rs"]
mod claims;
mod honest;

use crate::support::chance::{Chance, number};
use std::fs;
use std::path::Path;

/// The inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Runs a claim over each input of a target's corpus.
fn replay(target: &str, claim: fn(&[u8])) {
    for input in corpus(target) {
        claim(&input);
    }
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
fn forged_journals_and_manifests_of_the_corpus_keep_the_claims() {
    replay("forged", claims::forged);
    replay_spoilt("forged", claims::forged);
}

/// One change to each value of the journal and of the manifest, in each way.
#[test]
fn each_single_change_to_a_journal_or_manifest_keeps_the_claims() {
    let with = u8::try_from(Chance::new().within(0..256)).unwrap();
    for which in 0..=u8::MAX {
        for how in (0..7).chain(128..135) {
            claims::forged(&[which, how, with, which, how, with]);
        }
    }
}

#[test]
fn the_corpus_holds_a_journal_that_is_whole() {
    let whole = include_bytes!("../../fuzz/corpus/journal/whole");
    let journal = filegen::core::generate::model::journal::Journal::parse(whole);
    assert_eq!((journal.damage, journal.entries.len()), (None, 6));
}

#[test]
fn passwords_of_the_corpus_keep_the_claims() {
    replay("address", claims::address);
    replay_spoilt("address", |bytes| {
        // Another form of address with each fault.
        let form = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        claims::address(&[&[form], &bytes[1..]].concat());
    });
}

#[test]
fn trigger_events_of_the_corpus_keep_the_claims() {
    replay("trigger_event", claims::trigger_event);
}

#[test]
fn cron_expressions_of_the_corpus_keep_the_claims() {
    replay("cron_expression", claims::cron_expression);
    replay_spoilt("cron_expression", claims::cron_expression);
}

#[test]
fn events_of_changes_of_the_corpus_keep_the_claims() {
    replay("change_event", claims::change_event);
    replay_spoilt("change_event", claims::change_event);
}

#[test]
fn data_sources_of_the_corpus_keep_the_claims() {
    replay("data_source", claims::data_source);
    replay_spoilt("data_source", claims::data_source);
}

#[test]
fn events_and_dead_letters_of_the_corpus_keep_the_claims() {
    replay("event", claims::event);
    replay("dead_letter", claims::dead_letter);
    replay_spoilt("event", claims::event);
    replay_spoilt("dead_letter", claims::dead_letter);
}

#[test]
fn envelopes_of_the_corpus_keep_the_claims() {
    replay("envelope", claims::envelope);
    replay_spoilt("envelope", claims::envelope);
}

#[test]
fn traces_of_the_corpus_keep_the_claims() {
    replay("traceparent", claims::traceparent);
    replay_spoilt("traceparent", claims::traceparent);
}

#[test]
fn contents_that_are_held_against_a_schema_keep_the_claims() {
    replay("json_check", claims::json_check);
    replay_spoilt("json_check", claims::json_check);
}

#[test]
fn worker_files_of_the_corpus_keep_the_claims() {
    replay("worker_file", claims::worker_file);
}

#[test]
fn replies_of_sql_servers_of_the_corpus_keep_the_claims() {
    replay("sqlserver_reply", claims::sqlserver_reply);
}

#[test]
fn documents_of_the_corpus_keep_the_claims() {
    replay("mongo_document", claims::mongo_document);
}

#[test]
fn replies_of_mongodbs_of_the_corpus_keep_the_claims() {
    replay("mongo_reply", claims::mongo_reply);
}

/// One of a few ways in which bytes go wrong.
fn spoil(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let mut place = |bytes: &[u8]| usize::try_from(chance.within(0..bytes.len() as u64)).unwrap();
    // The first two bytes say how an input is used.
    let at = place(&bytes[2..]) + 2;
    let (other, kind) = (place(bytes), chance.within(0..6));
    match kind {
        0 => bytes[at] ^= 1 << (other % 8),
        1 => bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff][other % 7],
        2 => bytes[at] = u8::try_from(chance.within(0..256)).unwrap(),
        3 => bytes[at] = bytes[other],
        4 => bytes.truncate(at),
        _ => drop(bytes.remove(at)),
    }
}

/// Runs a claim over a target's corpus with random faults in it.
fn replay_spoilt(target: &str, claim: fn(&[u8])) {
    let mut seeds = corpus(target);
    seeds.retain(|seed| seed.len() > 9);
    let mut chance = Chance::new();
    for round in 0..number("FILEGEN_SPOILT").unwrap_or(200) {
        let mut input = seeds[usize::try_from(chance.within(0..seeds.len() as u64)).unwrap()].clone();
        for _ in 0..chance.within(1..5) {
            if input.len() > 3 {
                spoil(&mut input, &mut chance);
            }
        }
        let kept = std::panic::catch_unwind(|| claim(&input));
        assert!(kept.is_ok(), "input {round} of this seed");
    }
}

#[test]
fn spoilt_answers_of_an_honest_sql_server_keep_the_claims() {
    replay_spoilt("sqlserver_reply", claims::sqlserver_reply);
}

#[test]
fn spoilt_answers_of_an_honest_mongodb_keep_the_claims() {
    replay_spoilt("mongo_reply", claims::mongo_reply);
    replay_spoilt("mongo_document", claims::mongo_document);
}
