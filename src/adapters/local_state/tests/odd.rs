//! Rows of lists that no build wrote: each is told, and hides no other.

use super::{key, open, place};
use crate::core::model::message::EventId;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use jiff::Timestamp;
use rusqlite::Connection;

#[tokio::test]
async fn an_entry_of_the_audit_trail_and_a_dead_letter_that_cannot_be_read_hide_no_other() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let entry = AuditEntry::new(Timestamp::UNIX_EPOCH, "ann", "lease release", "token 7", "INC-4711");
    store.audit(&entry).await.unwrap();
    let id = EventId { topic: "t".to_owned(), partition: 0, offset: 1 };
    let (at, reason) = (Timestamp::UNIX_EPOCH, "no JSON".to_owned());
    let letter = DeadLetter { id, owner: key(), at, reason, payload: None };
    store.keep_dead_letter(&letter).await.unwrap();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "INSERT INTO audit (id, at, who, action, detail, reason) SELECT id + 7, 'yesterday', who, action, detail, reason FROM audit;
         INSERT INTO odd_events (id, workerId, topic, partition, eventOffset, at, reason, payload)
         SELECT id + 7, workerId, topic, partition, 2, 'yesterday', reason, payload FROM odd_events",
    )
    .unwrap();
    let trail = store.audits(1).await.unwrap();
    assert_eq!((trail.records, trail.odd.len()), (vec![entry], 1));
    assert!(trail.odd[0].id.starts_with("audit ") && !trail.odd[0].reason.is_empty(), "{:?}", trail.odd);
    let letters = store.dead_letters(Some(&key()), 1).await.unwrap();
    assert_eq!((letters.records, letters.odd.len()), (vec![letter], 1));
    assert_eq!(letters.odd[0].id, "odd_events LoanWorker:t/0/2");
}
