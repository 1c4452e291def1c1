//! The kinds of files: the first key of a file names its kind. A new flow adds one entry to [`KINDS`].

use super::cursor::OwnShape;
use super::grammar::generate::WORKER;
use super::grammar::ingest::INGEST;
use super::grammar::schedule::SCHEDULER;
use super::grammar::transfer::TRANSFER;
use super::kind::{FileKind, Flow};
use super::suggest::nearest;
use super::tree::{self, Node};
use super::{check, init, resolve, schema};
use serde_json::Map;
use std::sync::Arc;

/// All kinds.
pub(super) static KINDS: [FileKind; 4] = [
    FileKind {
        key: "worker",
        noun: "worker file",
        section: &WORKER,
        shapes: &[
            OwnShape { name: "column", check: check::generate::column_or_name },
            OwnShape { name: "jsonFields", check: check::generate::json_fields },
            OwnShape { name: "parameter", check: check::generate::parameter },
            OwnShape { name: "translator", check: check::generate::translator },
        ],
        resolve: |root| resolve::generate::worker(root).map(Arc::new).map(Flow::Generate),
        definitions: schema::generate::definitions,
        example: init::EXAMPLE,
    },
    FileKind {
        key: "ingest",
        noun: "ingest file",
        section: &INGEST,
        shapes: &[],
        resolve: |root| resolve::ingest::ingest(root).map(Arc::new).map(Flow::Ingest),
        definitions: |_| Map::new(),
        example: include_str!("ingest.yaml"),
    },
    FileKind {
        key: "scheduler",
        noun: "scheduler file",
        section: &SCHEDULER,
        shapes: &[],
        resolve: |root| resolve::schedule::scheduler(root).map(Arc::new).map(Flow::Schedule),
        definitions: |_| Map::new(),
        example: include_str!("scheduler.yaml"),
    },
    FileKind {
        key: "transfer",
        noun: "transfer file",
        section: &TRANSFER,
        shapes: &[
            OwnShape { name: "filters", check: check::transfer::filters },
            OwnShape { name: "companions", check: check::transfer::companions },
        ],
        resolve: |root| resolve::transfer::transfer(root).map(Arc::new).map(Flow::Transfer),
        definitions: schema::transfer::definitions,
        example: include_str!("transfer.yaml"),
    },
];

/// The key of each kind, and a complete file of it.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().map(|kind| (kind.key, kind.example))
}

/// A complete file of a kind, by its key. Empty when there is no such kind.
pub fn example(key: &str) -> &'static str {
    kinds().find(|(other, _)| *other == key).map_or("", |(_, example)| example)
}

/// What people call a file of a kind, by its key: `worker file`.
pub(super) fn noun(key: &str) -> &'static str {
    KINDS.iter().find(|kind| kind.key == key).map_or("file", |kind| kind.noun)
}

/// The same with its article: `a worker file`, `an ingest file`.
pub(super) fn a_noun(key: &str) -> String {
    let noun = noun(key);
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// The kind of a file. The first key that names a kind decides; without such a key, it is the kind that was probably meant.
pub(super) fn kind_of(tree: &Node) -> &'static FileKind {
    let names = || match &tree.value {
        tree::Value::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    let names = || names().iter().map(|(name, _)| name.text.as_str());
    let named = names().find_map(|name| KINDS.iter().find(|kind| kind.key == name));
    let meant = || names().find_map(|name| nearest(name, KINDS.iter().map(|kind| kind.key)));
    named.or_else(|| KINDS.iter().find(|kind| Some(kind.key) == meant())).unwrap_or(&KINDS[0])
}
