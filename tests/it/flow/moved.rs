//! Views that move at a chosen call of their source, and calls that never come back: what the holder does about its first record,
//! about a fault, and about a stop.

use super::rig::Rig;
use crate::support::running::PATIENCE;
use crate::support::term;
use async_trait::async_trait;
use filegen::adapters::layer::hooked::{Change, Hook};
use filegen::adapters::memory::source::{Cell, MemorySource};
use filegen::core::generate::{GenerateError, Job, Outcome, generate};
use filegen::core::kind::{FailureKind, HasKind};
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::finding::Finding;
use filegen::core::model::key::Key;
use filegen::core::model::names::ViewName;
use filegen::core::model::sql::Relation;
use filegen::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use filegen::core::ports::volume::VolumeError;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const WORKER: &str = r#"
worker: LoanWorker
source: { url: "sqlite:loans.db", view: v_Loans, key: [LoanId], page_size: 2 }
output: { root: out }
commit: { pages: 1 }
files:
  - id: Loan0
    name: "loan0_{date}.txt"
    progress_header: false
    first_record: "H{{ rows }};{{ sum.Amount }}"
    translator: { delimited: { delimiter: "|", columns: [LoanId, Amount] } }
  - id: Loan1
    name: "loan1_{date}.csv"
    translator: { delimited: { delimiter: ",", columns: [Amount] } }
"#;

