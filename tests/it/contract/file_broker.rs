//! What every broker of files promises: a file exists once its message is sent, and its message stays until it is answered.

use crate::support::nats::Nats;
use crate::support::running::until_async;
use filegen::adapters::memory::file_broker::MemoryFileBroker;
use filegen::adapters::nats::NatsBroker;
use filegen::adapters::spool::LocalSpool;
use filegen::core::model::nats::{NatsLogin, NatsSpec};
use filegen::core::model::secret::Secret;
use filegen::core::ports::file_broker::{Answer, FileReceiver, FileSender, Parcel, Standing};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

type Ends = (Arc<dyn FileSender>, Arc<dyn FileReceiver>);

/// Both ends, as two processes have them.
async fn on_each<F: Future<Output = ()>>(run: impl Fn(Ends) -> F) {
    let memory = MemoryFileBroker::default();
    run((Arc::new(memory.clone()), Arc::new(memory))).await;
    let folder = tempfile::tempdir().unwrap();
    let spool = |nonce| LocalSpool::new(&folder.path().join("spool"), nonce);
    run((Arc::new(spool("one")), Arc::new(spool("two")))).await;
    let spec = nats_spec(Nats::shared());
    let nats = |nonce| NatsBroker::new(&spec, "t", nonce);
    run((Arc::new(nats("one")), Arc::new(nats("two")))).await;
}

/// Streams that no other test has.
fn nats_spec(server: &Nats) -> NatsSpec {
    let stream = Nats::fresh("contract");
    NatsSpec {
        url: Secret::new(server.url()),
        subject: format!("{stream}.files"),
        stream,
        max_bytes: Some(64 << 20),
        replicas: 1,
        ack_wait: Duration::from_secs(30),
        max_age: Duration::from_hours(1),
        login: NatsLogin::default(),
        ca: None,
    }
}

/// So many messages, by id. A server may take a moment to tell of what it has stored.
async fn come(receiver: &dyn FileReceiver, busy: &[String], count: usize, most: usize) -> Vec<Parcel> {
    let mut found: Vec<Parcel> = Vec::new();
    until_async("the messages", async || {
        for parcel in receiver.waiting(busy, most - found.len()).await.unwrap() {
            if !found.contains(&parcel) {
                found.push(parcel);
            }
        }
        (found.len() >= count).then_some(())
    })
    .await;
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found
}

/// As [`come`]; all of it is given back.
async fn seen(receiver: &dyn FileReceiver, busy: &[&str], count: usize, most: usize) -> Vec<Parcel> {
    let busy: Vec<String> = busy.iter().map(|id| (*id).to_owned()).collect();
    let found = come(receiver, &busy, count, most).await;
    for id in found.iter().map(|parcel| parcel.id.as_str()).chain(busy.iter().map(String::as_str)) {
        receiver.working(id);
        receiver.release(id, Duration::ZERO).await;
    }
    found
}

fn parcel(id: &str, content: Option<&[u8]>) -> Parcel {
    Parcel { id: id.to_owned(), envelope: b"{\"a\":\n1}".to_vec(), content: content.map(<[u8]>::to_vec), trace: None }
}

