//! Room at the target, and places for what is on its way: what has none waits alone.

use super::*;
use crate::core::ports::file_broker::{FileSender, Parcel};
use serde_json::json;

/// An envelope of another maker, whose chunks nobody has sent.
fn hollow(id: &str, size: u64) -> Parcel {
    let chunk = 1_u64 << 20;
    let envelope = json!({
        "version": 1, "id": id, "sourcePath": id, "name": id, "source": "x", "contentType": "", "size": size,
        "sha256": "0".repeat(64), "modifiedAt": "2026-11-28T10:00:00Z", "timestamp": "2026-11-28T10:00:00Z",
        "chunks": size.div_ceil(chunk), "chunkSize": chunk,
    });
    Parcel { id: id.to_owned(), envelope: envelope.to_string().into_bytes(), content: None, trace: None }
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_holds_up_nothing_that_fits() {
    let world = World::new();
    world.target.set_room(Some(Room { free: 60, all: 1000 }));
    for number in 0..9 {
        world.write(&format!("large{number}"), &[1; 50]);
    }
    world.write("small", &[2; 10]);
    let limit = Duration::from_mins(5);
    tokio::time::timeout(limit, world.run(Until::Stopped)).await.unwrap_err();
    assert_eq!(world.target.content("small"), Some(vec![2; 10]));
    assert_eq!(world.target.content("large0"), None);
    assert!(world.inbox.on(Shelf::Error).is_empty(), "it is waited for");
    // Tried together, and less and less often.
    let told = world.count(|event| matches!(event, TransferEvent::Waiting { .. }));
    assert!((4..60).contains(&told), "{told}");
    world.target.set_room(Some(Room { free: 100, all: 1000 }));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_file_does_not_wait_for_the_room_that_it_has_itself() {
    let world = World::new();
    world.write("a", &[1; 95]);
    let stop = CancellationToken::new();
    let when: fn(&TransferEvent) -> bool = |event| matches!(event, TransferEvent::Moved { side: Side::Deliver, .. });
    let stopping = stop.clone();
    let act: Box<dyn Fn() + Send> = Box::new(move || stopping.cancel());
    *world.meddle.lock().unwrap() = Some((when, act));
    world.run_until(Until::Arrived, &stop).await.unwrap_err();
    assert_eq!(world.target.content("a"), None);
    // The first chunk is there, and has 10 of the 190 bytes.
    world.target.set_room(Some(Room { free: 179, all: 190 }));
    let error = world.run(Until::Arrived).await.unwrap_err();
    assert!(error.to_string().contains("no room"), "{error}");
    world.target.set_room(Some(Room { free: 180, all: 190 }));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(vec![1; 95]));
}

#[tokio::test(start_paused = true)]
async fn what_can_never_have_room_and_what_is_not_there_are_refused_at_once() {
    let mut world = World::new();
    let mut transfer = transfer();
    transfer.deliver.as_mut().unwrap().max_size = 1 << 40;
    world.transfer = Arc::new(transfer);
    world.target.set_room(Some(Room { free: 1 << 20, all: 64 << 20 }));
    for number in 0..40 {
        FileSender::send(&world.broker, hollow(&format!("never{number}"), 9 << 30)).await.unwrap();
        FileSender::send(&world.broker, hollow(&format!("hollow{number}"), 20 << 20)).await.unwrap();
    }
    world.write("a", b"abc");
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(b"abc".to_vec()));
    let wanted = Wanted { side: Some(Side::Deliver), states: vec![FileState::Failed], limit: 99, ..Wanted::default() };
    let failed = world.ledger.records("sales", &wanted).await.unwrap().records;
    let reasons = |word: &str| {
        let of = |failure: &FileFailure| failure.reason.contains(word);
        failed.iter().filter(|record| record.failure.as_ref().is_some_and(of)).count()
    };
    assert_eq!((reasons("bytes in all"), reasons("chunks are missing")), (40, 40));
}

#[tokio::test(start_paused = true)]
async fn a_small_file_that_comes_while_a_large_one_is_sent_does_not_wait_for_its_end() {
    let mut world = World::new();
    let mut transfer = transfer();
    let (size, chunk) = ((64 << 20) + 1, 4 << 20);
    transfer.policies.chunk = chunk;
    transfer.collect.as_mut().unwrap().max_size = 1 << 40;
    transfer.deliver.as_mut().unwrap().max_size = 1 << 40;
    world.transfer = Arc::new(transfer);
    world.broker.slow(Duration::from_secs(20));
    world.write("large", &vec![1; size]);
    let inbox = world.inbox.clone();
    let when: fn(&TransferEvent) -> bool = |event| matches!(event, TransferEvent::Moved { side: Side::Collect, .. });
    let act: Box<dyn Fn() + Send> = Box::new(move || inbox.write("small", b"abc", Timestamp::UNIX_EPOCH));
    *world.meddle.lock().unwrap() = Some((when, act));
    world.run(Until::Arrived).await.unwrap();
    let seen = world.seen.lock().unwrap();
    let at = |wanted: &dyn Fn(&TransferEvent) -> bool| seen.iter().position(wanted).unwrap();
    let small = at(&|event| matches!(event, TransferEvent::Settled(record) if record.path == "small"));
    let large = at(&|event| matches!(event, TransferEvent::Sent(record) if record.path == "large"));
    assert!(small < large, "{small} {large}");
    assert_eq!(seen.iter().filter(|event| matches!(event, TransferEvent::Sent(_))).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn files_that_wait_for_one_connection_hold_up_nobody_for_ever() {
    let world = World::new();
    world.broker.slow(Duration::from_millis(10));
    for number in 0..12 {
        world.write(&format!("f{number}"), &[number; 95]);
    }
    let limit = Duration::from_hours(1);
    tokio::time::timeout(limit, world.run(Until::Arrived)).await.expect("it ends").unwrap();
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 12);
}
