//! How a lease is had: who waits for whom, how long, and under which token.

use super::*;
use jiff::SignedDuration;

#[tokio::test(start_paused = true)]
async fn the_first_candidate_leads_at_once() {
    let world = World::new();
    let start = world.clock.elapsed();
    let leadership = world.acquire("a").await;
    assert_eq!(world.clock.elapsed(), start);
    assert_eq!(leadership.term().token(), Token(1));
    assert_eq!(leadership.term().remaining(), Duration::from_secs(20), "two thirds of the time to live");
    assert_eq!(world.heard(|event| *event == ElectionEvent::Leading { token: Token(1) }), 1);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_renews_is_never_replaced() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    let contender = world.candidate("b");
    let stop = world.stop.clone();
    let waiting = tokio::spawn(async move { contender.acquire(Token(0), true, &stop).await.err() });
    world.seconds(3600).await;
    assert!(leadership.term().check().is_ok());
    assert!(world.lease().await.seq >= 359, "renewed each ten seconds");
    assert_eq!(world.heard(|event| matches!(event, ElectionEvent::Waiting { .. })), 1, "told once");
    world.stop.cancel();
    assert_eq!(waiting.await.unwrap(), Some(ElectionError::Stopped { key: key() }));
}

#[tokio::test(start_paused = true)]
async fn a_silent_holder_is_replaced_after_one_time_to_live_on_the_contenders_clock() {
    let world = World::new();
    let old = world.acquire("a").await;
    world.seconds(300).await;
    old.freeze();
    world.clock.jump_wall(SignedDuration::from_hours(-48));
    let seen = world.clock.elapsed();
    let new = world.acquire("b").await;
    let waited = world.clock.elapsed().saturating_sub(seen);
    assert!(waited >= TTL && waited <= TTL + LOOK_FOR_RELEASE, "{waited:?}");
    assert_eq!(new.term().token(), Token(2));
    assert!(old.term().check().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_paused_holder_may_not_write_before_any_contender_may_take_over() {
    let world = World::new();
    let old = world.acquire("a").await;
    old.freeze();
    world.clock.sleep(BEFORE_RIGHT_ENDS).await;
    assert!(old.term().check().is_ok());
    world.clock.sleep(Duration::from_millis(1)).await;
    assert!(old.term().check().is_err(), "ten seconds before the earliest takeover");
    let seen = world.clock.elapsed();
    world.acquire("b").await;
    assert!(world.clock.elapsed() >= seen + TTL);
}

#[tokio::test(start_paused = true)]
async fn wall_clocks_decide_nothing() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    for hours in [48, -96, 1, -2] {
        world.clock.jump_wall(SignedDuration::from_hours(hours));
        world.seconds(40).await;
        assert!(leadership.term().check().is_ok());
        let refused = world.candidate("b").acquire(Token(0), false, &world.stop).await.err();
        assert!(matches!(refused, Some(ElectionError::HeldByOther { .. })), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_at_once_under_a_higher_token() {
    let world = World::new();
    let first = world.acquire("a").await;
    let term = first.term().clone();
    assert_eq!(first.release("done").await, Ok(true));
    assert!(term.check().is_err(), "released is not ours to write under");
    assert_eq!(world.lease().await.released.unwrap().1, "done");
    let seen = world.clock.elapsed();
    let second = world.acquire("b").await;
    assert_eq!((world.clock.elapsed(), second.term().token()), (seen, Token(2)));
    assert_eq!(world.lease().await.released, None);
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_leads_within_a_second_of_a_release_whatever_the_polling_interval() {
    for polling_interval in [Duration::from_millis(100), Duration::from_secs(5), Duration::from_mins(10)] {
        let world = World::new();
        let first = world.acquire("a").await;
        let waiting: Vec<_> = ["b", "c"]
            .map(|name| {
                let (mut candidate, stop) = (world.candidate(name), world.stop.clone());
                candidate.policies.takeover_polling_interval = polling_interval;
                tokio::spawn(async move { candidate.acquire(Token(0), true, &stop).await })
            })
            .into();
        // No round number: each look has the same chance to come late.
        world.clock.sleep(Duration::from_millis(12_345)).await;
        first.release("done").await.unwrap();
        world.clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(
            world.heard(|event| *event == ElectionEvent::Leading { token: Token(2) }),
            1,
            "{polling_interval:?}"
        );
        world.stop.cancel();
        drop(waiting);
    }
}

#[tokio::test(start_paused = true)]
async fn standing_by_costs_the_store_two_looks_a_second() {
    let world = World::new();
    let _holder = world.acquire("a").await;
    let before = world.faulty.count(Call::Read);
    let (contender, stop) = (world.candidate("b"), world.stop.clone());
    let waiting = tokio::spawn(async move { contender.acquire(Token(0), true, &stop).await.err() });
    world.seconds(60).await;
    let looks = world.faulty.count(Call::Read) - before;
    assert!((118..=121).contains(&looks), "{looks}");
    world.stop.cancel();
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dead_holder_is_replaced_at_once() {
    let world = World::new();
    let dead = world.acquire("a").await;
    dead.freeze();
    world.state.mark_gone(&InstanceId::new("a"));
    let seen = world.clock.elapsed();
    let new = world.candidate("b").acquire(Token(0), false, &world.stop).await.unwrap();
    assert_eq!((world.clock.elapsed(), new.term().token()), (seen, Token(2)));
}

#[tokio::test(start_paused = true)]
async fn who_will_not_wait_learns_who_holds_it() {
    let world = World::new();
    let _holder = world.acquire("a").await;
    let refused = world.candidate("b").acquire(Token(0), false, &world.stop).await.err().unwrap();
    assert_eq!(
        refused.to_string(),
        "a holds the lease of LoanWorker with token 1, last seen alive at 2026-11-21T00:00:00Z; \
         wait for it, or see `filegen lease show`"
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_grow_past_every_trace_of_an_older_one() {
    let world = World::new();
    let first = world.candidate("a").acquire(Token(41), true, &world.stop).await.unwrap();
    assert_eq!(first.term().token(), Token(42), "the volume's");
    first.release("done").await.unwrap();
    world.state.forget_lease(&key());
    assert_eq!(world.acquire("b").await.term().token(), Token(43), "the claims'");
    let exhausted = world.candidate("c").acquire(Token(u64::MAX), true, &world.stop).await.err();
    assert_eq!(exhausted, Some(ElectionError::NoTokenLeft { key: key() }));
}

#[tokio::test(start_paused = true)]
async fn of_many_candidates_one_leads_and_none_is_thrown_out() {
    let world = World::new();
    let mut candidates = tokio::task::JoinSet::new();
    for name in 0..32 {
        let (candidate, stop) = (world.candidate(&name.to_string()), world.stop.clone());
        candidates.spawn(async move { candidate.acquire(Token(0), true, &stop).await });
    }
    let leadership = candidates.join_next().await.unwrap().unwrap().unwrap();
    world.seconds(120).await;
    assert!(leadership.term().check().is_ok());
    assert_eq!(world.lease().await.token, leadership.term().token());
    assert_eq!(world.heard(|event| matches!(event, ElectionEvent::Leading { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn the_winner_of_a_token_has_time_to_install_its_lease() {
    let world = World::new();
    world.faulty.script(Call::Install, [Fault::Slow(Duration::from_millis(500))]);
    let (late, stop) = (world.candidate("b"), world.stop.clone());
    let (leadership, ()) = tokio::join!(world.acquire("a"), async {
        tokio::spawn(async move { late.acquire(Token(0), true, &stop).await });
    });
    world.seconds(120).await;
    assert!(leadership.term().check().is_ok());
    assert_eq!(world.heard(|event| matches!(event, ElectionEvent::Leading { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mint_whose_reply_was_lost_is_read_back() {
    let world = World::new();
    world.faulty.script(Call::Mint, [Fault::LoseReply]);
    let leadership = world.acquire("a").await;
    assert_eq!(leadership.term().token(), Token(1), "it was ours");
    assert_eq!(world.heard(|event| matches!(event, ElectionEvent::Retrying(_))), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mint_that_arrives_after_it_was_given_up_is_ours_too() {
    let world = World::new();
    world.faulty.script(Call::Mint, [Fault::LoseRequest, Fault::Overtaken]);
    assert_eq!(world.acquire("a").await.term().token(), Token(1));
}

#[tokio::test(start_paused = true)]
async fn a_mint_that_was_lost_is_tried_again_and_may_be_another_ones_by_then() {
    let world = World::new();
    world.faulty.script(Call::Mint, [Fault::LoseRequest]);
    assert_eq!(world.acquire("a").await.term().token(), Token(1));

    let world = World::new();
    let rival = EpochClaim {
        key: key(),
        token: Token(1),
        instance: InstanceId::new("rival"),
        nonce: "rival-0".to_owned(),
        claimed_at: world.clock.now(),
    };
    world.faulty.script(Call::Mint, [Fault::LoseRequest]);
    let (candidate, stop) = (world.candidate("a"), world.stop.clone());
    let acquiring = tokio::spawn(async move { candidate.acquire(Token(0), true, &stop).await });
    tokio::task::yield_now().await;
    world.state.mint(&rival).await.unwrap();
    let leadership = acquiring.await.unwrap().unwrap();
    assert_eq!(leadership.term().token(), Token(2), "1 is the rival's, who never came");
}

#[tokio::test(start_paused = true)]
async fn a_lost_install_is_repeated_and_its_right_counts_from_the_first_try() {
    let world = World::new();
    world.faulty.script(Call::Install, [Fault::LoseReply, Fault::LoseRequest]);
    let start = world.clock.elapsed();
    let leadership = world.acquire("a").await;
    let took = world.clock.elapsed().saturating_sub(start);
    assert_eq!(took, Duration::from_millis(1500), "two backoffs");
    assert_eq!(leadership.term().remaining(), Duration::from_millis(18_500));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_beaten_to_the_store_is_not_led() {
    let world = World::new();
    world.faulty.script(Call::Install, [Fault::Refuse]);
    let leadership = world.acquire("a").await;
    assert_eq!(leadership.term().token(), Token(2));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_is_an_error_and_one_that_comes_back_is_not() {
    let world = World::new();
    let retries = usize::try_from(Policies::default().retry.max_retries).unwrap();
    world.faulty.script(Call::Read, vec![Fault::LoseRequest; retries]);
    assert_eq!(world.acquire("a").await.term().token(), Token(1));
    world.faulty.script(Call::Read, vec![Fault::LoseRequest; retries + 1]);
    let error = world.candidate("b").acquire(Token(0), true, &world.stop).await.err();
    assert!(matches!(error, Some(ElectionError::Store(StoreError::Unreachable { .. }))), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_read_is_told_and_waited_for_like_a_holder_that_nobody_knows() {
    for wait in [true, false] {
        let world = World::new();
        let holder = world.acquire("a").await;
        holder.freeze();
        world.state.spoil_lease(&key(), "-3 is below zero");
        let began = world.clock.elapsed();
        let leadership = world.candidate("b").acquire(Token(0), wait, &world.stop).await.unwrap();
        assert_eq!(leadership.term().token(), Token(2));
        assert!(holder.term().check().is_err(), "the one before has no right any more");
        assert_eq!(world.clock.elapsed(), began + TTL);
        let told = |event: &ElectionEvent| matches!(event, ElectionEvent::Odd { record } if record.id == "worker_leases LoanWorker");
        assert_eq!(world.heard(told), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_or_a_lease_that_no_counting_has_come_to_is_told_and_not_counted_on_from() {
    let world = World::new();
    world.acquire("a").await.release("done").await.unwrap();
    let odd = |token| EpochClaim {
        key: key(),
        token: Token(token),
        instance: InstanceId::new("x"),
        nonce: "x".to_owned(),
        claimed_at: world.clock.now(),
    };
    for token in [u64::MAX, u64::MAX - 1, 1 << 62, Token::REACH + 2] {
        world.state.mint(&odd(token)).await.unwrap();
    }
    let lease = LeaseRecord { token: Token(u64::MAX), ..world.lease().await };
    world.state.install(&lease).await.unwrap();
    let leadership = world.acquire("b").await;
    assert_eq!(leadership.term().token(), Token(2));
    assert_eq!(world.lease().await.token, Token(2));
    let told = |id: &str| world.heard(|event| matches!(event, ElectionEvent::Odd { record } if record.id == id));
    assert_eq!((told("worker_epochs LoanWorker:18446744073709551615"), told("worker_leases LoanWorker")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_only_the_insert_meets_is_passed_over() {
    let world = World::new();
    world.faulty.script(Call::Mint, [Fault::Refuse]);
    assert_eq!(world.acquire("a").await.term().token(), Token(2));
}
