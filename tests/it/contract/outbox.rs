//! What every outbox promises.

use super::runs::{published, status, unsent};
use crate::support::state::{at, file, key, on_each, run};
use crate::support::term;
use filegen::core::ports::outbox::{OutboxEntry, OutboxId};
use filegen::core::ports::runs::FileStatus;

#[tokio::test]
async fn an_event_waits_from_the_write_that_publishes_until_a_broker_has_it() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        store.save_file(&term(2), &status(&id, "writing", 5)).await.unwrap();
        for (name, millisecond) in [("late", 2500), ("early", 2000), ("last", 3000)] {
            store.save_file(&term(2), &published(&id, name, millisecond)).await.unwrap();
        }
        store.save_file(&term(2), &published(&run("V", 21), "other", 1)).await.unwrap();
        assert_eq!(unsent(&state, "W").await, ["early", "late", "last"].map(|name| format!("W:2026-11-21:{name}")));
        for at_millisecond in [4000, 5000] {
            store.mark_sent(&FileStatus::outbox_id(&id, &file("late"), 1), at(at_millisecond)).await.unwrap();
        }
        store
            .mark_sent(&FileStatus::outbox_id(&id, &file("writing"), 1), at(1))
            .await
            .expect("harmless without an event");
        store
            .mark_sent(&FileStatus::outbox_id(&id, &file("nothing"), 1), at(1))
            .await
            .expect("harmless without a file");
        assert_eq!(unsent(&state, "W").await, ["early", "last"].map(|name| format!("W:2026-11-21:{name}")));
        for other in ["", "nothing", "W:2026-11-21", "W:2026-11-21:early:x", "ingest:early", "flow:W:2026-11-21:early"]
        {
            store.mark_sent(&OutboxId::new(other), at(1)).await.expect("harmless without an entry");
        }
        assert_eq!(unsent(&state, "W").await.len(), 2);
        let files = store.files(&id).await.unwrap();
        let late = files.iter().find(|status| status.file == file("late")).unwrap();
        assert_eq!(late.event.as_ref().unwrap().sent_at, Some(at(4000)), "the first acknowledgement");
    })
    .await;
}

#[tokio::test]
async fn what_is_sent_is_the_same_in_every_store_and_at_every_look() {
    on_each(|state| async move {
        let id = run("W", 21);
        let recorded = published(&id, "Loan0", 2000);
        state.store().save_file(&term(2), &recorded).await.unwrap();
        let event = recorded.event.unwrap().event;
        let entry = OutboxEntry {
            id: OutboxId::new("W:2026-11-21:Loan0"),
            key: event.file_id.clone(),
            payload: serde_json::to_vec(&event).unwrap(),
        };
        for door in &state.doors {
            assert_eq!(door.pending(&key("W")).await.map(|found| found.records), Ok(vec![entry.clone()]));
        }
    })
    .await;
}

#[tokio::test]
async fn an_acknowledgement_is_of_one_version_s_event() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        let mut second = published(&id, "Loan0", 3000);
        second.event.as_mut().unwrap().event.version = 2;
        store.save_file(&term(2), &published(&id, "Loan0", 2000)).await.unwrap();
        store.save_file(&term(2), &second).await.unwrap();
        assert_eq!(unsent(&state, "W").await, ["W:2026-11-21:Loan0#2"], "the newest version's");
        store.mark_sent(&FileStatus::outbox_id(&id, &file("Loan0"), 1), at(4000)).await.expect("late");
        assert_eq!(unsent(&state, "W").await.len(), 1, "the first version's acknowledgement came late");
        store.mark_sent(&FileStatus::outbox_id(&id, &file("Loan0"), 2), at(5000)).await.unwrap();
        assert_eq!(unsent(&state, "W").await, Vec::<String>::new());
    })
    .await;
}
