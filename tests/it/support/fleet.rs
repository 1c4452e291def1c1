//! A worker of four files, any number of daemons that serve it, and what an undisturbed run makes of it.

use super::daemon::Daemon;
use super::filegen::Filegen;
use super::kafka::Topic;
use super::postgres;
use super::running::until_async;
use super::state::key;
use super::toxiproxy::Line;
use filegen::core::model::run::{RunId, RunRecord, RunStatus};
use filegen::core::ports::leases::LeaseStore;
use filegen::core::ports::outbox::Outbox;
use filegen::core::ports::runs::RunStore;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Behind the `source:` section's URL; ten rows a page, each page a commit.
const WORKER: &str = r#", view: v_Loans, key: [LoanId], page_size: 10 }
commit: { pages: 1 }
business_date: { accept: { past: 40000d, future: 40000d, runs_per_hour: 1000000 } }
files:
  - id: Loan0
    name: "loan0_{date}.txt"
    translator: { delimited: { delimiter: "|", columns: [LoanId, Customer, Amount] } }
  - id: Loan1
    name: "loan1_{date}.csv"
    where: '"Amount" > 500'
    first_record: "HEAD {{ date }} {{ rows }}"
    last_record: "TAIL {{ rows }} {{ sum.Amount }}"
    translator: { delimited: { delimiter: ",", quote: minimal, columns: [LoanId, Customer] } }
  - id: Loan2
    name: "loan2_{date}.dat"
    progress_header: false
    translator:
      fixed_width: { columns: [ { column: LoanId, width: 8, align: right, pad: "0" }, { column: Customer, width: 120 } ] }
  - id: Loan3
    name: "loan3_{date}.jsonl"
    translator: { json: { fields: { id: LoanId, amount: Amount } } }
"#;

/// A lease that is missed soon, and yet none that a busy machine loses: a call to MongoDB has an eighth of it.
pub const POLICIES: &str = "policies: { lease_ttl: 6s, lease_heartbeat_interval: 1s, \
    takeover_polling_interval: 200ms, initial_backoff: 100ms, max_backoff: 500ms }\n";

/// As [`POLICIES`]; a source that is away is tried again for as long as a test takes.
pub fn patient() -> String {
    POLICIES.replace("policies: {", "policies: { max_retries: 1000,")
}

/// So many loans in PostgreSQL.
pub async fn loans_in_postgres(rows: u64) -> postgres::Database {
    let loans = postgres::Database::create().await;
    let view = format!(
        "CREATE VIEW \"v_Loans\" AS SELECT i AS \"LoanId\", (i * 10.25)::numeric(10, 2) AS \"Amount\", \
         rpad('customer ' || i, 100, '.') AS \"Customer\" FROM generate_series(1, {rows}) AS i"
    );
    loans.run(&view).await;
    loans
}

/// A line to such loans, and their address by it.
pub fn line_to(loans: &postgres::Database) -> (Line, String) {
    let line = Line::to(&format!("127.0.0.1:{}", loans.port()));
    let by_line = loans.url().replace(&format!(":{}/", loans.port()), &format!(":{}/", line.port));
    (line, by_line)
}

/// A folder with a view of loans, worker files over it, and their output.
pub struct Fleet {
    pub filegen: Filegen,
    source: String,
}

impl Fleet {
    /// So many loans in SQLite.
    pub fn new(rows: u64) -> Self {
        Self::over("sqlite:loans.db", Filegen::with_loans(rows))
    }

    /// Loans elsewhere.
    pub fn over(source: &str, filegen: Filegen) -> Self {
        let fleet = Self { filegen, source: source.to_owned() };
        fleet.write("alone.yaml", &fleet.source, "alone", "");
        fleet
    }

    /// Writes a worker file over a source; `sections` is what it says besides source, output and files.
    fn write(&self, file: &str, source: &str, root: &str, sections: &str) {
        let source = source.replace('\'', "''");
        let text =
            format!("worker: LoanWorker\noutput: {{ root: {root} }}\n{sections}source: {{ url: '{source}'{WORKER}");
        self.filegen.write(file, &text);
    }

    /// Writes a worker file.
    pub fn worker(&self, file: &str, sections: &str) {
        self.write(file, &self.source, "out", sections);
    }

    /// Writes a worker file that reaches the loans by another address.
    pub fn worker_over(&self, file: &str, source: &str, sections: &str) {
        self.write(file, source, "out", sections);
    }

    /// Starts a daemon, with failure points set as `FAILPOINTS` says.
    pub fn daemon(&self, file: &str, failpoints: &str) -> Daemon {
        let mut command = self.filegen.command(&format!("daemon -vv -c {file} --health-port 0"));
        Daemon::of(command.env("FAILPOINTS", failpoints))
    }

