//! Kafka by librdkafka: a topic as a member of a group reads it, as a producer writes to it, and whether it can be reached.
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

pub use consumer::KafkaConsumer;
pub use probe::KafkaProbe;
pub use producer::KafkaProducer;
