//! What every producer promises: a message counts as sent when the broker has it.

use crate::support::broker::{next, on_each};
use filegen::core::model::message::{EventId, Message};
use filegen::core::ports::broker::BrokerError;
use std::collections::BTreeMap;

fn message(key: &str, number: usize) -> Message {
    Message { key: Some(key.as_bytes().to_vec()), payload: number.to_string().into_bytes(), ..Message::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_as_it_was_sent() {
    on_each(1, |log| async move {
        let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let whole = Message {
            topic: Some(log.name().to_owned()),
            key: Some(vec![0, 0xFF]),
            headers: vec![header("a", b"1"), header("b", b""), header("a", &[0, 0xFE])],
            payload: vec![0xFF, b'{', 0],
            timestamp: Some("2026-11-21T10:30:00.123Z".parse().unwrap()),
        };
        let producer = log.producer();
        producer.send(&whole).await.unwrap();
        producer.send(&Message::default()).await.unwrap();
        let mut consumer = log.consumer();
        let came = next(&mut *consumer).await;
        let again = Message {
            topic: Some(came.id.topic),
            key: came.key,
            headers: came.headers,
            payload: came.payload,
            timestamp: came.at,
        };
        assert_eq!(again, whole);
        let bare = next(&mut *consumer).await;
        assert_eq!((bare.key, bare.headers, bare.payload), (None, Vec::new(), Vec::new()));
        assert!(bare.at.is_some(), "the moment of sending");
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sent_at_once_keep_the_order_of_each_key() {
    on_each(3, |log| async move {
        let messages: Vec<Message> = (0..300).map(|number| message(["x", "y", "z"][number % 3], number)).collect();
        let answers = log.producer().send_all(&messages).await;
        let mut told: Vec<EventId> = answers.into_iter().collect::<Result<_, _>>().unwrap();
        let mut consumer = log.consumer();
        let mut read: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        for _ in 0..300 {
            let came = next(&mut *consumer).await;
            let known = told.iter().position(|place| *place == came.id).expect("where it stands was told");
            told.swap_remove(known);
            let number = String::from_utf8(came.payload).unwrap().parse().unwrap();
            read.entry(came.key.unwrap()).or_default().push(number);
        }
        for (turn, numbers) in read.into_values().enumerate() {
            assert_eq!(numbers, (turn..300).step_by(3).collect::<Vec<_>>());
        }
        consumer.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_has_an_answer_of_its_own() {
    on_each(1, |log| async move {
        let lost = Message { topic: Some(format!("{}-missing", log.name())), ..message("k", 1) };
        let answers = log.producer().send_all(&[message("k", 0), lost, message("k", 2)]).await;
        let [Ok(_), Err(BrokerError::Refused { reason, .. }), Ok(_)] = &answers[..] else { panic!("{answers:?}") };
        assert!(reason.contains("create the topic"), "{reason}");
        assert_eq!(log.producer().send_all(&[]).await, []);
    })
    .await;
}
