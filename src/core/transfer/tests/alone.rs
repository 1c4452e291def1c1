//! What a target says of one file, without a reason that is known to pass: that file alone is tried again, and then set aside.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_file_that_the_target_says_no_to_is_set_aside_and_holds_up_no_other() {
    let world = World::new();
    world.target.refuse(Some("bad"));
    // More than there are places.
    for number in 0..9 {
        world.write(&format!("bad{number}"), &[1; 25]);
    }
    for number in 0..9 {
        world.write(&format!("good{number}"), &[2; 25]);
    }
    let limit = Duration::from_mins(5);
    tokio::time::timeout(limit, world.run(Until::Stopped)).await.unwrap_err();
    assert_eq!((world.inbox.on(Shelf::Archive).len(), world.inbox.on(Shelf::Error).len()), (9, 18));
    let waits = world.count(|event| matches!(event, TransferEvent::Waiting { .. }));
    assert_eq!(waits, 9 * 4, "each as often as the file says");
    let seen = world.seen.lock().unwrap();
    let first = seen.iter().position(|event| matches!(event, TransferEvent::Failed(_))).unwrap();
    let last = seen.iter().rposition(|event| matches!(event, TransferEvent::Delivered { .. })).unwrap();
    assert!(last < first, "the others do not wait for it");
    let TransferEvent::Failed(record) = &seen[first] else { unreachable!() };
    let failure = record.failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::Failed.as_str());
    assert!(failure.reason.contains("failure; so it was at each try"), "{}", failure.reason);
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_once_such_a_file_is_set_aside() {
    let world = World::new();
    world.target.refuse(Some("bad"));
    world.write("bad", &[1; 25]);
    world.run(Until::Arrived).await.unwrap();
    assert_eq!((world.inbox.on(Shelf::Error).len(), world.states(Side::Deliver).await), (2, vec![FileState::Failed]));
}

#[tokio::test(start_paused = true)]
async fn while_a_target_says_no_to_all_nothing_is_set_aside() {
    let world = World::new();
    world.target.refuse(Some(""));
    for number in 0..9 {
        world.write(&format!("f{number}"), &[1; 25]);
    }
    let limit = Duration::from_hours(1);
    tokio::time::timeout(limit, world.run(Until::Stopped)).await.unwrap_err();
    assert!(world.inbox.on(Shelf::Error).is_empty() && world.inbox.on(Shelf::Archive).is_empty());
    assert_eq!(world.run(Until::Arrived).await.unwrap_err().kind(), FailureKind::Failed);
    world.target.refuse(None);
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 9);
}

#[tokio::test(start_paused = true)]
async fn tries_are_counted_through_all_processes() {
    let world = World::new();
    world.target.refuse(Some("bad"));
    world.write("bad", &[1; 25]);
    // Each of them ends before it has tried as often as the file says.
    for _ in 0..3 {
        let life = Duration::from_millis(6500);
        tokio::time::timeout(life, world.run(Until::Stopped)).await.unwrap_err();
    }
    assert_eq!(world.states(Side::Deliver).await, [FileState::Failed]);
    let waits = world.count(|event| matches!(event, TransferEvent::Waiting { .. }));
    assert_eq!(waits, 4, "as often as the file says, in all");
}
