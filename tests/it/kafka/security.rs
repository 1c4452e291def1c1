//! Who we are and who they are: SASL and certificates, and that no secret is told.

use crate::support::broker::{done, next};
use crate::support::kafka::{PASSWORD, Topic, properties, started};
use crate::support::outbox::message;
use filegen::adapters::kafka::{KafkaConsumer, KafkaProbe, KafkaProducer};
use filegen::core::model::kafka::{GroupProtocol, KafkaSpec};
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::consumer::Consumer;
use filegen::core::ports::probe::TopicProbe;
use filegen::core::ports::producer::Producer;

/// The topic behind another listener of the server that this process has started; none with one that was named.
async fn behind(brokers: impl Fn() -> Option<String>, given: &[(&str, &str)]) -> Option<KafkaSpec> {
    let topic = Topic::create(1).await;
    let spec = topic.spec();
    Some(KafkaSpec { brokers: brokers()?, properties: properties(given), ..spec })
}

/// Out and in again.
async fn works(spec: &KafkaSpec) {
    KafkaProducer::new(spec).unwrap().send(&message("Loan0")).await.unwrap();
    let mut source = KafkaConsumer::new(spec).unwrap();
    let message = next(&mut source).await;
    done(&mut source, &message).await;
    source.close().await;
    assert_eq!(KafkaProbe::new(spec).unwrap().check().await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn sasl_lets_in_who_knows_the_password() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let mut given = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", mechanism),
            ("sasl.username", "filegen"),
            ("sasl.password", PASSWORD),
        ];
        let sasl = || started().map(crate::support::kafka::Broker::sasl);
        let Some(spec) = behind(sasl, &given).await else { return };
        works(&spec).await;
        let wrong = "never-the-password";
        given[3].1 = wrong;
        let Some(spec) = behind(sasl, &given).await else { return };
        let error = KafkaProbe::new(&spec).unwrap().check().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("uthentication") && !text.contains(wrong), "{mechanism}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_shown_by_both() {
    let Some(files) = tokio::task::spawn_blocking(started).await.unwrap() else { return };
    let [ca, certificate, key] = ["ca.pem", "client.pem", "client.key"].map(|name| files.file(name));
    let [ca, certificate, key] = [&ca, &certificate, &key].map(|path| path.to_str().unwrap());
    let given = [
        ("security.protocol", "SSL"),
        ("ssl.ca.location", ca),
        ("ssl.certificate.location", certificate),
        ("ssl.key.location", key),
    ];
    let Some(spec) = behind(|| Some(files.tls()), &given).await else { return };
    works(&spec).await;
    let Some(spec) = behind(|| Some(files.tls()), &given[..2]).await else { return };
    assert!(KafkaProbe::new(&spec).unwrap().check().await.is_err(), "a client without a certificate is let in");
    // Of an authority that this client does not know.
    let strange = [given[0], given[2], given[3]];
    let Some(spec) = behind(|| Some(files.tls()), &strange).await else { return };
    // On a busy machine a try may end before its connection has told why.
    let mut errors = Vec::new();
    while errors.len() < 10 && !errors.last().is_some_and(|error: &String| error.contains("certificate")) {
        errors.push(KafkaProbe::new(&spec).unwrap().check().await.unwrap_err().to_string());
    }
    let told = errors.last().is_some_and(|error| error.contains("certificate"));
    assert!(told, "a broker of an unknown authority is believed, or not told of: {errors:?}");
}

#[test]
fn a_property_that_is_not_taken_is_told_without_its_value() {
    for (name, value, told) in [
        ("sasl.pasword", "hunter22", "sasl.pasword"),
        ("security.protocol", "hunter22", "security.protocol"),
        ("session.timeout.ms", "hunter22", "session.timeout.ms"),
    ] {
        let spec = KafkaSpec {
            brokers: "localhost:1".to_owned(),
            protocol: GroupProtocol::default(),
            topic: "t".to_owned(),
            group: None,
            properties: properties(&[(name, value)]),
        };
        let Err(BrokerError::Refused { reason, .. }) = KafkaProducer::new(&spec).map(drop) else {
            panic!("{name} is taken")
        };
        assert!(reason.contains(told) && !reason.contains(value), "{reason}");
    }
}
