//! Discovery over folders in memory, with a clock that tests move.

use super::*;
use crate::adapters::memory::arrivals::MemoryArrivals;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::folders::MemoryFolders;
use crate::adapters::memory::handover::MemoryHandover;
use crate::adapters::memory::state::MemoryState;
use crate::core::model::data_source::{Misfire, Overlap};
use crate::core::model::names::LeaseKey;
use crate::core::model::schedule::{Cause, Execution, Outcome, ScheduleId};
use crate::core::model::term::{Term, Token};
use crate::core::ports::folders::{Folders as _, Pulse};
use crate::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use crate::core::schedule::action::Action as _;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::record;
use std::path::Path;
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

struct Rig {
    state: MemoryState,
    folders: MemoryFolders,
    clock: MemoryClock,
    told: Arc<Mutex<Vec<String>>>,
    source: DataSource,
    inlets: Vec<Inlet>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

impl Rig {
    async fn new(change: impl FnOnce(&mut DataSource)) -> Self {
        let mut source = DataSource {
            id: DataSourceId::new("s").unwrap(),
            name: "Loans".to_owned(),
            description: String::new(),
            path: "/data/in".to_owned(),
            pattern: "*.csv".to_owned(),
            recursive: false,
            cron_expression: "0 */2 * * * ?".to_owned(),
            zone: "UTC".to_owned(),
            calendar: None,
            is_active: true,
            overlap: Overlap::Skip,
            misfire: Misfire::FireOnce,
            action: Action::default(),
            dst: None,
            closed_day: None,
            deadline: None,
            pause_after_failures: None,
            version: 1,
            created_at: at(0),
            updated_at: at(0),
        };
        change(&mut source);
        let state = MemoryState::default();
        let event = OutboxEntry { id: OutboxId::new("x/1"), key: String::new(), payload: Vec::new() };
        DataSources::create(&state, &source, &event).await.unwrap();
        let clock = MemoryClock::starting_at(at(100));
        let folders = MemoryFolders::default();
        let inlet = Inlet {
            name: "sales".to_owned(),
            pattern: Pattern::parse("**/*.csv").unwrap(),
            max_size: 10,
            folder: Arc::new(MemoryHandover::new(&folders, Path::new("/transfer/in"))),
            arrivals: Arc::new(MemoryArrivals::default()),
        };
        Self { state, folders, clock, told: Arc::default(), source, inlets: vec![inlet] }
    }

    fn write(&self, path: &str, content: &str) {
        self.folders.write(Path::new("/data/in").join(path), content.as_bytes(), self.clock.now());
    }

    fn discovery(&self) -> Discovery {
        let told = Arc::clone(&self.told);
        Discovery {
            sources: Arc::new(self.state.clone()),
            ledger: Arc::new(self.state.clone()),
            looks: Arc::new(Looks::new(Arc::new(self.folders.clone()), Arc::new(self.clock.clone()))),
            roots: Roots { base: "/".into(), roots: vec!["/data".into()] },
            stable_for: Duration::from_secs(2),
            max_size: 1 << 30,
            look_within: Duration::from_hours(1),
            has_topic: true,
            inlets: self.inlets.clone(),
            clock: Arc::new(self.clock.clone()),
            wake: Arc::default(),
            observer: Arc::new(move |file: &FileDiscovered| told.lock().unwrap().push(file.path.clone())),
        }
    }

    async fn fire(&self) -> Result<Done, ActionError> {
        self.fire_for(&self.source).await
    }

