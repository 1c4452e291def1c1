//! What needs no broker: settings, the words of errors, and that nothing secret is told.

use super::codes::TABLE;
use super::settings::KafkaClientConfig;
use super::{KafkaConsumer, KafkaProbe, KafkaProducer, refused, weaknesses};
use crate::adapters::faults::Sort;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::kafka::{GroupProtocol, KafkaSpec};
use crate::core::model::secret::Secret;
use crate::core::ports::broker::BrokerError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

fn spec(properties: &[(&str, &str)]) -> KafkaSpec {
    KafkaSpec {
        brokers: "kafka:9092".to_owned(),
        topic: "loan-data".to_owned(),
        group: Some("g".to_owned()),
        protocol: GroupProtocol::default(),
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

#[test]
fn a_server_of_tokens_without_encryption_is_as_weak_as_a_broker_without() {
    let url = "sasl.oauthbearer.token.endpoint.url";
    let told = |protocol: &str, brokers: &str, address: &str| {
        let properties = [("security.protocol", protocol), (url, address)];
        weaknesses(&KafkaSpec { brokers: brokers.to_owned(), ..spec(&properties) })
    };
    for (protocol, brokers, address, count) in [
        ("SASL_SSL", "kafka:9092", "http://ann:s3cret@idp.bank:8080/token?s3cret", 1),
        ("SASL_SSL", "localhost:9092", " HTTP://idp.bank:8080/token", 1),
        ("SASL_PLAINTEXT", "kafka:9092", "http://idp.bank:8080", 2),
        ("SASL_SSL", "kafka:9092", "https://idp.bank/token", 0),
        ("SASL_SSL", "kafka:9092", "http://127.0.0.1:8080/token", 0),
        ("SASL_SSL", "kafka:9092", "http://[::1]:8080/token", 0),
        ("SASL_PLAINTEXT", "SASL_PLAINTEXT://localhost:9092", "https://idp.bank", 0),
    ] {
        let found = told(protocol, brokers, address);
        assert_eq!(found.len(), count, "{brokers} {address}: {found:?}");
        let last = found.last().map_or("", |(what, _)| what);
        assert!(count == 0 || (last.contains("idp.bank:8080") && last.contains(url)), "{last}");
        assert!(!format!("{found:?}").contains("cret"), "{found:?}");
    }
}

#[test]
fn suites_without_encryption_and_logins_that_prove_nothing_are_told() {
    let suites = "ssl.cipher.suites";
    let unsigned = "enable.sasl.oauthbearer.unsecure.jwt";
    for (name, value, count) in [
        (suites, "eNULL:@SECLEVEL=0", 1),
        (suites, "HIGH:aNULL", 1),
        (suites, "ADH-AES256-SHA", 1),
        (suites, "HIGH:!aNULL:!eNULL:-ADH", 0),
        (suites, "ECDHE-RSA-AES256-GCM-SHA384", 0),
        (unsigned, "True", 1),
        (unsigned, "false", 0),
    ] {
        let properties = [("security.protocol", "SASL_SSL"), (name, value)];
        let found = |brokers: &str| weaknesses(&KafkaSpec { brokers: brokers.to_owned(), ..spec(&properties) });
        assert_eq!(found("kafka:9092").len(), count, "{name} {value}");
        assert_eq!(found("localhost:9092").len(), 0, "{name} {value}");
    }
}

#[test]
fn a_broker_of_another_protocol_than_all_is_told_before_the_client_drops_it() {
    for (brokers, protocol, is_refused) in [
        ("PLAINTEXT://k:9092", "SSL", true),
        ("k:9092, SSL://l:9092", "SASL_SSL", true),
        ("s3cret://k:9092", "SSL", true),
        ("ssl://k:9092", "SSL", false),
        ("SASL_SSL://k:9092,l:9092", "sasl_ssl", false),
        ("PLAINTEXT://k:9092", "", false),
        ("k:9092", "SSL", false),
    ] {
        let properties = [("security.protocol", protocol)];
        let properties = if protocol.is_empty() { &[][..] } else { &properties };
        let why = refused(&KafkaSpec { brokers: brokers.to_owned(), ..spec(properties) });
        assert_eq!(why.is_some(), is_refused, "{brokers} with {protocol}: {why:?}");
        assert!(!format!("{why:?}").contains("cret"), "{why:?}");
    }
}
