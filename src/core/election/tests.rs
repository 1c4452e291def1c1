//! The lease protocol on a paused clock, over a store in memory that can lose replies.

mod faulty;

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use faulty::{Call, Fault, Faulty};
use jiff::SignedDuration;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const TTL: Duration = Duration::from_secs(30);
const BEFORE_RIGHT_ENDS: Duration = Duration::from_millis(19_999);

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<News>>);

impl Observer for Notes {
    fn observe(&self, news: &News) {
        self.0.lock().unwrap().push(news.clone());
    }
}

/// One store and one clock, and any number of candidates.
struct World {
    state: MemoryState,
    faulty: Arc<Faulty>,
    clock: MemoryClock,
    notes: Arc<Notes>,
    aborted: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl World {
    fn new() -> Self {
        let state = MemoryState::default();
        Self {
            faulty: Arc::new(Faulty::over(state.clone())),
            state,
            clock: MemoryClock::starting_at("2026-11-21T00:00:00Z".parse().unwrap()),
            notes: Arc::default(),
            aborted: Arc::default(),
            stop: CancellationToken::new(),
        }
    }

    fn candidate(&self, name: &str) -> Candidate {
        let aborted = Arc::clone(&self.aborted);
        let claims = AtomicUsize::new(0);
        let name = name.to_owned();
        Candidate {
            worker: worker(),
            instance: InstanceId::new(name.clone()),
            policies: Policies::default(),
            leases: Arc::clone(&self.faulty) as Arc<dyn LeaseStore>,
            clock: Arc::new(self.clock.clone()),
            observer: Arc::clone(&self.notes) as Arc<dyn Observer>,
            nonce: Arc::new(move || format!("{name}-{}", claims.fetch_add(1, Ordering::Relaxed))),
            abort: Arc::new(move || {
                aborted.fetch_add(1, Ordering::Relaxed);
            }),
        }
    }

    async fn acquire(&self, name: &str) -> Leadership {
        self.candidate(name).acquire(Token(0), true, &self.stop).await.unwrap()
    }

    async fn lease(&self) -> LeaseRecord {
        self.state.read(&worker()).await.unwrap().unwrap()
    }

    async fn seconds(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    fn heard(&self, wanted: impl Fn(&News) -> bool) -> usize {
        self.notes.0.lock().unwrap().iter().filter(|news| wanted(news)).count()
    }
}

fn worker() -> WorkerId {
    WorkerId::new("LoanWorker").unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_candidate_leads_at_once() {
    let world = World::new();
    let start = world.clock.elapsed();
    let leadership = world.acquire("a").await;
    assert_eq!(world.clock.elapsed(), start);
    assert_eq!(leadership.term().token(), Token(1));
    assert_eq!(leadership.term().remaining(), Duration::from_secs(20), "two thirds of the time to live");
    assert_eq!(world.heard(|news| *news == News::Leading { token: Token(1) }), 1);
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
    assert_eq!(world.heard(|news| matches!(news, News::Waiting { .. })), 1, "told once");
    world.stop.cancel();
    assert_eq!(waiting.await.unwrap(), Some(ElectionError::Stopped { worker: worker() }));
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
    assert!(waited >= TTL && waited <= TTL + world.candidate("b").policies.takeover_polling_interval, "{waited:?}");
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
    world.state.forget_lease(&worker());
    assert_eq!(world.acquire("b").await.term().token(), Token(43), "the claims'");
    let exhausted = world.candidate("c").acquire(Token(u64::MAX), true, &world.stop).await.err();
    assert_eq!(exhausted, Some(ElectionError::NoTokenLeft { worker: worker() }));
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
    assert_eq!(world.heard(|news| matches!(news, News::Leading { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mint_whose_reply_was_lost_is_read_back() {
    let world = World::new();
    world.faulty.script(Call::Mint, [Fault::LoseReply]);
    let leadership = world.acquire("a").await;
    assert_eq!(leadership.term().token(), Token(1), "it was ours");
    assert_eq!(world.heard(|news| matches!(news, News::Retrying { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mint_that_was_lost_is_tried_again_and_may_be_another_ones_by_then() {
    let world = World::new();
    world.faulty.script(Call::Mint, [Fault::LoseRequest]);
    assert_eq!(world.acquire("a").await.term().token(), Token(1));

    let world = World::new();
    let rival = EpochClaim {
        worker: worker(),
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
    world.faulty.script(Call::Read, [Fault::LoseRequest; 5]);
    assert_eq!(world.acquire("a").await.term().token(), Token(1));
    world.faulty.script(Call::Read, [Fault::LoseRequest; 6]);
    let error = world.candidate("b").acquire(Token(0), true, &world.stop).await.err();
    assert!(matches!(error, Some(ElectionError::Store(StoreError::Unreachable { .. }))), "{error:?}");
}

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
    assert_eq!(world.heard(|news| matches!(news, News::Retrying { .. })), 9);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_took_or_a_person_released_is_lost_at_the_next_renewal() {
    let world = World::new();
    let leadership = world.acquire("a").await;
    world.state.release(&worker(), Token(1), world.clock.now(), "by hand").await.unwrap();
    world.clock.sleep(Duration::from_millis(10_001)).await;
    assert!(leadership.lost().is_cancelled());
    assert!(leadership.term().check().is_err());
    assert_eq!(world.heard(|news| matches!(news, News::Warning { .. })), 1);
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

#[test]
fn waits_between_tries_grow_up_to_a_limit() {
    let retry = RetrySpec::default();
    let waits: Vec<_> = [1, 2, 3, 6, 7, 1000, u32::MAX].map(|attempt| backoff(&retry, attempt).as_secs_f64()).into();
    assert_eq!(waits, [0.5, 1.0, 2.0, 16.0, 30.0, 30.0, 30.0]);
}
