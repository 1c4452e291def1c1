//! A broker that goes away and comes back, under the loops that the daemon runs.

use crate::support::kafka::{Broker, Topic};
use crate::support::outbox::fill;
use crate::support::state::{key, run, worker};
use filegen::adapters::kafka::{KafkaConsumer, KafkaProducer};
use filegen::adapters::memory::state::MemoryState;
use filegen::adapters::system_clock::SystemClock;
use filegen::core::generate::spec::{AcceptSpec, BusinessDateSpec, TriggerSpec};
use filegen::core::generate::trigger::{Listener, TriggerEvent, listen};
use filegen::core::model::calendar::Calendar;
use filegen::core::model::payload::Payload;
use filegen::core::model::policy::RetrySpec;
use filegen::core::outbox::{LOOK_EVERY, OutboxEvent, OutboxPublisher, relay};
use filegen::core::ports::dead_letters::DeadLetters;
use filegen::core::ports::outbox::Outbox;
use filegen::core::ports::runs::RunStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const RETRY: RetrySpec = RetrySpec {
    max_retries: 0,
    initial_backoff: Duration::from_millis(200),
    backoff_multiplier: 1.0,
    max_backoff: Duration::from_millis(200),
};

/// Longest wait for the broker, which starts anew in between.
const LONG: Duration = Duration::from_mins(2);

async fn event<T>(received: &mut mpsc::UnboundedReceiver<T>, wanted: impl Fn(&T) -> bool) -> T {
    let waiting = async {
        loop {
            let event = received.recv().await.expect("the loop goes on");
            if wanted(&event) {
                return event;
            }
        }
    };
    timeout(LONG, waiting).await.expect("news in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_for_a_broker_that_is_away_and_go_out_once_it_is_back() {
    let mut broker = tokio::task::spawn_blocking(Broker::start).await.unwrap();
    let topic = Topic::create_at(&broker.brokers(), 1).await;
    broker.stop();
    let runs = Arc::new(MemoryState::default());
    let id = run("LoanWorker", 21);
    fill(&*runs, &id, &["Loan0", "Loan1"]).await;
    let (sender, mut received) = mpsc::unbounded_channel();
    let publisher = OutboxPublisher {
        look_every: LOOK_EVERY,
        has_turn: Arc::new(|| true),
        owner: key("LoanWorker"),
        outbox: Arc::clone(&runs) as Arc<dyn Outbox>,
        sink: Arc::new(KafkaProducer::new(&topic.spec()).unwrap()),
        retry: RETRY,
        clock: Arc::new(SystemClock),
        observer: Arc::new(move |event: &OutboxEvent| drop(sender.send(event.clone()))),
    };
    let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let (loop_wake, loop_stop) = (Arc::clone(&wake), stop.clone());
    let running = tokio::spawn(async move { relay(&publisher, &loop_wake, &loop_stop).await });
    let failing = |event: &OutboxEvent| matches!(event, OutboxEvent::Failing { attempt: 2, .. });
    event(&mut received, failing).await;
    assert_eq!(runs.pending(&key("LoanWorker")).await.unwrap().records.len(), 2, "nothing is marked");
    let broker = tokio::task::spawn_blocking(move || {
        broker.again();
        broker
    });
    let _broker = broker.await.unwrap();
    for file in ["Loan0", "Loan1"] {
        let sent = event(&mut received, |event| matches!(event, OutboxEvent::Sent { .. })).await;
        assert!(matches!(&sent, OutboxEvent::Sent { entry } if entry.key == file), "{sent:?}");
    }
    assert_eq!(runs.pending(&key("LoanWorker")).await.unwrap().records, []);
    let keys: Vec<String> = topic.read(2).await.into_iter().map(|(key, _)| key).collect();
    assert!(keys.contains(&"Loan0".to_owned()), "{keys:?}");
    // What is published later goes out at once.
    fill(&*runs, &run("LoanWorker", 22), &["Loan0"]).await;
    wake.notify_one();
    event(&mut received, |event| matches!(event, OutboxEvent::Sent { .. })).await;
    stop.cancel();
    timeout(LONG, running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_goes_on_where_it_was_when_the_broker_is_back() {
    let mut broker = tokio::task::spawn_blocking(Broker::start).await.unwrap();
    let topic = Topic::create_at(&broker.brokers(), 1).await;
    let runs = Arc::new(MemoryState::default());
    let (sender, mut received) = mpsc::unbounded_channel();
    let listener = Listener {
        worker: worker("LoanWorker"),
        trigger: TriggerSpec { kafka: topic.spec(), matches: vec![("/dataset".to_owned(), "loans".into())] },
        dates: BusinessDateSpec {
            timezone: "UTC".to_owned(),
            pointer: "/businessDate".to_owned(),
            calendar: Calendar::Weekends.into(),
            accept: AcceptSpec { past_days: 4000, ..AcceptSpec::default() },
        },
        retry: RETRY,
        runs: Arc::clone(&runs) as Arc<dyn RunStore>,
        dead_letters: Arc::clone(&runs) as Arc<dyn DeadLetters>,
        clock: Arc::new(SystemClock),
        observer: Arc::new(move |event: &TriggerEvent| drop(sender.send(event.clone()))),
    };
    let stop = CancellationToken::new();
    let loop_stop = stop.clone();
    let mut source = KafkaConsumer::new(&topic.spec()).unwrap();
    let running = tokio::spawn(async move { listen(&listener, &mut source, &loop_stop).await });
    let day = |day: &str| format!(r#"{{"dataset":"loans","businessDate":"{day}"}}"#);
    let (first, second) = (day("2026-11-21"), day("2026-11-22"));
    topic.write(0, &[&first, "no JSON", &first, r#"{"dataset":"cards"}"#]).await;
    let requested = |event: &TriggerEvent| matches!(event, TriggerEvent::Requested { .. });
    event(&mut received, requested).await;
    event(&mut received, |event| matches!(event, TriggerEvent::Odd { .. })).await;
    event(&mut received, |event| matches!(event, TriggerEvent::Repeated { .. })).await;
    event(&mut received, |event| matches!(event, TriggerEvent::Other { .. })).await;
    let odd = runs.dead_letters(None, 9).await.unwrap().records;
    assert_eq!(odd.iter().map(|event| event.id.offset).collect::<Vec<_>>(), [1]);
    let kept = runs.dead_letter(&key("LoanWorker"), &odd[0].id).await.unwrap().unwrap();
    assert_eq!(kept.payload, Some(Payload::of(b"no JSON")));
    broker.stop();
    event(&mut received, |event| matches!(event, TriggerEvent::Failing { .. })).await;
    let broker = tokio::task::spawn_blocking(move || {
        broker.again();
        broker
    });
    let _broker = broker.await.unwrap();
    topic.write(0, &[&second]).await;
    let TriggerEvent::Requested { run, event } = event(&mut received, requested).await else {
        panic!("asked for above")
    };
    assert_eq!((run.id.date.to_string().as_str(), event.offset), ("2026-11-22", 4));
    assert_eq!(run.requested_by, format!("kafka:{}/0/4", topic.name));
    stop.cancel();
    timeout(LONG, running).await.unwrap().unwrap();
    assert_eq!(runs.runs(None, 9).await.unwrap().records.len(), 2, "five events, two days, two runs");
}
