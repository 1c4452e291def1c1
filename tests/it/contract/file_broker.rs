//! What every broker of files promises: a file exists once its message is sent, and its message stays until it is answered.

use filegen::adapters::memory::file_broker::MemoryFileBroker;
use filegen::adapters::spool::LocalSpool;
use filegen::core::ports::file_broker::{Answer, FileReceiver, FileSender, Parcel, Standing};
use std::sync::Arc;

type Ends = (Arc<dyn FileSender>, Arc<dyn FileReceiver>);

/// Both ends, as two processes have them.
async fn on_each<F: Future<Output = ()>>(run: impl Fn(Ends) -> F) {
    let memory = MemoryFileBroker::default();
    run((Arc::new(memory.clone()), Arc::new(memory))).await;
    let folder = tempfile::tempdir().unwrap();
    let spool = |nonce| LocalSpool::new(&folder.path().join("spool"), nonce);
    run((Arc::new(spool("one")), Arc::new(spool("two")))).await;
}

fn parcel(id: &str, content: Option<&[u8]>) -> Parcel {
    Parcel { id: id.to_owned(), envelope: b"{\"a\":\n1}".to_vec(), content: content.map(<[u8]>::to_vec) }
}

#[tokio::test]
async fn a_message_comes_again_until_it_is_answered_and_the_answer_stays_until_it_is_forgotten() {
    on_each(|(sender, receiver)| async move {
        assert_eq!(sender.standing("a", 4).await, Ok(Standing::default()));
        assert_eq!(receiver.waiting(&[], 9).await, Ok(Vec::new()));
        sender.send(parcel("a", Some(b"bytes"))).await.unwrap();
        sender.send(parcel("a", Some(b"bytes"))).await.unwrap();
        sender.send(parcel("b", Some(b""))).await.unwrap();
        assert!(sender.standing("a", 4).await.unwrap().is_sent);
        let (a, b) = (parcel("a", Some(b"bytes")), parcel("b", Some(b"")));
        for _ in 0..2 {
            assert_eq!(receiver.waiting(&[], 9).await, Ok(vec![a.clone(), b.clone()]));
        }
        assert_eq!(receiver.waiting(&["a".to_owned()], 9).await, Ok(vec![b.clone()]));
        assert_eq!(receiver.waiting(&[], 1).await, Ok(vec![a]));
        assert_eq!(sender.answer("a").await, Ok(None));
        let delivered = Answer::Delivered { sha256: "00".to_owned() };
        for _ in 0..2 {
            receiver.answer("a", &delivered).await.unwrap();
        }
        assert_eq!(receiver.waiting(&[], 9).await, Ok(vec![b]));
        assert_eq!(sender.answer("a").await, Ok(Some(delivered.clone())));
        assert_eq!(sender.answered(9).await, Ok(vec!["a".to_owned()]));
        let standing = sender.standing("a", 4).await.unwrap();
        assert_eq!((standing.is_sent, standing.answer), (false, Some(delivered)));
        let refused = Answer::Refused { kind: "data".to_owned(), reason: "why \"so\"".to_owned() };
        receiver.answer("b", &refused).await.unwrap();
        assert_eq!(sender.answer("b").await, Ok(Some(refused)));
        for _ in 0..2 {
            sender.forget("a").await.unwrap();
        }
        assert_eq!(sender.answer("a").await, Ok(None));
        assert_eq!(sender.answered(9).await, Ok(vec!["b".to_owned()]));
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
        assert_eq!(receiver.waiting(&[], 9).await, Ok(vec![parcel("a", None)]));
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
