//! What every store of dead letters promises.

use crate::support::state::{at, key, on_each};
use filegen::core::model::message::EventId;
use filegen::core::model::payload::Payload;
use filegen::core::ports::dead_letters::DeadLetter;

#[tokio::test]
async fn events_that_were_passed_over_are_kept_once() {
    on_each(|state| async move {
        let event = |offset: i64| DeadLetter {
            id: EventId { topic: "loan-data".to_owned(), partition: 3, offset },
            owner: key("LoanWorker"),
            at: at(offset),
            reason: "no JSON".to_owned(),
            payload: Some(Payload::of(b"{\"businessDate\": \xff")),
        };
        let listed = |event: DeadLetter| DeadLetter { payload: None, ..event };
        for offset in [7, 9, 7] {
            state.store().keep_dead_letter(&event(offset)).await.unwrap();
        }
        let other = DeadLetter { owner: key("Other"), at: at(99), ..event(9) };
        state.store().keep_dead_letter(&other).await.unwrap();
        let newest = state.door(1).dead_letters(None, 2).await.unwrap();
        assert_eq!(newest.records, [listed(other.clone()), listed(event(9))]);
        let ours = key("LoanWorker");
        let newest = state.door(1).dead_letters(Some(&ours), 5).await.unwrap();
        assert_eq!(newest.records, [listed(event(9)), listed(event(7))]);
        assert_eq!(state.door(1).dead_letter(&other.owner, &other.id).await, Ok(Some(other.clone())));
        assert_eq!(state.door(1).dead_letter(&ours, &event(9).id).await, Ok(Some(event(9))));
        assert_eq!(state.door(1).dead_letter(&ours, &event(8).id).await, Ok(None));
    })
    .await;
}

/// A store may not take a document of this length; MongoDB takes 16 MiB.
#[tokio::test]
async fn the_longest_event_that_a_broker_may_have_is_kept_as_its_beginning_and_digest() {
    on_each(|state| async move {
        let whole = vec![b'x'; 20 << 20];
        let event = DeadLetter {
            id: EventId { topic: "loan-data".to_owned(), partition: 0, offset: 1 },
            owner: key("LoanWorker"),
            at: at(1),
            reason: "no JSON".to_owned(),
            payload: Some(Payload::of(&whole)),
        };
        state.store().keep_dead_letter(&event).await.unwrap();
        let kept = state.door(1).dead_letter(&event.owner, &event.id).await.unwrap().unwrap().payload.unwrap();
        assert_eq!((kept.text.len(), kept.bytes, kept.is_cut()), (4096, Some(20 << 20), true));
    })
    .await;
}

#[tokio::test]
async fn old_events_and_those_beyond_a_limit_are_dropped_of_their_worker_alone() {
    on_each(|state| async move {
        let event = |name: &str, offset: i64| DeadLetter {
            id: EventId { topic: "loan-data".to_owned(), partition: 0, offset },
            owner: key(name),
            at: at(offset),
            reason: "no JSON".to_owned(),
            payload: Some(Payload::of(b"{")),
        };
        let store = state.store();
        for offset in 1..=9 {
            store.keep_dead_letter(&event("LoanWorker", offset)).await.unwrap();
            store.keep_dead_letter(&event("Other", offset)).await.unwrap();
        }
        let ours = key("LoanWorker");
        let left = async || {
            let left = state.door(1).dead_letters(Some(&ours), 99).await.unwrap().records;
            left.into_iter().map(|event| event.id.offset).collect::<Vec<_>>()
        };
        assert_eq!(store.drop_dead_letters(&ours, at(3), 99).await, Ok(2));
        assert_eq!(left().await, [9, 8, 7, 6, 5, 4, 3]);
        assert_eq!(store.drop_dead_letters(&ours, at(3), 4).await, Ok(3));
        assert_eq!(left().await, [9, 8, 7, 6]);
        assert_eq!(store.drop_dead_letters(&ours, at(3), 4).await, Ok(0), "a repeat drops nothing");
        assert_eq!(state.door(1).dead_letters(None, 99).await.unwrap().records.len(), 13);
    })
    .await;
}
