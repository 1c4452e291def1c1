//! What a kind of file is made of, and what a file declares.

use super::cursor::{Cursor, OwnShape};
use super::grammar::Section;
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::ingest::spec::Ingest;
use crate::core::schedule::spec::Scheduler;
use crate::core::transfer::spec::Transfer;
use serde_json::{Map, Value};

/// What a file declares.
#[derive(Clone, PartialEq, Debug)]
pub enum Flow {
    /// `worker`: files out of a SQL view.
    Generate(Box<Worker>),
    /// `ingest`: events into tables.
    Ingest(Box<Ingest>),
    /// `scheduler`: data sources, and when they are looked at.
    Schedule(Box<Scheduler>),
    /// `transfer`: files from here to there.
    Transfer(Box<Transfer>),
}

impl Flow {
    /// The key of its kind.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::Generate(_) => "worker",
            Self::Ingest(_) => "ingest",
            Self::Schedule(_) => "scheduler",
            Self::Transfer(_) => "transfer",
        }
    }
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