    /// The files that are published of a run are those of a run that nothing disturbs.
    #[track_caller]
    pub fn is_undisturbed(&self, run: &RunId) {
        self.filegen.run(&format!("run -c alone.yaml --date {}", run.date)).exits(0);
        let (made, alone) = (self.files("out", run), self.files("alone", run));
        assert_eq!(made.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>(), "{run}");
        assert_eq!(made.len(), 4, "{run}");
        for (name, bytes) in &made {
            assert!(alone.get(name) == Some(bytes), "{name} is not what an undisturbed run makes");
        }
    }

    /// The visible files of a run, without the manifest.
    fn files(&self, root: &str, run: &RunId) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.filegen.path(root)).expect("the folder is there").map(Result::unwrap);
        let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
        let date = run.date.compact();
        named
            .filter(|(name, _)| name.contains(&date) && !name.ends_with(".manifest.json"))
            .map(|(name, path)| (name, fs::read(path).expect("the file is there")))
            .collect()
    }

    /// The tokens under which pages of a published run were read.
    pub fn terms(&self, run: &RunId) -> Vec<u64> {
        let text = self.filegen.read(&format!("out/{}_{}.manifest.json", run.worker, run.date.compact()));
        let manifest: Value = serde_json::from_str(&text).expect("it is JSON");
        serde_json::from_value(manifest["readMode"]["terms"].clone()).expect("a list of tokens")
    }

    /// The folder that the holder of a token writes in.
    pub fn staging(&self, run: &RunId, token: u64) -> std::path::PathBuf {
        let folder = format!("out/.filegen/{}/{}/t{token:08}", run.worker, run.date.compact());
        self.filegen.path(&folder)
    }
}

/// Waits until a run is published.
pub async fn published(runs: &dyn RunStore, run: &RunId) -> RunRecord {
    let what = format!("run {run}, published,");
    let is_published = |record: &RunRecord| record.status == RunStatus::Published;
    until_async(&what, async || runs.run(run).await.ok().flatten().filter(is_published)).await
}

/// Waits until all completion events are sent.
pub async fn all_sent(outbox: &dyn Outbox) {
    let unsent = async || outbox.pending(&key("LoanWorker")).await.ok().filter(|found| found.records.is_empty());
    until_async("an empty outbox", unsent).await;
}

/// Completion events by file and day: each has one correlation id, however often it was sent.
pub async fn events(completion: &Topic, outbox: &dyn Outbox) -> BTreeMap<(String, String), String> {
    all_sent(outbox).await;
    let count = usize::try_from(completion.length().await).unwrap();
    let mut ids = BTreeMap::new();
    for (key, value) in completion.read(count).await {
        let event: Value = serde_json::from_str(&value).unwrap();
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        assert_eq!((text("workerId"), text("fileId")), ("LoanWorker".to_owned(), key));
        let file = (text("fileId"), text("businessDate"));
        let before = ids.insert(file.clone(), text("correlationId"));
        assert!(before.is_none_or(|before| before == text("correlationId")), "{file:?} under another id: {event}");
    }
    ids
}

/// Waits until one of the daemons holds the lease under this token or a later one; which.
pub async fn holder(leases: &dyn LeaseStore, daemons: &[Daemon], token: u64) -> usize {
    let held = async || leases.read(&key("LoanWorker")).await.ok().flatten();
    let lease = until_async("a holder", async || {
        held().await.filter(|lease| lease.token.0 >= token && lease.released.is_none())
    });
    let lease = lease.await;
    daemons.iter().position(|daemon| daemon.took(&lease)).unwrap_or_else(|| panic!("{lease:?} is not ours"))
}

/// The page that a line of a daemon's log says is durable.
pub fn durable_page(line: &str) -> Option<u64> {
    let rest = line.contains("msg=\"progress updated\"").then(|| line.split(" page=").nth(1))??;
    rest.split(' ').next()?.parse().ok()
}

/// All that is written below a folder, as it stands now: kept open, so that what is written later is seen even when the
/// files are gone from there.
pub struct Watched(Vec<fs::File>);

impl Watched {
    pub fn folder(folder: &Path) -> Self {
        let files = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.unwrap().path());
        Self(files.map(|path| fs::File::open(path).expect("it is there")).collect())
    }

    /// When anything was written last.
    pub fn written(&self) -> jiff::Timestamp {
        let times = self.0.iter().map(|file| file.metadata().and_then(|data| data.modified()).expect("a local file"));
        times.max().and_then(|last| jiff::Timestamp::try_from(last).ok()).expect("a time of our days")
    }
}
