//! Which files of a listing count, by their names and those beside them.

use crate::core::model::data_source::Discover;
use crate::core::model::pattern::Pattern;
use crate::core::ports::folders::FoundFile;
use std::collections::HashSet;

/// What writers put behind a name while they write.
const MARKS: [&str; 2] = [".tmp", ".part"];

/// The files that fit.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// How many fit the pattern.
    pub(super) fits: u64,
    /// Those of them that nobody says are unfinished, in the order of their paths.
    pub(super) files: Vec<FoundFile>,
    /// How many are said to be unfinished.
    pub(super) marked: u64,
}

/// Takes the files that fit, and leaves those that their writer marks: by an ending, a file beside them, or a done-file that is
/// asked for and not there.
pub(super) fn ready(listed: &[FoundFile], pattern: &Pattern, settings: &Discover) -> Ready {
    let there: HashSet<&str> = listed.iter().map(|file| file.path.as_str()).collect();
    let done = settings.done_file.as_deref();
    // A done-file is no file of its own, whatever the pattern says.
    let done_files: HashSet<String> =
        done.map(|done| listed.iter().map(|file| beside(&file.path, done)).collect()).unwrap_or_default();
    let mut ready = Ready::default();
    for file in listed {
        if !pattern.fits(&file.path) || done_files.contains(&file.path) || is_mark(&file.path) {
            continue;
        }
        ready.fits += 1;
        let is_marked = MARKS.iter().any(|mark| there.contains(format!("{}{mark}", file.path).as_str()));
        let lacks_done = done.is_some_and(|done| !there.contains(beside(&file.path, done).as_str()));
        if is_marked || lacks_done {
            ready.marked += 1;
        } else {
            ready.files.push(file.clone());
        }
    }
    ready
}

fn is_mark(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    MARKS.iter().any(|mark| lower.ends_with(mark))
}

/// The done-file of a file: `{name}` is its name, `{stem}` its name without the last ending.
fn beside(path: &str, done: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let done = done.replace("{name}", name).replace("{stem}", stem);
    if folder.is_empty() { done } else { format!("{folder}/{done}") }
}
