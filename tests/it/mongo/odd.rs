//! Documents of runs that no build wrote: fields that are missing, of other types and out of range. Each is told, and hides no
//! other.

use crate::support::mongo::Database;
use crate::support::state::{at, run, worker};
use filegen::core::model::message::EventId;
use filegen::core::ports::audit::{AuditEntry, AuditLog};
use filegen::core::ports::dead_letters::{DeadLetter, DeadLetters};
use filegen::core::ports::runs::RunStore;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, DateTime, Document, doc};

/// Values of every type, and those at the ends of what a field may hold.
fn values() -> Vec<Bson> {
    vec![
        Bson::Null,
        Bson::String(String::new()),
        Bson::String("bogus".to_owned()),
        Bson::String("2026-02-30".to_owned()),
        Bson::String("\u{202e}\n".repeat(40)),
        Bson::Int32(-1),
        Bson::Int64(i64::MIN),
        Bson::Int64(i64::MAX),
        Bson::Double(f64::NAN),
        Bson::Boolean(true),
        Bson::Array(vec![Bson::Null]),
        Bson::Document(doc! { "a": 1 }),
        Bson::DateTime(DateTime::MAX),
        Bson::DateTime(DateTime::MIN),
        Bson::ObjectId(ObjectId::from_bytes([7; 12])),
    ]
}

#[tokio::test]
async fn no_document_hides_the_run_that_is_due() {
    let database = Database::new();
    let store = database.open().await;
    let (good, bad) = (run("W", 21), run("W", 2));
    store.request(&good, "kafka:t/0/1", at(1)).await.unwrap();
    store.request(&bad, "kafka:t/0/1", at(1)).await.unwrap();
    let runs = database.client().await.collection::<Document>("runs");
    let whole = runs.find_one(doc! { "_id": bad.to_string() }).await.unwrap().unwrap();
    let mut told = 0;
    for field in whole.keys().filter(|name| *name != "_id") {
        for value in values().into_iter().map(Some).chain([None]) {
            let mut spoilt = whole.clone();
            match value.clone() {
                Some(value) => drop(spoilt.insert(field, value)),
                None => drop(spoilt.remove(field)),
            }
            runs.replace_one(doc! { "_id": bad.to_string() }, spoilt).await.unwrap();
            let found = store.unpublished(&worker("W"), None, 9).await.unwrap().found;
            assert!(found.records.iter().any(|record| record.id == good), "{field} = {value:?}");
            assert!(found.records.iter().all(|record| record.id == good || record.id == bad), "{field} = {value:?}");
            assert!(found.odd.iter().all(|odd| odd.id == bad.to_string() && !odd.reason.is_empty()));
            told += found.odd.len();
            let latest = store.runs(Some(&worker("W")), 9).await.unwrap();
            assert!(latest.records.iter().any(|record| record.id == good), "{field} = {value:?}");
            // By its name, it is that record or an error.
            if let Ok(Some(record)) = store.run(&bad).await {
                assert_eq!(record.id, bad, "{field} = {value:?}");
            }
        }
    }
    assert!(told > 50, "{told} of them are told");
}

#[tokio::test]
async fn no_number_of_documents_that_name_its_date_hides_a_run() {
    let database = Database::new();
    let store = database.open().await;
    for day in [2, 3, 21] {
        store.request(&run("W", day), "kafka:t/0/1", at(1)).await.unwrap();
    }
    let runs = database.client().await.collection::<Document>("runs");
    let whole = runs.find_one(doc! { "_id": run("W", 2).to_string() }).await.unwrap().unwrap();
    // Before it and behind it in the order of their ids, and with dates that are behind each place, or none.
    let lists = Bson::Array(vec![Bson::String("2026-11-01".to_owned()), Bson::String("9".to_owned())]);
    let dates = [Bson::String("2026-11-02".to_owned()), lists, Bson::Null, Bson::Document(doc! { "a": 1 })];
    for (kind, date) in dates.iter().enumerate() {
        for number in 0..12 {
            let mut other = whole.clone();
            other.insert("_id", format!("{}{kind}:{number}", if number % 2 == 0 { "A" } else { "Z" }));
            other.insert("date", date.clone());
            runs.insert_one(other).await.unwrap();
        }
    }
    let (mut found, mut behind) = (Vec::new(), None);
    for stretches in 0.. {
        assert!(stretches < 20, "it ends: {behind:?}");
        let stretch = store.unpublished(&worker("W"), behind.as_ref(), 5).await.unwrap();
        found.extend(stretch.found.records.into_iter().map(|record| record.id));
        behind = stretch.next;
        if behind.is_none() {
            break;
        }
    }
    assert_eq!(found, [2, 3, 21].map(|day| run("W", day)));
}

