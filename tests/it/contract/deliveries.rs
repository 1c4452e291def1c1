//! What every store of deliveries promises.

use super::runs::published;
use crate::support::state::{at, file, key, on_each, run};
use crate::support::term;
use filegen::core::model::delivery::{Delivery, DeliveryState};
use filegen::core::model::event::FileDelivered;
use filegen::core::model::run::RunId;
use filegen::core::ports::outbox::OutboxId;

fn due(run: &RunId, name: Option<&str>, version: u32, position: u32) -> Delivery {
    Delivery {
        run: run.clone(),
        file: name.map(file),
        version,
        position,
        to: "sales".to_owned(),
        path: format!("{}.txt", name.unwrap_or("manifest")),
        bytes: u64::from(u32::MAX) * 9,
        sha256: "ab".repeat(32),
        correlation_id: name.map(|name| format!("W:{name}:1")),
        behind: vec!["W:2026-11-21:a#1".to_owned()],
        state: DeliveryState::Due,
        done: false,
        reason: None,
        transfer_id: None,
        due_at: at(1),
        handed_at: None,
        delivered_at: None,
        event: None,
        sent_at: None,
        revision: 0,
    }
}

fn event(of: &Delivery) -> FileDelivered {
    FileDelivered {
        worker_id: of.run.worker.to_string(),
        file_id: of.file.as_ref().unwrap().to_string(),
        event_type: "FileDelivered".to_owned(),
        correlation_id: of.correlation_id.clone().unwrap(),
        path: of.path.clone(),
        bytes: of.bytes,
        sha256: of.sha256.clone(),
        business_date: of.run.date.to_string(),
        version: of.version,
        transfer: of.to.clone(),
        transfer_id: "t1".to_owned(),
        delivered_at: at(7).to_string(),
    }
}

#[tokio::test]
async fn what_is_due_is_recorded_once_and_listed_in_its_order() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        let (b, a, manifest) = (due(&id, Some("b"), 1, 0), due(&id, Some("a"), 1, 1), due(&id, None, 1, 2));
        let later = due(&id, Some("b"), 2, 0);
        store.add_due(&[later.clone(), manifest.clone()]).await.unwrap();
        let other = Delivery { to: "other".to_owned(), ..manifest.clone() };
        state.door(1).add_due(&[other, a.clone(), b.clone()]).await.unwrap();
        state.door(2).add_due(&[due(&run("V", 21), Some("b"), 1, 0), due(&run("W", 20), None, 1, 0)]).await.unwrap();
        let found = state.door(3).of_run(&id).await.unwrap();
        assert_eq!(found.records, [b.clone(), a, manifest, later], "the first word stays");
        let days = state.door(1).undone(&id.worker).await.unwrap();
        assert_eq!(days.records, [run("W", 20).date, id.date]);
        assert_eq!(state.door(1).of_run(&run("W", 19)).await.unwrap().records, []);
    })
    .await;
}

#[tokio::test]
async fn a_record_changes_once_for_each_revision_and_is_done_at_its_end() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        let first = due(&id, Some("a"), 1, 0);
        assert!(!store.advance(&first).await.unwrap(), "it is not there");
        store.add_due(std::slice::from_ref(&first)).await.unwrap();
        let handed = Delivery { state: DeliveryState::HandedOver, handed_at: Some(at(3)), ..first.clone() };
        assert!(store.advance(&handed).await.unwrap());
        assert!(!state.door(1).advance(&Delivery { reason: Some("late".to_owned()), ..first }).await.unwrap());
        let there = state.door(2).of_run(&id).await.unwrap().records.remove(0);
        assert_eq!(there, Delivery { revision: 1, ..handed });
        assert_eq!(store.undone(&id.worker).await.unwrap().records, [id.date]);
        let delivered = Delivery { state: DeliveryState::Delivered, delivered_at: Some(at(5)), done: true, ..there };
        assert!(state.door(3).advance(&delivered).await.unwrap());
        assert_eq!(store.undone(&id.worker).await.unwrap().records, []);
        store.add_due(std::slice::from_ref(&delivered)).await.unwrap();
        assert_eq!(store.of_run(&id).await.unwrap().records, [Delivery { revision: 2, ..delivered }]);
    })
    .await;
}

#[tokio::test]
async fn the_event_of_an_arrival_waits_behind_the_completion_events_until_a_broker_has_it() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        let (a, b) = (due(&id, Some("a"), 1, 0), due(&id, Some("b"), 1, 1));
        store.add_due(&[a.clone(), b.clone()]).await.unwrap();
        assert_eq!(store.pending(&key("W")).await.unwrap().records, []);
        let told = |of: &Delivery, second: i64| Delivery {
            event: Some(event(of)),
            delivered_at: Some(at(second)),
            done: true,
            ..of.clone()
        };
        assert!(store.advance(&told(&b, 4)).await.unwrap() && store.advance(&told(&a, 5)).await.unwrap());
        store.save_file(&term(2), &published(&id, "late", 9000)).await.unwrap();
        let ids = |found: Vec<filegen::core::ports::outbox::OutboxEntry>| {
            found.into_iter().map(|entry| (entry.id.to_string(), entry.key)).collect::<Vec<_>>()
        };
        let pair = |id: &str, key: &str| (id.to_owned(), key.to_owned());
        let waiting = state.door(1).pending(&key("W")).await.unwrap().records;
        assert_eq!(waiting[1].payload, event(&b).payload());
        assert_eq!(
            ids(waiting),
            [
                pair("W:2026-11-21:late", "late"),
                pair("delivered/W:2026-11-21:b#1", "b"),
                pair("delivered/W:2026-11-21:a#1", "a")
            ]
        );
        for second in [8, 9] {
            state.door(2).mark_sent(&OutboxId::new("delivered/W:2026-11-21:b#1"), at(second)).await.unwrap();
        }
        store.mark_sent(&OutboxId::new("delivered/W:2026-11-21:none#1"), at(8)).await.expect("harmless");
        assert_eq!(ids(store.pending(&key("W")).await.unwrap().records).len(), 2);
        let there = store.of_run(&id).await.unwrap().records;
        assert_eq!(there[1].sent_at, Some(at(8)), "the first acknowledgement");
        // A change that comes late takes no acknowledgement away.
        assert!(store.advance(&Delivery { sent_at: None, ..there[1].clone() }).await.unwrap());
        assert_eq!(ids(store.pending(&key("W")).await.unwrap().records).len(), 2);
    })
    .await;
}
