//! The folders that data sources may name. By words alone: that no link leads out is seen when a folder is opened.

use std::path::{Component, Path, PathBuf};

/// Longest path of a data source, in bytes.
const PATH_MAX: usize = 1024;

/// The folders that data sources may name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roots {
    /// Where relative paths start: the scheduler file's folder.
    pub base: PathBuf,
    /// Absolute, at least one.
    pub roots: Vec<PathBuf>,
}

/// A folder of a data source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The root that it lies in.
    pub root: PathBuf,
    /// Its path below the root, with `/` between names. Empty for the root itself.
    pub below: String,
}

/// Why a path was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PathFault {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// More than any real path.
    #[error("it is longer than {PATH_MAX} bytes")]
    TooLong,
    /// A character that no path has.
    #[error("it holds a control character")]
    Control,
    /// `..` leads out of a folder.
    #[error("`..` is not taken: a path leads down from its root")]
    Up,
    /// It lies elsewhere.
    #[error("it lies in none of the roots")]
    Outside,
}

impl Roots {
    /// Finds the root that a path lies in. A relative path starts in the scheduler file's folder; where that leads to no root, and there
    /// is one root only, it starts there.
    ///
    /// # Errors
    /// When it lies in none of them, or may lead out of it.
    pub fn place(&self, path: &str) -> Result<Place, PathFault> {
        if path.is_empty() {
            return Err(PathFault::Empty);
        }
        if path.len() > PATH_MAX {
            return Err(PathFault::TooLong);
        }
        if path.chars().any(char::is_control) {
            return Err(PathFault::Control);
        }
        let given = Path::new(path);
        if given.components().any(|part| part == Component::ParentDir) {
            return Err(PathFault::Up);
        }
        self.within(&self.base.join(given))
            .or_else(|| match self.roots.as_slice() {
                [only] if given.is_relative() => self.within(&only.join(given)),
                _ => None,
            })
            .ok_or(PathFault::Outside)
    }

    fn within(&self, whole: &Path) -> Option<Place> {
        let found = |root: &PathBuf| {
            let below: Vec<&str> = whole
                .strip_prefix(root)
                .ok()?
                .components()
                .filter(|part| *part != Component::CurDir)
                .map(|part| part.as_os_str().to_str())
                .collect::<Option<_>>()?;
            Some(Place { root: root.clone(), below: below.join("/") })
        };
        // The innermost root is the narrowest jail.
        self.roots.iter().filter_map(found).min_by_key(|place| place.below.len())
    }

    /// All of them, for people.
    pub fn shown(&self) -> String {
        self.roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(roots: &[&str], path: &str) -> Result<(String, String), PathFault> {
        let roots = Roots { base: "/etc/filegen".into(), roots: roots.iter().map(PathBuf::from).collect() };
        roots.place(path).map(|place| (place.root.display().to_string(), place.below))
    }

    #[test]
    fn a_path_lies_in_a_root_or_is_refused() {
        let found = |root: &str, below: &str| Ok((root.to_owned(), below.to_owned()));
        let one: &[&str] = &["/etc/filegen/data"];
        assert_eq!(place(one, "data"), found("/etc/filegen/data", ""));
        assert_eq!(place(one, "data/in/./loans/"), found("/etc/filegen/data", "in/loans"));
        assert_eq!(place(one, "/etc/filegen/data/in"), found("/etc/filegen/data", "in"));
        assert_eq!(place(one, "in"), found("/etc/filegen/data", "in"));
        let two: &[&str] = &["/data", "/data/inner"];
        assert_eq!(place(two, "/data/inner/x"), found("/data/inner", "x"));
        assert_eq!(place(two, "/data/other"), found("/data", "other"));
        for (path, fault) in [
            ("", PathFault::Empty),
            ("/etc", PathFault::Outside),
            ("/data2", PathFault::Outside),
            ("inner", PathFault::Outside),
            ("/data/../etc", PathFault::Up),
            ("..", PathFault::Up),
            ("a\0b", PathFault::Control),
            ("a\nb", PathFault::Control),
        ] {
            assert_eq!(place(two, path), Err(fault), "{path}");
        }
        assert_eq!(place(two, &"x".repeat(2000)), Err(PathFault::TooLong));
    }
}
