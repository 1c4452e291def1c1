//! The repository's Rust files, and how they hang together.

use super::code::Code;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use walkdir::WalkDir;

/// All folders that hold Rust of ours.
pub const EVERYWHERE: [&str; 6] = ["src", "commands", "tests", "benches", "examples", "fuzz"];

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Rust file.
pub struct File {
    /// `src/core/model/page.rs`.
    pub name: String,
    pub text: String,
    pub code: Code,
}

/// Read once: the rules are many.
static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let files = EVERYWHERE.iter().flat_map(|folder| {
        let walk = WalkDir::new(root().join(folder)).sort_by_file_name().into_iter();
        walk.filter_entry(|entry| entry.file_name() != "target").map(Result::unwrap)
    });
    files
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|entry| File::read(entry.path()))
        .collect()
});

/// All Rust files in these folders, in order.
pub fn rust_files(folders: &[&str]) -> Vec<&'static File> {
    let lies_in = |file: &&File, folder: &str| file.name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    FILES.iter().filter(|file| folders.iter().any(|folder| lies_in(file, folder))).collect()
}

impl File {
    fn read(path: &Path) -> Self {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(path).unwrap();
        Self { code: Code::of(&text, &name), name, text }
    }

    /// `core::model::page`, as `lib.rs` lays the modules out.
    pub fn module(&self) -> String {
        let name = self.name.strip_prefix("src/").unwrap_or(&self.name).trim_end_matches(".rs");
        name.strip_suffix("/mod").unwrap_or(name).replace('/', "::")
    }

    /// Is all of it for tests?
    pub fn is_test(&self) -> bool {
        let part = ["/tests.rs", "/fixtures.rs"].iter().any(|end| self.name.ends_with(end));
        part || self.name.starts_with("tests/") || self.name.contains("/tests/")
    }

    /// Is a line of it for tests?
    pub fn is_test_at(&self, line: usize) -> bool {
        self.is_test() || self.code.is_test(line)
    }

    /// Of things with their lines, those that are not for tests.
    pub fn outside_tests<'a, T>(&'a self, things: &'a [(usize, T)]) -> impl Iterator<Item = (usize, &'a T)> {
        things.iter().filter(|(line, _)| !self.is_test_at(*line)).map(|(line, thing)| (*line, thing))
    }

    /// A line's text.
    pub fn line(&self, number: usize) -> &str {
        self.text.lines().nth(number.wrapping_sub(1)).unwrap_or_default()
    }

    /// What it names of this crate outside tests, by line, from the crate's root on.
    pub fn imports(&self) -> Vec<(usize, String)> {
        let found = self.outside_tests(&self.code.paths);
        found.filter_map(|(line, path)| Some((line, self.absolute(line, path)?))).collect()
    }

    /// A path from the crate's root, without `crate::`. `None` when it begins elsewhere.
    fn absolute(&self, line: usize, path: &str) -> Option<String> {
        let mut parts = path.split("::").peekable();
        if parts.next_if_eq(&"crate").is_some() {
            return Some(parts.collect::<Vec<_>>().join("::"));
        }
        parts.peek().filter(|first| **first == "super")?;
        let module = self.module();
        let mut place: Vec<&str> = module.split("::").chain(self.code.around(line)).collect();
        while parts.next_if_eq(&"super").is_some() {
            place.pop()?;
        }
        place.extend(parts);
        Some(place.join("::"))
    }
}

/// The files that `mod` lines reach from this one.
pub fn reachable(start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start.to_owned()];
    while let Some(name) = open.pop() {
        let Some(file) = FILES.iter().find(|file| file.name == name) else { continue };
        let (folder, _) = name.rsplit_once('/').unwrap();
        let own = ["/main.rs", "/lib.rs", "/mod.rs"].iter().any(|end| name.ends_with(end));
        let below = if own { folder } else { name.trim_end_matches(".rs") };
        for module in &file.code.modules {
            let at = module.name.join("/");
            open.extend(match &module.path {
                Some(path) => vec![straight(&format!("{folder}/{path}"))],
                None => vec![format!("{below}/{at}.rs"), format!("{below}/{at}/mod.rs")],
            });
        }
        reached.insert(name);
    }
    reached
}

/// A path without `..`.
fn straight(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}