    async fn fire_for(&self, source: &DataSource) -> Result<Done, ActionError> {
        let schedule = record::created(source, &Settings::default(), self.clock.now());
        let id = ScheduleId::new(source.id.as_str());
        let execution = Execution::new(&id, self.clock.now(), 1, Cause::Due, Outcome::Running);
        let term = Term::new(Token(1), Duration::MAX, Arc::new(|| Duration::ZERO));
        let firing = Firing { schedule, execution, term, stop: CancellationToken::new() };
        self.discovery().run(&firing).await
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

fn counts(done: &Done) -> (u64, u64) {
    (done.files_seen, done.files_new)
}

#[tokio::test(start_paused = true)]
async fn a_version_of_a_file_is_told_once_and_new_content_again() {
    let rig = Rig::new(|_| {}).await;
    rig.write("b.csv", "1");
    rig.write("a.csv", "1");
    rig.write("c.txt", "1");
    rig.write("deep/d.csv", "1");
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 2));
    assert_eq!(rig.told(), ["/data/in/a.csv", "/data/in/b.csv"], "in the order of their paths");
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 0));
    // Written again with the same content: known. With new content under the old name: new. With the content of before: known.
    rig.write("a.csv", "1");
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 0));
    rig.write("a.csv", "2");
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 1));
    rig.write("a.csv", "1");
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 0));
    assert_eq!(rig.told(), ["/data/in/a.csv"]);
    let waiting = rig.state.pending(&LeaseKey::new(DISCOVERED).unwrap()).await.unwrap().records;
    assert_eq!(waiting.len(), 3);
    let event: serde_json::Value = serde_json::from_slice(&waiting[0].payload).unwrap();
    for field in
        ["eventId", "eventType", "dataSourceId", "path", "size", "sha256", "modifiedAt", "discoveredAt", "executionId"]
    {
        assert!(!event[field].is_null(), "{field}: {event}");
    }
    assert_eq!((event["eventType"].as_str(), waiting[0].key.as_str()), (Some("FileDiscoveredEvent"), "s"));
}

