//! A worker over a small SQLite view, and `filegen run` upon it as a real process.

use crate::support::filegen::in_time;
use crate::support::running::Running;
use filegen::core::generate::model::header::Header;
use filegen::core::generate::model::journal::Journal;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Rows of the view; the pages are of ten rows.
pub const ROWS: u32 = 65;

/// A folder with a worker file, its database and its output.
pub struct Rig {
    folder: tempfile::TempDir,
}

const FILES: [&str; 4] = [
    r#"  - id: Loan0
    name: "loan0_{date}.txt"
    translator: { delimited: { delimiter: "|", columns: [LoanId, Name, Amount] } }
    first_record: "H{{ date }}"
    last_record: "T{{ rows }};{{ sum.Amount }}"
"#,
    r#"  - id: Loan1
    name: "loan1_{date}.csv"
    where: "LoanId % 3 = 0"
    translator: { delimited: { delimiter: ",", quote: minimal, columns: [LoanId, Name] } }
"#,
    r#"  - id: Loan2
    name: "sub/loan2_{date}.dat"
    progress_header: false
    translator:
      fixed_width: { columns: [ { column: LoanId, width: 8, align: right, pad: "0" }, { column: Name, width: 12 } ] }
"#,
    r#"  - id: Loan3
    name: "loan3_{date}.jsonl"
    translator: { json: { fields: { id: LoanId, amount: Amount } } }
"#,
];

impl Rig {
    /// A rig whose worker has the first `files` of four files. `policies` is a YAML flow map.
    pub fn new(files: usize, policies: &str) -> Self {
        Self::with_names(files, policies, "'name ' || i")
    }

    /// As [`Rig::new`], with a SQL expression over the row number `i` for the column `Name`.
    pub fn with_names(files: usize, policies: &str, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = rusqlite::Connection::open(folder.path().join("loans.db")).unwrap();
        database
            .execute_batch(&format!(
                "CREATE TABLE loans (LoanId INTEGER PRIMARY KEY, Name TEXT, Amount DECIMAL(12,2));
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
                 INSERT INTO loans SELECT i * 7, {name}, i * 1.25 FROM n;
                 CREATE VIEW v_LoanData AS SELECT * FROM loans;"
            ))
            .unwrap();
        let worker = format!(
            "worker: LoanWorker\n\
             source: {{ url: \"sqlite:loans.db\", view: v_LoanData, key: [LoanId], page_size: 10 }}\n\
             output: {{ root: out }}\n\
             commit: {{ pages: 1 }}\n\
             business_date: {{ accept: {{ past: 40000d }} }}\n\
             policies: {policies}\n\
             files:\n{}",
            FILES[..files].concat()
        );
        fs::write(folder.path().join("worker.yaml"), worker).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `filegen run` for a fixed day, with failure points set as `FAILPOINTS` says.
    pub fn command(&self, failpoints: &str) -> Command {
        self.filegen(&["run", "-c", "worker.yaml", "--date", "2026-11-21"], failpoints)
    }

    pub fn filegen(&self, arguments: &[&str], failpoints: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_filegen"));
        command.args(arguments).current_dir(self.folder.path()).env("FAILPOINTS", failpoints).env("NO_COLOR", "1");
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, failpoints: &str) -> Output {
        in_time(&mut self.command(failpoints))
    }

    pub fn start(&self, failpoints: &str) -> Running {
        Running::start(&mut self.command(failpoints))
    }

    /// Runs to the end, and holds the manifest against the files. Fails the test with the tool's own words when that does not work.
    pub fn run_well(&self) {
        let output = self.run("");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.check_manifest();
    }

    /// All visible files but the manifest: name to bytes.
    pub fn published(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path("out"), "", &mut files);
        files.retain(|name, _| !name.ends_with(".manifest.json"));
        files
    }

    pub fn has_manifest(&self) -> bool {
        self.path("out/LoanWorker_20261121.manifest.json").exists()
    }

    /// The run's staging folders that still are folders, with their parsed journals.
    pub fn staged(&self) -> Vec<(PathBuf, Journal)> {
        let run = self.path("out/.filegen/LoanWorker/20261121");
        let Ok(entries) = fs::read_dir(run) else { return Vec::new() };
        let folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        folders
            .map(|folder| {
                let journal = Journal::parse(&fs::read(folder.join("journal.jsonl")).unwrap_or_default());
                (folder, journal)
            })
            .collect()
    }

    /// Whatever happened: a header never claims a page that the journal does not have.
    pub fn check_headers(&self) {
        for (folder, journal) in self.staged() {
            let committed = journal.last_page().map_or(0, |last| last.page);
            for name in ["Loan0", "Loan1", "Loan3"] {
                let Ok(bytes) = fs::read(folder.join(name)) else { continue };
                if let Ok(header) = Header::parse(&bytes) {
                    assert!(header.page <= committed, "{name} claims page {}, journal has {committed}", header.page);
                }
            }
        }
    }
}

fn collect(folder: &Path, prefix: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            if name != ".filegen" {
                collect(&entry.path(), &format!("{name}/"), into);
            }
        } else {
            into.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}
