//! The kinds of files: the first key of a file names its kind. A new flow adds one line to [`KINDS`].

use super::at::At;
use super::grammar::Section;
use super::grammar::generate::WORKER;
use super::suggest::nearest;
use super::tree::{self, Node};
use super::{init, resolve, schema};
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use serde_json::{Map, Value};

/// What a file declares.
#[derive(Clone, PartialEq, Debug)]
pub enum Flow {
    /// `worker`: files out of a SQL view.
    Generate(Worker),
}

/// One kind of file.
#[derive(Debug)]
pub(super) struct Kind {
    /// The top-level key that every file of this kind has, and no other.
    pub(super) key: &'static str,
    /// What people call such a file.
    pub(super) noun: &'static str,
    /// All that it may hold.
    pub(super) section: &'static Section,
    /// Its values as the core takes them; `None` where something is wrong, which is noted then.
    pub(super) resolve: fn(&At<'_>) -> Option<Flow>,
    /// What its JSON Schema refers to by name.
    pub(super) definitions: fn(&Registry) -> Map<String, Value>,
    /// A complete file, as `config init` writes it.
    pub(super) example: &'static str,
}

/// All kinds.
pub(super) static KINDS: [Kind; 1] = [Kind {
    key: "worker",
    noun: "worker file",
    section: &WORKER,
    resolve: |root| resolve::generate::worker(root).map(Flow::Generate),
    definitions: schema::generate::definitions,
    example: init::EXAMPLE,
}];

/// The key of each kind, and a complete file of it.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().map(|kind| (kind.key, kind.example))
}

/// A complete file of a kind, by its key; an empty text where there is no such kind.
pub fn example(key: &str) -> &'static str {
    kinds().find(|(other, _)| *other == key).map_or("", |(_, example)| example)
}

/// The kind of a file: that of its first key which names one, else the one that was probably meant.
pub(super) fn kind_of(tree: &Node) -> &'static Kind {
    let names = || match &tree.value {
        tree::Value::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    let names = || names().iter().map(|(name, _)| name.text.as_str());
    let named = names().find_map(|name| KINDS.iter().find(|kind| kind.key == name));
    let meant = || names().find_map(|name| nearest(name, KINDS.iter().map(|kind| kind.key)));
    named.or_else(|| KINDS.iter().find(|kind| Some(kind.key) == meant())).unwrap_or(&KINDS[0])
}
