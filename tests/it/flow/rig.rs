//! A worker of two files over three pages in memory, and its generation under any token.

use filegen::Registry;
use filegen::adapters::layer::hooked::{Hook, Hooked};
use filegen::adapters::memory::clock::MemoryClock;
use filegen::adapters::memory::source::{Cell, MemorySource};
use filegen::adapters::memory::state::MemoryState;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::core::generate::run::{Identity, RunError, RunResult, execute};
use filegen::core::generate::{GenerateError, Job, Outcome, Ports, Start, generate};
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::names::{InstanceId, ViewName};
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::term::Term;
use filegen::core::ports::clock::Clock;
use filegen::core::ports::observer::Unobserved;
use filegen::core::ports::source::PageSource;
use filegen::core::ports::state::StateStore;
use filegen::core::ports::volume::EntryKind;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const WORKER: &str = r#"
worker: LoanWorker
source: { url: "sqlite:loans.db", VIEW, page_size: 2 }
output: { root: out }
commit: { pages: 1 }
files:
  - id: Loan0
    name: "loan0_{date}.txt"
    translator: { delimited: { delimiter: "|", columns: [LoanId, Name] } }
  - id: Loan1
    name: "loan1_{date}.csv"
    translator: { delimited: { delimiter: ",", columns: [Name] } }
"#;

pub struct Rig {
    pub ports: Ports,
    job: Job,
}

impl Rig {
    /// Needs a tokio runtime, for its clock.
    pub fn new() -> Self {
        Self::reading("")
    }

    /// With more settings of how to read.
    pub fn reading(more: &str) -> Self {
        let source = MemorySource::default();
        let columns = [("LoanId", Kind::Int), ("Name", Kind::Text)];
        let columns = columns.map(|(name, kind)| Column { name: name.to_owned(), kind });
        let rows = (1..=6).map(|id| vec![Cell::Int(id), Cell::Text(format!("name {id}"))]);
        source.put(&ViewName::parse("v_Loans").unwrap(), columns.into(), rows.collect());
        Self::over(Arc::new(source), &format!("view: v_Loans, key: [LoanId]{more}"))
    }

    /// Over another view, as the worker file has it.
    pub fn over(source: Arc<dyn PageSource>, view: &str) -> Self {
        Self::of(source, &WORKER.replace("VIEW", view))
    }

    /// With another worker file.
    pub fn of(source: Arc<dyn PageSource>, text: &str) -> Self {
        Self::with(source, text, &Registry::default())
    }

    /// With another worker file and translators of its own.
    pub fn with(source: Arc<dyn PageSource>, text: &str, registry: &Registry) -> Self {
        let loaded = filegen::config::parse(text, Path::new("/worker.yaml"), &(), registry).unwrap();
        let worker = loaded.into_worker().unwrap();
        let state = Arc::new(MemoryState::default());
        let ports = Ports {
            source,
            volume: Arc::new(MemoryVolume::default()),
            state: StateStore::of(state),
            clock: Arc::new(MemoryClock::starting_at(jiff::Timestamp::UNIX_EPOCH)),
        };
        let job = Job {
            edition: filegen::core::generate::Edition::default(),
            run: RunId { worker: worker.id.clone(), date: BusinessDate(jiff::civil::date(2026, 11, 21)) },
            worker,
            registry: Arc::new(Registry::default()),
            start: Start::Resume,
            stop: CancellationToken::new(),
            observer: Arc::new(Unobserved),
        };
        Self { ports, job }
    }

    pub fn run(&self) -> &RunId {
        &self.job.run
    }

    /// The same job for another process.
    pub fn job(&self) -> Job {
        let Job { worker, run, registry, start, stop, observer, edition } = &self.job;
        Job {
            edition: edition.clone(),
            worker: Arc::clone(worker),
            run: run.clone(),
            registry: Arc::clone(registry),
            start: *start,
            stop: stop.clone(),
            observer: Arc::clone(observer),
        }
    }

    pub async fn generate(&self, term: &Term) -> Result<Outcome, GenerateError> {
        generate(&self.ports, &self.job, term).await
    }

    /// With a hook between the flow and the volume.
    pub async fn generate_hooked(&self, term: &Term, hook: Arc<dyn Hook>) -> Result<Outcome, GenerateError> {
        let volume = Arc::new(Hooked { volume: Arc::clone(&self.ports.volume), hook });
        generate(&Ports { volume, ..self.ports.clone() }, &self.job, term).await
    }

    /// As a process does it: with its own lease, under a clock, and with a hook between the flow and the volume.
    pub async fn execute_hooked(&self, clock: Arc<dyn Clock>, hook: Arc<dyn Hook>) -> Result<RunResult, RunError> {
        let volume = Arc::new(Hooked { volume: Arc::clone(&self.ports.volume), hook });
        let identity = Identity {
            instance: InstanceId::new("host:1"),
            nonce: Arc::new(|| "nonce".to_owned()),
            abort: Arc::new(|| ()),
        };
        execute(&Ports { volume, clock, ..self.ports.clone() }, &self.job, &identity, true).await
    }

    pub async fn read(&self, path: &str) -> Vec<u8> {
        self.ports.volume.open(path).await.unwrap().read_at(0, 1 << 20).await.unwrap()
    }

    /// All visible files but the manifest: name to bytes.
    pub async fn published(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in self.ports.volume.list("").await.unwrap() {
            if entry.kind == EntryKind::File && !entry.name.ends_with(".manifest.json") {
                files.insert(entry.name.clone(), self.read(&entry.name).await);
            }
        }
        files
    }
}
