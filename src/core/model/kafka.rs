//! A Kafka topic as a file describes it.

use super::secret::Secret;
use std::collections::BTreeMap;

/// A Kafka topic and how to reach it.
#[derive(Clone, PartialEq, Debug)]
pub struct KafkaSpec {
    /// `host:port`, comma separated.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The consumer group (trigger only).
    pub group: Option<String>,
    /// Any property of librdkafka by its own name: `sasl.mechanism`. Never one that the promises hang on.
    pub properties: BTreeMap<String, Secret>,
}
