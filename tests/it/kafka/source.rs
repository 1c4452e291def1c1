//! A topic as a source: nothing is lost, whoever dies.

use super::{next, take, text};
use crate::support::kafka::Topic;
use crate::support::running::PATIENCE;
use filegen::adapters::kafka::KafkaEvents;
use filegen::core::ports::events::EventSource;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_group_starts_with_the_first_event() {
    let topic = Topic::create(1).await;
    topic.write(0, &["a", "b"]).await;
    let before = Timestamp::now();
    let mut source = KafkaEvents::new(&topic.spec()).unwrap();
    let first = next(&mut source).await;
    assert_eq!((text(&first), first.id.to_string()), ("a".to_owned(), format!("{}/0@0", topic.name)));
    let age = before.duration_since(first.at.expect("Kafka says when"));
    assert!(age.unsigned_abs() < Duration::from_mins(5), "{age:?}");
    assert_eq!(text(&next(&mut source).await), "b");
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_not_marked_comes_again_and_a_marked_one_does_not() {
    let topic = Topic::create(1).await;
    topic.write(0, &["a", "b", "c"]).await;
    let mut crashed = KafkaEvents::new(&topic.spec()).unwrap();
    assert_eq!(take(&mut crashed, 1).await, ["a"]);
    assert_eq!(text(&next(&mut crashed).await), "b");
    assert_eq!(text(&next(&mut crashed).await), "c");
    // Neither is marked; the process is gone.
    drop(crashed);
    let mut source = KafkaEvents::new(&topic.spec()).unwrap();
    assert_eq!(take(&mut source, 2).await, ["b", "c"]);
    source.close().await;
    topic.write(0, &["d"]).await;
    let mut source = KafkaEvents::new(&topic.spec()).unwrap();
    assert_eq!(text(&next(&mut source).await), "d");
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_may_be_given_up_at_any_time() {
    let topic = Topic::create(1).await;
    let mut source = KafkaEvents::new(&topic.spec()).unwrap();
    for event in ["a", "b", "c", "d"] {
        // Dropped over and over while it waits, and while the event comes.
        let events = [event];
        let writing = topic.write(0, &events);
        let giving_up = async {
            for _ in 0..100 {
                if let Ok(Ok(delivery)) = timeout(Duration::from_millis(2), source.next()).await {
                    return Some(delivery);
                }
            }
            None
        };
        let ((), early) = tokio::join!(writing, giving_up);
        let delivery = match early {
            Some(delivery) => delivery,
            None => next(&mut source).await,
        };
        assert_eq!(text(&delivery), event);
        source.done(&delivery.id).await.unwrap();
    }
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_share_a_topic_and_what_was_not_marked_moves_over() {
    let topic = Topic::create(2).await;
    let mut first = KafkaEvents::new(&topic.spec()).unwrap();
    topic.write(0, &["a0"]).await;
    topic.write(1, &["a1"]).await;
    let mut held = [next(&mut first).await, next(&mut first).await];
    held.sort_by_key(|delivery| delivery.id.partition);
    // A second member comes while neither is marked: one of them is its own now, and comes again there.
    let mut second = KafkaEvents::new(&topic.spec()).unwrap();
    let moved = next(&mut second).await;
    assert!(held.iter().any(|delivery| delivery.id == moved.id), "{moved:?}");
    // Marking it here is no error, and marks nothing.
    let gone = held.iter().find(|delivery| delivery.id == moved.id).unwrap();
    assert_eq!(first.done(&gone.id).await, Ok(()));
    second.close().await;
    // It was not marked there either: it comes back. So does the other, which the change had taken away in between.
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        let delivery = next(&mut first).await;
        first.done(&delivery.id).await.unwrap();
        seen.insert(text(&delivery));
    }
    assert_eq!(seen, BTreeSet::from(["a0".to_owned(), "a1".to_owned()]));
    first.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_topic_is_read_whole_and_in_order_by_a_slow_reader() {
    let topic = Topic::create(1).await;
    let events: Vec<String> = (0..500).map(|number| format!("event {number}")).collect();
    topic.write(0, &events.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut source = KafkaEvents::new(&topic.spec()).unwrap();
    for wanted in &events {
        let delivery = next(&mut source).await;
        assert_eq!(&text(&delivery), wanted);
        // Marking each would be slow, not better: a mark covers all before it.
        if delivery.id.offset % 100 == 99 {
            source.done(&delivery.id).await.unwrap();
        }
    }
    source.close().await;
    topic.write(0, &["last"]).await;
    let mut source = KafkaEvents::new(&topic.spec()).unwrap();
    let last = timeout(PATIENCE, source.next()).await.unwrap().unwrap();
    assert_eq!(text(&last), "last");
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_comes_back_to_a_reader_who_had_paused_goes_on() {
    let topic = Topic::create(2).await;
    let events: Vec<String> = (0..200).map(|number| format!("event {number}")).collect();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    topic.write(0, &events).await;
    topic.write(1, &events).await;
    // It takes one event and then none for long: it fetches no more.
    let mut first = KafkaEvents::new(&topic.spec()).unwrap();
    next(&mut first).await;
    let mut second = KafkaEvents::new(&topic.spec()).unwrap();
    let other = next(&mut second).await.id.partition;
    // Now each has one partition. The first one had its own before, and gets all of it again.
    let mut seen = BTreeSet::new();
    while seen.len() < events.len() {
        let delivery = next(&mut first).await;
        if delivery.id.partition != other {
            seen.insert(delivery.id.offset);
        }
    }
    second.close().await;
    first.close().await;
}
