//! Which files of a folder count: a glob, held against paths below it.

use globset::{GlobBuilder, GlobMatcher};

/// Longest pattern, in bytes.
const PATTERN_MAX: usize = 512;

/// A glob, held against a file's path below the folder that is looked at.
#[derive(Clone, Debug)]
pub struct Pattern {
    glob: GlobMatcher,
    /// Whether it names folders. Without one, it is held against the file's own name.
    has_folders: bool,
}

/// Why a pattern was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PatternFault {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// More than anybody writes.
    #[error("it is longer than {PATTERN_MAX} bytes")]
    TooLong,
    /// It leads out of the folder, or holds a character that no path has.
    #[error("it {0}")]
    Outside(&'static str),
    /// It is no glob.
    #[error("it is no glob: {0}")]
    Glob(String),
}

impl Pattern {
    /// Reads a glob: `*.csv`, `**` (all, at any depth), `loans_??.txt`, `[0-9]*`, `{a,b}.csv`, `in/*/x.csv`, `**/*.csv`. A `*` stays within a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PatternFault> {
        if text.is_empty() {
            return Err(PatternFault::Empty);
        }
        if text.len() > PATTERN_MAX {
            return Err(PatternFault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PatternFault::Outside("holds a control character"));
        }
        if text.starts_with('/') {
            return Err(PatternFault::Outside("starts with `/`: it is held against paths below the folder"));
        }
        if text.ends_with('/') || text.contains("//") {
            return Err(PatternFault::Outside("has nothing between or behind its `/`, so that no file ever fits it"));
        }
        if text.split('/').any(|part| matches!(part, ".." | ".")) {
            return Err(PatternFault::Outside("names `.` or `..`: it is held against paths below the folder"));
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        let glob = glob.map_err(|error| PatternFault::Glob(error.kind().to_string()))?;
        Ok(Self { glob: glob.compile_matcher(), has_folders: text.contains('/') || text == "**" })
    }

    /// Whether it reaches into folders below, whatever else is asked for.
    pub fn has_folders(&self) -> bool {
        self.has_folders
    }

    /// Whether a file counts, by its path below the folder that is looked at.
    pub fn fits(&self, path: &str) -> bool {
        let name = if self.has_folders { path } else { path.rsplit('/').next().unwrap_or(path) };
        self.glob.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_folders_is_held_against_the_name() {
        for (pattern, fits, not) in [
            ("*.csv", &["a.csv", "x/y/a.csv", "..csv"][..], &["a.txt", "a.csv.tmp"][..]),
            ("loan_??.{csv,txt}", &["loan_01.csv", "d/loan_xy.txt"], &["loan_1.csv"]),
            ("[!._]*", &["a"], &["_a", ".a"]),
            ("**/*.csv", &["a.csv", "x/a.csv", "x/y/a.csv"], &["x/a.txt"]),
            ("in/*.csv", &["in/a.csv"], &["a.csv", "in/x/a.csv", "x/in/a.csv"]),
            ("in/**", &["in/a", "in/x/y"], &["a"]),
            ("**", &["a", "x/y/a"], &[]),
        ] {
            let read = Pattern::parse(pattern).unwrap();
            assert!(fits.iter().all(|path| read.fits(path)), "{pattern}");
            assert!(!not.iter().any(|path| read.fits(path)), "{pattern}");
            assert_eq!(read.has_folders(), pattern.contains('/') || pattern == "**", "{pattern}");
        }
    }

    #[test]
    fn what_is_no_glob_is_refused_with_its_reason() {
        for bad in ["", "a.csv/", "sub//*.csv", "/a", "../a", "a/./b", "[a", "{a", "a\nb", &"x".repeat(600)] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
