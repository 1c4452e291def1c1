//! A topic as a sink: an event counts as sent when the broker has it.

use crate::support::kafka::Topic;
use crate::support::outbox::{event, message};
use crate::support::ports::free_port;
use crate::support::running::PATIENCE;
use filegen::adapters::kafka::KafkaProducer;
use filegen::core::model::event::CompletionEvent;
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::producer::Producer;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_arrives_with_its_key_and_as_json() {
    let topic = Topic::create(1).await;
    let sink = KafkaProducer::new(&topic.spec()).unwrap();
    sink.send(&message("Loan0")).await.unwrap();
    assert_eq!(topic.length().await, 1, "it is there when the call ends");
    sink.send(&message("Loan1")).await.unwrap();
    let messages = topic.read(2).await;
    assert_eq!(messages.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["Loan0", "Loan1"]);
    let read: CompletionEvent = serde_json::from_str(&messages[0].1).unwrap();
    assert_eq!(read, event("Loan0"));
    assert!(messages[0].1.contains("\"workerId\":\"LoanWorker\""), "{}", messages[0].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_told_and_not_waited_for() {
    let mut spec = Topic::create(1).await.spec();
    spec.brokers = format!("127.0.0.1:{}", free_port());
    let sink = KafkaProducer::new(&spec).unwrap();
    let told = timeout(PATIENCE, sink.send(&message("Loan0"))).await.expect("a word, whoever is away");
    let Err(BrokerError::Unreachable { reason, .. }) = told else { panic!("nobody is there") };
    assert!(reason.to_lowercase().contains("refused"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_is_refused() {
    let mut spec = Topic::create(1).await.spec();
    spec.topic.push_str("-missing");
    let outcome = KafkaProducer::new(&spec).unwrap().send(&message("Loan0")).await;
    let Err(BrokerError::Refused { reason, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("create the topic"), "{reason}");
}
