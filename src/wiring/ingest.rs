//! The ports of the flow ingest.

use super::WiringError;
use crate::adapters::event_file::EventFile;
use crate::adapters::kafka::{KafkaConsumer, KafkaProbe, KafkaProducer};
use crate::adapters::postgres::reader::PostgresReader;
use crate::adapters::postgres::sink::PostgresSink;
use crate::adapters::redis_queue::RedisQueue;
use crate::adapters::sqlite_queue::SqliteQueue;
use crate::adapters::sqlite_reader::SqliteReader;
use crate::adapters::sqlite_sink::SqliteSink;
use crate::core::backoff::Jitter;
use crate::core::ingest::spec::{Ingest, SourceSpec};
use crate::core::model::database::Database;
use crate::core::model::peer::is_redis;
use crate::core::model::secret::Secret;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::Consumer;
use crate::core::ports::probe::TopicProbe;
use crate::core::ports::producer::Producer;
use crate::core::ports::queue::LetterQueue;
use crate::core::ports::sql_sink::{SinkReader, SqlSink};
use crate::core::ports::table_reader::TableReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longest time of the question for health, where no reader has a time of its own.
const PROBE_TIME: Duration = Duration::from_secs(4);

/// The log of the file's events, or another file in its place: a path, or `-` for the standard input. With `follows`, the end of a
/// file is no end.
///
/// # Errors
/// A property that the broker's client does not take.
pub fn events(ingest: &Ingest, instead: Option<&Path>, follows: bool) -> Result<Box<dyn Consumer>, BrokerError> {
    Ok(match (instead, &ingest.source) {
        (Some(path), _) if path == Path::new("-") => Box::new(EventFile::stdin()),
        (Some(path), _) => Box::new(EventFile::new(path, follows)),
        (None, SourceSpec::File(path)) => Box::new(EventFile::new(path, follows)),
        (None, SourceSpec::Kafka(spec)) => Box::new(KafkaConsumer::new(spec)?),
    })
}

/// Whether the file of events can be read, and what is said of it then. `None` where they come from a topic.
pub fn event_file(ingest: &Ingest) -> Option<Result<String, BrokerError>> {
    let SourceSpec::File(path) = &ingest.source else { return None };
    Some(EventFile::new(path, false).check())
}

/// The file at an address. The configuration lets no other kind of address through.
fn path(address: &Secret) -> &Path {
    let address = address.reveal();
    Path::new(Database::sqlite_path(address).unwrap_or(address))
}

/// The sink; nothing is connected yet.
///
/// # Errors
/// When the address is not understood.
pub fn sql_sink(ingest: &Ingest) -> Result<Box<dyn SqlSink>, WiringError> {
    let reader = SinkReader {
        source: ingest.id.as_str().to_owned(),
        group: ingest.group().to_owned(),
        outbox_limit: ingest.dead_letters.outbox_limit,
        outbox_bytes: ingest.dead_letters.outbox_bytes,
    };
    let (url, tables) = (&ingest.sink.url, Arc::new(ingest.tables.clone()));
    Ok(match Database::of_address(url.reveal()) {
        Some(Database::Postgres) => Box::new(PostgresSink::new(url, tables, reader)?),
        // The configuration lets no other kind of address through.
        _ => Box::new(SqliteSink::new(path(url), tables, reader)),
    })
}

/// The tables, for readers; nothing is opened yet.
///
/// # Errors
/// When the address is not understood.
pub fn table_reader(ingest: &Ingest) -> Result<Arc<dyn TableReader>, WiringError> {
    let (pool, timeout) = ingest.read.as_ref().map_or((1, PROBE_TIME), |read| (read.pool, read.timeout));
    let url = &ingest.sink.url;
    Ok(match Database::of_address(url.reveal()) {
        Some(Database::Postgres) => Arc::new(PostgresReader::new(url, pool, timeout)?),
        _ => Arc::new(SqliteReader::new(path(url), pool, timeout)),
    })
}

/// The producer of the file's topic. `None` when its events come from a file. Nothing is connected yet.
///
/// # Errors
/// A property that the broker's client does not take.
pub fn event_producer(ingest: &Ingest) -> Result<Option<Arc<dyn Producer>>, BrokerError> {
    match &ingest.source {
        SourceSpec::Kafka(spec) => Ok(Some(Arc::new(KafkaProducer::new(spec)?))),
        SourceSpec::File(_) => Ok(None),
    }
}

/// The probe of the file's topic. `None` when its events come from a file.
///
/// # Errors
/// A property that the broker's client does not take.
pub fn event_topic_probe(ingest: &Ingest) -> Result<Option<Arc<dyn TopicProbe>>, BrokerError> {
    match &ingest.source {
        SourceSpec::Kafka(spec) => Ok(Some(Arc::new(KafkaProbe::new(spec)?))),
        SourceSpec::File(_) => Ok(None),
    }
}

/// The queue of dead letters; nothing is connected yet.
///
/// # Errors
/// When the address is not understood.
pub fn letter_queue(ingest: &Ingest) -> Result<Arc<dyn LetterQueue>, WiringError> {
    let spec = &ingest.dead_letters;
    if is_redis(spec.url.reveal()) {
        return Ok(Arc::new(RedisQueue::new(&spec.url, spec.password.as_ref(), &spec.key)?));
    }
    Ok(Arc::new(SqliteQueue::new(path(&spec.url), &spec.key)))
}

/// Chance in waits, so that instances do not all try at one moment.
pub fn jitter() -> Jitter {
    Arc::new(fastrand::f64)
}
