//! librdkafka's codes, its own and the brokers', by what they mean. Source: the protocol's table of error codes, and librdkafka's.
//!
//! A code that is not here may pass: an outcome that is not known is asked for again.

use crate::adapters::faults::{Known, Sort};
use rdkafka::error::RDKafkaErrorCode as Code;

/// Each code once.
pub(super) const TABLE: &[Known<Code>] = &[
    Known::new(
        &[Code::UnknownTopic, Code::UnknownTopicOrPartition],
        Sort::Denied,
        "create the topic (`kafka-topics.sh --create --topic NAME`), or correct `topic` in the worker file",
    ),
    Known::new(&[Code::InvalidTopic], Sort::Denied, "correct `topic` in the worker file"),
    Known::new(
        &[Code::TopicAuthorizationFailed, Code::GroupAuthorizationFailed, Code::ClusterAuthorizationFailed],
        Sort::Denied,
        "have this user's rights on topic and group granted (`kafka-acls.sh --add`)",
    ),
    Known::new(
        &[
            Code::Authentication,
            Code::SaslAuthenticationFailed,
            Code::UnsupportedSASLMechanism,
            Code::IllegalSASLState,
            Code::SecurityDisabled,
        ],
        Sort::Denied,
        "look at user, password and mechanism in `kafka.properties`",
    ),
    Known::new(
        &[Code::MessageSizeTooLarge, Code::MessageBatchTooLarge],
        Sort::Denied,
        "have the topic's `max.message.bytes` raised",
    ),
    Known::new(
        &[Code::InvalidGroupId, Code::InconsistentGroupProtocol, Code::GroupMaxSizeReached],
        Sort::Denied,
        "another program uses this group: choose another `group` in the worker file",
    ),
    Known::new(
        &[Code::InvalidSessionTimeout],
        Sort::Denied,
        "set `session.timeout.ms` in `kafka.properties` to what the broker allows (`group.min.session.timeout.ms`, `…max…`)",
    ),
    Known::new(
        &[Code::UnsupportedForMessageFormat, Code::UnsupportedCompressionType, Code::PolicyViolation],
        Sort::Denied,
        "the topic's settings do not take such a message: look at `compression.codec`, and at the brokers' policies",
    ),
    Known::new(
        &[Code::NotEnoughReplicas, Code::NotEnoughReplicasAfterAppend],
        Sort::Passing,
        "fewer brokers than `min.insync.replicas` are up",
    ),
];
