//! What every lease store promises.

use crate::support::chance::number;
use crate::support::state::{at, claim, key, lease, on_each, take};
use filegen::core::model::names::InstanceId;
use filegen::core::model::term::Token;
use filegen::core::ports::leases::{LeaseRecord, Mint};
use filegen::core::ports::store::StoreError;
use jiff::ToSpan;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_claims_to_one_token_one_wins_and_can_be_read_back() {
    // `FILEGEN_RACES=1000` for the whole of it.
    let races = number("FILEGEN_RACES").unwrap_or(200);
    on_each(|state| async move {
        for token in 1..=races {
            let mut race = JoinSet::new();
            for contender in 0..32 {
                let store = state.door(contender);
                race.spawn(async move {
                    let nonce = contender.to_string();
                    let won = store.mint(&claim("W", token, &nonce)).await.unwrap() == Mint::Won;
                    won.then_some(nonce)
                });
            }
            let winners: Vec<_> = race.join_all().await.into_iter().flatten().collect();
            let kept = state.store().claim(&key("W"), Token(token)).await.unwrap().unwrap();
            assert_eq!(winners, [kept.nonce], "token {token}");
        }
        assert_eq!(state.store().highest_token(&key("W"), Token(u64::MAX)).await, Ok(Some(Token(races))));
    })
    .await;
}

