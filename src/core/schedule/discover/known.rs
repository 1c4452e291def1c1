//! What the ledger calls a file. Below the folder that was looked in at first it is the short path; in any other folder the place
//! stands before it, so that a data source that was pointed elsewhere tells what lies there. A place is told by the number of its root
//! and not by the root's own path: whoever moves a root, adds one behind the others or writes a path otherwise tells nothing again.

use crate::core::ports::ledger::Home;
use crate::core::schedule::roots::Roots;
use std::borrow::Cow;
use std::path::{Component, Path};

/// A folder as its root's number and what lies below that.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Spot {
    root: usize,
    below: String,
}

/// What the files of one folder are called.
#[derive(Debug)]
pub(super) struct Known {
    /// The folder that is looked in. `None`: it is the first one, in the same words.
    spot: Option<Spot>,
    home: Option<Spot>,
}

impl Known {
    /// Of a folder as a data source says it, where another may have been the first.
    pub(super) fn of(words: &str, home: &Home, roots: &Roots) -> Self {
        let is_home = home.words == plain(words);
        Self { spot: Spot::of(words, roots).filter(|_| !is_home), home: Spot::read(&home.place) }
    }

    /// What a file is called, by its path below the folder.
    pub(super) fn path<'a>(&self, file: &'a str) -> Cow<'a, str> {
        let Some(spot) = &self.spot else { return Cow::Borrowed(file) };
        let whole = joined(&spot.below, file);
        let at_home = self.home.as_ref().filter(|home| home.root == spot.root).and_then(|home| home.holds(&whole));
        Cow::Owned(at_home.map_or_else(|| format!("/{}/{whole}", spot.root), str::to_owned))
    }
}

impl Spot {
    /// Where a data source's folder lies. Of roots that lie in one another the first counts.
    fn of(words: &str, roots: &Roots) -> Option<Self> {
        let place = roots.place(words).ok()?;
        let whole = if place.below.is_empty() { place.root } else { place.root.join(&place.below) };
        let found = |(root, path): (usize, &std::path::PathBuf)| {
            Some(Self { root, below: whole.strip_prefix(path).ok()?.to_str()?.to_owned() })
        };
        roots.roots.iter().enumerate().find_map(found)
    }

    fn read(place: &str) -> Option<Self> {
        let (root, below) = place.split_once('/')?;
        Some(Self { root: root.parse().ok()?, below: below.to_owned() })
    }

    /// A path below it, of one below its root.
    fn holds<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.below.is_empty() { Some(path) } else { path.strip_prefix(&self.below)?.strip_prefix('/') }
    }
}

/// A folder as the ledger keeps it, where it is the first one of a data source.
pub(in crate::core::schedule) fn home(words: &str, roots: &Roots) -> Home {
    let place = Spot::of(words, roots).map_or_else(String::new, |spot| format!("{}/{}", spot.root, spot.below));
    Home { words: plain(words), place }
}

/// A folder's words without what means nothing: `./data/in` of `data//in/`.
pub(in crate::core::schedule) fn plain(words: &str) -> String {
    let parts = Path::new(words).components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let first = if words.starts_with('/') { "" } else { "." };
    std::iter::once(first).chain(parts).collect::<Vec<_>>().join("/")
}

fn joined(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(roots: &[&str]) -> Roots {
        Roots { base: "/etc/filegen".into(), roots: roots.iter().map(Into::into).collect() }
    }

    /// What `a/x.csv` in `folder` is called, where `first` was the first folder.
    fn called(folder: &str, first: &str) -> String {
        let roots = roots(&["/etc/filegen/data", "/mnt"]);
        Known::of(folder, &home(first, &roots), &roots).path("a/x.csv").into_owned()
    }

    #[test]
    fn a_file_has_a_short_path_at_home_and_a_place_elsewhere() {
        for (folder, first, path) in [
            ("data/in", "data/in", "a/x.csv"),
            // The same folder in other words.
            ("data//in/", "./data/in", "a/x.csv"),
            ("/etc/filegen/data/in", "data/in", "a/x.csv"),
            // Folders above it and below it share its files.
            ("data/in/deep", "data/in", "deep/a/x.csv"),
            ("data", "data/a", "x.csv"),
            ("data", "data/b", "/0/a/x.csv"),
            // Elsewhere, also where the beginning of the name is the same, in whatever words.
            ("data/in2", "data/in", "/0/in2/a/x.csv"),
            ("/etc/filegen/data/./in2/", "data/in", "/0/in2/a/x.csv"),
            ("/mnt/in/", "data/in", "/1/in/a/x.csv"),
            ("/mnt", "data/in", "/1/a/x.csv"),
            // The first folder lay in no root.
            ("data/in", "/old/in", "/0/in/a/x.csv"),
        ] {
            assert_eq!(called(folder, first), path, "{folder}, at first {first}");
        }
    }

    #[test]
    fn roots_that_move_or_come_change_no_name() {
        let one = roots(&["/etc/filegen/data"]);
        let (relative, absolute) = (home("in", &one), home("/etc/filegen/data/in", &one));
        for (now, folder, first, path) in [
            // Moved, in the same words and in others.
            (&["/new"][..], "in", &relative, "x"),
            (&["/new"], "in", &absolute, "x"),
            (&["/new"], "/new/out", &relative, "/0/out/x"),
            // With one more, the short words mean nothing any more; inside or outside of the first.
            (&["/etc/filegen/data", "/more"], "data/in", &relative, "x"),
            (&["/etc/filegen/data", "/etc/filegen/data/in"], "data/in", &absolute, "x"),
            (&["/etc/filegen/data", "/etc/filegen/data/out"], "data/out", &relative, "/0/out/x"),
        ] {
            assert_eq!(Known::of(folder, first, &roots(now)).path("x"), path, "{now:?} {folder}");
        }
        // Written as at first, it is the first folder wherever its root stands.
        assert_eq!(
            Known::of("/etc/filegen/data/in", &absolute, &roots(&["/more", "/etc/filegen/data"])).path("x"),
            "x"
        );
    }
}
