//! How a lease is kept, lost and given back.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_reply_was_lost_extends_nothing() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    world.faulty.script(Call::Renew, [Fault::LoseReply; 100]);
    world.clock.sleep(BEFORE_RIGHT_ENDS).await;
    assert!(world.lease().await.seq > 5, "the store saw them, and tries came quickly");
    assert!(leadership.term().check().is_ok());
    assert!(!leadership.lost().is_cancelled());
    world.clock.sleep(Duration::from_millis(2)).await;
    assert!(leadership.term().check().is_err());
    assert!(leadership.lost().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_counts_from_when_it_was_sent() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    world.faulty.script(Call::Renew, [Fault::Delay(Duration::from_secs(4))]);
    world.seconds(15).await;
    assert_eq!(leadership.term().remaining(), Duration::from_secs(15), "sent at 10, answered at 14, now 15");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_renewal_does_not_outlast_the_right() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    world.faulty.script(Call::Renew, [Fault::Delay(Duration::from_mins(10))]);
    world.seconds(21).await;
    assert!(leadership.lost().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_outlived() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    world.faulty.script(Call::Renew, [Fault::LoseRequest; 9]);
    world.seconds(60).await;
    assert!(leadership.term().check().is_ok());
    assert_eq!(world.heard(|event| matches!(event, ElectionEvent::Retrying(_))), 9);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_took_or_a_person_released_is_lost_at_the_next_renewal() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    world.state.release(&key(), Token(1), world.clock.now(), "by hand").await.unwrap();
    world.clock.sleep(Duration::from_millis(10_001)).await;
    assert!(leadership.lost().is_cancelled());
    assert!(leadership.term().check().is_err());
    assert_eq!(world.heard(|event| matches!(event, ElectionEvent::Lost { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn a_loss_that_the_work_noticed_first_is_told_as_one() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    leadership.term().end();
    leadership.release("the work gave up").await.unwrap();
    assert_eq!(
        world.heard(|event| matches!(event, ElectionEvent::Lost { why, .. } if why.contains("a write failed"))),
        1
    );
    assert_eq!(world.heard(|event| matches!(event, ElectionEvent::Released { .. })), 0);
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_stop_in_time_is_aborted() {
    let world = World::new();
    let stubborn = world.acquire("a").await;
    world.faulty.script(Call::Renew, [Fault::Refuse]);
    stubborn.lost().cancelled().await;
    world.clock.sleep(Duration::from_millis(7_400)).await;
    assert_eq!(world.aborted.load(Ordering::Relaxed), 0);
    world.clock.sleep(Duration::from_millis(101)).await;
    assert_eq!(world.aborted.load(Ordering::Relaxed), 1, "a quarter of the time to live");
}

#[tokio::test(start_paused = true)]
async fn work_that_stops_in_time_is_not_aborted() {
    let world = World::new();
    let obedient = world.acquire("a").await;
    world.faulty.script(Call::Renew, [Fault::Refuse]);
    obedient.lost().cancelled().await;
    world.seconds(7).await;
    drop(obedient);
    world.seconds(60).await;
    assert_eq!(world.aborted.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_late_release_leaves_the_successors_lease_alone() {
    let world = World::new();
    let old = world.acquire("a").await;
    old.freeze();
    let _new = world.acquire("b").await;
    assert_eq!(old.release("late").await, Ok(false));
    let lease = world.lease().await;
    assert_eq!((lease.token, lease.released), (Token(2), None));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_leadership_ends_its_term_and_its_renewals() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    let term = leadership.term().clone();
    drop(leadership);
    assert!(term.check().is_err());
    world.seconds(60).await;
    assert_eq!(world.lease().await.seq, 1);
}

#[tokio::test(start_paused = true)]
async fn a_release_is_tried_twice() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    world.faulty.script(Call::Release, [Fault::LoseRequest]);
    assert_eq!(leadership.release("done").await, Ok(true));
    assert!(world.lease().await.released.is_some());
}
