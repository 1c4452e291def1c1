//! What is particular to the store on MongoDB: its documents, its indexes, its silence. The ports' promises are held in
//! `contract`.

mod odd;
mod silence;
mod tls;

use crate::support::filegen::Filegen;
use crate::support::mongo::Database;
use crate::support::state::{at, claim, file, key, lease, run};
use crate::support::term;
use filegen::adapters::mongo::MongoState;
use filegen::core::model::names::InstanceId;
use filegen::core::model::secret::Secret;
use filegen::core::model::term::Token;
use filegen::core::ports::leases::LeaseStore;
use filegen::core::ports::outbox::Outbox;
use filegen::core::ports::runs::{FileState, FileStatus, RunStore};
use filegen::core::ports::store::{Found, StoreError};
use futures_util::TryStreamExt;
use mongodb::IndexModel;
use mongodb::bson::{DateTime, Document, doc};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(30);

/// A document has these fields, of these very types.
#[track_caller]
fn hold(document: &Document, fields: Document) {
    for (name, value) in fields {
        assert_eq!(document.get(&name), Some(&value), "{name}");
    }
}

#[tokio::test]
async fn looking_makes_nothing() {
    let database = Database::new();
    let store = MongoState::connect(&Secret::new(database.url()), TTL).await.unwrap();
    assert_eq!(store.read(&key("W")).await, Ok(None));
    assert_eq!(store.highest_token(&key("W"), Token(u64::MAX)).await, Ok(None));
    assert_eq!(store.runs(None, 5).await, Ok(Found::default()));
    assert_eq!(store.pending(&key("W")).await, Ok(Found::default()));
    assert_eq!(store.missing_indexes().await.unwrap().len(), 24);
    assert_eq!(database.client().await.list_collection_names().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn indexes_are_made_once_and_what_is_missing_is_said() {
    let database = Database::new();
    let store = database.open().await;
    assert_eq!(store.missing_indexes().await, Ok(vec![]));
    store.make_indexes().await.unwrap();
    let client = database.client().await;
    client.collection::<Document>("runs").drop_index("by_date").await.unwrap();
    assert_eq!(store.missing_indexes().await, Ok(vec!["runs.by_date".to_owned()]));
    store.make_indexes().await.unwrap();
    assert_eq!(store.missing_indexes().await, Ok(vec![]));
    let leases = client.collection::<Document>("worker_leases").list_indexes().await.unwrap();
    let leases: Vec<IndexModel> = leases.try_collect().await.unwrap();
    let litter = leases.iter().find(|index| index.keys == doc! { "expiresAt": 1 }).unwrap();
    let after = litter.options.as_ref().and_then(|options| options.expire_after);
    assert_eq!(after, Some(Duration::from_hours(7 * 24)), "long after a lease proves anything to anybody");
}

#[tokio::test]
async fn documents_have_the_names_that_the_runbook_and_other_programs_know() {
    let database = Database::new();
    let store = database.open().await;
    store.mint(&claim("LoanWorker", 7, "n")).await.unwrap();
    store.install(&lease("LoanWorker", 7, "pod-1:7")).await.unwrap();
    store.request(&run("LoanWorker", 21), "kafka:loan-data/3/17", at(0)).await.unwrap();
    let status = FileStatus {
        run: run("LoanWorker", 21),
        file: file("Loan0"),
        state: FileState::Writing,
        last_page: 3,
        rows: 30,
        started_at: at(2),
        completed_at: None,
        token: Token(7),
        event: None,
    };
    store.save_file(&term(7), &status).await.unwrap();
    let claimed = database.document("worker_epochs", "LoanWorker:7").await.unwrap();
    hold(&claimed, doc! { "workerId": "LoanWorker", "token": 7_i64, "nonce": "n" });
    let held = database.document("worker_leases", "LoanWorker").await.unwrap();
    let millis = DateTime::from_millis(at(123).as_millisecond());
    hold(&held, doc! { "instanceId": "pod-1:7", "token": 7_i64, "seq": 1_i64, "renewedAt": millis });
    let wanted = database.document("runs", "LoanWorker:2026-11-21").await.unwrap();
    hold(&wanted, doc! { "status": "pending", "requestedBy": "kafka:loan-data/3/17", "fence": 7_i64 });
    let written = database.document("file_status", "LoanWorker:2026-11-21:Loan0").await.unwrap();
    hold(&written, doc! { "fileId": "Loan0", "date": "2026-11-21", "status": "writing", "cumulativeRows": 30_i64 });
}

#[tokio::test]
async fn times_are_cut_to_milliseconds_and_nothing_else_is_lost() {
    let database = Database::new();
    let store = database.open().await;
    let fine = lease("W", 1, "a");
    let nanos = |time: jiff::Timestamp| time + jiff::SignedDuration::from_nanos(999_999);
    let given = filegen::core::ports::leases::LeaseRecord {
        acquired_at: nanos(fine.acquired_at),
        renewed_at: nanos(fine.renewed_at),
        ..fine.clone()
    };
    assert_eq!(store.install(&given).await, Ok(true));
    assert_eq!(store.read(&key("W")).await, Ok(Some(fine)));
}

#[tokio::test]
async fn a_document_that_no_filegen_wrote_is_an_error_that_says_what_to_do() {
    let database = Database::new();
    let store = database.open().await;
    store.install(&lease("W", 1, "a")).await.unwrap();
    let leases = database.client().await.collection::<Document>("worker_leases");
    for odd in [doc! { "token": -1_i64 }, doc! { "token": "one" }, doc! { "workerId": "a/b" }] {
        leases.update_one(doc! { "_id": "W" }, doc! { "$set": odd.clone() }).await.unwrap();
        let error = store.read(&key("W")).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Odd { record, .. } if record.reason.contains("mend the document")),
            "{odd}: {error}"
        );
        leases.update_one(doc! { "_id": "W" }, doc! { "$set": { "token": 1_i64, "workerId": "W" } }).await.unwrap();
    }
    assert_eq!(store.read(&key("W")).await, Ok(Some(lease("W", 1, "a"))));
}

#[tokio::test]
async fn a_token_beyond_what_bson_can_hold_is_refused_and_not_cut() {
    let store = Database::new().open().await;
    let error = store.mint(&claim("W", u64::MAX, "n")).await.unwrap_err();
    assert!(error.to_string().contains("more than the state store can keep"), "{error}");
    let renewed = store.renew(&key("W"), Token(u64::MAX), &InstanceId::new("a"), at(1), at(2)).await;
    assert!(matches!(renewed, Err(StoreError::Failed { .. })), "{renewed:?}");
}

#[test]
fn the_commands_work_on_it_and_those_that_look_make_nothing() {
    let database = Database::new();
    let filegen = Filegen::with_loans(25);
    let text = filegen.read("worker.yaml");
    filegen.write("worker.yaml", &format!("{text}state:\n  url: \"{}\"\n", database.url()));
    let done = filegen.run("lease show -c worker.yaml").exits(0);
    assert_eq!(done.stderr, "no lease: nobody has written here yet\n");
    filegen.publish();
    let json = filegen.run("lease show -c worker.yaml --output json").exits(0).json();
    assert_eq!((json["leases"][0]["state"].as_str(), json["leases"][0]["token"].as_u64()), (Some("released"), Some(1)));
    assert!(!filegen.has("out/.filegen/state.db"), "there is one state store");
    filegen.publish();
    filegen.run("verify -c worker.yaml --date 2026-11-21").exits(0);
}
