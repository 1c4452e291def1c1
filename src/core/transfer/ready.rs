//! Which files of a listing may be sent: those that fit, that no writer marks as unfinished, and that held still.

use super::envelope::last_name;
use super::spec::{Collect, MARKS, is_mark};
use crate::core::model::pattern::Pattern;
use crate::core::ports::folders::FoundFile;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// When each file was first seen as it is now.
#[derive(Debug, Default)]
pub struct Stillness {
    seen: HashMap<String, (String, Duration)>,
}

/// What a look found.
#[derive(Debug, Default)]
pub struct Ready {
    /// Files that may be sent, oldest first.
    pub files: Vec<FoundFile>,
    /// Files that fit and are not ready yet.
    pub waiting: u64,
    /// After how long the first of those may be ready. `None` when only their writers know.
    pub next: Option<Duration>,
}

impl Stillness {
    /// Since when a file of the last look is as it is now.
    pub fn since(&self, path: &str) -> Option<Duration> {
        self.seen.get(path).map(|(_, since)| *since)
    }

    /// Takes the files that are ready. `now` only goes forward. `is_known` says that a version was dealt with.
    pub fn ready(
        &mut self,
        listed: &[FoundFile],
        (collect, pattern): (&Collect, &Pattern),
        now: Duration,
        is_known: impl Fn(&FoundFile) -> bool,
    ) -> Ready {
        let there: HashSet<&str> = listed.iter().map(|file| file.path.as_str()).collect();
        let done = collect.done_file.as_deref();
        // A done-file is no file of its own, whatever the pattern says.
        let done_files: HashSet<String> =
            done.map(|done| listed.iter().map(|file| beside(&file.path, done)).collect()).unwrap_or_default();
        let before = std::mem::take(&mut self.seen);
        let mut ready = Ready::default();
        for file in listed {
            if !pattern.fits(&file.path) || done_files.contains(&file.path) || is_mark(&file.path) || is_known(file) {
                continue;
            }
            let since = match before.get(&file.path) {
                Some((stamp, since)) if *stamp == file.stamp => *since,
                _ => now,
            };
            self.seen.insert(file.path.clone(), (file.stamp.clone(), since));
            let is_marked = MARKS.iter().any(|mark| there.contains(format!("{}{mark}", file.path).as_str()));
            let lacks_done = done.is_some_and(|done| !there.contains(beside(&file.path, done).as_str()));
            let still = now.saturating_sub(since);
            // A done-file says by itself that the file is whole.
            let is_still = done.is_some() || still >= collect.stable_for;
            if !is_marked && !lacks_done && is_still {
                ready.files.push(file.clone());
                continue;
            }
            ready.waiting += 1;
            if !is_marked && !lacks_done {
                let left = collect.stable_for.saturating_sub(still);
                ready.next = Some(ready.next.map_or(left, |next| next.min(left)));
            }
        }
        ready.files.sort_by(|a, b| (a.modified_at, &a.path).cmp(&(b.modified_at, &b.path)));
        ready
    }
}

/// The done-file of a file: `{name}` is its name, `{stem}` its name without the last ending.
pub fn beside(path: &str, done: &str) -> String {
    let name = last_name(path);
    let (stem, _) = super::naming::split(name);
    let done = done.replace("{name}", name).replace("{stem}", stem);
    format!("{}{done}", &path[..path.len() - name.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::transfer::spec::After;
    use jiff::Timestamp;

    fn collect(stable_for: u64, done_file: Option<&str>) -> Collect {
        Collect {
            directory: "in".into(),
            pattern: "**/*".to_owned(),
            poll: Duration::from_secs(5),
            stable_for: Duration::from_secs(stable_for),
            done_file: done_file.map(str::to_owned),
            receipt: true,
            after: After::Keep,
            archive: "archive".into(),
            error: "error".into(),
            source: "api".to_owned(),
            max_size: 1 << 20,
        }
    }

    fn file(path: &str, stamp: &str, modified: i64) -> FoundFile {
        let modified_at = Timestamp::from_second(modified).unwrap();
        FoundFile { path: path.to_owned(), size: 1, modified_at, stamp: stamp.to_owned() }
    }

    fn paths(ready: &Ready) -> Vec<&str> {
        ready.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn a_file_that_moves_is_left_alone_and_the_oldest_goes_first() {
        let (collect, pattern) = (collect(2, None), Pattern::parse("**/*.csv").unwrap());
        let mut still = Stillness::default();
        let secs = Duration::from_secs;
        let mut look = |files: &[FoundFile], now| still.ready(files, (&collect, &pattern), secs(now), |_| false);
        let (a, b, c) = (file("a.csv", "1", 9), file("x/b.csv", "1", 5), file("c.txt", "1", 1));
        let first = look(&[a.clone(), b.clone(), c.clone()], 10);
        assert_eq!((first.files.len(), first.waiting, first.next), (0, 2, Some(secs(2))));
        let grown = file("a.csv", "2", 11);
        let second = look(&[grown.clone(), b.clone(), c.clone()], 12);
        assert_eq!((paths(&second), second.waiting, second.next), (vec!["x/b.csv"], 1, Some(secs(2))));
        let third = look(&[grown, b, c], 14);
        assert_eq!(paths(&third), ["x/b.csv", "a.csv"]);
    }

    #[test]
    fn what_a_writer_marks_waits_for_its_mark_to_go() {
        let (collect, pattern) = (collect(0, None), Pattern::parse("*").unwrap());
        let files = [
            file("a.csv", "1", 1),
            file("a.csv.lock", "1", 1),
            file("b.csv.filepart", "1", 1),
            file("c.csv", "1", 1),
            file("d.TMP", "1", 1),
        ];
        let ready = Stillness::default().ready(&files, (&collect, &pattern), Duration::ZERO, |_| false);
        assert_eq!((paths(&ready), ready.waiting, ready.next), (vec!["c.csv"], 1, None));
    }

    #[test]
    fn with_a_done_file_only_the_done_file_counts() {
        let pattern = Pattern::parse("**/*").unwrap();
        let files = [file("x/a.csv", "1", 1), file("x/a.csv.done", "1", 1), file("b.csv", "1", 1)];
        let look = |done: &str| {
            let collect = collect(60, Some(done));
            let ready = Stillness::default().ready(&files, (&collect, &pattern), Duration::ZERO, |_| false);
            (paths(&ready).join(","), ready.waiting)
        };
        assert_eq!(look("{name}.done"), ("x/a.csv".to_owned(), 1));
        assert_eq!(beside("x/a.tar.gz", "{stem}.ok"), "x/a.tar.ok");
    }
}
