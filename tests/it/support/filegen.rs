//! The binary in a folder of its own, without this process's environment: what it prints depends on its arguments alone.

use super::running::{PATIENCE, Running};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a database, a worker file, and whatever the binary makes there.
pub struct Filegen {
    dir: tempfile::TempDir,
}

/// Runs a command to the end; one that hangs is killed.
pub fn in_time(command: &mut Command) -> Output {
    let command = std::mem::replace(command, Command::new("true"));
    assert_cmd::Command::from_std(command).timeout(PATIENCE).output().expect("the binary runs")
}

/// How a command ended.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Fails the test, with all that was printed, unless the exit code is this.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.trim_end().lines().count(), 1, "one line of JSON: {}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// The one JSON error on stderr.
    #[track_caller]
    pub fn json_error(&self) -> Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", self.stderr))
    }
}

/// A worker file of two files over `v_Loans`, ten rows a page.
const WORKER: &str = r#"worker: LoanWorker
source:
  url: sqlite:loans.db
  view: v_Loans
  key: [LoanId]
  page_size: 10
output:
  root: out
business_date: { accept: { past: 40000d, future: 40000d, runs_per_hour: 1000000 } }
files:
  - id: Loan0
    name: "loan0_{date}.txt"
    event_type: LoanDataReady
    translator:
      delimited: { delimiter: "|", columns: [LoanId, Customer, Amount] }
  - id: Loan1
    name: "loan1_{date}.csv"
    where: "Amount > 500"
    first_record: "HEAD {{ date }} {{ rows }}"
    last_record: "TAIL {{ rows }} {{ sum.Amount }}"
    translator:
      delimited: { delimiter: ",", quote: minimal, columns: [LoanId, Customer, Amount] }
"#;

impl Filegen {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder for the test") }
    }

    /// A folder with `worker.yaml` and a view of so many loans: ids from 1, amounts of 10.25 times the id, and a
    /// customer with a line break in every seventh row of an amount above 500.
    pub fn with_loans(rows: u64) -> Self {
        let filegen = Self::empty();
        filegen.write("worker.yaml", WORKER);
        let sql = format!(
            "CREATE TABLE loans (LoanId INTEGER PRIMARY KEY, Customer TEXT, Amount DECIMAL(10,2) NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 WHERE {rows} > 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO loans SELECT i, 'customer ' || i, i * 10.25 FROM n;
             CREATE VIEW v_Loans AS SELECT LoanId, Customer, Amount FROM loans;"
        );
        filegen.sql(&sql);
        filegen
    }

    /// Runs SQL on the source.
    pub fn sql(&self, sql: &str) {
        let source = rusqlite::Connection::open(self.path("loans.db")).expect("the source opens");
        source.execute_batch(sql).expect("the SQL is right");
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a text file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the file is written");
    }

    /// Reads a text file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Changes the worker file.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let text = self.read("worker.yaml");
        assert!(text.contains(from), "worker.yaml has no `{from}`");
        self.write("worker.yaml", &text.replace(from, to));
    }

    /// The command, ready to be run: arguments are cut at blanks.
    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_filegen"));
        command
            .args(args.split_whitespace())
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.dir.path())
            .env("TZ", "UTC")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run(&self, args: &str) -> Done {
        Self::finish(&mut self.command(args))
    }

    /// Runs a command to the end; one that hangs is killed, and has no exit code.
    pub fn finish(command: &mut Command) -> Done {
        let Output { status, stdout, stderr } = in_time(command);
        Done {
            code: status.code(),
            stdout: String::from_utf8(stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(stderr).expect("stderr is UTF-8"),
        }
    }

    /// Makes the files of 2026-11-21, with `-c worker.yaml` and further arguments.
    #[track_caller]
    pub fn publish(&self) -> Done {
        self.run("run -c worker.yaml --date 2026-11-21").exits(0)
    }

    /// Changes by people that the embedded state store keeps, oldest first: who, action, detail, reason.
    pub fn audits(&self) -> Vec<[String; 4]> {
        let state = rusqlite::Connection::open(self.path("out/.filegen/state.db")).expect("the store opens");
        let mut kept = state.prepare("SELECT who, action, detail, reason FROM audit ORDER BY id").expect("a table");
        let rows = kept.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])).expect("rows");
        rows.collect::<Result<_, _>>().expect("text")
    }

    /// Whether anything of that name is in the folder.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// What stands for this folder in text that is compared.
    pub fn masked(&self, text: &str) -> String {
        let real = self.dir.path().canonicalize().expect("the folder is there");
        text.replace(&real.display().to_string(), "[DIR]").replace(&self.dir.path().display().to_string(), "[DIR]")
    }

    /// Starts in the background, with stderr to look at.
    pub fn start(&self, args: &str) -> Running {
        Running::start(&mut self.command(args))
    }
}

/// All names below a folder, sorted.
pub fn names_below(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    names
}
