//! What a kind of file is made of, and what a file declares.

use super::cursor::{Cursor, OwnShape};
use super::grammar::Section;
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::ingest::spec::Ingest;
use serde_json::{Map, Value};

/// What a file declares.
#[derive(Clone, PartialEq, Debug)]
pub enum Flow {
    /// `worker`: files out of a SQL view.
    Generate(Worker),
    /// `ingest`: events into tables.
    Ingest(Ingest),
}

/// One kind of file.
#[derive(Debug)]
pub(super) struct FileKind {
    /// The top-level key that every file of this kind has, and no other.
    pub(super) key: &'static str,
    /// What people call such a file.
    pub(super) noun: &'static str,
    /// All that it may hold.
    pub(super) section: &'static Section,
    /// The shapes that no other kind has.
    pub(super) shapes: &'static [OwnShape],
    /// Its values as the core takes them. `None` when something is wrong; that is noted then.
    pub(super) resolve: fn(&Cursor<'_>) -> Option<Flow>,
    /// What its JSON Schema refers to by name.
    pub(super) definitions: fn(&Registry) -> Map<String, Value>,
    /// A complete file, as `config init` writes it.
    pub(super) example: &'static str,
}
