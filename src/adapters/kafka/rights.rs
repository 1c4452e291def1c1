//! What this user may do with a topic. No message is read or sent.

use super::settings::{KafkaClientConfig, Told};
use crate::core::ports::broker::BrokerError;
use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::Offset;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longest time for an answer.
const TIMEOUT: Duration = Duration::from_secs(6);

/// Longest time for one of several tries.
const ONE_TRY: Duration = Duration::from_secs(1);

/// Longest wait for the client's next word.
const POLL: Duration = Duration::from_millis(50);

/// Asks for the group's offset, then fetches behind the last message of one partition. Joins no group and commits nothing.
pub(super) fn may_read(link: &Arc<KafkaClientConfig>) -> Result<(), BrokerError> {
    let fixed = [("enable.auto.commit", "false"), ("enable.partition.eof", "true")];
    let mut config = link.settings(&[], &fixed)?;
    config.set("group.id", link.spec.group.as_deref().unwrap_or("filegen"));
    let client: BaseConsumer<Told> =
        config.create_with_context(Told(Arc::clone(link))).map_err(|error| link.error(&error))?;
    let mut end = TopicPartitionList::new();
    end.add_partition_offset(&link.spec.topic, 0, Offset::End).map_err(|error| link.error(&error))?;
    let until = Instant::now() + TIMEOUT;
    may_be_member(link, &client, &end, until)?;
    client.assign(&end).map_err(|error| link.error(&error))?;
    while Instant::now() < until {
        match client.poll(POLL) {
            // The end was fetched, or an event that came meanwhile.
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(error)) => {
                // What another try may help is tried again by the client itself.
                if let refused @ BrokerError::Refused { .. } = link.error(&error) {
                    return Err(refused);
                }
            }
            None => {}
        }
    }
    Err(link.silent())
}

/// Asks the group's coordinator until it answers. It may be starting, or moving to another broker.
fn may_be_member(
    link: &KafkaClientConfig,
    client: &BaseConsumer<Told>,
    partitions: &TopicPartitionList,
    until: Instant,
) -> Result<(), BrokerError> {
    loop {
        let Err(error) = group_offset(client, partitions) else { return Ok(()) };
        match link.error(&error) {
            BrokerError::Unreachable { .. } if Instant::now() < until => {}
            error => return Err(error),
        }
        // That the group is somebody else's is told beside the call, which goes on waiting.
        while let Some(told) = client.poll(POLL) {
            if let Err(error) = told
                && let refused @ BrokerError::Refused { .. } = link.error(&error)
            {
                return Err(refused);
            }
        }
    }
}

fn group_offset(client: &BaseConsumer<Told>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    let found = client.committed_offsets(partitions.clone(), ONE_TRY)?;
    found.elements().iter().try_for_each(rdkafka::topic_partition_list::TopicPartitionListElem::error)
}

/// Asks the broker for a producer's id, as a producer does before its first message. A user who may write to no topic gets none.
pub(super) fn may_write(link: &Arc<KafkaClientConfig>) -> Result<(), BrokerError> {
    let fixed = [("enable.idempotence", "true"), ("acks", "all"), ("statistics.interval.ms", "50")];
    let config = link.settings(&[], &fixed)?;
    let context = Asking { told: Told(Arc::clone(link)), answered: AtomicBool::new(false) };
    let client: BaseProducer<Asking> = config.create_with_context(context).map_err(|error| link.error(&error))?;
    let until = Instant::now() + TIMEOUT;
    while Instant::now() < until {
        client.poll(POLL);
        if let Some((code, reason)) = client.client().fatal_error() {
            let error = KafkaError::Global(code);
            link.note(&error, &reason);
            return Err(link.error(&error));
        }
        if client.context().answered.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    Err(link.silent())
}

/// Waits for a producer's id.
struct Asking {
    told: Told,
    answered: AtomicBool,
}

impl ClientContext for Asking {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.told.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.told.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        if statistics.eos.is_some_and(|eos| eos.idemp_state == "Assigned") {
            self.answered.store(true, Ordering::Relaxed);
        }
    }
}

impl ProducerContext for Asking {
    type DeliveryOpaque = ();

    /// Nothing is sent.
    fn delivery(&self, _result: &DeliveryResult<'_>, _opaque: ()) {}
}
