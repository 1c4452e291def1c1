//! Whether a topic can be reached: a word in any case, and advice.

use crate::support::kafka::Topic;
use crate::support::ports::free_port;
use crate::support::running::PATIENCE;
use filegen::adapters::kafka::KafkaProbe;
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::probe::TopicProbe;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_says_how_many_partitions_it_has() {
    let topic = Topic::create(3).await;
    let probe = KafkaProbe::new(&topic.spec()).unwrap();
    assert_eq!(probe.check().await, Ok(3));
    assert_eq!(probe.describe(), format!("{} at {}", topic.name, topic.brokers));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_is_refused_with_advice_and_not_made() {
    let mut spec = Topic::create(1).await.spec();
    spec.topic.push_str("-missing");
    let probe = KafkaProbe::new(&spec).unwrap();
    for _ in 0..2 {
        let Err(BrokerError::Refused { reason, .. }) = probe.check().await else { panic!("it is not there") };
        assert!(reason.contains("create the topic"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_told_and_not_waited_for() {
    let mut spec = Topic::create(1).await.spec();
    spec.brokers = format!("127.0.0.1:{}", free_port());
    let probe = KafkaProbe::new(&spec).unwrap();
    let told = timeout(PATIENCE, probe.check()).await.expect("a word, whoever is away");
    let Err(BrokerError::Unreachable { reason, .. }) = told else { panic!("nobody listens there") };
    assert!(reason.to_lowercase().contains("refused"), "{reason}");
}
