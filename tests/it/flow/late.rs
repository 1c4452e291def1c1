//! A holder that was replaced while an effect of it was under way: it is told so, and not that the volume is broken.

use crate::support::term;
use async_trait::async_trait;
use filegen::Registry;
use filegen::adapters::memory::clock::MemoryClock;
use filegen::adapters::memory::source::{Cell, MemorySource};
use filegen::adapters::memory::state::MemoryState;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::core::generate::takeover::{fence, remove};
use filegen::core::generate::{GenerateError, Job, Ports, Start, generate};
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::term::Term;
use filegen::core::ports::observer::Unobserved;
use filegen::core::ports::volume::{Entry, Volume, VolumeError, VolumeFile};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const WORKER: &str = r#"
worker: LoanWorker
source: { url: "sqlite:loans.db", view: v_Loans, key: [LoanId] }
output: { root: out }
files:
  - id: Loan0
    name: "loan0_{date}.txt"
    translator: { delimited: { delimiter: "|", columns: [LoanId] } }
"#;

/// A volume on which another holder takes over in the moment before a file gets its final name.
struct Replacing {
    volume: Arc<MemoryVolume>,
    other: Ports,
    run: RunId,
}

#[async_trait]
impl Volume for Replacing {
    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let newer = crate::support::term(9);
        for dead in fence(&self.other, &self.run, &newer).await.unwrap() {
            remove(&self.other, &dead, &newer).await.unwrap();
        }
        self.volume.link(term, from, to).await
    }

    fn describe(&self) -> String {
        self.volume.describe()
    }
    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.volume.make_dir(term, path).await
    }
    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.volume.make_dirs(term, path).await
    }
    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.volume.create(term, path).await
    }
    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.volume.open(path).await
    }
    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        self.volume.copy_prefix(term, from, to, bytes).await
    }
    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        self.volume.rename(term, from, to).await
    }
    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.volume.unlink(term, path).await
    }
    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.volume.remove_dir(term, path).await
    }
    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.volume.sync_dir(term, path).await
    }
    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.volume.make_read_only(term, path).await
    }
    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        self.volume.list(path).await
    }
    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        self.volume.stat(path).await
    }
    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        self.volume.free_bytes().await
    }
}

#[tokio::test]
async fn an_effect_that_finds_a_tombstone_means_that_the_lease_is_lost() {
    let loaded = filegen::config::parse(WORKER, Path::new("/worker.yaml"), &(), &Registry::default()).unwrap();
    let worker = Arc::new(loaded.worker);
    let run = RunId { worker: worker.id.clone(), date: BusinessDate(jiff::civil::date(2026, 11, 21)) };
    let source = MemorySource::default();
    let columns = vec![Column { name: "LoanId".to_owned(), kind: Kind::Int }];
    source.put(&worker.source.view, columns, vec![vec![Cell::Int(7)]]);
    let (state, volume) = (Arc::new(MemoryState::default()), Arc::new(MemoryVolume::default()));
    let other = Ports {
        source: Arc::new(source),
        volume: volume.clone(),
        leases: state.clone(),
        runs: state,
        clock: Arc::new(MemoryClock::starting_at(jiff::Timestamp::UNIX_EPOCH)),
    };
    let ports = Ports { volume: Arc::new(Replacing { volume, other: other.clone(), run: run.clone() }), ..other };
    let job = Job {
        worker,
        run,
        registry: Arc::new(Registry::default()),
        start: Start::Resume,
        stop: CancellationToken::new(),
        observer: Arc::new(Unobserved),
    };
    let late = term(3);
    let ended = generate(&ports, &job, &late).await;
    assert!(matches!(ended, Err(GenerateError::TermEnded(_))), "{ended:?}");
    assert!(late.check().is_err());
    assert!(ports.volume.stat("loan0_20261121.txt").await.unwrap().is_none(), "nothing became visible");
}
