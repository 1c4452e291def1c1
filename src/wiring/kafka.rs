//! Kafka topics.

use super::WiringError;
use crate::adapters::kafka::{KafkaConsumer, KafkaProbe, KafkaProducer};
use crate::core::doctor::topics::NamedProbe;
use crate::core::generate::spec::Worker;
use crate::core::model::kafka::KafkaSpec;
use crate::core::ports::consumer::Consumer;
use crate::core::ports::probe::TopicUse;
use crate::core::ports::producer::Producer;
use crate::core::schedule::spec::Scheduler;
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

/// The probes of the worker's topics, each with the name of its section: `trigger`, `completion`. Nothing is connected yet.
///
/// # Errors
/// As [`consumer`].
pub fn topic_probes(worker: &Worker) -> Result<Vec<NamedProbe>, WiringError> {
    let trigger = worker.trigger.as_ref().map(|trigger| &trigger.kafka);
    probes([("trigger", &[TopicUse::Read], trigger), ("completion", &[TopicUse::Write], worker.completion.as_ref())])
}

/// The probes of the scheduler's topics: `changes`, which are told and heard, and `discovered`. Nothing is connected yet.
///
/// # Errors
/// As [`consumer`].
pub fn scheduler_probes(scheduler: &Scheduler) -> Result<Vec<NamedProbe>, WiringError> {
    probes([
        ("changes", &[TopicUse::Read, TopicUse::Write], scheduler.changes.as_ref()),
        ("discovered", &[TopicUse::Write], scheduler.discovered.as_ref()),
    ])
}

type Topic<'a> = (&'static str, &'static [TopicUse], Option<&'a KafkaSpec>);

fn probes(topics: [Topic<'_>; 2]) -> Result<Vec<NamedProbe>, WiringError> {
    let probe = |(name, uses, spec): Topic<'_>| {
        let probe = KafkaProbe::new(spec?);
        Some(probe.map(|probe| NamedProbe { name, uses, probe: Arc::new(probe) }).map_err(WiringError::from))
    };
    topics.into_iter().filter_map(probe).collect()
}
