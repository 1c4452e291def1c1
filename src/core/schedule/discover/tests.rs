//! Discovery over folders in memory, with a clock that tests move.

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::folders::MemoryFolders;
use crate::adapters::memory::state::MemoryState;
use crate::core::model::data_source::{Misfire, Overlap};
use crate::core::model::names::LeaseKey;
use crate::core::model::schedule::{Cause, Execution, Outcome, ScheduleId};
use crate::core::model::term::{Term, Token};
use crate::core::ports::outbox::{Outbox, OutboxEntry};
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
        let event = OutboxEntry {
            id: crate::core::ports::outbox::OutboxId::new("x/1"),
            key: String::new(),
            payload: Vec::new(),
        };
        DataSources::create(&state, &source, &event).await.unwrap();
        let clock = MemoryClock::starting_at(at(100));
        Self { state, folders: MemoryFolders::default(), clock, told: Arc::default(), source }
    }

    fn write(&self, path: &str, content: &str) {
        self.folders.write(Path::new("/data/in").join(path), content.as_bytes(), self.clock.now());
    }

    fn discovery(&self) -> Discovery {
        let told = Arc::clone(&self.told);
        Discovery {
            sources: Arc::new(self.state.clone()),
            ledger: Arc::new(self.state.clone()),
            folders: Arc::new(self.folders.clone()),
            roots: Roots { base: "/".into(), roots: vec!["/data".into()] },
            stable_for: Duration::from_secs(2),
            max_size: 1 << 30,
            look_within: Duration::from_hours(1),
            has_topic: true,
            clock: Arc::new(self.clock.clone()),
            wake: Arc::default(),
            observer: Arc::new(move |file: &FileDiscovered| told.lock().unwrap().push(file.path.clone())),
        }
    }

    async fn fire(&self) -> Result<Done, ActionError> {
        let schedule = record::created(&self.source, &Settings::default(), self.clock.now());
        let id = ScheduleId::new("s");
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
    assert!(note.contains("1 files are not ready") && note.contains("1 files vanished"), "{note}");
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
    let Err(ActionError::Failed { reason }) = rig.fire().await else { panic!("it is not there") };
    assert!(reason.contains("/data/in is not there"), "{reason}");
    let rig = Rig::new(|source| source.path = "/etc".to_owned()).await;
    let Err(ActionError::Failed { reason }) = rig.fire().await else { panic!("it is outside") };
    assert!(reason.contains("none of the roots"), "{reason}");
}
