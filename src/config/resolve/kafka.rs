//! Kafka topics: brokers, name, and properties of the client.

use crate::config::address::are_brokers;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::Section;
use crate::core::model::kafka::{GroupProtocol, KafkaSpec};
use crate::core::model::secret::Secret;
use std::collections::BTreeMap;

/// Properties that the worker file sets in a field of its own.
const HAVE_FIELDS: [(&str, &str); 3] =
    [("bootstrap.servers", "brokers"), ("metadata.broker.list", "brokers"), ("group.id", "group")];

/// Properties that the promises of the port or of a file depend on, and the promise that another value would break.
const FIXED: [(&str, &str); 15] = [
    ("enable.auto.commit", "an event is marked done only when its run is recorded"),
    ("enable.auto.offset.store", "an event is marked done only when its run is recorded"),
    ("auto.offset.reset", "a new group starts with the first event, so that none is missed"),
    ("topic.auto.offset.reset", "a new group starts with the first event, so that none is missed"),
    ("enable.idempotence", "a completion event is written once for each time it is sent"),
    ("acks", "a completion event counts as sent when all replicas in step have it"),
    ("request.required.acks", "a completion event counts as sent when all replicas in step have it"),
    ("message.timeout.ms", "a broker that is away is noticed in time"),
    ("delivery.timeout.ms", "a broker that is away is noticed in time"),
    ("transactional.id", "completion events are sent one by one"),
    ("enable.partition.eof", "the end of a topic is no event"),
    ("plugin.library.paths", "no file loads or runs a program"),
    ("ssl.engine.location", "no file loads or runs a program"),
    ("ssl.providers", "no file loads or runs a program"),
    ("sasl.kerberos.kinit.cmd", "no file loads or runs a program"),
];

/// A topic. `Some(None)` when neither the file nor the environment names a broker. `None` when something is wrong.
#[expect(clippy::option_option, reason = "the outer none is a noted problem, the inner one is no topic")]
pub(super) fn kafka<'a>(
    root: &Cursor<'a>,
    at: &Cursor<'a>,
    section: &'static Section,
) -> Option<Option<(KafkaSpec, Fields<'a>)>> {
    let in_environment = root.context.vars.get("KAFKA_BROKERS").is_some_and(|value| !value.is_empty());
    if at.value().is_none() && !in_environment {
        return Some(None);
    }
    let fields = at.section("kafka").read(section);
    let properties = properties(&fields.at.section("properties"));
    let brokers = fields.owned("brokers")?;
    if !are_brokers(&brokers) {
        let hint = "write `host:port`, comma separated";
        fields.place("brokers").report("impossible-value", "these are no broker addresses", hint);
    }
    let topic = topic(&fields)?;
    Some(Some((KafkaSpec { brokers, topic, group: None, protocol: GroupProtocol::default(), properties }, fields)))
}

/// Kafka's own rule for names of topics.
fn topic(fields: &Fields<'_>) -> Option<String> {
    let topic = fields.owned("topic")?;
    let fits = topic.len() <= 249 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !fits || matches!(topic.as_str(), "" | "." | "..") {
        let hint = "a topic has up to 249 letters, digits, `.`, `_` and `-`";
        fields.place("topic").report("impossible-value", "this is no name of a topic", hint);
    }
    Some(topic)
}

/// The client's properties. Refuses those that must not be changed; librdkafka itself refuses unknown ones.
fn properties(at: &Cursor<'_>) -> BTreeMap<String, Secret> {
    let mut properties = BTreeMap::new();
    for (name, node) in at.entries() {
        let place = at.foreign(name, node);
        let property = name.text.trim();
        if let Some((_, field)) = HAVE_FIELDS.iter().find(|(other, _)| *other == property) {
            let message = format!("`{property}` has a field of its own");
            at.report_at(name.span, "impossible-value", message, format!("use `kafka.{field}`"));
        } else if let Some((_, promise)) = FIXED.iter().find(|(other, _)| *other == property) {
            let message = format!("`{property}` cannot be changed: {promise}");
            at.report_at(name.span, "impossible-value", message, "remove it");
        } else if !property.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            // It is not repeated: it may be a value in the wrong place.
            let hint = "properties of librdkafka have letters, digits, `.`, `_` and `-`";
            at.report_at(name.span, "impossible-value", "this is no name of a property", hint);
        } else if let Some(value) = place.text() {
            properties.insert(property.to_owned(), Secret::new(value));
        }
    }
    properties
}
