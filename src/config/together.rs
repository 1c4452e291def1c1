//! Files that are given together, and what stands in each other's way: one id twice, or one name for two files.

use super::kind::Flow;
use crate::core::generate::model::file_name::{days_to_compare, manifest_name, version_of};
use crate::core::generate::spec::{Corrections, Worker};
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::transfer::spec::Transfer;
use std::collections::{BTreeMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What a file declares, and the file.
pub type InFile<'a> = (&'a Path, &'a Flow);

/// What is wrong with files together, as a sentence each. Each file alone is checked before.
pub fn collisions(files: &[InFile<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, (path, flow)) in files.iter().enumerate() {
        let (kind, id) = (flow.key(), flow.id());
        if let Some((other, _)) = files[..index].iter().find(|(_, other)| (other.key(), other.id()) == (kind, id)) {
            found.push(format!("{kind} {id} stands in {} and in {}", other.display(), path.display()));
        }
    }
    if found.is_empty() {
        let workers: Vec<_> = files.iter().filter_map(|(_, flow)| flow.worker()).collect();
        found = shared_names(&workers);
        found.extend(shared_folders(files));
    }
    found
}

/// What to do about two transfers that take each other's files.
pub(super) const FOLDER_APART: &str = "a file would reach one target, or both, whichever is first: give each transfer a folder or a pattern \
                                       of its own, or let both `keep` the files";

/// Transfers that take each other's files.
fn shared_folders(files: &[InFile<'_>]) -> Vec<String> {
    let transfers: Vec<_> = files.iter().filter_map(|(_, flow)| flow.transfer()).collect();
    let pairs = transfers
        .iter()
        .enumerate()
        .flat_map(|(index, own)| transfers[..index].iter().map(move |other| (*other, *own)));
    let told = |(other, own): (&Arc<Transfer>, &Arc<Transfer>)| {
        let collect = own.collect.as_ref().filter(|_| takes_from(own, other))?;
        let (ours, theirs, folder) = (&own.id, &other.id, collect.directory.display());
        Some(format!("transfers {theirs} and {ours} both collect `{}` from {folder}: {FOLDER_APART}", collect.pattern))
    };
    pairs.filter_map(told).collect()
}

/// Names that two workers give on some day. A name without a date is taken on each day.
fn shared_names(workers: &[&Arc<Worker>]) -> Vec<String> {
    let mut found = Vec::new();
    let mut told = HashSet::new();
    let roots: Vec<PathBuf> = workers.iter().map(|worker| settled(&worker.output.root)).collect();
    let names = workers.iter().flat_map(|worker| worker.files.iter().map(|file| &file.name));
    for day in days_to_compare(names) {
        let mut taken: BTreeMap<PathBuf, &Worker> = BTreeMap::new();
        for (worker, root) in workers.iter().zip(&roots) {
            let run = RunId { worker: worker.id.clone(), date: BusinessDate(day) };
            let files = worker.files.iter().map(|file| file.name.render(&run, &file.id));
            for name in files.chain([manifest_name(&run, 1)]) {
                if let Some(other) = taken.insert(root.join(&name), worker)
                    && other.id != worker.id
                    && told.insert((other.id.as_str(), worker.id.as_str()))
                {
                    found.push(format!("workers {} and {} both write `{name}` on {day}", other.id, worker.id));
                }
            }
        }
        for (path, worker) in &taken {
            let before = path.to_str().and_then(version_of);
            let Some((other, version)) = before.and_then(|(path, v)| Some((taken.get(Path::new(&path))?, v))) else {
                continue;
            };
            let takes = other.output.corrections == Corrections::Suffix && other.id != worker.id;
            if takes && told.insert((other.id.as_str(), worker.id.as_str())) {
                let (path, other, id) = (path.display(), &other.id, &worker.id);
                found.push(format!(
                    "version {version} of worker {other} takes `{path}`, which worker {id} writes on {day}"
                ));
            }
        }
    }
    found
}

/// Whether two transfers take each other's files. Files of one transfer are its sides or its instances.
pub(super) fn takes_from(transfer: &Transfer, other: &Transfer) -> bool {
    let (Some(own), Some(its)) = (&transfer.collect, &other.collect) else { return false };
    transfer.id != other.id && own.is_in_the_way_of(its) && settled(&own.directory) == settled(&its.directory)
}

/// One spelling for a folder that can be reached by several: links are followed as far as it is there, and what is not there yet
/// is taken by its words.
pub(super) fn settled(root: &Path) -> PathBuf {
    let (mut there, mut rest) = (root, Vec::new());
    loop {
        if let Ok(real) = there.canonicalize() {
            return rest.iter().rev().fold(real, |path, part| by_words(path, *part));
        }
        let (Some(parent), Some(last)) = (there.parent(), there.components().next_back()) else { break };
        rest.push(last);
        there = parent;
    }
    root.components().fold(PathBuf::new(), by_words)
}

fn by_words(mut path: PathBuf, part: Component<'_>) -> PathBuf {
    match part {
        Component::CurDir => {}
        Component::ParentDir => drop(path.pop()),
        _ => path.push(part),
    }
    path
}
