//! The kinds of files: the first key of a file names its kind. A new flow adds one entry to [`KINDS`].

use super::cursor::OwnShape;
use super::grammar::generate::WORKER;
use super::grammar::ingest::INGEST;
use super::kind::{FileKind, Flow};
use super::suggest::nearest;
use super::tree::{self, Node};
use super::{check, init, resolve, schema};

/// All kinds.
pub(super) static KINDS: [FileKind; 2] = [WORKERS, INGESTS];

const WORKERS: FileKind = FileKind {
    key: "worker",
    noun: "worker file",
    section: &WORKER,
    shapes: &[
        OwnShape { name: "column", check: check::generate::column_or_name },
        OwnShape { name: "jsonFields", check: check::generate::json_fields },
        OwnShape { name: "parameter", check: check::generate::parameter },
        OwnShape { name: "translator", check: check::generate::translator },
    ],
    resolve: |root| resolve::generate::worker(root).map(Flow::Generate),
    definitions: schema::generate::definitions,
    example: init::EXAMPLE,
};

const INGESTS: FileKind = FileKind {
    key: "ingest",
    noun: "ingest file",
    section: &INGEST,
    shapes: &[],
    resolve: |root| resolve::ingest::ingest(root).map(Flow::Ingest),
    definitions: |_| serde_json::Map::new(),
    example: INGEST_EXAMPLE,
};

/// An ingest file with every section and its reasons.
const INGEST_EXAMPLE: &str = include_str!("ingest.yaml");

/// The key of each kind, and a complete file of it.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().map(|kind| (kind.key, kind.example))
}

/// A complete file of a kind, by its key. Empty when there is no such kind.
pub fn example(key: &str) -> &'static str {
    kinds().find(|(other, _)| *other == key).map_or("", |(_, example)| example)
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
