//! Events from a broker, in memory and real: positions are the sink's, whatever the group says.

use super::FILE;
use crate::support::broker::{Log, on_each};
use crate::support::kafka::Topic;
use crate::support::running::{PATIENCE, until_async};
use filegen::adapters::kafka::KafkaConsumer;
use filegen::adapters::memory::sql_sink::MemorySink;
use filegen::core::ingest::error::IngestError;
use filegen::core::ingest::event::{IngestEvent, Tally};
use filegen::core::ingest::service::{IngestPorts, Service};
use filegen::core::ingest::spec::{Ingest, SourceSpec};
use filegen::core::ports::consumer::Consumer;
use filegen::core::ports::observer::{Observer, Unobserved};
use filegen::core::ports::sql_sink::SqlSink;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

fn spec() -> Arc<Ingest> {
    parsed(FILE)
}

fn parsed(file: &str) -> Arc<Ingest> {
    let loaded = filegen::config::parse(file, Path::new("/events.yaml"), &(), &filegen::Registry::default()).unwrap();
    loaded.into_ingest().unwrap()
}

/// Reads to the end of the topic.
async fn ingested(log: &Log, spec: &Arc<Ingest>, sink: &MemorySink) -> Tally {
    let service = service(log.consumer(), spec, sink);
    timeout(PATIENCE, service.run(true, &CancellationToken::new())).await.expect("an end").unwrap()
}

fn service(consumer: Box<dyn Consumer>, spec: &Arc<Ingest>, sink: &MemorySink) -> Service {
    observed(consumer, spec, sink, Arc::new(Unobserved))
}

fn observed(
    consumer: Box<dyn Consumer>,
    spec: &Arc<Ingest>,
    sink: &MemorySink,
    observer: Arc<dyn Observer<IngestEvent>>,
) -> Service {
    let ports = IngestPorts {
        consumer,
        sink: Box::new(sink.clone()),
        clock: filegen::wiring::clock(),
        observer,
        jitter: Arc::new(|| 0.0),
        letters: Arc::default(),
    };
    Service::new(Arc::clone(spec), "here".to_owned(), ports)
}

const USER: &str = r#"{"type":"User","id":"e1","user":"u","at":"2026-01-01T10:00:00Z"}"#;
const ORDER: &str = r#"{"type":"Order","id":"e2","order":"o","user":"u","amount":1,"at":"2026-01-01T10:00:00Z"}"#;
const LATER: &str = r#"{"type":"Order","id":"e3","order":"o","user":"u","amount":2,"at":"2026-01-01T10:00:01Z"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_where_the_sink_stands_and_not_where_the_group_does() {
    on_each(2, |log| async move {
        let spec = spec();
        let mut sink = MemorySink::new(Arc::new(spec.tables.clone()), "g", 100);
        log.write(0, &[USER, ORDER]).await;
        log.write(1, &["no event"]).await;
        let tally = ingested(&log, &spec, &sink).await;
        assert_eq!(tally, Tally { written: 2, dead: 1, ..Tally::default() });
        let next = |sink: Vec<_>| {
            sink.into_iter()
                .map(|at: filegen::core::ports::sql_sink::StoredPosition| (at.partition, at.next))
                .collect::<Vec<_>>()
        };
        assert_eq!(next(sink.positions().await.unwrap().records), [(0, 2), (1, 1)]);

        log.write(1, &[LATER]).await;
        let tally = ingested(&log, &spec, &sink).await;
        assert_eq!(tally, Tally { written: 1, ..Tally::default() });

        // The group has committed all of it; an empty sink begins with the first event.
        let empty = MemorySink::new(Arc::new(spec.tables.clone()), "g", 100);
        let tally = ingested(&log, &spec, &empty).await;
        // Which partition comes first is the broker's to say.
        assert_eq!((tally.written + tally.folded + tally.stale, tally.parked, tally.dead), (3, 0, 1));
        assert_eq!(empty.rows("orders"), sink.rows("orders"));
    })
    .await;
}

/// As a file has it that reads the topic.
fn over(topic: &Topic, on_recreated: &str) -> Arc<Ingest> {
    let source = format!(
        "source: {{ kafka: {{ brokers: \"{}\", topic: {}, group: g }}, on_recreated: {on_recreated} }}",
        topic.brokers, topic.name
    );
    parsed(&FILE.replace("source: { file: events.jsonl }", &source))
}

