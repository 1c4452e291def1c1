//! An ingest file's values as the core takes them.

mod events;
mod fields;
mod read;

use self::fields::{door, pointer};
use super::kafka::kafka;
use super::state::refused_at;
use crate::config::address;
use crate::config::cursor::Cursor;
use crate::config::grammar::ingest::{DEAD_LETTERS, ENVELOPE, INGEST, KAFKA, POLICIES, PRODUCE, SINK, SOURCE};
use crate::core::ingest::spec::{
    Envelope, Ingest, IngestPolicies, OnRecreated, ProduceSpec, QueueSpec, SinkSpec, SourceSpec,
};
use crate::core::model::database::Database;
use crate::core::model::kafka::GroupProtocol;
use crate::core::model::names::IngestId;
use crate::core::model::policy::RetrySpec;
use crate::core::model::secret::Secret;
use crate::core::model::sql::Lexicon;

/// The whole file. `None` when anything is wrong; that is noted then.
pub(in crate::config) fn ingest(root: &Cursor<'_>) -> Option<Ingest> {
    let fields = root.read(&INGEST);
    let id = fields.text("ingest").and_then(|text| match IngestId::new(text) {
        Ok(id) => Some(id),
        Err(error) => {
            fields.place("ingest").report("impossible-value", error.to_string(), "for example `orders`");
            None
        }
    });
    let source = source(root);
    let sink = sink(&root.section("sink"));
    let dead_letters = dead_letters(&root.section("dead_letters"), sink.as_ref());
    let envelope = envelope(&root.section("envelope"));
    let events = envelope.as_ref().and_then(|envelope| events::events(&root.section("events"), envelope));
    let lexicon = sink.as_ref().and_then(|sink| Database::of_address(sink.url.reveal())).and_then(Lexicon::of);
    let produce = root.field("produce").map(|at| produce(&at));
    let read = root.field("read").map(|at| read::read(&at, lexicon));
    if let (Some((SourceSpec::File(_), _)), Some(at)) = (&source, root.field("produce")) {
        let hint = "write `source: { kafka: { topic: … } }`, or remove `produce`";
        at.report("impossible-value", "events come from a file, and `produce` sends to a topic", hint);
        return None;
    }
    let policies = policies(&root.section("policies"));
    let (source, on_recreated) = source?;
    let (events, tables) = events?;
    Some(Ingest {
        id: id?,
        source,
        on_recreated,
        sink: sink?,
        dead_letters: dead_letters?,
        envelope: envelope?,
        events,
        tables,
        produce: produce.map_or(Some(None), |produce| produce.map(Some))?,
        read: read.map_or(Some(None), |read| read.map(Some))?,
        policies: policies?,
    })
}

/// A file or a topic, and what it means when it was made anew.
fn source(root: &Cursor<'_>) -> Option<(SourceSpec, OnRecreated)> {
    let at = root.section("source");
    let fields = at.read(&SOURCE);
    let own = fields.owned("on_recreated");
    let recreated = |text: Option<String>| match text.as_deref() {
        Some("restart") => OnRecreated::Restart,
        _ => OnRecreated::Stop,
    };
    if let Some(file) = at.field("file") {
        if let Some(other) = at.field("kafka") {
            other.report("impossible-value", "events come from a file or from a topic", "remove `file` or `kafka`");
            return None;
        }
        return match address::resolved(file.text()?, file.context.folder) {
            Ok(path) => Some((SourceSpec::File(path), recreated(own))),
            Err((message, hint)) => {
                file.report("impossible-value", message, hint);
                None
            }
        };
    }
    let Some((mut spec, fields)) = kafka(root, &at, &KAFKA)? else {
        let hint = "add `source: { kafka: { topic: … } }` or `source: { file: … }`, or set the environment variable KAFKA_BROKERS";
        at.report("missing-field", "`source` is missing", hint);
        return None;
    };
    spec.group = fields.owned("group");
    spec.protocol = match fields.text("group_protocol")?.as_ref() {
        "consumer" => GroupProtocol::Broker,
        _ => GroupProtocol::Cooperative,
    };
    let recreated = recreated(fields.owned("on_recreated").or(own));
    Some((SourceSpec::Kafka(spec), recreated))
}

fn sink(at: &Cursor<'_>) -> Option<SinkSpec> {
    let fields = at.read(&SINK);
    let url = refused_at(&fields, address::sink(&fields.text("url")?, at.context.folder))?;
    Some(SinkSpec { url: Secret::new(url), create: fields.text("create")?.as_ref() == "missing" })
}

/// The queue; the sink's own file where the file names none.
fn dead_letters(at: &Cursor<'_>, sink: Option<&SinkSpec>) -> Option<QueueSpec> {
    let fields = at.read(&DEAD_LETTERS);
    let url = match fields.text("url") {
        Some(url) => refused_at(&fields, address::queue(&url, at.context.folder)),
        None => match sink.map(|sink| sink.url.reveal()) {
            Some(url) if Database::of_address(url) != Some(Database::Sqlite) => {
                let hint = "write `dead_letters: { url: \"redis://HOST:6379\" }`, or `sqlite:PATH`, or set the environment variable REDIS_ADDR";
                at.report("missing-field", "`dead_letters.url` is missing", hint);
                None
            }
            own => own.map(str::to_owned),
        },
    };
    Some(QueueSpec {
        url: Secret::new(url?),
        password: fields.text("password").map(|password| Secret::new(password.as_ref())),
        key: fields.owned("key")?,
        outbox_limit: fields.whole("outbox_limit")?,
        outbox_bytes: fields.size("outbox_bytes")?,
        max_bytes: fields.size("max_bytes")?,
        keep_days: fields.days("keep")?,
    })
}

fn envelope(at: &Cursor<'_>) -> Option<Envelope> {
    let fields = at.read(&ENVELOPE);
    let (id, kind) = (pointer(&fields, "id"), pointer(&fields, "type"));
    let time = fields.text("time").is_some().then(|| pointer(&fields, "time"));
    Some(Envelope { id: id?, kind: kind?, time: time.map_or(Some(None), |time| time.map(Some))? })
}

fn produce(at: &Cursor<'_>) -> Option<ProduceSpec> {
    let fields = at.read(&PRODUCE);
    Some(ProduceSpec { door: door(&fields)?, strict: fields.text("check")?.as_ref() == "strict" })
}

fn policies(at: &Cursor<'_>) -> Option<IngestPolicies> {
    let fields = at.read(&POLICIES);
    let retry = RetrySpec {
        max_retries: u32::MAX,
        initial_backoff: fields.duration("initial_backoff")?,
        backoff_multiplier: fields.text("backoff_multiplier")?.parse().ok()?,
        max_backoff: fields.duration("max_backoff")?,
    };
    if retry.initial_backoff > retry.max_backoff {
        let message = "`initial_backoff` is longer than `max_backoff`";
        fields.place("initial_backoff").report("impossible-value", message, "make the first wait the shortest");
    }
    Some(IngestPolicies {
        batch: usize::try_from(fields.whole("batch")?).ok()?,
        linger: fields.duration("linger")?,
        attempts: u32::try_from(fields.whole("attempts")?).ok()?,
        park_for: fields.duration("park_for")?,
        retry,
    })
}
