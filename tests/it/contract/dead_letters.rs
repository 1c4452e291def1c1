//! What every store of dead letters promises.

use crate::support::state::{at, key, on_each};
use filegen::core::model::message::EventId;
use filegen::core::ports::dead_letters::DeadLetter;

#[tokio::test]
async fn events_that_were_passed_over_are_kept_once() {
    on_each(|state| async move {
        let event = |offset: i64| DeadLetter {
            id: EventId { topic: "loan-data".to_owned(), partition: 3, offset },
            owner: key("LoanWorker"),
            at: at(offset),
            reason: "no JSON".to_owned(),
            payload: "{\"businessDate\": \u{fffd}".to_owned(),
        };
        for offset in [7, 9, 7] {
            state.store().keep_dead_letter(&event(offset)).await.unwrap();
        }
        let other = DeadLetter { owner: key("Other"), at: at(99), ..event(9) };
        state.store().keep_dead_letter(&other).await.unwrap();
        assert_eq!(state.door(1).dead_letters(None, 2).await, Ok(vec![other, event(9)]));
        let ours = key("LoanWorker");
        assert_eq!(state.door(1).dead_letters(Some(&ours), 5).await, Ok(vec![event(9), event(7)]));
    })
    .await;
}