fn user(number: usize) -> String {
    format!(r#"{{"type":"User","id":"e{number}","user":"u{number}","at":"2026-01-01T10:00:00Z"}}"#)
}

async fn write_users(topic: &Topic, numbers: std::ops::Range<usize>) {
    let users: Vec<String> = numbers.map(user).collect();
    topic.write(0, &users.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

fn reader(topic: &Topic) -> Box<dyn Consumer> {
    Box::new(KafkaConsumer::new(&topic.spec()).unwrap())
}

/// The file of [`over`], by one of the groups' protocols.
fn by(topic: &Topic, protocol: &str) -> Arc<Ingest> {
    let source = format!(
        "source: {{ kafka: {{ brokers: \"{}\", topic: {}, group: {}, group_protocol: {protocol} }} }}",
        topic.brokers, topic.name, topic.name
    );
    parsed(&FILE.replace("source: { file: events.jsonl }", &source))
}

fn users(sink: &MemorySink) -> usize {
    sink.rows("users").len()
}

/// Tells that a reader has partitions.
#[derive(Default)]
struct Has(Notify);

impl Observer<IngestEvent> for Has {
    fn observe(&self, event: &IngestEvent) {
        if matches!(event, IngestEvent::Lag { partitions } if !partitions.is_empty()) {
            self.0.notify_one();
        }
    }
}

type Reading = JoinHandle<Result<Tally, IngestError>>;

/// A reader that begins, the word that ends it, and who tells when it has partitions.
fn begun(spec: &Arc<Ingest>, sink: &MemorySink) -> (CancellationToken, Reading, Arc<Has>) {
    let SourceSpec::Kafka(kafka) = &spec.source else { panic!("a topic") };
    let (stop, has) = (CancellationToken::new(), Arc::new(Has::default()));
    let service = observed(Box::new(KafkaConsumer::new(kafka).unwrap()), spec, sink, has.clone());
    let heard = stop.clone();
    (stop, tokio::spawn(async move { service.run(false, &heard).await }), has)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_anew_and_filled_beyond_the_position_is_another_one() {
    let topic = Topic::create(1).await;
    let (stop, restart) = (over(&topic, "stop"), over(&topic, "restart"));
    let mut sink = MemorySink::new(Arc::new(stop.tables.clone()), "g", 100);
    let run = async |spec: &Arc<Ingest>| {
        let service = service(reader(&topic), spec, &sink);
        timeout(PATIENCE, service.run(true, &CancellationToken::new())).await.expect("an end")
    };
    write_users(&topic, 0..3).await;
    assert_eq!(run(&stop).await.unwrap().written, 3);
    assert_eq!(run(&stop).await.unwrap(), Tally::default(), "the same topic");
    topic.make_anew(1).await;
    write_users(&topic, 10..15).await;
    let refused = run(&stop).await.unwrap_err();
    assert!(matches!(&refused, IngestError::Recreated { topic: name } if *name == topic.name), "{refused}");
    assert_eq!(users(&sink), 3);
    assert_eq!(run(&restart).await.unwrap().written, 5);
    assert_eq!(run(&stop).await.unwrap(), Tally::default(), "it is the one that is read now");
    let ids: std::collections::BTreeSet<String> =
        sink.positions().await.unwrap().records.into_iter().map(|stored| stored.topic_id).collect();
    assert!(ids.len() == 2 && ids.iter().all(|id| id.len() == 22), "as Kafka's tools show them: {ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_anew_under_its_reader_is_noticed() {
    for on_recreated in ["stop", "restart"] {
        let topic = Topic::create(1).await;
        let spec = over(&topic, on_recreated);
        let sink = MemorySink::new(Arc::new(spec.tables.clone()), "g", 100);
        write_users(&topic, 0..3).await;
        let stop = CancellationToken::new();
        let (service, until) = (service(reader(&topic), &spec, &sink), stop.clone());
        let reading = tokio::spawn(async move { service.run(false, &until).await });
        all(&sink, 3).await;
        topic.make_anew(1).await;
        write_users(&topic, 10..15).await;
        if on_recreated == "stop" {
            let ended = timeout(PATIENCE, reading).await.expect("an end").unwrap();
            assert!(matches!(ended, Err(IngestError::Recreated { .. })), "{ended:?}");
        } else {
            all(&sink, 8).await;
            stop.cancel();
            timeout(PATIENCE, reading).await.expect("an end").unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_either_protocol_share_a_topic_and_take_over() {
    for protocol in ["classic", "consumer"] {
        let topic = Topic::create(2).await;
        let spec = by(&topic, protocol);
        let sink = MemorySink::new(Arc::new(spec.tables.clone()), "g", 100);
        let both = async |numbers: std::ops::Range<usize>| {
            for number in numbers {
                topic.write(i32::from(number % 2 == 1), &[&user(number)]).await;
            }
        };
        both(0..4).await;
        let (stop_first, first, _) = begun(&spec, &sink);
        all(&sink, 4).await;
        let (stop_second, second, second_has) = begun(&spec, &sink);
        timeout(PATIENCE, second_has.0.notified()).await.expect("a partition");
        both(4..8).await;
        all(&sink, 8).await;
        let assignor = topic.assignor(&topic.name).await;
        assert_eq!(assignor == "cooperative-sticky", protocol == "classic", "{assignor}");
        stop_first.cancel();
        let by_first = timeout(PATIENCE, first).await.expect("an end").unwrap().unwrap();
        both(8..12).await;
        all(&sink, 12).await;
        stop_second.cancel();
        let by_second = timeout(PATIENCE, second).await.expect("an end").unwrap().unwrap();
        assert_eq!(by_first.written + by_second.written, 12, "{protocol}: each once");
        assert_eq!(by_second.written, 2 + 4, "{protocol}: one of two partitions, then both");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_missing_is_told_by_either_protocol() {
    for protocol in ["classic", "consumer"] {
        let mut topic = Topic::create(1).await;
        topic.name.push_str("-missing");
        let spec = by(&topic, protocol);
        let sink = MemorySink::new(Arc::new(spec.tables.clone()), "g", 100);
        let (_stop, reading, _) = begun(&spec, &sink);
        let ended = timeout(PATIENCE, reading).await.expect("it is told").unwrap().unwrap_err();
        assert!(ended.to_string().contains("create the topic"), "{protocol}: {ended}");
    }
}

/// Waits until so many users are there.
async fn all(sink: &MemorySink, count: usize) {
    until_async("all users", async || (users(sink) == count).then_some(())).await;
}
