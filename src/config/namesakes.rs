//! Worker files beside one another that declare one worker: its lease and its runs would be shared by two views.

use super::Loaded;
use super::together::settled;
use super::vars::Vars;
use crate::core::generate::translate::Registry;
use crate::files;
use std::path::{Path, PathBuf};

/// Files that are looked at, at most, and names of the folder.
const FILES_MAX: usize = 100;
const NAMES_MAX: usize = 10_000;

/// Another worker file that declares the same worker, with the same output root or state store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Namesake {
    /// The other file.
    pub path: PathBuf,
    /// The line that names the worker in it.
    pub line: usize,
}

impl Namesake {
    /// What is wrong, in a sentence.
    pub fn describe(&self) -> String {
        let Self { path, line } = self;
        format!("{}:{line} declares this worker too, with the same output root or state store", path.display())
    }
}

/// What to do about namesakes.
pub const APART: &str = "give each worker an id of its own: they would share lease, runs and file names, and one's pages be taken for \
                         the other's; if one file is not used, move it away";

/// Worker files in the same folder that declare the same worker with the same output root or state store. `given` are looked at
/// by [`collisions`](super::collisions). Files that cannot be used now are passed over.
pub fn namesakes(loaded: &Loaded, given: &[PathBuf], vars: &dyn Vars, registry: &Registry) -> Vec<Namesake> {
    let Some(worker) = loaded.flow.worker() else { return Vec::new() };
    let folder = loaded.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names = files::names(folder, NAMES_MAX).unwrap_or_default();
    names.sort();
    let known: Vec<PathBuf> = given.iter().chain([&loaded.path]).map(|path| settled(path)).collect();
    let is_worker_file = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let others = names.into_iter().map(|name| folder.join(name)).filter(is_worker_file);
    let others = others.filter(|path| !known.contains(&settled(path))).take(FILES_MAX);
    let same = |path: PathBuf| {
        let other = super::load(&path, vars, registry).ok()?;
        let its = other.flow.worker().filter(|its| its.id == worker.id)?;
        let is_shared = settled(&its.output.root) == settled(&worker.output.root) || its.state == worker.state;
        let line = other.with_root(|root| root.section("worker").line());
        is_shared.then_some(Namesake { path, line })
    };
    others.filter_map(same).collect()
}
