//! Rows that somebody else has written with the highest number there is: they stop no row behind them, also once they are gone.

use super::{key, open, place};
use crate::core::model::data_source::{Action, DataSource, DataSourceId, Misfire, Overlap};
use crate::core::model::message::EventId;
use crate::core::model::names::LeaseKey;
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::data_sources::{DataSources, Written};
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use crate::core::ports::transfer_ledger::{Claim, TransferLedger};
use jiff::Timestamp;
use rusqlite::Connection;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A row with the highest number in each table whose rows are numbered.
const HIGHEST: &str = "
INSERT INTO audit (id, at, who, action, detail, reason)
VALUES (9223372036854775807, '1960-01-01T00:00:00.000000000Z', 'x', 'x', 'x', 'x');
INSERT INTO odd_events (id, workerId, topic, partition, eventOffset, at, reason, payload)
VALUES (9223372036854775807, 'LoanWorker', 't', 9, 9, '2026-01-01T00:00:00.000000000Z', 'x', 'x');
INSERT INTO outbox (seq, id, owner, key, payload) VALUES (9223372036854775807, 'schedule:changes/x', 'schedule:changes', 'x', x'00');
INSERT INTO TransferStep (number, transfer, id, side, state, at, by)
VALUES (9223372036854775807, 'sales', 'other', 'collect', 'seen', '2026-01-01T00:00:00.000000000Z', 'x');";

const GONE: &str =
    "DELETE FROM audit WHERE id > 99; DELETE FROM odd_events WHERE id > 99; DELETE FROM outbox WHERE seq > 99;
DELETE FROM TransferStep WHERE number > 99;";

fn source(name: &str) -> (DataSource, OutboxEntry) {
    let source = DataSource {
        id: DataSourceId::new(name).unwrap(),
        name: name.to_owned(),
        description: String::new(),
        path: "in".to_owned(),
        pattern: "*".to_owned(),
        recursive: false,
        cron_expression: "0 0 1 * * ?".to_owned(),
        zone: "UTC".to_owned(),
        calendar: None,
        is_active: true,
        overlap: Overlap::Queue,
        misfire: Misfire::FireAll,
        action: Action::Run("W".to_owned()),
        dst: None,
        closed_day: None,
        deadline: None,
        pause_after_failures: None,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    let id = OutboxId::new(format!("schedule:changes/{name}:1"));
    (source, OutboxEntry { id, key: name.to_owned(), payload: b"{}".to_vec() })
}

fn file(id: &str) -> FileRecord {
    FileRecord {
        transfer: "sales".to_owned(),
        side: Side::Collect,
        id: id.to_owned(),
        state: FileState::Seen,
        path: format!("{id}.csv"),
        source: "api".to_owned(),
        size: 3,
        sha256: "ba7816bf".to_owned(),
        modified_at: NOW,
        stamp: "1".to_owned(),
        durable: 0,
        made: None,
        writers: Vec::new(),
        upload: None,
        tries: 0,
        place: None,
        failure: None,
        trace: None,
        seen_at: NOW,
        changed_at: NOW,
    }
}

fn letter(offset: i64) -> DeadLetter {
    let id = EventId { topic: "t".to_owned(), partition: 0, offset };
    DeadLetter { id, owner: key(), at: NOW, reason: "no JSON".to_owned(), payload: None }
}

#[tokio::test]
async fn the_highest_number_in_a_table_stops_no_row_behind_it() {
    for then in ["", GONE] {
        let (_folder, path) = place();
        let store = open(&path).await;
        let holder = store.join("here").await.unwrap();
        let owner = LeaseKey::new("schedule:changes").unwrap();
        for round in [1, 2] {
            let name = format!("s{round}");
            let (source, event) = source(&name);
            assert_eq!(store.create(&source, &event).await, Ok(Written::Done), "{then}");
            store.keep_dead_letter(&letter(round)).await.unwrap();
            store.audit(&AuditEntry::new(NOW, "me", "try", &name, "why")).await.unwrap();
            let claimed = store.claim(&file(&name), &holder, NOW, NOW).await;
            assert_eq!(claimed, Ok(Claim::Yours(file(&name))), "{then}");
            if round == 1 {
                Connection::open(&path).unwrap().execute_batch(&format!("{HIGHEST}{then}")).unwrap();
            }
        }
        let waits = store.pending(&owner).await.unwrap().records;
        let keys: Vec<_> = waits.iter().map(|entry| entry.key.as_str()).filter(|key| *key != "x").collect();
        assert_eq!(keys, ["s1", "s2"], "in the order of the writes");
        let kept = store.dead_letters(Some(&key()), 9).await.unwrap().records;
        let offsets: Vec<_> = kept.iter().map(|letter| letter.id.offset).filter(|offset| *offset != 9).collect();
        assert_eq!(offsets, [2, 1], "newest first");
        let trail = store.audits(9).await.unwrap().records;
        assert_eq!((trail[0].detail.as_str(), trail[1].detail.as_str()), ("s2", "s1"));
        assert_eq!(store.steps("sales", "s2").await.unwrap().len(), 1);
        // What was sent is kept, whatever number another row has: a repeat sends nothing again.
        store.mark_sent(&waits[0].id, NOW).await.unwrap();
        let (source, event) = source("s1");
        assert_eq!(store.delete(&source.id, 1, &event).await, Ok(Written::Done));
        assert!(store.pending(&owner).await.unwrap().records.iter().all(|entry| entry.key != "s1"), "{then}");
    }
}
