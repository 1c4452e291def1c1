//! What needs no server: the options that hold whatever the address says.

use super::{rewritten, settle};
use mongodb::bson::{Bson, DateTime, Document, deserialize_from_slice, doc, serialize_to_vec};
use mongodb::options::{Acknowledgment, ClientOptions, ReadConcern};
use std::time::Duration;

async fn settled(url: &str) -> ClientOptions {
    let mut options = ClientOptions::parse(url).await.unwrap();
    settle(&mut options, Duration::from_secs(4));
    options
}

#[tokio::test]
async fn no_address_weakens_a_write_or_a_read() {
    let options = settled("mongodb://h/?w=1&journal=false&readConcernLevel=local&readPreference=secondary").await;
    let concern = options.write_concern.unwrap();
    assert_eq!((concern.w, concern.journal), (Some(Acknowledgment::Majority), Some(true)));
    assert_eq!(options.read_concern, Some(ReadConcern::majority()));
    let criteria = format!("{:?}", options.selection_criteria);
    assert!(criteria.contains("Primary") && !criteria.contains("Preferred"), "{criteria}");
}

#[tokio::test]
async fn no_wait_for_a_server_is_longer_than_the_call() {
    let wait = async |url| settled(url).await.server_selection_timeout.unwrap();
    assert_eq!(wait("mongodb://h/").await, Duration::from_secs(3));
    assert_eq!(wait("mongodb://h/?serverSelectionTimeoutMS=60000").await, Duration::from_secs(3));
    assert_eq!(wait("mongodb://h/?serverSelectionTimeoutMS=500").await, Duration::from_millis(500));
}

fn written_again(collection: &str, document: &Document) -> Document {
    let written = rewritten(collection, &serialize_to_vec(document).unwrap()).unwrap();
    deserialize_from_slice(&written).unwrap()
}

#[test]
fn documents_of_builds_that_knew_fewer_fields_are_read() {
    let at = DateTime::from_millis(0);
    let event = doc! {
        "_id": "W:t/0/7", "workerId": "W", "topic": "t", "partition": 0, "offset": 7_i64, "at": at,
        "reason": "no JSON", "payload": "x".repeat(9000),
    };
    let event = written_again("odd_events", &event);
    assert_eq!(event.get_str("payload").unwrap().len(), 4096);
    // The bytes that came are not known any more, so neither are their number and their digest.
    assert_eq!((event.get("payloadBytes"), event.get("payloadSha256")), (Some(&Bson::Null), Some(&Bson::Null)));
    let run = doc! {
        "workerId": "W", "date": "2026-11-21", "status": "failed", "requestedBy": "x", "requestedAt": at,
        "token": 3_i64, "lastPage": 0_i64, "rows": 0_i64, "error": "the disk is full",
    };
    let written = written_again("runs", &run);
    assert_eq!(written.get("failure"), Some(&Bson::Null));
    assert!(!written.contains_key("given"), "{written}");
    let mut given = run;
    given.insert("given", doc! { "region": { "type": "text", "value": "US" } });
    assert_eq!(written_again("runs", &given).get("given"), given.get("given"));
}
