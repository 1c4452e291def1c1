//! Which ports there are, and which of them are kept in memory.

use super::source::rust_files;
use std::collections::BTreeSet;

/// Ports that have no adapter in memory, and why.
pub const WITHOUT: [(&str, &str); 2] = [
    ("Observer", "whoever watches is a closure or `Unobserved`"),
    ("DrillRunner", "it is about processes, and has none of its own"),
];

/// The traits of `core/ports`.
pub fn all() -> BTreeSet<String> {
    let files = rust_files(&["src/core/ports"]);
    let lines = files.iter().flat_map(|file| file.text.lines());
    let named = lines.filter_map(|line| line.strip_prefix("pub trait "));
    named.map(|rest| rest.chars().take_while(|letter| letter.is_alphanumeric()).collect()).collect()
}

/// Those that a type in `adapters/memory` implements.
pub fn in_memory() -> BTreeSet<String> {
    let files = rust_files(&["src/adapters/memory"]);
    let lines = files.iter().flat_map(|file| file.text.lines());
    let ports = lines.filter_map(|line| line.strip_prefix("impl ")?.split_once(" for "));
    ports.map(|(port, _)| port.to_owned()).collect()
}
