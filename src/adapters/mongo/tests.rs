//! What needs no server: the options that hold whatever the address says.

use super::settle;
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
