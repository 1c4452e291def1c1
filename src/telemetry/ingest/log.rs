//! A line about one event: where it stands, what became of it, and why.

use super::TARGET;
use crate::core::model::letter::RawEvent;
use crate::core::model::shown;
use crate::core::ports::sql_sink::Outcome;
use std::time::Duration;
use tracing::{Level, debug, enabled, warn};

/// Says what became of an event: a dead one always, others at the level debug.
pub(super) fn event(ingest: &str, event: &RawEvent, outcome: &Outcome, took: Duration) {
    let word = match outcome {
        Outcome::Dead(_) => "dead",
        _ if !enabled!(target: TARGET, Level::DEBUG) => return,
        Outcome::Written => "written",
        Outcome::Stale => "stale",
        Outcome::Folded => "folded",
        Outcome::Parked => "parked",
    };
    let place = &event.place;
    let (id, kind) = (named(event.event_id.as_deref()), named(event.kind.as_deref()));
    let key = event.key.as_deref().map(|key| shown::name(&String::from_utf8_lossy(key))).unwrap_or_default();
    let (topic, partition, offset) = (shown::name(&place.topic), place.partition, place.offset);
    if let Outcome::Dead(error) = outcome {
        let (reason, cause) = (error.kind.as_str(), error.message.as_str());
        warn!(
            target: TARGET, ingest, eventId = id, r#type = kind, key, topic, partition, offset, reason, error = cause,
            "event is dead"
        );
        return;
    }
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    debug!(
        target: TARGET, ingest, eventId = id, r#type = kind, key, topic, partition, offset, outcome = word, took_ms,
        "event is done"
    );
}

fn named(text: Option<&str>) -> String {
    text.map(shown::name).unwrap_or_default()
}
