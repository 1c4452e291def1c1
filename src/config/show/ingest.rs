//! An ingest's values in the words and order of its file.

use super::generate::{ShowAddress, kafka, map, scalar, text};
use super::parts::tls;
use super::{Rendered, words};
use crate::config::redact::without_login;
use crate::config::values::{write_duration, write_size};
use crate::core::ingest::spec::{DoorSpec, Ingest, OnRecreated, ReadSpec, RouteSpec, SourceSpec};
use crate::core::model::peer::MASK;
use crate::core::model::rows::RowShape;

pub(super) fn ingest(ingest: &Ingest, address: ShowAddress<'_>) -> Rendered {
    let source = match &ingest.source {
        SourceSpec::Kafka(spec) => ("kafka", Some(kafka(spec))),
        SourceSpec::File(path) => ("file", Some(text(path.to_string_lossy()))),
    };
    let recreated = match ingest.on_recreated {
        OnRecreated::Stop => "stop",
        OnRecreated::Restart => "restart",
    };
    let source = map([source, ("on_recreated", Some(text(recreated)))]);
    let sink = map([
        ("url", Some(text(address(&ingest.sink.url)))),
        ("create", Some(text(if ingest.sink.create { "missing" } else { "never" }))),
    ]);
    let dead_letters = map([
        ("url", Some(text(address(&ingest.dead_letters.url)))),
        ("password", ingest.dead_letters.password.as_ref().map(|_| text(MASK))),
        ("key", Some(text(&ingest.dead_letters.key))),
        ("outbox_limit", Some(scalar(ingest.dead_letters.outbox_limit))),
        ("outbox_bytes", Some(text(write_size(ingest.dead_letters.outbox_bytes)))),
        ("max_bytes", Some(text(write_size(ingest.dead_letters.max_bytes)))),
        ("keep", Some(text(format!("{}d", ingest.dead_letters.keep_days)))),
    ]);
    let envelope = map([
        ("id", Some(text(ingest.envelope.id.as_str()))),
        ("type", Some(text(ingest.envelope.kind.as_str()))),
        ("time", ingest.envelope.time.as_ref().map(|time| text(time.as_str()))),
    ]);
    let events = ingest.tables.shapes.iter().enumerate();
    let events = events.map(|(index, shape)| (shape.event.clone(), event(ingest, index, shape))).collect();
    let produce = ingest.produce.as_ref().map(|produce| {
        let check = if produce.strict { "strict" } else { "queue" };
        let [port, listen, hosts, token, tls] = door(&produce.door);
        map([port, listen, hosts, ("check", Some(text(check))), token, tls])
    });
    let policies = ingest.policies;
    let policies = map([
        ("batch", Some(scalar(policies.batch))),
        ("linger", Some(text(write_duration(policies.linger)))),
        ("attempts", Some(scalar(policies.attempts))),
        ("park_for", Some(text(write_duration(policies.park_for)))),
        ("initial_backoff", Some(text(write_duration(policies.retry.initial_backoff)))),
        ("backoff_multiplier", Some(scalar(policies.retry.backoff_multiplier))),
        ("max_backoff", Some(text(write_duration(policies.retry.max_backoff)))),
    ]);
    map([
        ("ingest", Some(text(ingest.id.as_str()))),
        ("source", Some(source)),
        ("sink", Some(sink)),
        ("dead_letters", Some(dead_letters)),
        ("envelope", Some(envelope)),
        ("events", Some(Rendered::Map(events))),
        ("produce", produce),
        ("read", ingest.read.as_ref().map(read)),
        ("policies", Some(policies)),
    ])
}

fn event(ingest: &Ingest, index: usize, shape: &RowShape) -> Rendered {
    let table = &ingest.tables.tables[shape.table];
    let spec = &ingest.events[index];
    let sums = shape.columns.len();
    let columns = shape.columns.iter().chain(&shape.sums).zip(&spec.columns).enumerate();
    let columns = columns.map(|(at, (column, source))| {
        let column = &table.columns[*column];
        let object = map([
            (if at < sums { "from" } else { "add" }, Some(text(source.from.as_str()))),
            ("type", Some(text(column.kind.to_string()))),
            ("optional", source.optional.then(|| scalar(true))),
            ("default", source.default.as_deref().map(|value| text(without_login(value)))),
            ("references", column.references.as_ref().map(|(table, key)| text(format!("{table}.{key}")))),
        ]);
        (column.name.clone(), Rendered::Flow(Box::new(object)))
    });
    let identity = table.identity.iter().map(|index| text(&table.columns[*index].name)).collect();
    map([
        ("key", spec.key.as_ref().map(|key| text(key.as_str()))),
        ("table", Some(text(&table.name))),
        ("identity", Some(Rendered::Flow(Box::new(Rendered::List(identity))))),
        ("version", table.version.map(|index| text(&table.columns[index].name))),
        ("columns", Some(Rendered::Map(columns.collect()))),
    ])
}

fn door(door: &DoorSpec) -> [(&'static str, Option<Rendered>); 5] {
    [
        ("port", Some(scalar(door.port))),
        ("listen", door.listen.map(|address| text(address.to_string()))),
        ("hosts", words(&door.hosts)),
        ("token", door.token.as_ref().map(|_| text(MASK))),
        ("tls", door.tls.as_ref().map(tls)),
    ]
}

fn read(read: &ReadSpec) -> Rendered {
    let members = |route: &RouteSpec| {
        let member = |member: &crate::core::ingest::spec::MemberSpec| {
            let sql = text(without_login(member.sql.as_str()));
            let which = if member.many.is_some() { "many" } else { "one" };
            (member.name.clone(), map([(which, Some(sql)), ("limit", member.many.map(scalar))]))
        };
        (route.path.clone(), Rendered::Map(route.members.iter().map(member).collect()))
    };
    let [port, listen, hosts, token, tls] = door(&read.door);
    map([
        port,
        listen,
        hosts,
        token,
        tls,
        ("pool", Some(scalar(read.pool))),
        ("timeout", Some(text(write_duration(read.timeout)))),
        ("routes", Some(Rendered::Map(read.routes.iter().map(members).collect()))),
    ])
}