/// The ids of all answers. Each was given a moment ago.
async fn answers(sender: &dyn FileSender) -> Vec<String> {
    let mut ids = Vec::new();
    for (id, at) in sender.answers(9).await.unwrap() {
        let age = Timestamp::now().duration_since(at);
        assert!(at == Timestamp::UNIX_EPOCH || age.as_secs().abs() < 60, "{age}");
        ids.push(id);
    }
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_message_comes_again_until_it_is_answered_and_the_answer_stays_until_it_is_forgotten() {
    on_each(|(sender, receiver)| async move {
        assert_eq!(sender.standing("a", 4).await, Ok(Standing::default()));
        assert_eq!(receiver.waiting(&[], 9).await, Ok(Vec::new()));
        sender.send(parcel("a", Some(b"bytes"))).await.unwrap();
        sender.send(parcel("a", Some(b"bytes"))).await.unwrap();
        sender.send(parcel("b", Some(b""))).await.unwrap();
        assert!(sender.standing("a", 4).await.unwrap().sent.is_some());
        let (a, b) = (parcel("a", Some(b"bytes")), parcel("b", Some(b"")));
        for _ in 0..2 {
            assert_eq!(seen(&*receiver, &[], 2, 9).await, [a.clone(), b.clone()]);
        }
        assert_eq!(seen(&*receiver, &["a"], 1, 9).await, std::slice::from_ref(&b));
        assert_eq!(seen(&*receiver, &[], 1, 1).await.len(), 1);
        assert_eq!(seen(&*receiver, &[], 2, 9).await, [a, b.clone()]);
        assert_eq!(sender.answer("a").await, Ok(None));
        let delivered = Answer::Delivered { sha256: "00".to_owned() };
        for _ in 0..2 {
            receiver.answer("a", &delivered).await.unwrap();
        }
        assert_eq!(come(&*receiver, &[], 1, 9).await, [b]);
        assert_eq!(sender.answer("a").await, Ok(Some(delivered.clone())));
        assert_eq!(answers(&*sender).await, ["a"]);
        let standing = sender.standing("a", 4).await.unwrap();
        assert_eq!((standing.sent, standing.answer), (None, Some(delivered)));
        let refused = Answer::Refused { kind: "data".to_owned(), reason: "why \"so\"".to_owned() };
        receiver.answer("b", &refused).await.unwrap();
        assert_eq!(sender.answer("b").await, Ok(Some(refused)));
        for _ in 0..2 {
            sender.forget("a").await.unwrap();
        }
        assert_eq!(sender.answer("a").await, Ok(None));
        assert_eq!(answers(&*sender).await, ["b"]);
        sender.probe("probe").await.unwrap();
        assert!(sender.message_max().await.unwrap() > 64 * 1024);
        assert_eq!(receiver.waiting(&[], 9).await, Ok(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn a_receipt_counts_more_than_a_refusal_and_a_redriven_version_may_be_sent_at_once() {
    on_each(|(sender, receiver)| async move {
        let refused = Answer::Refused { kind: "data".to_owned(), reason: "no".to_owned() };
        let delivered = Answer::Delivered { sha256: "00".to_owned() };
        sender.send(parcel("a", Some(b"x"))).await.unwrap();
        assert_eq!(come(&*receiver, &[], 1, 9).await.len(), 1);
        for answer in [refused, delivered] {
            receiver.answer("a", &answer).await.unwrap();
            assert_eq!(sender.answer("a").await, Ok(Some(answer)));
        }
        sender.forget("a").await.unwrap();
        // The server itself would take it for a repeat.
        sender.send(parcel("a", Some(b"x"))).await.unwrap();
        assert_eq!(come(&*receiver, &[], 1, 9).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn chunks_of_another_size_count_for_nothing() {
    on_each(|(sender, receiver)| async move {
        sender.put_chunk("a", 0, 4, b"aaaa".to_vec()).await.unwrap();
        sender.settle_chunks("a").await.unwrap();
        assert_eq!(sender.standing("a", 4).await.unwrap().chunks, 1);
        assert!(sender.standing("a", 8).await.unwrap().chunks <= 1);
        sender.put_chunk("a", 0, 8, b"aaaabbbb".to_vec()).await.unwrap();
        sender.settle_chunks("a").await.unwrap();
        assert_eq!(receiver.chunk("a", 0, 8).await.unwrap().as_deref(), Some(&b"aaaabbbb"[..]));
    })
    .await;
}

#[tokio::test]
async fn chunks_are_counted_from_the_first_and_go_with_their_message() {
    on_each(|(sender, receiver)| async move {
        for (number, bytes) in [(0, &b"aaaa"[..]), (1, b"bbbb"), (1, b"bbbb"), (2, b"cc")] {
            sender.put_chunk("a", number, 4, bytes.to_vec()).await.unwrap();
        }
        sender.settle_chunks("a").await.unwrap();
        assert!(sender.standing("a", 4).await.unwrap().chunks >= 2);
        assert_eq!(receiver.waiting(&[], 9).await, Ok(Vec::new()), "no file without its message");
        sender.send(parcel("a", None)).await.unwrap();
        assert_eq!(come(&*receiver, &[], 1, 9).await, [parcel("a", None)]);
        receiver.working("a");
        for (number, wanted) in [(2, Some(&b"cc"[..])), (0, Some(b"aaaa")), (1, Some(b"bbbb")), (3, None)] {
            let found = receiver.chunk("a", number, 4).await.unwrap();
            assert_eq!(found.as_deref(), wanted, "{number}");
        }
        // An answer that is forgotten takes nothing from a message that waits.
        sender.forget("a").await.unwrap();
        assert!(receiver.chunk("a", 0, 4).await.unwrap().is_some());
        receiver.answer("a", &Answer::Delivered { sha256: String::new() }).await.unwrap();
        assert_eq!(receiver.chunk("a", 0, 4).await, Ok(None));
        // Nor do chunks stay of a version that is never sent.
        sender.put_chunk("b", 0, 4, b"x".to_vec()).await.unwrap();
        sender.forget("b").await.unwrap();
        assert_eq!(receiver.chunk("b", 0, 4).await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn an_answer_counts_once_its_message_is_gone_and_is_found_among_those_that_are_asked_for() {
    on_each(|(sender, receiver)| async move {
        let delivered = Answer::Delivered { sha256: "00".to_owned() };
        let ids: Vec<String> = (0..40).map(|number| format!("id{number}")).collect();
        for id in ["id7", "other"] {
            sender.send(parcel(id, Some(b"x"))).await.unwrap();
            assert_eq!(come(&*receiver, &[], 1, 9).await.len(), 1);
            receiver.answer(id, &delivered).await.unwrap();
        }
        // However many are asked for.
        for ids in [&ids[..], &ids[..9]] {
            assert_eq!(sender.answered(ids).await, Ok(vec!["id7".to_owned()]));
        }
        assert_eq!(sender.answers(1).await.unwrap().len(), 1);
        assert_eq!(answers(&*sender).await, ["id7", "other"]);
        // Sent again: what was said of it before is not said of this message.
        sender.send(parcel("id7", Some(b"x"))).await.unwrap();
        assert_eq!(sender.answer("id7").await, Ok(None));
        assert_eq!(come(&*receiver, &[], 1, 9).await.len(), 1);
        receiver.answer("id7", &delivered).await.unwrap();
        assert_eq!(sender.answer("id7").await, Ok(Some(delivered)));
    })
    .await;
}

#[tokio::test]
async fn another_message_under_a_version_s_id_gives_way_and_is_taken_away_untold() {
    on_each(|(sender, receiver)| async move {
        sender.put_chunk("a", 0, 4, b"aaaa".to_vec()).await.unwrap();
        sender.settle_chunks("a").await.unwrap();
        let (foreign, own) = (parcel("a", Some(b"foreign")), parcel("a", None));
        sender.send(foreign.clone()).await.unwrap();
        assert_eq!(sender.standing("a", 4).await.unwrap().sent, Some(foreign));
        sender.send(own.clone()).await.unwrap();
        assert_eq!(sender.standing("a", 4).await.unwrap().sent, Some(own.clone()));
        assert_eq!(come(&*receiver, &[], 1, 9).await, [own]);
        receiver.end_foreign("a").await.unwrap();
        let standing = sender.standing("a", 4).await.unwrap();
        assert_eq!((standing.sent, standing.answer, standing.chunks), (None, None, 1));
        sender.send(parcel("a", None)).await.unwrap();
        for _ in 0..2 {
            sender.take_back("a").await.unwrap();
        }
        let standing = sender.standing("a", 4).await.unwrap();
        assert_eq!((standing.sent, standing.chunks), (None, 1));
    })
    .await;
}

#[tokio::test]
async fn a_version_is_whole_when_all_its_chunks_are_there() {
    on_each(|(_, receiver)| async move { assert_eq!(receiver.is_whole("a", 2, 4, 6).await, Ok(false)) }).await;
    on_each(|(sender, receiver)| async move {
        for (number, bytes) in [(0, &b"aaaa"[..]), (1, b"bb")] {
            sender.put_chunk("a", number, 4, bytes.to_vec()).await.unwrap();
            sender.settle_chunks("a").await.unwrap();
            assert_eq!(receiver.is_whole("a", 2, 4, 6).await, Ok(number == 1));
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_given_back_for_a_while_comes_again_behind_it() {
    on_each(|(sender, receiver)| async move {
        sender.send(parcel("a", Some(b"x"))).await.unwrap();
        assert_eq!(come(&*receiver, &[], 1, 9).await.len(), 1);
        receiver.release("a", Duration::from_millis(300)).await;
        assert_eq!(come(&*receiver, &[], 1, 9).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn answers_of_others_by_the_hundred_thousand_hide_none() {
    /// More than one look lists.
    const OTHERS: usize = 100_100;
    let server = Nats::shared();
    let spec = nats_spec(server);
    let [sender, receiver] = ["one", "two"].map(|nonce| NatsBroker::new(&spec, "t", nonce));
    let ids: Vec<String> = (0..40).map(|number| format!("id{number}")).collect();
    for id in &ids {
        sender.send(parcel(id, Some(b"x"))).await.unwrap();
    }
    let client = server.client().await;
    for number in 0..OTHERS {
        client.publish(format!("{}.done.x{number}", spec.subject), "{}".into()).await.unwrap();
    }
    client.flush().await.unwrap();
    let stream = format!("STREAM.INFO.{}_t", spec.stream);
    until_async("the answers of others", async || {
        let info = server.api(&stream, &serde_json::json!({})).await;
        (info["state"]["messages"].as_u64()? >= (OTHERS + ids.len()) as u64).then_some(())
    })
    .await;
    assert_eq!(come(&receiver, &[], 40, 40).await.len(), 40);
    let delivered = Answer::Delivered { sha256: "00".to_owned() };
    for id in &ids {
        FileReceiver::answer(&receiver, id, &delivered).await.unwrap();
    }
    let mut answered = sender.answered(&ids).await.unwrap();
    answered.sort_unstable();
    let mut wanted = ids.clone();
    wanted.sort_unstable();
    assert_eq!(answered, wanted);
    server.api(&format!("STREAM.DELETE.{}_t", spec.stream), &serde_json::json!({})).await;
}

#[tokio::test]
async fn what_is_said_of_another_file_under_its_id_is_nobody_s_word() {
    let server = Nats::shared();
    let spec = nats_spec(server);
    let [sender, receiver] = ["one", "two"].map(|nonce| NatsBroker::new(&spec, "t", nonce));
    sender.put_chunk("a", 0, 4, b"aaaa".to_vec()).await.unwrap();
    sender.settle_chunks("a").await.unwrap();
    sender.send(parcel("a", None)).await.unwrap();
    // A message that is no file's: what its id stands for would be every file.
    server.put(&format!("{}.m.*", spec.subject), b"x").await;
    server.put(&format!("{}.done.a", spec.subject), b"{\"sha256\":\"11\"}").await;
    assert_eq!(FileSender::answer(&sender, "a").await, Ok(None));
    assert_eq!(come(&receiver, &[], 1, 9).await, [parcel("a", None)]);
    assert_eq!(receiver.waiting(&[], 9).await, Ok(Vec::new()));
    assert_eq!(receiver.chunk("a", 0, 4).await.unwrap().as_deref(), Some(&b"aaaa"[..]));
    let delivered = Answer::Delivered { sha256: "00".to_owned() };
    FileReceiver::answer(&receiver, "a", &delivered).await.unwrap();
    assert_eq!(FileSender::answer(&sender, "a").await, Ok(Some(delivered)));
}

#[tokio::test]
async fn a_receipt_that_others_wrote_beside_a_refusal_is_nobody_s_word() {
    let server = Nats::shared();
    let spec = nats_spec(server);
    let [sender, receiver] = ["one", "two"].map(|nonce| NatsBroker::new(&spec, "t", nonce));
    let receipt = || async { server.put(&format!("{}.done.a", spec.subject), b"{\"sha256\":\"00\"}").await };
    let refused = Answer::Refused { kind: "data".to_owned(), reason: "no".to_owned() };
    sender.send(parcel("a", Some(b"x"))).await.unwrap();
    receipt().await;
    assert_eq!(come(&receiver, &[], 1, 9).await.len(), 1);
    FileReceiver::answer(&receiver, "a", &refused).await.unwrap();
    assert_eq!(FileSender::answer(&sender, "a").await, Ok(Some(refused)));
    // Behind it: which of both is the other side's word is not known, so that the file has to be sent again.
    receipt().await;
    for _ in 0..2 {
        assert_eq!(FileSender::answer(&sender, "a").await, Ok(None));
    }
    assert_eq!(sender.answers(9).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_holder_whose_time_is_over_takes_nothing_from_the_next_one() {
    let server = Nats::shared();
    let spec = NatsSpec { ack_wait: Duration::from_secs(1), ..nats_spec(server) };
    let [sender, first, second] = ["one", "two", "three"].map(|nonce| NatsBroker::new(&spec, "t", nonce));
    sender.put_chunk("a", 0, 4, b"aaaa".to_vec()).await.unwrap();
    sender.settle_chunks("a").await.unwrap();
    sender.send(parcel("a", None)).await.unwrap();
    assert_eq!(come(&first, &[], 1, 9).await, [parcel("a", None)]);
    let again = until_async("the message", async || second.waiting(&[], 9).await.unwrap().pop()).await;
    assert_eq!(again, parcel("a", None));
    // The first one wakes up, and would give it back, or end it for good.
    let refused = Answer::Refused { kind: "data".to_owned(), reason: "no".to_owned() };
    FileReceiver::answer(&first, "a", &refused).await.unwrap();
    first.release("a", Duration::ZERO).await;
    assert!(sender.standing("a", 4).await.unwrap().sent.is_some());
    assert!(second.chunk("a", 0, 4).await.unwrap().is_some());
    let delivered = Answer::Delivered { sha256: "00".to_owned() };
    FileReceiver::answer(&second, "a", &delivered).await.unwrap();
    assert_eq!(FileSender::answer(&sender, "a").await, Ok(Some(delivered)));
    assert!(sender.standing("a", 4).await.unwrap().sent.is_none());
}

#[tokio::test]
async fn files_that_fill_the_stream_together_do_not_wait_for_each_other_for_ever() {
    let server = Nats::shared();
    let spec = NatsSpec { max_bytes: Some(1 << 20), ..nats_spec(server) };
    let [sender, receiver] = ["one", "two"].map(|nonce| NatsBroker::new(&spec, "t", nonce));
    let put = async |id: &str, number: u64| {
        sender.put_chunk(id, number, 300_000, vec![b'x'; 300_000]).await.unwrap();
        sender.settle_chunks(id).await
    };
    for (id, number) in [("a", 0), ("b", 0), ("a", 1)] {
        put(id, number).await.unwrap();
    }
    let error = put("b", 1).await.unwrap_err();
    assert!(error.to_string().contains("broker.nats.max_bytes"), "{error}");
    // The one that began first keeps what it has, and goes on.
    assert_eq!(sender.standing("b", 300_000).await.unwrap().chunks, 0);
    put("a", 2).await.unwrap();
    sender.send(parcel("a", None)).await.unwrap();
    assert_eq!(come(&receiver, &[], 1, 9).await.len(), 1);
    FileReceiver::answer(&receiver, "a", &Answer::Delivered { sha256: String::new() }).await.unwrap();
    for number in 0..3 {
        put("b", number).await.unwrap();
    }
}
