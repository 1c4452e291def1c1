//! What every consumer promises: nothing is lost, whoever dies.

use crate::support::broker::{Log, done, next, on_each, take, text};
use crate::support::running::PATIENCE;
use filegen::core::model::message::{Partition, Received, TopicPosition};
use filegen::core::ports::consumer::{Consumer, Polled, Watermarks};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::timeout;

fn part(log: &Log, number: i32) -> Partition {
    Partition { topic: log.name().to_owned(), number }
}

fn position(log: &Log, number: i32, offset: i64) -> TopicPosition {
    TopicPosition { partition: part(log, number), offset }
}

/// The partitions that come first of all, before any message.
async fn assigned(consumer: &mut dyn Consumer) -> Vec<Partition> {
    let coming = async {
        loop {
            match consumer.next_batch(9, PATIENCE).await {
                Ok(Polled::Assigned(partitions)) => return partitions,
                Ok(Polled::Messages(messages)) => assert_eq!(messages, [], "before its partition came"),
                Ok(Polled::Revoked(_)) | Err(_) => {}
            }
        }
    };
    timeout(PATIENCE, coming).await.expect("partitions")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_group_starts_with_the_first_message() {
    on_each(1, |log| async move {
        log.write(0, &["a", "b"]).await;
        let before = Timestamp::now();
        let mut consumer = log.consumer();
        let first = next(&mut *consumer).await;
        assert_eq!((text(&first), first.id.to_string()), ("a".to_owned(), format!("{}/0@0", log.name())));
        let age = before.duration_since(first.at.expect("it says when"));
        assert!(age.unsigned_abs() < Duration::from_mins(5), "{age:?}");
        assert_eq!(text(&next(&mut *consumer).await), "b");
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_committed_comes_again_and_what_was_does_not() {
    on_each(1, |log| async move {
        log.write(0, &["a", "b", "c"]).await;
        let mut crashed = log.consumer();
        assert_eq!(take(&mut *crashed, 1).await, ["a"]);
        assert_eq!(text(&next(&mut *crashed).await), "b");
        assert_eq!(text(&next(&mut *crashed).await), "c");
        // Neither is committed; the process is gone.
        drop(crashed);
        let mut consumer = log.consumer();
        assert_eq!(take(&mut *consumer, 2).await, ["b", "c"]);
        consumer.close().await;
        log.write(0, &["d"]).await;
        let mut consumer = log.consumer();
        assert_eq!(text(&next(&mut *consumer).await), "d");
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_may_be_given_up_at_any_time() {
    on_each(1, |log| async move {
        let mut consumer = log.consumer();
        for payload in ["a", "b", "c", "d"] {
            // Dropped over and over while it waits, and while the message comes.
            let payloads = [payload];
            let writing = log.write(0, &payloads);
            let giving_up = async {
                for _ in 0..100 {
                    let waiting = consumer.next_batch(1, PATIENCE);
                    if let Ok(Ok(Polled::Messages(batch))) = timeout(Duration::from_millis(2), waiting).await {
                        return batch.into_iter().next();
                    }
                }
                None
            };
            let ((), early) = tokio::join!(writing, giving_up);
            let message = match early {
                Some(message) => message,
                None => next(&mut *consumer).await,
            };
            assert_eq!(text(&message), payload);
            done(&mut *consumer, &message).await;
        }
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_share_a_topic_and_what_was_not_committed_moves_over() {
    on_each(2, |log| async move {
        let mut first = log.consumer();
        log.write(0, &["a0"]).await;
        log.write(1, &["a1"]).await;
        let held = [next(&mut *first).await, next(&mut *first).await];
        // A second member comes while neither is committed: one of them is its own now, and comes again there.
        let mut second = log.consumer();
        let moved = next(&mut *second).await;
        // Committing it here is no error, and records nothing.
        let gone = held.iter().find(|message| message.id == moved.id).expect("one of them");
        done(&mut *first, gone).await;
        second.close().await;
        // It was not committed there either: it comes back. So does the other, which the change had taken in between.
        let mut seen = BTreeSet::new();
        while seen.len() < 2 {
            let message = next(&mut *first).await;
            done(&mut *first, &message).await;
            seen.insert(text(&message));
        }
        assert_eq!(seen, BTreeSet::from(["a0".to_owned(), "a1".to_owned()]));
        first.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_topic_is_read_whole_and_in_order_in_batches() {
    on_each(2, |log| async move {
        let payloads: Vec<String> = (0..500).map(|number| format!("event {number}")).collect();
        let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
        log.write(0, &payloads).await;
        log.write(1, &payloads).await;
        let mut consumer = log.consumer();
        let mut read: [Vec<String>; 2] = Default::default();
        while read.iter().map(Vec::len).sum::<usize>() < 1000 {
            let Ok(Polled::Messages(batch)) = consumer.next_batch(64, PATIENCE).await else { continue };
            assert!(batch.len() <= 64);
            for message in &batch {
                read[usize::try_from(message.id.partition).unwrap()].push(text(message));
            }
            // One answer for both partitions.
            consumer.commit(&TopicPosition::behind(&batch)).await.expect("it is committed");
        }
        assert_eq!(read, [payloads.clone(), payloads]);
        consumer.close().await;
        log.write(1, &["last"]).await;
        let mut consumer = log.consumer();
        assert_eq!(text(&next(&mut *consumer).await), "last");
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_comes_back_to_a_reader_who_was_slow_goes_on() {
    on_each(2, |log| async move {
        let payloads: Vec<String> = (0..200).map(|number| format!("event {number}")).collect();
        let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
        log.write(0, &payloads).await;
        log.write(1, &payloads).await;
        // It takes one message and then none for long: it fetches no more.
        let mut first = log.consumer();
        next(&mut *first).await;
        let mut second = log.consumer();
        let other = next(&mut *second).await.id.partition;
        // Now each has one partition. The first one had its own before, and gets all of it again.
        let mut seen = BTreeSet::new();
        while seen.len() < payloads.len() {
            let message = next(&mut *first).await;
            if message.id.partition != other {
                seen.insert(message.id.offset);
            }
        }
        second.close().await;
        first.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_with_positions_of_its_own_starts_there() {
    on_each(2, |log| async move {
        log.write(0, &["a", "b", "c"]).await;
        log.write(1, &["x", "y", "z"]).await;
        let mut consumer = log.consumer();
        let mut parts = assigned(&mut *consumer).await;
        parts.sort();
        assert_eq!(parts, [part(&log, 0), part(&log, 1)]);
        consumer.seek(&[position(&log, 0, 2), position(&log, 1, 1), position(&log, 7, 1)]).await.unwrap();
        let read: BTreeSet<String> = take(&mut *consumer, 3).await.into_iter().collect();
        assert_eq!(read, BTreeSet::from(["c", "y", "z"].map(str::to_owned)));
        // Back again, also over what is committed.
        consumer.seek(&[position(&log, 0, 0)]).await.unwrap();
        assert_eq!(take(&mut *consumer, 3).await, ["a", "b", "c"]);
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_partition_waits_while_the_others_go_on() {
    on_each(2, |log| async move {
        log.write(0, &["a", "b"]).await;
        let mut consumer = log.consumer();
        assigned(&mut *consumer).await;
        consumer.pause(&[part(&log, 0)]).await.unwrap();
        log.write(1, &["x", "y"]).await;
        assert_eq!(take(&mut *consumer, 2).await, ["x", "y"]);
        let nothing = consumer.next_batch(9, Duration::from_millis(300)).await;
        assert_eq!(nothing, Ok(Polled::Messages(Vec::<Received>::new())));
        consumer.resume(&[part(&log, 0)]).await.unwrap();
        assert_eq!(take(&mut *consumer, 2).await, ["a", "b"]);
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_says_where_it_begins_and_ends() {
    on_each(2, |log| async move {
        log.write(1, &["x", "y"]).await;
        let mut consumer = log.consumer();
        assigned(&mut *consumer).await;
        assert_eq!(consumer.watermarks(&part(&log, 0)).await, Ok(Watermarks { first: 0, next: 0 }));
        assert_eq!(consumer.watermarks(&part(&log, 1)).await, Ok(Watermarks { first: 0, next: 2 }));
        assert!(consumer.watermarks(&part(&log, 7)).await.is_err(), "there is no such partition");
        consumer.close().await;
    })
    .await;
}
