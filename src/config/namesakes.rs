//! Files beside one another that declare one worker, or two transfers that take the same files from one folder.

use super::Loaded;
use super::kind::Flow;
use super::together::{FOLDER_APART, settled, takes_from};
use super::vars::Vars;
use crate::core::generate::translate::Registry;
use crate::files;
use std::path::{Path, PathBuf};

/// Files that are looked at, at most, and names of the folder.
const FILES_MAX: usize = 100;
const NAMES_MAX: usize = 10_000;

/// What another file beside this one has of its own, too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Namesake {
    /// The other file.
    pub path: PathBuf,
    /// The line of it that says so.
    pub line: usize,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// The same worker, with the same output root or state store.
    Worker,
    /// Another transfer, with the same folder and pattern.
    Folder,
}

impl Namesake {
    /// What is wrong, in a sentence.
    pub fn describe(&self) -> String {
        let what = match self.kind {
            Kind::Worker => "declares this worker too, with the same output root or state store",
            Kind::Folder => "collects the same files from the same folder",
        };
        format!("{}:{} {what}", self.path.display(), self.line)
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self.kind {
            Kind::Worker => {
                "give each worker an id of its own: they would share lease, runs and file names, and one's pages be taken for the \
                 other's; if one file is not used, move it away"
            }
            Kind::Folder => FOLDER_APART,
        }
    }

    /// A code for programs, and where in this file it belongs.
    pub(super) fn place(&self) -> (&'static str, &'static str) {
        let code = match self.kind {
            Kind::Worker => "worker-twice",
            Kind::Folder => "folder-twice",
        };
        (code, self.kind.field())
    }
}

impl Kind {
    /// The field that says so, in either file.
    fn field(&self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Folder => "collect.directory",
        }
    }
}

/// Files in the same folder that declare the same worker with the same output root or state store, or another transfer that takes the same
/// files from the same folder. `given` are looked at by [`collisions`](super::collisions). Files that cannot be used now are passed over.
pub fn namesakes(loaded: &Loaded, given: &[PathBuf], vars: &dyn Vars, registry: &Registry) -> Vec<Namesake> {
    if !matches!(loaded.flow, Flow::Generate(_) | Flow::Transfer(_)) {
        return Vec::new();
    }
    let folder = loaded.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names = files::names(folder, NAMES_MAX).unwrap_or_default();
    names.sort();
    let known: Vec<PathBuf> = given.iter().chain([&loaded.path]).map(|path| settled(path)).collect();
    let is_file_of_ours = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let others = names.into_iter().map(|name| folder.join(name)).filter(is_file_of_ours);
    let others = others.filter(|path| !known.contains(&settled(path))).take(FILES_MAX);
    others.filter_map(|path| clash(&loaded.flow, &super::load(&path, vars, registry).ok()?)).collect()
}

/// What another file has of this one.
fn clash(own: &Flow, other: &Loaded) -> Option<Namesake> {
    let found = |kind: Kind| {
        let line = other.with_root(|root| root.place(kind.field()).line());
        Some(Namesake { path: other.path.clone(), line, kind })
    };
    match (own, &other.flow) {
        (Flow::Generate(worker), Flow::Generate(its)) if its.id == worker.id => {
            let is_shared = settled(&its.output.root) == settled(&worker.output.root) || its.state == worker.state;
            if is_shared { found(Kind::Worker) } else { None }
        }
        (Flow::Transfer(transfer), Flow::Transfer(its)) if takes_from(transfer, its) => found(Kind::Folder),
        _ => None,
    }
}
