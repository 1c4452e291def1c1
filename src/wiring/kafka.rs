//! Kafka topics.

use super::WiringError;
use crate::adapters::kafka::{KafkaConsumer, KafkaProbe, KafkaProducer};
use crate::core::generate::spec::Worker;
use crate::core::ports::consumer::Consumer;
use crate::core::ports::probe::TopicProbe;
use crate::core::ports::producer::Producer;
use std::sync::Arc;

/// The consumer of the worker's trigger. `None` when it has no trigger. Nothing is connected yet.
///
/// # Errors
/// A property that the client does not take.
pub fn consumer(worker: &Worker) -> Result<Option<Box<dyn Consumer>>, WiringError> {
    let Some(trigger) = &worker.trigger else { return Ok(None) };
    Ok(Some(Box::new(KafkaConsumer::new(&trigger.kafka)?)))
}

/// The producer for the worker's completion events. `None` when it has no topic for them. Nothing is connected yet.
///
/// # Errors
/// As [`consumer`].
pub fn producer(worker: &Worker) -> Result<Option<Arc<dyn Producer>>, WiringError> {
    let Some(topic) = &worker.completion else { return Ok(None) };
    Ok(Some(Arc::new(KafkaProducer::new(topic)?)))
}

/// A section of the worker file, and its topic's probe.
pub type NamedProbe = (&'static str, Arc<dyn TopicProbe>);

/// The probes of the worker's topics, each with the name of its section: `trigger`, `completion`. Nothing is connected yet.
///
/// # Errors
/// As [`consumer`].
pub fn topic_probes(worker: &Worker) -> Result<Vec<NamedProbe>, WiringError> {
    let trigger = worker.trigger.as_ref().map(|trigger| ("trigger", &trigger.kafka));
    let completion = worker.completion.as_ref().map(|topic| ("completion", topic));
    let probe = |(name, topic)| Ok((name, Arc::new(KafkaProbe::new(topic)?) as Arc<dyn TopicProbe>));
    trigger.into_iter().chain(completion).map(probe).collect()
}
