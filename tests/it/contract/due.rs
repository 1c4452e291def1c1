//! What every store promises about the runs that are due.

use super::runs::{published, unsent};
use crate::support::state::{State, at, key, on_each, run, worker};
use crate::support::term;
use filegen::core::model::run::{BusinessDate, RunRecord, RunStatus};
use filegen::core::ports::runs::{Behind, Requested};
use jiff::civil::date;
use std::collections::BTreeSet;

/// A worker's runs that are not published behind a day, so many of them, as days of the month; and the ids of odd records.
async fn due(state: &State, name: &str, after: Option<i8>, limit: usize) -> (Vec<i8>, Vec<String>) {
    let after = after.map(|day| Behind::from(BusinessDate(date(2026, 11, day))));
    let found = state.door(1).unpublished(&worker(name), after.as_ref(), limit).await.unwrap().found;
    let days = found.records.iter().map(|record| record.id.date.0.day()).collect();
    (days, found.odd.into_iter().map(|odd| odd.id).collect())
}

async fn publish(state: &State, day: i8) {
    let Requested::AlreadyThere(record) = state.store().request(&run("W", day), "x", at(1)).await.unwrap() else {
        panic!("it was asked for")
    };
    let record = RunRecord { status: RunStatus::Published, ..record };
    state.store().save_run(&term(3), &record).await.unwrap();
}

#[tokio::test]
async fn what_is_not_published_comes_oldest_first_behind_any_day() {
    on_each(|state| async move {
        for (name, day) in [("W", 9), ("W", 2), ("V", 1), ("W", 21), ("W", 4), ("W", 11)] {
            state.store().request(&run(name, day), "kafka:t/0/1", at(1)).await.unwrap();
        }
        publish(&state, 4).await;
        let none: Vec<String> = Vec::new();
        assert_eq!(due(&state, "W", None, 9).await, (vec![2, 9, 11, 21], none.clone()));
        assert_eq!(due(&state, "W", None, 2).await, (vec![2, 9], none.clone()));
        assert_eq!(due(&state, "W", Some(9), 2).await, (vec![11, 21], none.clone()));
        assert_eq!(due(&state, "W", Some(21), 2).await, (vec![], none.clone()));
        assert_eq!(due(&state, "X", None, 2).await, (vec![], none.clone()));
        assert_eq!(due(&state, "W", None, 0).await, (vec![], none));
        publish(&state, 2).await;
        assert_eq!(due(&state, "W", None, 1).await.0, [9]);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_hides_no_other() {
    on_each(|state| async move {
        for day in [2, 9, 11] {
            state.store().request(&run("W", day), "kafka:t/0/1", at(1)).await.unwrap();
        }
        state.store().request(&run("V", 1), "kafka:t/0/1", at(1)).await.unwrap();
        state.litter.spoil_run(&run("W", 2)).await;
        assert_eq!(due(&state, "W", None, 9).await, (vec![9, 11], vec!["W:2026-11-02".to_owned()]));
        assert_eq!(due(&state, "V", None, 9).await, (vec![1], vec![]), "another worker's is another matter");
        let latest = state.store().runs(Some(&worker("W")), 9).await.unwrap();
        assert_eq!((latest.records.len(), latest.odd.len()), (2, 1));
        assert!(latest.odd[0].reason.contains("bogus"), "{:?}", latest.odd);
    })
    .await;
}

#[tokio::test]
async fn stretch_by_stretch_every_run_is_found_once() {
    on_each(|state| async move {
        for day in 1..=9 {
            state.store().request(&run("W", day), "kafka:t/0/1", at(1)).await.unwrap();
        }
        publish(&state, 4).await;
        for day in [1, 2, 7] {
            state.litter.spoil_run(&run("W", day)).await;
        }
        let (mut days, mut odd, mut behind, mut stretches) = (Vec::new(), BTreeSet::new(), None, 0);
        loop {
            let stretch = state.door(1).unpublished(&worker("W"), behind.as_ref(), 2).await.unwrap();
            assert!(stretch.found.records.len() <= 2, "{stretch:?}");
            days.extend(stretch.found.records.iter().map(|record| record.id.date.0.day()));
            odd.extend(stretch.found.odd.into_iter().map(|odd| odd.id));
            assert!(stretch.next > behind || stretch.next.is_none(), "{:?} behind {behind:?}", stretch.next);
            (behind, stretches) = (stretch.next, stretches + 1);
            if behind.is_none() || stretches > 9 {
                break;
            }
        }
        assert_eq!(days, [3, 5, 6, 8, 9]);
        assert_eq!(odd.into_iter().collect::<Vec<_>>(), ["W:2026-11-01", "W:2026-11-02", "W:2026-11-07"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_asked_for_again_until_it_is_published() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 9));
        store.ask_again(&id, "command:host:1", at(5)).await.unwrap();
        assert_eq!(store.run(&id).await, Ok(None), "it makes none");
        store.request(&id, "kafka:t/0/1", at(1)).await.unwrap();
        state.door(1).ask_again(&id, "command:host:1", at(5)).await.unwrap();
        let record = store.run(&id).await.unwrap().unwrap();
        assert_eq!(record, RunRecord::pending(&id, "command:host:1", at(5)));
        store.save_file(&term(3), &published(&id, "Loan0", 1)).await.unwrap();
        publish(&state, 9).await;
        store.ask_again(&id, "command:host:2", at(9)).await.unwrap();
        assert_eq!(store.run(&id).await.unwrap().unwrap().requested_at, at(5));
        assert_eq!(unsent(&state, "W").await, ["W:2026-11-09:Loan0"]);
        assert_eq!(state.store().pending(&key("W")).await.unwrap().odd, []);
    })
    .await;
}
