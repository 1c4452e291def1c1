//! The ports of the flow ingest.

use crate::adapters::event_file::EventFile;
use crate::adapters::kafka::KafkaConsumer;
use crate::adapters::sqlite_queue::SqliteQueue;
use crate::adapters::sqlite_sink::{Reader, SqliteSink};
use crate::core::backoff::Jitter;
use crate::core::ingest::spec::{Ingest, SourceSpec};
use crate::core::model::database::Database;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::Consumer;
use crate::core::ports::queue::LetterQueue;
use crate::core::ports::sql_sink::SqlSink;
use std::path::Path;
use std::sync::Arc;

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

/// The sink; nothing is connected yet. The configuration lets no other kind of address through.
pub fn sql_sink(ingest: &Ingest) -> Box<dyn SqlSink> {
    let url = ingest.sink.url.reveal();
    let path = Database::sqlite_path(url).unwrap_or(url);
    let reader = Reader {
        source: ingest.id.as_str().to_owned(),
        group: ingest.group().to_owned(),
        outbox_limit: ingest.dead_letters.outbox_limit,
    };
    Box::new(SqliteSink::new(Path::new(path), Arc::new(ingest.tables.clone()), reader))
}

/// The queue of dead letters; nothing is connected yet.
pub fn letter_queue(ingest: &Ingest) -> Arc<dyn LetterQueue> {
    let url = ingest.dead_letters.url.reveal();
    let path = Database::sqlite_path(url).unwrap_or(url);
    Arc::new(SqliteQueue::new(Path::new(path), &ingest.dead_letters.key))
}

/// Chance in waits, so that instances do not all try at one moment.
pub fn jitter() -> Jitter {
    Arc::new(fastrand::f64)
}
