//! Topics: where events that start runs come from, and where completion events go.

use crate::config::cursor::Cursor;
use crate::config::grammar::generate::{COMPLETION_KAFKA, TRIGGER_KAFKA};
use crate::config::resolve::kafka::kafka;
use crate::core::generate::spec::TriggerSpec;
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::names::WorkerId;
use serde_json::Value;

/// The trigger. `Some(None)` when neither the file nor the environment names a broker. `None` when something is wrong.
#[expect(clippy::option_option, reason = "the outer none is a noted problem, the inner one is no topic")]
pub(super) fn trigger(root: &Cursor<'_>, worker: Option<&WorkerId>) -> Option<Option<TriggerSpec>> {
    let at = root.section("trigger");
    // A clock stands in a topic's place, unless the file names both: then the environment's brokers alone make none.
    if at.section("schedule").value().is_some() && at.section("kafka").value().is_none() {
        if at.section("match").value().is_some() {
            at.section("match").report(
                "impossible-value",
                "`match` is about events, and there is no `kafka`",
                "remove it",
            );
        }
        return Some(None);
    }
    let matches = matches(&at.section("match"));
    let Some((mut kafka, fields)) = kafka(root, &at, &TRIGGER_KAFKA)? else { return Some(None) };
    kafka.group = match fields.owned("group") {
        Some(group) => Some(group),
        None if fields.at.field("group").is_none() => Some(format!("filegen-{}", worker?)),
        None => None,
    };
    Some(Some(TriggerSpec { kafka, matches }))
}

/// The topic for completion events. `Some(None)` and `None` as with [`trigger`].
#[expect(clippy::option_option, reason = "the outer none is a noted problem, the inner one is no topic")]
pub(super) fn completion(root: &Cursor<'_>) -> Option<Option<KafkaSpec>> {
    Some(kafka(root, &root.section("completion"), &COMPLETION_KAFKA)?.map(|(kafka, _)| kafka))
}

/// Pointers and wanted values. A name that is no pointer names a top-level field.
fn matches(at: &Cursor<'_>) -> Vec<(String, Value)> {
    let mut matches = Vec::new();
    for (name, node) in at.entries() {
        let Some(scalar) = at.below(name, node).scalar().cloned() else { continue };
        // As in YAML itself: without quotes, what reads as a number or flag is one.
        let typed =
            serde_json::from_str(&scalar.text).ok().filter(|value: &Value| value.is_number() || value.is_boolean());
        let value = typed.filter(|_| scalar.plain).unwrap_or(Value::String(scalar.text));
        let pointer = if name.text.starts_with('/') {
            name.text.clone()
        } else {
            format!("/{}", name.text.replace('~', "~0").replace('/', "~1"))
        };
        matches.push((pointer, value));
    }
    matches
}
