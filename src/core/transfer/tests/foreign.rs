//! Messages and answers that somebody else puts under a file's id.

use super::*;
use crate::core::ports::clock::Clock;
use crate::core::ports::file_broker::{Answer, FileReceiver, FileSender, Parcel, Standing};
use crate::core::transfer::envelope;
use serde_json::json;
use sha2::{Digest, Sha256};

fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// A message under the id of the file `a` with `content`, as somebody makes it who knows the id; `change` is what is wrong with it.
fn under_id_of(content: &[u8], change: (&str, serde_json::Value), instead: &[u8]) -> Parcel {
    let id = envelope::id("api", "a", content.len() as u64, &digest(content));
    let mut envelope = json!({
        "version": 1, "id": id, "sourcePath": "a", "name": "a", "source": "api", "contentType": "text/plain",
        "size": content.len(), "sha256": digest(content), "modifiedAt": "2026-11-28T10:00:00Z",
        "timestamp": "2026-11-28T10:00:00Z",
    });
    envelope[change.0] = change.1;
    Parcel { id, envelope: envelope.to_string().into_bytes(), content: Some(instead.to_vec()), trace: None }
}

fn forged() -> [Parcel; 5] {
    [
        under_id_of(b"one", ("name", json!("b")), b"one"),
        under_id_of(b"one", ("sourcePath", json!("b")), b"one"),
        under_id_of(b"one", ("sha256", json!(digest(b"two"))), b"two"),
        under_id_of(b"one", ("metadata", json!({})), b"two"),
        under_id_of(b"one", ("version", json!(9)), b"one"),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_put_under_a_file_s_id_gives_way_to_the_file() {
    for parcel in forged() {
        let world = World::new();
        world.write("a", b"one");
        FileSender::send(&world.broker, parcel.clone()).await.unwrap();
        // The collecting side alone sees it first: it waits for the receipt.
        let alone = Arc::new(Transfer { deliver: None, ..transfer() });
        let world = World { transfer: alone, ..world };
        tokio::time::timeout(Duration::from_mins(1), world.run(Until::Arrived)).await.unwrap_err();
        assert_eq!(world.count(|event| matches!(event, TransferEvent::Foreign { .. })), 1, "{parcel:?}");
        let world = World { transfer: Arc::new(transfer()), ..world };
        world.run(Until::Arrived).await.unwrap();
        assert_eq!(world.target.content("a"), Some(b"one".to_vec()), "{parcel:?}");
        assert_eq!(world.target.content("b"), None, "{parcel:?}");
        assert_eq!((world.inbox.on(Shelf::Archive).len(), world.inbox.on(Shelf::Error).len()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_its_id_s_is_taken_away_untold_and_the_file_arrives_later() {
    for parcel in forged().into_iter().take(3) {
        let world = World::new();
        let id = parcel.id.clone();
        FileSender::send(&world.broker, parcel).await.unwrap();
        let alone = Arc::new(Transfer { collect: None, ..transfer() });
        let world = World { transfer: alone, ..world };
        world.run(Until::Arrived).await.unwrap();
        assert!(world.target.content("a").is_none() && world.target.content("b").is_none());
        assert_eq!(FileSender::standing(&world.broker, &id, 10).await.unwrap(), Standing::default());
        assert!(world.states(Side::Deliver).await.is_empty(), "nothing is remembered of it");
        let world = World { transfer: Arc::new(transfer()), ..world };
        world.write("a", b"one");
        world.run(Until::Arrived).await.unwrap();
        assert_eq!(world.target.content("a"), Some(b"one".to_vec()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_only_for_what_was_sent_and_whose_message_is_gone() {
    let id = envelope::id("api", "a", 3, &digest(b"one"));
    let receipt = Answer::Delivered { sha256: digest(b"one") };
    let refusal = Answer::Refused { kind: "data".to_owned(), reason: "no".to_owned() };
    for answer in [receipt, refusal] {
        let world = World::new();
        world.write("a", b"one");
        // Before it is sent: neither may its source be archived for that, nor set aside.
        FileReceiver::answer(&world.broker, &id, &answer).await.unwrap();
        let alone = Arc::new(Transfer { deliver: None, ..transfer() });
        let world = World { transfer: alone, ..world };
        tokio::time::timeout(Duration::from_mins(1), world.run(Until::Arrived)).await.unwrap_err();
        assert_eq!(world.states(Side::Collect).await, [FileState::Sent]);
        // While its message waits.
        world.broker.forge(&id, answer.clone());
        tokio::time::timeout(Duration::from_mins(1), world.run(Until::Arrived)).await.unwrap_err();
        assert_eq!(world.states(Side::Collect).await, [FileState::Sent], "{answer:?}");
        let world = World { transfer: Arc::new(transfer()), ..world };
        world.run(Until::Arrived).await.unwrap();
        assert_eq!(world.target.content("a"), Some(b"one".to_vec()));
        assert_eq!((world.inbox.on(Shelf::Archive).len(), world.inbox.on(Shelf::Error).len()), (1, 0), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_of_no_file_of_the_ledger_goes_after_a_week() {
    let world = World::new();
    world.broker.forge("nobody", Answer::Delivered { sha256: digest(b"x") });
    let day = jiff::SignedDuration::from_hours(24);
    for (age, stays) in [(day * 7, true), (day * 8, false)] {
        world.broker.said_at(world.clock.now() - age);
        world.run(Until::Arrived).await.unwrap();
        assert_eq!(world.broker.answers(9).await.unwrap().len(), usize::from(stays), "{age}");
    }
}
