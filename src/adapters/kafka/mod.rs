//! Kafka by librdkafka: a consumer as a member of a group, a producer, and a probe of a topic.
//!
//! Nothing here blocks an async thread: librdkafka is asked on threads of its own.

mod codes;
mod consumer;
mod fetch_buffer;
mod fetching;
mod probe;
mod producer;
mod rights;
mod settings;
#[cfg(test)]
mod tests;

pub use consumer::KafkaConsumer;
pub use probe::KafkaProbe;
pub use producer::KafkaProducer;
pub use settings::{refused, weaknesses};
