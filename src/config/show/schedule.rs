//! A scheduler's values in the words and order of the scheduler file.

use super::generate::{ShowAddress, kafka, map, scalar, text};
use super::parts::tls;
use super::{Rendered, words};
use crate::config::values::{write_duration, write_size};
use crate::core::model::data_source::Words;
use crate::core::model::peer::MASK;
use crate::core::schedule::spec::{Defaults, DoorSpec, Scheduler};
use std::path::Path;

pub(super) fn scheduler(scheduler: &Scheduler, address: ShowAddress<'_>) -> Rendered {
    let path = |path: &Path| text(path.to_string_lossy());
    let calendars: Vec<_> = scheduler.calendars.iter().map(|(name, file)| (name.clone(), path(file))).collect();
    let (policies, limits) = (&scheduler.policies, &scheduler.limits);
    map([
        ("scheduler", Some(text(scheduler.id.as_str()))),
        ("state", Some(map([("url", Some(text(address(&scheduler.state))))]))),
        ("changes", scheduler.changes.as_ref().map(|spec| map([("kafka", Some(kafka(spec)))]))),
        ("discovered", scheduler.discovered.as_ref().map(|spec| map([("kafka", Some(kafka(spec)))]))),
        ("roots", Some(Rendered::List(scheduler.roots.roots.iter().map(|root| path(root)).collect()))),
        ("sources", scheduler.sources.as_deref().map(path)),
        ("calendars", (!calendars.is_empty()).then_some(Rendered::Map(calendars))),
        ("api", Some(door(&scheduler.api))),
        ("page", Some(door(&scheduler.page))),
        ("defaults", Some(defaults(&scheduler.defaults))),
        (
            "policies",
            Some(map([
                ("lease_ttl", Some(text(write_duration(policies.lease_ttl)))),
                ("lease_heartbeat_interval", Some(text(write_duration(policies.lease_heartbeat_interval)))),
                ("takeover_polling_interval", Some(text(write_duration(policies.takeover_polling_interval)))),
                ("history", Some(text(write_duration(limits.history)))),
                ("concurrency", Some(scalar(limits.concurrency))),
                ("catch_up", Some(scalar(limits.catch_up))),
                ("max_sources", Some(scalar(limits.max_sources))),
                ("least_interval", Some(text(write_duration(limits.least_interval)))),
            ])),
        ),
    ])
}

fn door(door: &DoorSpec) -> Rendered {
    map([
        ("port", Some(scalar(door.port))),
        ("listen", door.listen.map(|address| text(address.to_string()))),
        ("hosts", words(&door.hosts)),
        ("cors", words(&door.cors)),
        ("token", door.token.as_ref().map(|_| text(MASK))),
        ("tls", door.tls.as_ref().map(tls)),
    ])
}

fn defaults(defaults: &Defaults) -> Rendered {
    map([
        ("cron", Some(text(&defaults.cron))),
        ("zone", Some(text(&defaults.zone))),
        ("misfire", Some(text(defaults.misfire.word()))),
        ("overlap", Some(text(defaults.overlap.word()))),
        ("dst", Some(text(defaults.dst.word()))),
        ("grace", Some(text(write_duration(defaults.grace)))),
        ("jitter", Some(text(write_duration(defaults.jitter)))),
        ("stable_for", Some(text(write_duration(defaults.stable_for)))),
        ("max_size", Some(text(write_size(defaults.max_size)))),
        ("look_within", Some(text(write_duration(defaults.look_within)))),
        ("pause_after_failures", Some(scalar(defaults.pause_after_failures.unwrap_or(0)))),
    ])
}