/// What happens at a call, by its name and how often it was made before.
type Script = Box<dyn Fn(&MemorySource, &'static str, u64) -> Does + Send + Sync>;

#[derive(PartialEq)]
enum Does {
    /// The call is answered.
    Goes,
    /// It never is.
    Hangs,
}

struct Scripted {
    inner: MemorySource,
    script: Script,
    calls: Mutex<BTreeMap<&'static str, u64>>,
}

impl Scripted {
    fn calls(&self, name: &'static str) -> u64 {
        self.calls.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    async fn call(&self, name: &'static str) {
        let number = self.calls(name);
        self.calls.lock().unwrap().insert(name, number + 1);
        if (self.script)(&self.inner, name, number) == Does::Hangs {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl PageSource for Scripted {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        self.call("columns").await;
        self.inner.columns(view).await
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        self.call("extent").await;
        self.inner.extent(query).await
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        self.call("extent after").await;
        self.inner.extent_after(query, until).await
    }

    async fn open(&self, query: &Query, from: &Position, to: Option<&Key>) -> Result<Box<dyn PageStream>, SourceError> {
        self.call("open").await;
        self.inner.open(query, from, to).await
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        self.inner.examine(query).await
    }
}

fn view() -> ViewName {
    ViewName::parse("v_Loans").unwrap()
}

/// Seven loans of which the last has this amount; without one, no loans.
fn put(source: &MemorySource, last: Option<i64>) {
    let columns = ["LoanId", "Amount"].map(|name| Column { name: name.to_owned(), kind: Kind::Int });
    let amounts = last.map(|last| [1, 2, 3, 4, 5, 6, last]).into_iter().flatten();
    let rows = (1..).zip(amounts).map(|(id, amount)| vec![Cell::Int(id), Cell::Int(amount)]);
    source.put(&view(), columns.into(), rows.collect());
}

fn rig(worker: &str, last: Option<i64>, script: Script) -> (Rig, Arc<Scripted>) {
    let inner = MemorySource::default();
    put(&inner, last);
    let source = Arc::new(Scripted { inner, script, calls: Mutex::default() });
    (Rig::of(Arc::clone(&source) as Arc<dyn PageSource>, worker), source)
}

/// Generates with a stop of its own, and fails where that hangs.
async fn ends(rig: &Rig, stop: CancellationToken, hook: Option<Arc<dyn Hook>>) -> Result<Outcome, GenerateError> {
    let job = Job { stop, ..rig.job() };
    let term = term(1);
    let generated = async {
        match hook {
            Some(hook) => rig.generate_hooked(&term, hook).await,
            None => generate(&rig.ports, &job, &term).await,
        }
    };
    timeout(PATIENCE, generated).await.expect("it ends without an answer of the source")
}

#[tokio::test]
async fn an_untrue_first_record_is_made_again_by_the_same_holder() {
    // Each read opens the view twice: for the totals, then for the pages. The amount changes in between.
    for changes in [1, 2] {
        let script: Script = Box::new(move |source, call, number| {
            if call == "open" && number % 2 == 1 && number / 2 < changes {
                put(source, Some(100 + number.cast_signed()));
            }
            Does::Goes
        });
        let (rig, source) = rig(WORKER, Some(7), script);
        let Outcome::Published(manifest) = rig.generate(&term(1)).await.unwrap() else { panic!("{changes}") };
        let total = 21 + 100 + (changes * 2 - 1).cast_signed();
        assert_eq!(manifest.files[0].control_totals["Amount"], total.to_string(), "{changes}");
        let text = String::from_utf8(rig.read("loan0_20261121.txt").await).unwrap();
        assert!(text.starts_with(&format!("H7;{total}\n1|1\n")), "{changes}: {text}");
        assert_eq!((source.calls("open"), manifest.pages, manifest.source_rows), (2 * changes + 2, 4, 7), "{changes}");
    }
}

#[tokio::test]
async fn a_first_record_that_is_untrue_each_time_ends_the_run_as_bad_data() {
    let script: Script = Box::new(|source, call, number| {
        if call == "open" {
            put(source, Some(number.cast_signed()));
        }
        Does::Goes
    });
    let (rig, source) = rig(WORKER, Some(7), script);
    for holder in [1, 2] {
        let error = rig.generate(&term(holder)).await.unwrap_err();
        assert_eq!((error.kind(), source.calls("open")), (FailureKind::Data, 6 * holder), "{error}");
        let told = error.to_string();
        assert!(told.contains("file Loan0: the view moved") && told.contains("last_record"), "{told}");
    }
    assert!(rig.published().await.is_empty());
}

#[tokio::test]
async fn totals_of_other_rows_than_counted_are_read_again_before_any_page() {
    for (times, works) in [(1, true), (2, true), (u64::MAX, false)] {
        // A row goes between the count and the totals, and is back for the next count.
        let script: Script = Box::new(move |source, call, number| {
            match call {
                "extent" => put(source, Some(7)),
                "open" if number < times => source.delete(&view(), |row| row[0] == Cell::Int(4)),
                _ => {}
            }
            Does::Goes
        });
        let (rig, source) = rig(WORKER, Some(7), script);
        match rig.generate(&term(1)).await {
            Ok(Outcome::Published(manifest)) if works => {
                assert_eq!((manifest.source_rows, source.calls("extent")), (7, times + 1));
                assert_eq!(source.calls("open"), times + 2, "the pages are read once");
            }
            Err(error) if !works => {
                assert_eq!((error.kind(), source.calls("open")), (FailureKind::Data, 3), "{error}");
                assert!(
                    error.to_string().contains("had 7 rows") && error.to_string().contains("and 6 when"),
                    "{error}"
                );
            }
            other => panic!("{times}: {other:?}"),
        }
    }
}

/// Lets the last page's commit wait for the last count to be asked for, and refuses it then.
struct Refusing {
    asked: CancellationToken,
    /// Pages so far.
    pages: AtomicU64,
}

#[async_trait]
impl Hook for Refusing {
    async fn before(&self, Change { operation, path, offset }: Change<'_>) -> Result<(), VolumeError> {
        if operation == "write"
            && path.ends_with("Loan1")
            && offset > 0
            && self.pages.fetch_add(1, Ordering::Relaxed) == 3
        {
            self.asked.cancelled().await;
            return Err(VolumeError::Full { path: path.to_owned(), reason: "no room".to_owned() });
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_fault_waits_for_no_count() {
    let asked = CancellationToken::new();
    let now = asked.clone();
    let script: Script = Box::new(move |_, call, _| {
        if call != "extent after" {
            return Does::Goes;
        }
        now.cancel();
        Does::Hangs
    });
    // The count begins when the last page is read, and that page's commit finds the disk full.
    let (rig, source) = rig(WORKER, Some(7), script);
    let ended =
        ends(&rig, CancellationToken::new(), Some(Arc::new(Refusing { asked, pages: AtomicU64::new(0) }))).await;
    assert!(matches!(ended, Err(GenerateError::Volume(VolumeError::Full { .. }))), "{ended:?}");
    assert_eq!(source.calls("extent after"), 1);
}

#[tokio::test]
async fn a_stop_is_heard_while_an_empty_views_columns_are_asked_for() {
    let stop = CancellationToken::new();
    let now = stop.clone();
    let script: Script = Box::new(move |_, call, _| {
        if call == "columns" {
            now.cancel();
            return Does::Hangs;
        }
        Does::Goes
    });
    let worker = WORKER.replace("first_record", "last_record");
    let (rig, source) = rig(&worker, None, script);
    let ended = ends(&rig, stop, None).await;
    assert_eq!((ended.unwrap(), source.calls("columns")), (Outcome::Stopped { page: 0 }, 1));
}

#[tokio::test]
async fn a_stop_behind_a_discarded_journal_names_no_page() {
    let stop = CancellationToken::new();
    let now = stop.clone();
    let script: Script = Box::new(move |source, call, number| {
        match call {
            "open" if number == 1 => put(source, Some(9)),
            "extent" if number == 1 => {
                now.cancel();
                return Does::Hangs;
            }
            _ => {}
        }
        Does::Goes
    });
    let (rig, _) = rig(WORKER, Some(7), script);
    assert_eq!(ends(&rig, stop, None).await.unwrap(), Outcome::Stopped { page: 0 });
    // The next holder begins with the first page, and its totals are true.
    let Outcome::Published(manifest) = rig.generate(&term(2)).await.unwrap() else { panic!("published") };
    assert_eq!((manifest.read_mode.terms.clone(), manifest.files[0].rows), (vec![2], 7));
}
