//! Kafka by librdkafka: a topic as a source of events, as a sink for them, and whether it can be reached.
//!
//! Nothing here blocks an async thread: librdkafka is asked on threads of its own.

mod consumer;
mod fetch_buffer;
mod probe;
mod producer;
mod rights;
mod settings;
#[cfg(test)]
mod tests;

pub use consumer::KafkaEvents;
pub use probe::KafkaProbe;
pub use producer::KafkaSink;
