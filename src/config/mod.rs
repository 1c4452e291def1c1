//! Files of every kind: YAML in, a resolved and checked [`Flow`] out, or everything that is wrong with it at once.
//!
//! Text becomes a tree in which each value knows its place (`tree`); the tree is held against the one table of all
//! fields of its kind (`kind`, `grammar`, `check`), which the JSON Schema is written from too; values become the core's own (`resolve`).

mod address;
pub mod calendar;
mod check;
mod cursor;
mod deliver;
mod excerpt;
mod grammar;
mod init;
mod json;
mod kind;
mod kinds;
mod namesakes;
mod problem;
mod read;
mod receivers;
mod redact;
mod report;
mod resolve;
mod schema;
mod separators;
mod show;
mod sources;
mod suggest;
mod together;
mod traces;
mod tree;
mod values;
mod vars;
mod warn;
mod yaml;

#[cfg(test)]
mod tests;

pub use deliver::{Misfit, Misfits, misfits};
pub use init::{Sample, look_at};
pub use kind::Flow;
pub use kinds::{example, kinds};
pub use namesakes::{Namesake, namesakes};
pub use problem::{ConfigError, Problem, SourcePosition};
pub use read::{write_new, write_private};
pub use receivers::document as receivers_document;
pub use show::{Origin, Resolved};
pub use sources::{data_sources, data_sources_to_yaml, parse_data_sources};
pub use together::{InFile, collisions};
pub use traces::{Traces, traces};
pub use vars::{Environment, Vars, without_references};
pub use warn::Notes;

use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::ingest::spec::Ingest;
use crate::core::schedule::spec::Scheduler;
use crate::core::transfer::spec::Transfer;
use cursor::{Context, Cursor};
use excerpt::excerpt;
use problem::Problems;
use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tree::{Node, Value};

/// A file that is fit for use.
#[derive(Clone)]
pub struct Loaded {
    /// What it declares, with every default filled in.
    pub flow: Flow,
    /// The port of the daemon's health server, when the environment names one.
    pub health_port: Option<u16>,
    /// The file, as it was named.
    pub path: PathBuf,
    text: String,
    tree: Node,
    fallbacks: Vec<(String, &'static str)>,
    presets: Vec<(String, &'static str)>,
}

impl fmt::Debug for Loaded {
    /// Without the text, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("flow", &self.flow).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Loaded {
    /// The worker that the file declares.
    ///
    /// # Errors
    /// When it declares something else.
    pub fn into_worker(self) -> Result<Arc<Worker>, ConfigError> {
        self.flow.worker().cloned().ok_or_else(|| self.other_kind("worker"))
    }

    /// The ingest that the file declares.
    ///
    /// # Errors
    /// When it declares something else.
    pub fn into_ingest(self) -> Result<Arc<Ingest>, ConfigError> {
        self.flow.ingest().cloned().ok_or_else(|| self.other_kind("ingest"))
    }

    /// The scheduler that the file declares.
    ///
    /// # Errors
    /// When it declares something else.
    pub fn into_scheduler(self) -> Result<Arc<Scheduler>, ConfigError> {
        self.flow.scheduler().cloned().ok_or_else(|| self.other_kind("scheduler"))
    }

    /// The transfer that the file declares.
    ///
    /// # Errors
    /// When it declares something else.
    pub fn into_transfer(self) -> Result<Arc<Transfer>, ConfigError> {
        self.flow.transfer().cloned().ok_or_else(|| self.other_kind("transfer"))
    }

    /// What the file declares, where that is of the kind of `other`.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn of_kind(self, other: &Flow) -> Result<Flow, ConfigError> {
        if self.flow.key() == other.key() { Ok(self.flow) } else { Err(self.other_kind(other.key())) }
    }

    /// A file of another kind was wanted.
    fn other_kind(&self, wanted: &str) -> ConfigError {
        let [is, wanted] = [self.flow.key(), wanted].map(kinds::a_noun);
        let (message, hint) = (format!("this is {is}, and this command takes {wanted}"), format!("name {wanted}"));
        ConfigError::whole_file(&self.path, "other-kind", message, &hint)
    }

    /// An error of this file.
    fn error(&self, problems: Vec<Problem>) -> ConfigError {
        let section = kinds::kind_of(&self.tree).section;
        let masked_text = Some(excerpt(&self.text, Some(&self.tree), section));
        ConfigError { path: self.path.clone(), problems, masked_text }
    }

    /// Looks at the file's tree again, now that it is known to be sound.
    fn with_root<T>(&self, look: impl FnOnce(&Cursor<'_>) -> T) -> T {
        let context = Context {
            text: &self.text,
            vars: &(),
            folder: Path::new(""),
            registry: &Registry::default(),
            noun: kinds::noun(self.flow.key()),
            shapes: &[],
            problems: RefCell::default(),
            fallbacks: RefCell::default(),
            presets: RefCell::default(),
        };
        look(&Cursor::root(&context, &self.tree))
    }
}

/// The JSON Schema of every kind of file, with the translators that are registered by name.
pub fn schema(registry: &Registry) -> serde_json::Value {
    schema::schema(&kinds::KINDS, registry)
}

/// Reads and checks a file of any kind. Relative paths in it start in its own folder.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path, vars: &dyn Vars, registry: &Registry) -> Result<Loaded, ConfigError> {
    parse(&read::read(path, read::WORKER_FILE)?, path, vars, registry)
}

/// [`load`] for a text that is already read; looks at no disk but for `path`'s current folder when it is relative.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, path: &Path, vars: &dyn Vars, registry: &Registry) -> Result<Loaded, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (tree, problems) = tree::parse(text, vars);
    let refused = |problems: Problems, tree: Option<&Node>, section| ConfigError {
        path: path.to_owned(),
        problems: problems.into_sorted(),
        masked_text: Some(excerpt(text, tree, section)),
    };
    let tree = match tree {
        Some(tree) if tree.value != Value::Null => tree,
        _ if problems.is_empty() => {
            let hint = "write one with `filegen config init`";
            return Err(ConfigError::whole_file(path, "empty-file", "this file is empty".to_owned(), hint));
        }
        _ => return Err(refused(problems, None, kinds::KINDS[0].section)),
    };
    let kind = kinds::kind_of(&tree);
    let context = Context {
        text,
        vars,
        folder: path.parent().unwrap_or(Path::new("")),
        registry,
        noun: kind.noun,
        shapes: kind.shapes,
        problems: RefCell::new(problems),
        fallbacks: RefCell::default(),
        presets: RefCell::default(),
    };
    let root = Cursor::root(&context, &tree);
    check::section(&root, kind.section);
    check::variables::section(&root, kind.section);
    let flow = (kind.resolve)(&root);
    let health_port = resolve::health_port(&root);
    if flow.is_none() && context.problems.borrow().is_empty() {
        // Nothing should come here. If something does, an error without a reason would be worse.
        root.report("unusable", format!("this {} cannot be used", kind.noun), "please report this with the file");
    }
    let problems = context.problems.into_inner();
    let (fallbacks, presets) = (context.fallbacks.into_inner(), context.presets.into_inner());
    match flow {
        Some(flow) if problems.is_empty() => {
            let (path, text) = (path.to_owned(), text.to_owned());
            Ok(Loaded { flow, health_port, path, text, tree, fallbacks, presets })
        }
        _ => Err(refused(problems, Some(&tree), kind.section)),
    }
}
