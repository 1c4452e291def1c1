//! A folder with a transfer file, and what the binary makes of it.

use crate::support::filegen::{Done, Filegen};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Two sides on one host; small chunks, so that a file of a few kilobytes goes in several.
pub const FILE: &str = r#"transfer: sales
collect:
  directory: in
  pattern: "**/*"
  stable_for: 0s
  archive: archive
  error: error
  source: api
broker: { local: spool }
deliver:
  to: { directory: target }
  name: "{{ folder }}{{ name }}"
  max_size: 1MiB
state: { url: "sqlite:ledger.db" }
policies: { chunk: 4KiB, fsync_every: 2, initial_backoff: 10ms, max_backoff: 50ms }
"#;

/// Its target.
const TO: &str = "to: { directory: target }";

pub struct Rig {
    pub filegen: Filegen,
}

impl Rig {
    /// With the usual file.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With pieces of the usual file replaced.
    pub fn with(changes: &[(&str, &str)]) -> Self {
        let rig = Self { filegen: Filegen::empty() };
        fs::create_dir(rig.filegen.path("in")).unwrap();
        rig.change(changes);
        rig
    }

    /// Writes the file anew.
    pub fn change(&self, changes: &[(&str, &str)]) {
        let mut text = FILE.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "no `{from}` in the file");
            text = text.replace(from, to);
        }
        self.filegen.write("t.yaml", &text);
    }

    /// Writes the file anew, with another target.
    pub fn change_to(&self, to: &str, changes: &[(&str, &str)]) {
        let to = format!("to: {{ {to} }}");
        let all: Vec<(&str, &str)> = [(TO, to.as_str())].into_iter().chain(changes.iter().copied()).collect();
        self.change(&all);
    }

    /// Puts a file into the folder, older by so many seconds.
    pub fn put(&self, path: &str, content: &[u8]) {
        self.put_aged(path, content, 60);
    }

    pub fn put_aged(&self, path: &str, content: &[u8], age: u64) {
        let path = self.filegen.path("in").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let time = SystemTime::now() - Duration::from_secs(age);
        fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
    }

    /// Puts a whole file into the folder, as most writers do: under its name when it is whole.
    pub fn drop_in(&self, path: &str, content: &[u8]) {
        let (outside, path) = (self.filegen.path("dropped"), self.filegen.path("in").join(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&outside, content).unwrap();
        fs::rename(outside, path).unwrap();
    }

    pub fn transfer(&self, args: &str) -> Done {
        self.filegen.run(&format!("transfer {args} -c t.yaml"))
    }

    /// `transfer run` with failure points.
    pub fn run_with(&self, failpoints: &str) -> Done {
        let mut command = self.filegen.command("transfer run -c t.yaml");
        Filegen::finish(command.env("FAILPOINTS", failpoints))
    }

    /// Runs, and gives what the run tells.
    #[track_caller]
    pub fn run(&self, code: i32) -> serde_json::Value {
        self.transfer("run --output json").exits(code).json()
    }

    /// All files below a folder.
    pub fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        gather(&self.filegen.path(folder), "", &mut all);
        all
    }

    /// The names of all files below a folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        self.files(folder).into_keys().collect()
    }

    /// Files on a shelf without the day's folder.
    pub fn shelf(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let undated = |path: String| path.split_once('/').map_or(path.clone(), |(_, rest)| rest.to_owned());
        self.files(folder).into_iter().map(|(path, bytes)| (undated(path), bytes)).collect()
    }
}

/// A folder on another file system than the rig's. `None` where there is no other one.
#[expect(clippy::print_stderr, reason = "for whoever runs it with --nocapture")]
pub fn other_device(rig: &Rig) -> Option<tempfile::TempDir> {
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    let own = device(&rig.filegen.path("."));
    let build = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let others = [Path::new("/dev/shm"), Path::new("/tmp"), build];
    let other = others.into_iter().find(|path| path.is_dir() && device(path) != own);
    if other.is_none() {
        eprintln!("there is no other file system: nothing is tried");
    }
    other.map(|path| tempfile::tempdir_in(path).unwrap())
}

fn gather(folder: &Path, below: &str, all: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            gather(&entry.path(), &path, all);
        } else {
            all.insert(path, fs::read(entry.path()).unwrap_or_default());
        }
    }
}

/// A content of so many bytes that repeats nowhere.
pub fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..length.div_ceil(8)).flat_map(|_| next().to_le_bytes()).take(length).collect()
}
