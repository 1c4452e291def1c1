//! What a user may do with a topic, as the broker says it: learned while no event is taken or sent.

use crate::support::broker::take;
use crate::support::kafka::{Broker, PASSWORD, Topic, properties};
use crate::support::running::PATIENCE;
use filegen::adapters::kafka::KafkaProbe;
use filegen::core::model::kafka::KafkaSpec;
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::probe::{TopicProbe, TopicUse};
use std::time::Instant;

/// The topic as the user `filegen` sees it, who must say who he is.
fn as_user(broker: &Broker, topic: &Topic, group: &str) -> KafkaSpec {
    let given = [
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "filegen"),
        ("sasl.password", PASSWORD),
    ];
    KafkaSpec { brokers: broker.sasl(), group: Some(group.to_owned()), properties: properties(&given), ..topic.spec() }
}

/// The refusal, which comes soon after the rules were made: brokers learn of them a moment later.
async fn refusal(spec: &KafkaSpec, wanted: TopicUse) -> String {
    let (probe, until) = (KafkaProbe::new(spec).unwrap(), Instant::now() + PATIENCE);
    loop {
        match probe.may(wanted).await {
            Err(BrokerError::Refused { reason, .. }) => return reason,
            other => assert!(Instant::now() < until, "{wanted:?}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_or_write_is_told_with_advice_and_topics_stay_as_they_are() {
    let broker = tokio::task::spawn_blocking(Broker::start).await.unwrap();
    let open = Topic::create_at(&broker.brokers(), 1).await;
    let closed = Topic::create_at(&broker.brokers(), 1).await;
    open.write(0, &["{}"]).await;
    let probe = KafkaProbe::new(&as_user(&broker, &open, "ours")).unwrap();
    assert_eq!(probe.may(TopicUse::Read).await, Ok(()));
    assert_eq!(probe.may(TopicUse::Write).await, Ok(()));

    broker.allow(&[
        ["TOPIC", &closed.name, "filegen", "DESCRIBE"],
        ["GROUP", "theirs", "somebody", "READ"],
        ["CLUSTER", "kafka-cluster", "somebody", "IDEMPOTENT_WRITE"],
        ["TOPIC", "*", "filegen", "DESCRIBE"],
        ["TOPIC", &open.name, "filegen", "READ"],
    ]);
    let ours = as_user(&broker, &closed, "ours");
    let reason = refusal(&ours, TopicUse::Read).await;
    assert!(reason.contains("TopicAuthorizationFailed") && reason.contains("kafka-acls"), "{reason}");
    let reason = refusal(&as_user(&broker, &open, "theirs"), TopicUse::Read).await;
    assert!(reason.contains("GroupAuthorizationFailed") && reason.contains("kafka-acls"), "{reason}");
    let reason = refusal(&ours, TopicUse::Write).await;
    assert!(reason.contains("kafka-acls") && !reason.contains(PASSWORD), "{reason}");
    assert_eq!(KafkaProbe::new(&ours).unwrap().check().await, Ok(1), "it is there for who may see it");
    assert_eq!(probe.may(TopicUse::Read).await, Ok(()), "what is allowed stays so");
    assert_eq!((open.length().await, closed.length().await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_takes_no_event_from_the_group_and_marks_none() {
    let topic = Topic::create(1).await;
    topic.write(0, &["first", "second"]).await;
    let probe = KafkaProbe::new(&topic.spec()).unwrap();
    assert_eq!(probe.may(TopicUse::Read).await, Ok(()));
    let mut source = filegen::adapters::kafka::KafkaConsumer::new(&topic.spec()).unwrap();
    assert_eq!(take(&mut source, 1).await, ["first"]);
    assert_eq!(probe.may(TopicUse::Read).await, Ok(()));
    assert_eq!(take(&mut source, 1).await, ["second"], "the member is still one");
}