#[tokio::test]
async fn tokens_only_grow_whatever_becomes_of_the_lease() {
    on_each(|state| async move {
        let mut last = Token(0);
        for cycle in 0..1000 {
            let store = state.door(cycle);
            let token = take(&*store, "W").await;
            assert!(token > last, "{token} after {last}");
            last = token;
            if cycle % 3 != 0 {
                assert_eq!(store.release(&key("W"), token, at(0), "done").await, Ok(true));
            }
            if cycle % 2 == 0 {
                state.litter.collect(&key("W")).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_claim_is_kept_as_it_was_made_and_for_its_key_alone() {
    on_each(|state| async move {
        let store = state.store();
        assert_eq!(store.highest_token(&key("W"), Token(u64::MAX)).await, Ok(None));
        let made = claim("W", 9, "a nonce");
        assert_eq!(store.mint(&made).await, Ok(Mint::Won));
        assert_eq!(store.mint(&made).await, Ok(Mint::Taken), "the reader of a nonce tells it apart");
        assert_eq!(state.door(1).claim(&key("W"), Token(9)).await, Ok(Some(made)));
        assert_eq!(store.claim(&key("W"), Token(8)).await, Ok(None));
        assert_eq!(store.highest_token(&key("V"), Token(u64::MAX)).await, Ok(None));
        assert_eq!(store.mint(&claim("W", 3, "gap")).await, Ok(Mint::Won));
        assert_eq!(
            store.highest_token(&key("W"), Token(u64::MAX)).await,
            Ok(Some(Token(9))),
            "the highest, not the latest"
        );
    })
    .await;
}

#[tokio::test]
async fn a_lease_reads_as_it_was_written_through_every_door() {
    on_each(|state| async move {
        assert_eq!(state.store().read(&key("W")).await, Ok(None));
        for name in ["W", "A.b-c_d"] {
            assert_eq!(state.store().install(&lease(name, 7, "pod-1:7")).await, Ok(true));
        }
        for door in &state.doors {
            assert_eq!(door.read(&key("W")).await, Ok(Some(lease("W", 7, "pod-1:7"))));
            let listed = door.list().await.unwrap();
            assert_eq!(listed.records, [lease("A.b-c_d", 7, "pod-1:7"), lease("W", 7, "pod-1:7")]);
            assert_eq!(listed.odd, []);
        }
    })
    .await;
}

#[tokio::test]
async fn a_lease_goes_to_the_highest_token() {
    on_each(|state| async move {
        let store = state.store();
        assert_eq!(store.install(&lease("W", 7, "a")).await, Ok(true));
        assert_eq!(state.door(1).install(&lease("W", 6, "b")).await, Ok(false), "an older one");
        assert_eq!(store.install(&lease("W", 7, "a")).await, Ok(true), "again, after a lost reply");
        assert_eq!(store.read(&key("W")).await, Ok(Some(lease("W", 7, "a"))));
        assert_eq!(state.door(1).install(&lease("W", 8, "b")).await, Ok(true));
        assert_eq!(store.install(&lease("W", 7, "a")).await, Ok(false));
        assert_eq!(store.read(&key("W")).await, Ok(Some(lease("W", 8, "b"))));
    })
    .await;
}

#[tokio::test]
async fn a_repeated_install_does_not_undo_a_release() {
    on_each(|state| async move {
        let store = state.store();
        assert_eq!(store.install(&lease("W", 7, "a")).await, Ok(true));
        assert_eq!(store.release(&key("W"), Token(7), at(5), "by hand").await, Ok(true));
        assert_eq!(store.install(&lease("W", 7, "a")).await, Ok(false));
        assert!(store.read(&key("W")).await.unwrap().unwrap().released.is_some());
        assert_eq!(store.install(&lease("W", 8, "a")).await, Ok(true));
        assert_eq!(store.read(&key("W")).await, Ok(Some(lease("W", 8, "a"))), "nothing is left of the release");
    })
    .await;
}

#[tokio::test]
async fn only_the_holder_renews() {
    on_each(|state| async move {
        let store = state.store();
        let later = at(10_000);
        let renew = async |token, instance: &str| {
            let instance = InstanceId::new(instance);
            store.renew(&key("W"), Token(token), &instance, later, later + 30.seconds()).await
        };
        assert_eq!(renew(7, "a").await, Ok(false), "nothing is there");
        store.install(&lease("W", 7, "a")).await.unwrap();
        assert_eq!(renew(7, "a").await, Ok(true));
        let renewed = LeaseRecord { seq: 2, renewed_at: later, expires_at: later + 30.seconds(), ..lease("W", 7, "a") };
        assert_eq!(store.read(&key("W")).await, Ok(Some(renewed.clone())));
        assert_eq!(renew(7, "b").await, Ok(false), "another instance");
        assert_eq!(renew(8, "a").await, Ok(false), "another token");
        assert_eq!(store.read(&key("W")).await, Ok(Some(renewed)));
        state.door(1).install(&lease("W", 8, "b")).await.unwrap();
        assert_eq!(renew(7, "a").await, Ok(false), "a stale holder");
        assert_eq!(store.read(&key("W")).await, Ok(Some(lease("W", 8, "b"))));
        store.release(&key("W"), Token(8), later, "done").await.unwrap();
        assert_eq!(renew(8, "b").await, Ok(false), "a released lease");
    })
    .await;
}

#[tokio::test]
async fn a_release_is_kept_and_a_late_one_leaves_the_successor_alone() {
    on_each(|state| async move {
        let store = state.store();
        assert_eq!(store.release(&key("W"), Token(1), at(0), "x").await, Ok(false));
        store.install(&lease("W", 7, "a")).await.unwrap();
        assert_eq!(store.release(&key("W"), Token(7), at(5), "done").await, Ok(true));
        let released = store.read(&key("W")).await.unwrap().unwrap();
        assert_eq!(released.released, Some((at(5), "done".to_owned())));
        assert_eq!(released.token, Token(7), "an update, not a delete");
        store.install(&lease("W", 8, "b")).await.unwrap();
        assert_eq!(store.release(&key("W"), Token(7), at(6), "late").await, Ok(false));
        assert_eq!(store.read(&key("W")).await, Ok(Some(lease("W", 8, "b"))));
    })
    .await;
}

#[tokio::test]
async fn a_holder_that_lives_is_not_gone() {
    on_each(|state| async move {
        take(state.store(), "W").await;
        let lease = state.store().read(&key("W")).await.unwrap().unwrap();
        for door in &state.doors {
            assert_eq!(door.holder_is_gone(&lease).await, Ok(false));
        }
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_cannot_be_read_is_told_by_name_and_hides_no_other() {
    on_each(|state| async move {
        for name in ["A", "W", "Z"] {
            assert_eq!(state.store().install(&lease(name, 7, "pod-1:7")).await, Ok(true));
        }
        state.litter.spoil_lease(&key("W")).await;
        for door in &state.doors {
            let Err(StoreError::Odd { record, .. }) = door.read(&key("W")).await else { panic!("it is believed") };
            assert_eq!(record.id, "worker_leases W");
            let listed = door.list().await.unwrap();
            assert_eq!(listed.records, [lease("A", 7, "pod-1:7"), lease("Z", 7, "pod-1:7")]);
            assert_eq!(listed.odd.len(), 1);
            assert_eq!(listed.odd[0].id, "worker_leases W");
        }
        // A candidate installs its own over it.
        assert_eq!(state.store().install(&lease("W", 8, "b")).await, Ok(true));
        assert_eq!(state.store().read(&key("W")).await, Ok(Some(lease("W", 8, "b"))));
    })
    .await;
}

#[tokio::test]
async fn a_token_that_no_counting_has_come_to_holds_nothing() {
    on_each(|state| async move {
        let store = state.store();
        let highest = i64::MAX.unsigned_abs();
        assert_eq!(store.mint(&claim("W", 7, "ours")).await, Ok(Mint::Won));
        assert_eq!(store.mint(&claim("W", highest, "odd")).await, Ok(Mint::Won));
        assert_eq!(store.highest_token(&key("W"), Token(Token::REACH)).await, Ok(Some(Token(7))));
        assert_eq!(store.highest_token(&key("W"), Token(6)).await, Ok(None));
        assert_eq!(store.highest_token(&key("W"), Token(u64::MAX)).await, Ok(Some(Token(highest))));
        assert_eq!(store.install(&lease("W", highest, "odd")).await, Ok(true));
        assert_eq!(store.install(&lease("W", 8, "a")).await, Ok(true), "over the odd one");
        assert_eq!(store.install(&lease("W", 8 + Token::REACH, "b")).await, Ok(true));
        assert_eq!(store.install(&lease("W", 9, "a")).await, Ok(false), "within reach it may be somebody's");
    })
    .await;
}
