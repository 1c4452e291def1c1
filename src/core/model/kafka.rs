//! A Kafka topic as a file describes it.

use super::secret::Secret;
use std::collections::BTreeMap;

/// Who shares a topic's partitions out among a group's members.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum GroupProtocol {
    /// The members, as librdkafka has it by itself: each change takes all partitions from everybody for a moment.
    #[default]
    Eager,
    /// The members (`classic`), moving only what has to move (`cooperative-sticky`).
    Cooperative,
    /// The broker (`consumer`, KIP-848; Kafka 4.0 and later).
    Broker,
}

/// A Kafka topic and how to reach it.
#[derive(Clone, PartialEq, Debug)]
pub struct KafkaSpec {
    /// `host:port`, comma separated.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The consumer group (trigger only).
    pub group: Option<String>,
    /// How the group's members share its partitions.
    pub protocol: GroupProtocol,
    /// Any property of librdkafka by its own name: `sasl.mechanism`. Never one that the promises hang on.
    pub properties: BTreeMap<String, Secret>,
}
