//! The outbox is emptied in order, whatever the broker does.

use super::*;
use crate::adapters::memory::broker::MemoryBroker;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use crate::core::model::event::CompletionEvent;
use crate::core::model::message::Received;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::query::ReadMode;
use crate::core::model::run::BusinessDate;
use crate::core::model::run::RunId;
use crate::core::model::term::{Term, Token};
use crate::core::ports::runs::RunStore;
use crate::core::ports::runs::{Announcement, FileState, FileStatus};
use crate::core::ports::store::Found;
use jiff::Timestamp;
use std::sync::Mutex;

/// The broker's only topic.
const TOPIC: &str = "file-events";

fn broker() -> MemoryBroker {
    let broker = MemoryBroker::default();
    broker.create(TOPIC, 1);
    broker
}

/// The correlation ids of the events that the broker has, in their order.
fn got(broker: &MemoryBroker) -> Vec<String> {
    let id = |message: Received| {
        let event: CompletionEvent = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(message.key.as_deref(), Some(event.file_id.as_bytes()));
        event.correlation_id
    };
    broker.messages(TOPIC, 0).into_iter().map(id).collect()
}

fn key() -> LeaseKey {
    (&run().worker).into()
}

fn run() -> RunId {
    let date = BusinessDate(jiff::civil::date(2026, 11, 21));
    RunId { worker: WorkerId::new("LoanWorker").unwrap(), date }
}

fn event(file: &str) -> CompletionEvent {
    CompletionEvent {
        version: 1,
        reason: None,
        replaced: None,
        worker_id: "LoanWorker".to_owned(),
        file_id: file.to_owned(),
        event_type: None,
        completed_at: String::new(),
        total_rows: 1,
        correlation_id: format!("LoanWorker:{file}:1"),
        path: String::new(),
        bytes: 1,
        sha256: String::new(),
        business_date: "2026-11-21".to_owned(),
        read_mode: ReadMode {
            fetch: String::new(),
            isolation: String::new(),
            terms: vec![],
            source_moved: None,
            counted: true,
        },
    }
}

async fn publish(runs: &MemoryState, file: &str, second: i64) {
    let at = Timestamp::from_second(second).unwrap();
    let status = FileStatus {
        run: run(),
        file: FileId::new(file).unwrap(),
        state: FileState::Published,
        last_page: 1,
        rows: 1,
        started_at: at,
        completed_at: Some(at),
        token: Token(1),
        event: Some(Announcement { event: event(file), sent_at: None }),
    };
    let term = Term::new(Token(1), Duration::from_secs(1), Arc::new(|| Duration::ZERO));
    runs.save_file(&term, &status).await.unwrap();
}

fn publisher(runs: &Arc<MemoryState>, broker: &MemoryBroker, event: &Arc<Mutex<Vec<OutboxEvent>>>) -> OutboxPublisher {
    let event = Arc::clone(event);
    OutboxPublisher {
        owner: key(),
        look_every: LOOK_EVERY,
        has_turn: Arc::new(|| true),
        outbox: Arc::clone(runs) as Arc<dyn Outbox>,
        sink: Arc::new(broker.producer(TOPIC)),
        retry: RetrySpec::default(),
        clock: Arc::new(MemoryClock::starting_at(Timestamp::UNIX_EPOCH)),
        observer: Arc::new(move |told: &OutboxEvent| event.lock().unwrap().push(told.clone())),
    }
}

/// A store with two published files.
async fn two() -> Arc<MemoryState> {
    let runs = Arc::new(MemoryState::default());
    let at = Timestamp::UNIX_EPOCH;
    runs.request(&run(), "test", at).await.unwrap();
    publish(&runs, "Loan1", 1).await;
    publish(&runs, "Loan0", 2).await;
    runs
}

