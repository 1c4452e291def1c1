//! Planted faults: every place in the code has a test that plants it there.

use super::hold;
use super::source::rust_files;
use std::collections::BTreeSet;

/// What stands in quotes right behind a word.
fn quoted_behind<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(word).skip(1).filter_map(|rest| rest.strip_prefix("(\"")?.split('"').next())
}

#[test]
fn every_planted_fault_is_looked_for() {
    let places: BTreeSet<&str> =
        rust_files(&["src"]).iter().flat_map(|file| quoted_behind(&file.text, "planted")).collect();
    // This file holds the mark that it looks for.
    let lists = rust_files(&["tests"]).into_iter().filter(|file| !file.name.starts_with("tests/it/tidy"));
    let listed = lists.flat_map(|file| {
        let list =
            file.text.split("const FAULTS: [").nth(1).and_then(|rest| rest.split("];").next()).unwrap_or_default();
        list.split('"').skip(1).step_by(2)
    });
    let sought: BTreeSet<&str> = listed.collect();
    assert!(places.len() > 20, "the places are not found: {places:?}");
    let findings: Vec<_> = places.difference(&sought).map(|fault| format!("no list has `{fault}`")).collect();
    hold("a fault that the code can be given stands in the list FAULTS of a test that must find it", &findings);
    let findings: Vec<_> = sought.difference(&places).map(|fault| format!("no code has `{fault}`")).collect();
    hold("a fault that a test looks for stands in the code", &findings);
}
