//! What needs no broker: settings, the words of errors, and that nothing secret is told.

use super::codes::TABLE;
use super::settings::KafkaClientConfig;
use super::{KafkaConsumer, KafkaProbe, KafkaProducer};
use crate::adapters::faults::Sort;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::secret::Secret;
use crate::core::ports::broker::BrokerError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

fn spec(properties: &[(&str, &str)]) -> KafkaSpec {
    KafkaSpec {
        brokers: "kafka:9092".to_owned(),
        topic: "loan-data".to_owned(),
        group: Some("g".to_owned()),
        properties: properties.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
    }
}

#[test]
fn properties_go_over_the_usual_settings_and_never_over_the_promises() {
    let link = KafkaClientConfig::new(&spec(&[("session.timeout.ms", "30000"), ("enable.auto.commit", "true")]));
    let usual = [("session.timeout.ms", "10000"), ("heartbeat.interval.ms", "3000")];
    let config = link.settings(&usual, &[("enable.auto.commit", "false")]).unwrap();
    assert_eq!(config.get("session.timeout.ms"), Some("30000"));
    assert_eq!(config.get("heartbeat.interval.ms"), Some("3000"));
    assert_eq!(config.get("enable.auto.commit"), Some("false"));
    assert_eq!(config.get("bootstrap.servers"), Some("kafka:9092"));
}

#[test]
fn security_is_part_of_this_build() {
    let sasl = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.username", "filegen"),
        ("sasl.password", "never told"),
        ("compression.codec", "zstd"),
    ];
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let spec = spec(&[&sasl[..], &[("sasl.mechanism", mechanism)]].concat());
        assert!(KafkaConsumer::new(&spec).is_ok(), "{mechanism}");
        assert!(KafkaProducer::new(&spec).is_ok(), "{mechanism}");
        assert!(KafkaProbe::new(&spec).is_ok(), "{mechanism}");
    }
}

#[test]
fn each_code_that_is_known_has_its_kind_and_its_advice_and_others_may_pass() {
    crate::adapters::faults::check(TABLE);
    let link = KafkaClientConfig::new(&spec(&[]));
    let told = |code| link.error(&KafkaError::MessageProduction(code));
    for row in TABLE {
        for code in row.codes {
            let error = told(*code);
            let kind = if row.sort == Sort::Passing { FailureKind::Unreachable } else { FailureKind::Config };
            assert_eq!(error.kind(), kind, "{code}");
            let words = error.to_string();
            assert!(words.contains("loan-data at kafka:9092") && words.ends_with(row.advice), "{words}");
        }
    }
    for code in [Code::MessageTimedOut, Code::AllBrokersDown, Code::RequestTimedOut, Code::BrokerTransportFailure] {
        assert!(matches!(told(code), BrokerError::Unreachable { .. }), "{code}");
    }
}

#[test]
fn what_a_client_says_is_told_once_and_without_secrets() {
    let link = KafkaClientConfig::new(&spec(&[("sasl.password", "hunter22"), ("ssl.key.password", "abcd")]));
    link.note(&KafkaError::Global(Code::BrokerTransportFailure), "cannot log in with hunter22 and abcd");
    link.note(&KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
    let first = link.error(&KafkaError::Global(Code::AllBrokersDown)).to_string();
    assert!(first.contains("cannot log in with *** and ***"), "{first}");
    let second = link.error(&KafkaError::Global(Code::AllBrokersDown)).to_string();
    assert!(!second.contains("cannot log in"), "{second}");
}