#[tokio::test(start_paused = true)]
async fn files_of_another_folder_are_told_and_those_of_the_folders_before_stay_known() {
    let mut rig = Rig::new(|source| source.recursive = true).await;
    // The same names, content and times in both folders.
    for path in ["in/a.csv", "in/deep/b.csv", "out/a.csv", "out/deep/b.csv"] {
        rig.folders.write(Path::new("/data").join(path), b"1", rig.clock.now());
    }
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 2));
    assert_eq!(rig.told(), ["/data/in/a.csv", "/data/in/deep/b.csv"]);
    for (path, told) in [
        ("/data/out", &["/data/out/a.csv", "/data/out/deep/b.csv"][..]),
        // There and back, a folder above and one below, and the same in other words.
        ("/data/in", &[]),
        ("/data/out", &[]),
        ("/data/in/deep", &[]),
        ("/data/out/deep/", &[]),
        ("/data", &[]),
        ("in", &[]),
    ] {
        rig.source = DataSource { path: path.to_owned(), version: rig.source.version + 1, ..rig.source.clone() };
        let event = OutboxEntry { id: OutboxId::new(format!("x/{path}")), key: String::new(), payload: Vec::new() };
        rig.state.replace(&rig.source, &event).await.unwrap();
        assert_eq!(rig.fire().await.unwrap().files_new, told.len() as u64, "{path}");
        assert_eq!(rig.told(), told, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_under_two_data_sources_is_told_once_by_each() {
    let rig = Rig::new(|_| {}).await;
    let other = DataSource {
        id: DataSourceId::new("t").unwrap(),
        name: "All".to_owned(),
        path: "/data".to_owned(),
        pattern: "**/*.csv".to_owned(),
        ..rig.source.clone()
    };
    let event = OutboxEntry { id: OutboxId::new("x/2"), key: String::new(), payload: Vec::new() };
    DataSources::create(&rig.state, &other, &event).await.unwrap();
    rig.write("a.csv", "1");
    // Both look at the same time, and again.
    for new in [1, 0] {
        let (one, two) = tokio::join!(rig.fire(), rig.fire_for(&other));
        assert_eq!((counts(&one.unwrap()), counts(&two.unwrap())), ((1, new), (1, new)));
    }
    let waiting = rig.state.pending(&LeaseKey::new(DISCOVERED).unwrap()).await.unwrap().records;
    let told: Vec<serde_json::Value> =
        waiting.iter().map(|entry| serde_json::from_slice(&entry.payload).unwrap()).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((&told[0]["path"], &told[0]["sha256"]), (&told[1]["path"], &told[1]["sha256"]));
    assert_ne!(told[0]["eventId"], told[1]["eventId"], "each under an id of its own");
    // One of them tells what the other one has told, when the file has new content.
    rig.write("a.csv", "2");
    assert_eq!(counts(&rig.fire_for(&other).await.unwrap()), (1, 1));
    assert_eq!(counts(&rig.fire().await.unwrap()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_written_is_not_told_until_it_holds_still() {
    let rig = Rig::new(|_| {}).await;
    rig.write("still.csv", "1");
    rig.write("grows.csv", "1");
    rig.write("goes.csv", "1");
    let (done, ()) = tokio::join!(rig.fire(), async {
        rig.clock.sleep(Duration::from_secs(1)).await;
        rig.write("grows.csv", "12");
        rig.folders.remove(Path::new("/data/in/goes.csv"));
    });
    let done = done.unwrap();
    assert_eq!(counts(&done), (3, 1));
    let note = done.note.unwrap();
    assert!(note.contains("1 file not ready: ") && note.contains("1 file vanished "), "{note}");
    assert_eq!(rig.told(), ["/data/in/still.csv"]);
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_its_writer_marks_waits() {
    let rig = Rig::new(|source| {
        source.pattern = "**".to_owned();
        source.action = Action::Discover(Discover { stable_for: None, done_file: Some("{stem}.done".to_owned()) });
    })
    .await;
    rig.write("a.csv", "1");
    rig.write("a.done", "");
    rig.write("b.csv", "1");
    rig.write("c.csv", "1");
    rig.write("c.csv.part", "1");
    rig.write("c.done", "");
    rig.write("d.tmp", "1");
    let done = rig.fire().await.unwrap();
    assert_eq!(rig.told(), ["/data/in/a.csv"]);
    assert_eq!(counts(&done), (3, 1));
    rig.folders.remove(Path::new("/data/in/c.csv.part"));
    rig.write("b.done", "");
    rig.fire().await.unwrap();
    assert_eq!(rig.told(), ["/data/in/b.csv", "/data/in/c.csv"]);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_not_there_is_an_outcome() {
    let rig = Rig::new(|source| source.recursive = true).await;
    let Err(ActionError::Failed { reason, .. }) = rig.fire().await else { panic!("it is not there") };
    assert!(reason.contains("/data/in is not there"), "{reason}");
    let rig = Rig::new(|source| source.path = "/etc".to_owned()).await;
    let Err(ActionError::Failed { reason, .. }) = rig.fire().await else { panic!("it is outside") };
    assert!(reason.contains("none of the roots"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_new_version_is_brought_to_a_transfer_once_and_one_that_finds_its_name_taken_comes_later() {
    let rig = Rig::new(|source| {
        source.action = Action::Transfer("sales".to_owned());
        source.pattern = "**/*".to_owned();
    })
    .await;
    let there = async |path: &str| {
        let read = rig.folders.read(Path::new("/transfer/in"), path, &Pulse::default()).await;
        read.map(|content| content.size).ok()
    };
    let taken = |path: &str| rig.folders.remove(&Path::new("/transfer/in").join(path));
    rig.write("a.csv", "1");
    rig.write("deep/b.csv", "12");
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 2));
    assert_eq!((there("a.csv").await, there("deep/b.csv").await), (Some(1), Some(2)));
    assert!(
        rig.state.pending(&LeaseKey::new(DISCOVERED).unwrap()).await.unwrap().records.is_empty(),
        "no topic hears of it"
    );
    // The transfer has taken one: it is not brought again. The other one lies there still.
    taken("a.csv");
    rig.write("deep/b.csv", "123");
    let reason = rig.fire().await.unwrap_err().to_string();
    assert!(reason.contains("deep/b.csv waits") && reason.contains("0 of 2"), "{reason}");
    assert_eq!((there("a.csv").await, there("deep/b.csv").await), (None, Some(2)));
    taken("deep/b.csv");
    assert_eq!(counts(&rig.fire().await.unwrap()), (2, 1));
    assert_eq!(there("deep/b.csv").await, Some(3));
    // What the transfer does not take is told, and stays where it is.
    rig.write("c.txt", "1");
    rig.write("large.csv", "12345678901");
    let reason = rig.fire().await.unwrap_err().to_string();
    assert!(reason.contains("c.txt is not taken") && reason.contains("max_size"), "{reason}");
    assert_eq!((there("c.txt").await, there("large.csv").await), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_is_not_served_fails_the_execution_and_says_what_to_do() {
    let rig = Rig::new(|source| source.action = Action::Transfer("gone".to_owned())).await;
    rig.write("a.csv", "1");
    let reason = rig.fire().await.unwrap_err().to_string();
    assert!(reason.contains("no transfer gone") && reason.contains("`-c`"), "{reason}");
}
