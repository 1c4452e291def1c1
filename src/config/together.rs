//! Worker files that are given together, and what stands in each other's way: one worker twice, or one name for two files.

use crate::core::generate::model::file_name::{days, manifest_name};
use crate::core::generate::spec::Worker;
use crate::core::model::run::{BusinessDate, RunId};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Days of a leap year: names with date forms of their own are compared on each.
const DAYS: usize = 366;

/// A worker and the file that it stands in.
pub type InFile<'a> = (&'a Path, &'a Worker);

/// What is wrong with worker files together, as a sentence each. Each file alone is checked before.
pub fn collisions(workers: &[InFile<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, (path, worker)) in workers.iter().enumerate() {
        if let Some((other, _)) = workers[..index].iter().find(|(_, other)| other.id == worker.id) {
            found.push(format!("worker {} stands in {} and in {}", worker.id, other.display(), path.display()));
        }
    }
    if found.is_empty() {
        found = shared_names(workers);
    }
    found
}

/// Names that two workers give on some day. A name without a date is taken on each day.
fn shared_names(workers: &[InFile<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    let mut told = HashSet::new();
    let plain = workers.iter().all(|(_, worker)| worker.files.iter().all(|file| file.name.has_plain_dates_only()));
    for day in days(if plain { 1 } else { DAYS }) {
        let mut taken: HashMap<(PathBuf, String), &str> = HashMap::new();
        for (_, worker) in workers {
            let run = RunId { worker: worker.id.clone(), date: BusinessDate(day) };
            let files = worker.files.iter().map(|file| file.name.render(&run, &file.id));
            for name in files.chain([manifest_name(&run)]) {
                let id = worker.id.as_str();
                match taken.insert((worker.output.root.clone(), name.clone()), id) {
                    Some(other) if other != id && told.insert((other, id)) => {
                        found.push(format!("workers {other} and {id} both write `{name}` on {day}"));
                    }
                    _ => {}
                }
            }
        }
    }
    found
}