#[tokio::test(start_paused = true)]
async fn who_has_no_turn_sends_nothing_and_begins_when_it_has_one() {
    let (runs, broker, event) = (two().await, broker(), Arc::default());
    let turn = Arc::new(std::sync::atomic::AtomicI32::new(0));
    let asked = Arc::clone(&turn);
    // Of so many questions that it has a turn, one is asked before the look and one before each message.
    let has_turn = Arc::new(move || asked.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) > 0);
    let publisher = OutboxPublisher { has_turn, ..publisher(&runs, &broker, &event) };
    assert_eq!(publisher.send_waiting().await.unwrap(), 0);
    assert!(got(&broker).is_empty());
    // It loses its turn behind the first one.
    turn.store(2, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(publisher.send_waiting().await.unwrap(), 1);
    assert_eq!(got(&broker), ["LoanWorker:Loan1:1"]);
    let (wake, stop) = (Notify::new(), CancellationToken::new());
    let script = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(got(&broker).len(), 1);
        turn.store(i32::MAX, std::sync::atomic::Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(got(&broker), ["LoanWorker:Loan1:1", "LoanWorker:Loan0:1"]);
        stop.cancel();
    };
    tokio::join!(relay(&publisher, &wake, &stop), script);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_is_tried_until_it_takes_each_event_once_and_in_order() {
    let (runs, broker, event) = (two().await, broker(), Arc::default());
    broker.be_away(40);
    let publisher = publisher(&runs, &broker, &event);
    let (wake, stop) = (Notify::new(), CancellationToken::new());
    let script = async {
        while got(&broker).len() < 2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        // Told of another file, it sends that one at once; none comes twice.
        publish(&runs, "Loan2", 3).await;
        wake.notify_one();
        let start = tokio::time::Instant::now();
        while got(&broker).len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(start.elapsed() < Duration::from_millis(20));
        // Not told, as by another process, it looks by itself.
        publish(&runs, "Loan3", 4).await;
        tokio::time::sleep(LOOK_EVERY * 2).await;
        stop.cancel();
    };
    tokio::join!(relay(&publisher, &wake, &stop), script);
    assert_eq!(got(&broker), ["Loan1", "Loan0", "Loan2", "Loan3"].map(|file| format!("LoanWorker:{file}:1")));
    assert_eq!(runs.pending(&key()).await.unwrap().records, []);
    let event = event.lock().unwrap();
    let failing = event.iter().filter(|event| matches!(event, OutboxEvent::Failing { .. })).count();
    assert_eq!((failing, event.first()), (40, Some(&OutboxEvent::Waiting { events: 2 })));
}

#[tokio::test(start_paused = true)]
async fn a_person_may_send_an_event_again_and_that_is_kept() {
    let (runs, broker) = (two().await, broker());
    let sink = broker.producer(TOPIC);
    let clock = MemoryClock::starting_at(Timestamp::UNIX_EPOCH);
    let (id, loan0) = (run(), event("Loan0"));
    let entries = [OutboxEntry {
        id: OutboxId::new("LoanWorker:2026-11-21:Loan0"),
        key: "Loan0".to_owned(),
        payload: loan0.payload(),
    }];
    let about = format!("run {id}");
    let again = SendAgain { about: &about, entries: &entries, who: "ann at pod-1:7", reason: "INC-4711" };
    for _ in 0..2 {
        assert_eq!(send_again(&sink, &*runs, &*runs, &clock, &again).await, Ok(1));
    }
    assert_eq!(got(&broker), ["LoanWorker:Loan0:1"; 2]);
    let waiting = runs.pending(&key()).await.unwrap().records;
    assert_eq!(waiting.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["Loan1"]);
    let audits = runs.audits(9).await.unwrap().records;
    assert_eq!((audits.len(), audits[0].who.as_str(), audits[0].reason.as_str()), (2, "ann at pod-1:7", "INC-4711"));
    assert!(audits[0].detail == "run LoanWorker:2026-11-21, events of Loan0");
    broker.be_away(1);
    assert!(send_again(&sink, &*runs, &*runs, &clock, &again).await.is_err());
    assert_eq!(runs.audits(9).await.unwrap().records.len(), 3, "the try is kept too");
}

/// An outbox that shows two entries at a look, as stores show so many and no more; `stuck` takes no mark.
struct Pages {
    waiting: Mutex<Vec<OutboxEntry>>,
    stuck: &'static str,
    looks: Mutex<usize>,
}

#[async_trait::async_trait]
impl Outbox for Pages {
    async fn pending(&self, _: &LeaseKey) -> Result<Found<OutboxEntry>, StoreError> {
        *self.looks.lock().unwrap() += 1;
        let records = self.waiting.lock().unwrap().iter().take(2).cloned().collect();
        Ok(Found { records, odd: Vec::new() })
    }

    async fn mark_sent(&self, id: &OutboxId, _: Timestamp) -> Result<(), StoreError> {
        self.waiting.lock().unwrap().retain(|entry| entry.id != *id || id.as_str() == self.stuck);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_a_look_shows_is_sent_without_a_wait() {
    for (stuck, left, looks) in [("none", 0, 4), ("2", 1, 5)] {
        let entry =
            |id: usize| OutboxEntry { id: OutboxId::new(id.to_string()), key: "k".to_owned(), payload: b"{}".to_vec() };
        let pages = Pages { waiting: Mutex::new((1..=5).map(entry).collect()), stuck, looks: Mutex::new(0) };
        let (pages, broker, event) = (Arc::new(pages), broker(), Arc::default());
        let own = publisher(&Arc::new(MemoryState::default()), &broker, &event);
        let publisher = OutboxPublisher { outbox: Arc::clone(&pages) as Arc<dyn Outbox>, ..own };
        publisher.send_waiting().await.unwrap();
        let waiting = pages.waiting.lock().unwrap().len();
        assert_eq!(
            (waiting, *pages.looks.lock().unwrap()),
            (left, looks),
            "{stuck}: one that takes no mark is not sent for ever"
        );
    }
}
