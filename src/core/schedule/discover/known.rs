//! What the ledger calls a file. Below the folder that was looked in at first it is the short path, so that whoever moves a root or
//! writes a path otherwise tells nothing again; in any other folder the folder stands before it, so that a data source that was
//! pointed elsewhere tells what lies there.

use crate::core::schedule::roots::{Place, Roots};
use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

/// What the files of one folder are called.
#[derive(Debug)]
pub(super) struct Known {
    /// The folder that is looked in.
    folder: PathBuf,
    /// The folder that was looked in at first. `None`: it is this one, in the same words.
    home: Option<PathBuf>,
    /// The folder in the data source's words.
    words: String,
}

impl Known {
    /// Of a folder as a data source says it, where another may have been the first.
    pub(super) fn of(words: &str, place: &Place, home: &str, roots: &Roots) -> Self {
        let words = plain(words);
        // A home that lies in no root any more holds nothing that is looked at.
        let home = (home != words).then(|| roots.place(home).map_or_else(|_| PathBuf::new(), |place| whole(&place)));
        Self { folder: whole(place), home, words }
    }

    /// What a file is called, by its path below the folder.
    pub(super) fn path<'a>(&self, file: &'a str) -> Cow<'a, str> {
        let Some(home) = &self.home else { return Cow::Borrowed(file) };
        let at_home = self.folder.join(file).strip_prefix(home).ok().and_then(Path::to_str).map(str::to_owned);
        Cow::Owned(at_home.filter(|_| !home.as_os_str().is_empty()).unwrap_or_else(|| format!("{}/{file}", self.words)))
    }
}

/// A folder's words without what means nothing: `./data/in` of `data//in/`.
pub(super) fn plain(words: &str) -> String {
    let parts = Path::new(words).components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let first = if words.starts_with('/') { "" } else { "." };
    std::iter::once(first).chain(parts).collect::<Vec<_>>().join("/")
}

fn whole(place: &Place) -> PathBuf {
    if place.below.is_empty() { place.root.clone() } else { place.root.join(&place.below) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `a/x.csv` in `folder` is called, where `home` was the first folder.
    fn called(folder: &str, home: &str) -> String {
        let roots = Roots { base: "/etc/filegen".into(), roots: vec!["/etc/filegen/data".into(), "/mnt".into()] };
        let place = roots.place(folder).unwrap();
        Known::of(folder, &place, &plain(home), &roots).path("a/x.csv").into_owned()
    }

    #[test]
    fn a_file_has_a_short_path_at_home_and_a_whole_one_elsewhere() {
        for (folder, home, path) in [
            ("data/in", "data/in", "a/x.csv"),
            // The same folder in other words.
            ("data//in/", "./data/in", "a/x.csv"),
            ("/etc/filegen/data/in", "data/in", "a/x.csv"),
            // Folders above it and below it share its files.
            ("data/in/deep", "data/in", "deep/a/x.csv"),
            ("data", "data/a", "x.csv"),
            ("data", "data/b", "./data/a/x.csv"),
            // Elsewhere, also where the beginning of the name is the same.
            ("data/in2", "data/in", "./data/in2/a/x.csv"),
            ("/mnt/in/", "data/in", "/mnt/in/a/x.csv"),
            ("/mnt", "data/in", "/mnt/a/x.csv"),
            // The first folder lies in no root any more.
            ("data/in", "/old/in", "./data/in/a/x.csv"),
        ] {
            assert_eq!(called(folder, home), path, "{folder}, at first {home}");
        }
    }
}