#[tokio::test]
async fn an_entry_of_the_audit_trail_and_a_dead_letter_that_cannot_be_read_hide_no_other() {
    use crate::support::state::key;
    let database = Database::new();
    let store = database.open().await;
    let entry = AuditEntry::new(at(5), "ann", "lease release", "token 7", "INC-4711");
    store.audit(&entry).await.unwrap();
    let id = EventId { topic: "t".to_owned(), partition: 0, offset: 1 };
    let letter = DeadLetter { id, owner: key("W"), at: at(5), reason: "no JSON".to_owned(), payload: None };
    store.keep_dead_letter(&letter).await.unwrap();
    for (collection, id) in [("audit", "x1"), ("odd_events", "W:t/0/2")] {
        let documents = database.client().await.collection::<Document>(collection);
        let mut odd = documents.find_one(doc! {}).await.unwrap().unwrap();
        // Newer than what can be read, and without a reason.
        odd.extend(doc! { "_id": id, "at": DateTime::from_millis(at(9).as_millisecond()), "reason": Bson::Null });
        documents.insert_one(odd).await.unwrap();
    }
    let trail = store.audits(1).await.unwrap();
    assert_eq!((trail.records, trail.odd.len()), (vec![entry], 1));
    assert_eq!(trail.odd[0].id, "audit x1");
    let letters = store.dead_letters(Some(&key("W")), 1).await.unwrap();
    assert_eq!((letters.records, letters.odd.len()), (vec![letter], 1));
    assert_eq!(letters.odd[0].id, "odd_events W:t/0/2");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_told_and_the_others_are_sent() {
    use crate::support::state::key;
    use filegen::core::ports::outbox::Outbox;
    let database = Database::new();
    let store = database.open().await;
    let files = database.client().await.collection::<Document>("file_status");
    for (day, event) in [(2, Bson::Int32(1)), (3, Bson::Document(doc! { "workerId": 1 }))] {
        let id = format!("{}:A", run("W", day));
        files.insert_one(doc! { "_id": id, "workerId": "W", "sentAt": Bson::Null, "event": event }).await.unwrap();
    }
    let found = store.pending(&key("W")).await.unwrap();
    assert_eq!((found.records.len(), found.odd.len()), (0, 2), "{found:?}");
    let good = |id: &str| doc! { "id": id, "key": "s", "payload": "{}" };
    let changes = doc! { "_id": "a", "unsent": true, "outbox": [1, good("schedule:changes/a:1"), { "id": "a" }] };
    database.client().await.collection::<Document>("DataSource").insert_one(changes).await.unwrap();
    let files = [
        doc! { "_id": "f1", "unsent": true, "event": "bogus" },
        doc! { "_id": "f2", "unsent": true, "event": good("schedule:discovered/f2") },
    ];
    database.client().await.collection::<Document>("DiscoveredFile").insert_many(files).await.unwrap();
    for (owner, sent, odd) in [
        ("schedule:changes", "schedule:changes/a:1", ["DataSource a", "DataSource a"].as_slice()),
        ("schedule:discovered", "schedule:discovered/f2", &["DiscoveredFile f1"]),
    ] {
        let found = store.pending(&key(owner)).await.unwrap();
        assert_eq!(found.records.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [sent]);
        assert_eq!(found.odd.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), odd);
    }
}

#[tokio::test]
async fn long_texts_of_others_make_no_stretch_long_and_hide_no_run() {
    let database = Database::new();
    let store = database.open().await;
    for day in 1..=5 {
        store.request(&run("W", day), "kafka:t/0/1", at(1)).await.unwrap();
    }
    let runs = database.client().await.collection::<Document>("runs");
    let long = doc! { "$set": { "error": "e".repeat(9 << 20) } };
    runs.update_many(doc! { "workerId": "W", "date": { "$lt": "2026-11-05" } }, long).await.unwrap();
    let (mut found, mut behind, mut stretches) = (Vec::new(), None, 0);
    loop {
        let stretch = store.unpublished(&worker("W"), behind.as_ref(), 256).await.unwrap();
        assert!(stretch.found.records.len() <= 2, "as many as come to 16 MiB");
        found.extend(stretch.found.records);
        (stretches, behind) = (stretches + 1, stretch.next);
        if behind.is_none() {
            break;
        }
    }
    assert!(found.len() == 5 && stretches == 3, "{} in {stretches}", found.len());
    assert!(found.iter().all(|record| record.error.as_ref().is_none_or(|error| error.len() <= 64 << 10)));
}
