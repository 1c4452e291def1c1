//! What a kind of file is made of, and what a file declares.

use super::cursor::{Cursor, OwnShape};
use super::grammar::Section;
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::ingest::spec::Ingest;
use crate::core::schedule::spec::Scheduler;
use crate::core::transfer::spec::Transfer;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a file declares.
#[derive(Clone, PartialEq, Debug)]
pub enum Flow {
    /// `worker`: files out of a SQL view.
    Generate(Arc<Worker>),
    /// `ingest`: events into tables.
    Ingest(Arc<Ingest>),
    /// `scheduler`: data sources, and when they are looked at.
    Schedule(Arc<Scheduler>),
    /// `transfer`: files from here to there.
    Transfer(Arc<Transfer>),
}

impl Flow {
    /// The key of its kind: `worker`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Generate(_) => "worker",
            Self::Ingest(_) => "ingest",
            Self::Schedule(_) => "scheduler",
            Self::Transfer(_) => "transfer",
        }
    }

    /// The worker that it is; `None` when it is something else.
    pub fn worker(&self) -> Option<&Arc<Worker>> {
        if let Self::Generate(worker) = self { Some(worker) } else { None }
    }

    /// The ingest that it is; `None` when it is something else.
    pub fn ingest(&self) -> Option<&Arc<Ingest>> {
        if let Self::Ingest(ingest) = self { Some(ingest) } else { None }
    }

    /// The scheduler that it is; `None` when it is something else.
    pub fn scheduler(&self) -> Option<&Arc<Scheduler>> {
        if let Self::Schedule(scheduler) = self { Some(scheduler) } else { None }
    }

    /// The transfer that it is; `None` when it is something else.
    pub fn transfer(&self) -> Option<&Arc<Transfer>> {
        if let Self::Transfer(transfer) = self { Some(transfer) } else { None }
    }

    /// The id that the file gives it: the value of that key.
    pub fn id(&self) -> &str {
        match self {
            Self::Generate(worker) => worker.id.as_str(),
            Self::Ingest(ingest) => ingest.id.as_str(),
            Self::Schedule(scheduler) => scheduler.id.as_str(),
            Self::Transfer(transfer) => transfer.id.as_str(),
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
