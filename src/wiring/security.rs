//! Addresses as others may see them, and connections that are weaker than they should be.

use crate::adapters::{kafka, mongo, nats, postgres, redis_queue, s3, sftp, sqlserver};
use crate::config::Flow;
use crate::core::generate::spec::Worker;
use crate::core::ingest::spec::{Ingest, SourceSpec};
use crate::core::model::database::Database;
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::peer::{Insecure, MASK, Peer, Unreadable, is_http, is_nats, is_redis, is_s3, is_sftp};
use crate::core::model::secret::Secret;
use crate::core::model::shown;
use crate::core::schedule::spec::Scheduler;
use crate::core::transfer::spec::{BrokerSpec, TargetSpec, Transfer};

/// What an adapter says of an address: how it is shown, and what is weak about a connection to it.
type Looked = Option<(String, Option<(String, &'static str)>)>;

/// A kind of server, and what its adapter says. `None` for a file of this host. An address of no known kind may be a mistyped one
/// of SQL Server, whose parser shows nothing that it cannot read.
fn look(url: &Secret) -> Option<(Peer, Looked)> {
    if is_redis(url.reveal()) {
        return Some((Peer::Redis, redis_queue::look(url)));
    }
    if is_nats(url.reveal()) {
        return Some((Peer::Nats, nats::look(url)));
    }
    if is_sftp(url.reveal()) {
        return Some((Peer::Sftp, sftp::look(url)));
    }
    if is_s3(url.reveal()) || is_http(url.reveal()) {
        return Some((Peer::S3, s3::look(url)));
    }
    match Database::of_address(url.reveal()) {
        Some(Database::Sqlite) => None,
        Some(Database::Postgres) => Some((Peer::Postgres, postgres::look(url))),
        Some(Database::Mongo) => Some((Peer::Mongo, mongo::look(url))),
        Some(Database::SqlServer) | None => Some((Peer::SqlServer, sqlserver::look(url))),
    }
}

/// An address as others may see it: what its client's own parser knows to be harmless. `***` where it cannot be read.
pub fn address_shown(url: &Secret) -> String {
    match look(url) {
        None => shown::text(url.reveal()),
        Some((_, looked)) => looked.map_or_else(|| MASK.to_owned(), |(text, _)| text),
    }
}

/// Whether an address that can be read has something to hide.
pub fn has_secret(url: &Secret) -> bool {
    let shown = address_shown(url);
    shown != MASK && shown.contains(MASK)
}

/// Keys of the source's address that change nothing here.
pub fn ignored_keys(worker: &Worker) -> Vec<&'static str> {
    match look(&worker.source.url) {
        Some((Peer::SqlServer, _)) => sqlserver::ignored(&worker.source.url),
        _ => Vec::new(),
    }
}

/// The weak connections of whatever a file declares.
pub fn insecure_in(flow: &Flow) -> Vec<Insecure> {
    match flow {
        Flow::Generate(worker) => insecure(worker),
        Flow::Ingest(ingest) => insecure_of_ingest(ingest),
        Flow::Schedule(scheduler) => insecure_of_scheduler(scheduler),
        Flow::Transfer(transfer) => insecure_of_transfer(transfer),
    }
}

/// The addresses of a file that their clients cannot read.
pub fn unreadable_in(flow: &Flow) -> Vec<Unreadable> {
    let topics = topics_in(flow).into_iter().filter_map(|(_, field, spec)| {
        let hint =
            "write the brokers as `host:9092`, and the protocol in `security.protocol` under `kafka.properties` alone";
        kafka::refused(spec).map(|why| Unreadable { field, why, hint })
    });
    let urls: Vec<(&'static str, &Secret)> = match flow {
        Flow::Generate(worker) => vec![("source.url", &worker.source.url), ("state.url", &worker.state)],
        Flow::Ingest(ingest) => vec![("sink.url", &ingest.sink.url), ("dead_letters.url", &ingest.dead_letters.url)],
        Flow::Schedule(scheduler) => vec![("state.url", &scheduler.state)],
        Flow::Transfer(transfer) => {
            let broker = match &transfer.broker {
                BrokerSpec::Local(_) => None,
                BrokerSpec::Nats(spec) => unreadable("broker.nats.url", Peer::Nats, &spec.url),
            };
            let to = match transfer.deliver.as_ref().map(|deliver| &deliver.to) {
                None | Some(TargetSpec::Directory(_)) => None,
                Some(TargetSpec::Sftp(spec)) => unreadable("deliver.to.sftp", Peer::Sftp, &spec.url),
                Some(TargetSpec::S3(spec)) => s3::refused(spec).map(|(field, why)| {
                    let hint = "write `s3://bucket/prefix`, and `https://host:port` as `endpoint`";
                    Unreadable { field, why, hint }
                }),
            };
            let state = look(&transfer.state).and_then(|(peer, _)| unreadable("state.url", peer, &transfer.state));
            return broker.into_iter().chain(to).chain(state).collect();
        }
    };
    urls.into_iter().filter_map(|(field, url)| unreadable(field, look(url)?.0, url)).chain(topics).collect()
}

fn unreadable(field: &'static str, peer: Peer, url: &Secret) -> Option<Unreadable> {
    let (why, hint) = match peer {
        Peer::Redis => (redis_queue::refused(url), "write `redis://HOST:6379`, and the password in `password`"),
        Peer::Nats => (nats::refused(url), "write `nats://host:4222`, or `tls://host:4222` with encryption"),
        Peer::Sftp => (sftp::refused(url), "write `sftp://user@host:22/folder`, and the password in `password`"),
        Peer::Postgres => (postgres::refused(url), "write `postgres://user:password@host:5432/database`"),
        Peer::Mongo => (mongo::refused(url), "write `mongodb://host:27017/database`"),
        Peer::SqlServer => (sqlserver::refused(url), "write `sqlserver://user:password@host:1433/database`"),
        Peer::Kafka | Peer::S3 | Peer::Otlp => (None, ""),
    };
    why.map(|why| Unreadable { field, why, hint })
}

fn address(field: &str, url: &Secret) -> Option<Insecure> {
    let (peer, looked) = look(url)?;
    let (what, instead) = looked?.1?;
    Some(Insecure { peer, field: field.to_owned(), what, instead })
}

/// The topics of a file: the field of each, the field of its brokers, and how it is reached.
fn topics_in(flow: &Flow) -> Vec<(&'static str, &'static str, &KafkaSpec)> {
    match flow {
        Flow::Generate(worker) => topics_of_worker(worker),
        Flow::Ingest(ingest) => topics_of_ingest(ingest),
        Flow::Schedule(scheduler) => topics_of_scheduler(scheduler),
        Flow::Transfer(_) => Vec::new(),
    }
}

fn topics_of_worker(worker: &Worker) -> Vec<(&'static str, &'static str, &KafkaSpec)> {
    let trigger = worker.trigger.as_ref().map(|it| ("trigger.kafka", "trigger.kafka.brokers", &it.kafka));
    let completion = worker.completion.as_ref().map(|it| ("completion.kafka", "completion.kafka.brokers", it));
    trigger.into_iter().chain(completion).collect()
}

fn topics_of_ingest(ingest: &Ingest) -> Vec<(&'static str, &'static str, &KafkaSpec)> {
    match &ingest.source {
        SourceSpec::Kafka(spec) => vec![("source.kafka", "source.kafka.brokers", spec)],
        SourceSpec::File(_) => Vec::new(),
    }
}

fn topics_of_scheduler(scheduler: &Scheduler) -> Vec<(&'static str, &'static str, &KafkaSpec)> {
    let changes = scheduler.changes.as_ref().map(|it| ("changes.kafka", "changes.kafka.brokers", it));
    let discovered = scheduler.discovered.as_ref().map(|it| ("discovered.kafka", "discovered.kafka.brokers", it));
    changes.into_iter().chain(discovered).collect()
}

/// What is weak about the topics of a file.
fn weak(topics: Vec<(&'static str, &'static str, &KafkaSpec)>) -> impl Iterator<Item = Insecure> {
    let of_topic = |(field, _, spec): (&'static str, &'static str, &KafkaSpec)| {
        let weak = kafka::weaknesses(spec).into_iter();
        weak.map(move |(what, instead)| Insecure { peer: Peer::Kafka, field: field.to_owned(), what, instead })
    };
    topics.into_iter().flat_map(of_topic)
}

/// An ingest's connections that somebody on the way may read, or answer in the server's place.
pub fn insecure_of_ingest(ingest: &Ingest) -> Vec<Insecure> {
    let letters = address("dead_letters.url", &ingest.dead_letters.url);
    let addresses = [address("sink.url", &ingest.sink.url), letters].into_iter().flatten();
    weak(topics_of_ingest(ingest)).chain(addresses).collect()
}

/// A transfer's connections that somebody on the way may read, or answer in the server's place.
pub fn insecure_of_transfer(transfer: &Transfer) -> Vec<Insecure> {
    let broker = match &transfer.broker {
        BrokerSpec::Local(_) => None,
        BrokerSpec::Nats(spec) => address("broker.nats.url", &spec.url),
    };
    let to = match transfer.deliver.as_ref().map(|deliver| &deliver.to) {
        None | Some(TargetSpec::Directory(_) | TargetSpec::Sftp(_)) => None,
        Some(TargetSpec::S3(spec)) => spec.endpoint.as_ref().and_then(|url| address("deliver.to.endpoint", url)),
    };
    broker.into_iter().chain(to).chain(address("state.url", &transfer.state)).collect()
}

/// A scheduler's connections that somebody on the way may read, or answer in the server's place.
pub fn insecure_of_scheduler(scheduler: &Scheduler) -> Vec<Insecure> {
    address("state.url", &scheduler.state).into_iter().chain(weak(topics_of_scheduler(scheduler))).collect()
}

/// A worker's connections that somebody on the way may read, or answer in the server's place.
pub fn insecure(worker: &Worker) -> Vec<Insecure> {
    let addresses = [address("source.url", &worker.source.url), address("state.url", &worker.state)];
    addresses.into_iter().flatten().chain(weak(topics_of_worker(worker))).collect()
}

#[cfg(test)]
mod tests;
