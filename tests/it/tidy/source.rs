//! Rust files as text: enough of it to hold the rules, because rustfmt has laid out every file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All folders that hold Rust of ours.
pub const EVERYWHERE: [&str; 6] = ["src", "commands", "tests", "benches", "examples", "fuzz"];

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Rust file.
pub struct File {
    path: PathBuf,
    text: String,
}

/// All Rust files in these folders, in order.
pub fn rust_files(folders: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(File { text: fs::read_to_string(&path).unwrap(), path });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

impl File {
    /// `src/core/model/page.rs`.
    pub fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `core::model::page`, as `lib.rs` lays the modules out.
    pub fn module(&self) -> String {
        let name = self.name();
        let name = name.strip_prefix("src/").unwrap_or(&name).trim_end_matches(".rs");
        name.strip_suffix("/mod").unwrap_or(name).replace('/', "::")
    }

    /// Is all of it for tests?
    pub fn is_test(&self) -> bool {
        let name = self.name();
        let part = ["/tests.rs", "/fixtures.rs"].iter().any(|end| name.ends_with(end));
        part || name.starts_with("tests/") || name.contains("/tests/")
    }

    /// Numbered lines before the file's own tests.
    pub fn lines_with_comments(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let inline_tests = |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].ends_with('{');
        let end = lines.windows(2).position(inline_tests).unwrap_or(lines.len());
        lines.into_iter().take(end).enumerate().map(|(index, line)| (index + 1, line))
    }

    /// As [`File::lines_with_comments`], without lines that are comments.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines_with_comments().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// What the code names of this crate, by line: `crate::…` and `super::…`, groups spread out.
    pub fn imports(&self) -> Vec<(usize, String)> {
        let mut code = String::new();
        let mut starts = Vec::new();
        for (number, line) in self.code() {
            starts.push((code.len(), number));
            code.push_str(line);
            code.push('\n');
        }
        let mut found = Vec::new();
        for start in ["crate::", "super::"] {
            for (at, _) in code.match_indices(start) {
                let before = code[..at].chars().next_back().unwrap_or(' ');
                if before == ':' || before == '$' || is_word(before) {
                    continue;
                }
                let line = starts.iter().rfind(|(offset, _)| *offset <= at).map_or(1, |(_, number)| *number);
                for path in spread(&code[at..]) {
                    found.extend(self.absolute(&path).map(|path| (line, path)));
                }
            }
        }
        found
    }

    /// A path from the crate's root, without `crate::`; none when it stays inside this file's own module.
    fn absolute(&self, path: &str) -> Option<String> {
        if let Some(path) = path.strip_prefix("crate::") {
            return Some(path.to_owned());
        }
        let mut module: Vec<String> = self.module().split("::").map(str::to_owned).collect();
        let mut rest = path;
        while let Some(next) = rest.strip_prefix("super::") {
            module.pop()?;
            rest = next;
        }
        (!module.is_empty()).then(|| format!("{}::{rest}", module.join("::")))
    }

    /// Line, name and length of every function with a body.
    pub fn functions(&self) -> Vec<(usize, String, usize)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut found = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let Some(name) = function_name(code) else { continue };
            let indent = &line[..line.len() - code.len()];
            let ends = |line: &&str| {
                let own = line.strip_prefix(indent).is_some_and(|rest| !rest.starts_with(' '));
                own && (line.ends_with('}') || line.ends_with(';'))
            };
            let length = lines[index..].iter().position(ends).map_or(1, |last| last + 1);
            found.push((index + 1, name, length));
        }
        found
    }
}

/// The name behind `fn`, when a line starts a function.
fn function_name(code: &str) -> Option<String> {
    let (before, after) = code.split_once("fn ")?;
    let qualifiers = before.split_whitespace().all(|word| {
        word.starts_with("pub") || word.starts_with("in") || ["async", "const", "extern", "\"C\""].contains(&word)
    });
    let name: String = after.chars().take_while(|c| is_word(*c)).collect();
    (qualifiers && !name.is_empty()).then_some(name)
}

/// The paths that a `use` tree stands for, from its first word on: `crate::{a, b::c}` is two.
fn spread(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !is_word(c) && c != ':').unwrap_or(text.len());
    let head = &text[..end];
    if !head.ends_with("::") || !text[end..].starts_with('{') {
        return vec![head.trim_end_matches(':').to_owned()];
    }
    let mut paths = Vec::new();
    let (mut depth, mut from) = (0_usize, end + 1);
    for (at, c) in text[end..].char_indices() {
        let branch = text[from.min(end + at)..end + at].trim();
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || (c == '}' && depth == 0) {
            if !branch.is_empty() {
                paths.extend(spread(branch).iter().map(|path| format!("{head}{path}")));
            }
            from = end + at + 1;
        }
        if c == '}' && depth == 0 {
            break;
        }
    }
    paths
}

/// Does a line name this crate in a path or an import?
pub fn has_path(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back().unwrap_or(' ');
        let after = &line[at + name.len()..];
        !is_word(before) && before != ':' && before != '"' && after.starts_with("::")
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The files that `mod` lines reach from this one.
pub fn reachable(start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start.to_owned()];
    while let Some(name) = open.pop() {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        let own = ["/main.rs", "/lib.rs", "/mod.rs"].iter().any(|end| name.ends_with(end));
        let folder = if own { name.rsplit_once('/').unwrap().0 } else { name.trim_end_matches(".rs") };
        let mut path = None;
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("#[path = \"") {
                path = rest.split('"').next();
                continue;
            }
            let Some(module) = line.strip_suffix(';').and_then(|line| line.rsplit_once("mod ")) else { continue };
            if !module.0.is_empty() && !module.0.starts_with("pub") {
                continue;
            }
            let candidates = match path.take() {
                Some(path) => vec![format!("{}/{path}", name.rsplit_once('/').unwrap().0).replace("src/../", "")],
                None => vec![format!("{folder}/{}.rs", module.1), format!("{folder}/{}/mod.rs", module.1)],
            };
            open.extend(candidates.into_iter().filter(|name| root().join(name).is_file()));
        }
        reached.insert(name);
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_imports_are_spread_out() {
        assert_eq!(spread("crate::a::b;"), ["crate::a::b"]);
        assert_eq!(spread("crate::{a::b, c::{d, e}};\nx"), ["crate::a::b", "crate::c::d", "crate::c::e"]);
        assert_eq!(spread("super::super::{x}"), ["super::super::x"]);
    }

    #[test]
    fn a_function_is_measured_from_its_signature_to_its_brace() {
        let text =
            "fn a() {}\n    pub(crate) async fn b(\n        x: u8,\n    ) {\n        x\n    }\nfn c();\n// fn d\n";
        let file = File { path: root().join("src/x.rs"), text: text.to_owned() };
        let sizes: Vec<_> = file.functions().into_iter().collect();
        assert_eq!(sizes, [(1, "a".to_owned(), 1), (2, "b".to_owned(), 5), (7, "c".to_owned(), 1)]);
    }

    #[test]
    fn a_client_crate_is_seen_in_code_and_not_in_longer_words() {
        assert!(has_path("use rusqlite::Connection;", "rusqlite"));
        assert!(!has_path("let my_rusqlite::x", "rusqlite"));
    }
}
