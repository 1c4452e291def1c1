//! A topic at a broker, in memory or real, as any number of clients see it.

use super::kafka::Topic;
use super::running::PATIENCE;
use filegen::adapters::kafka::{KafkaConsumer, KafkaProducer};
use filegen::adapters::memory::broker::MemoryBroker;
use filegen::core::model::message::{Message, Received, TopicPosition};
use filegen::core::ports::consumer::{Consumer, Polled};
use filegen::core::ports::producer::Producer;
use std::future::Future;
use tokio::time::timeout;

/// Where the topic is.
pub enum Log {
    Memory(MemoryBroker),
    Kafka(Topic),
}

const NAME: &str = "events";

impl Log {
    /// A new topic's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Memory(_) => NAME,
            Self::Kafka(topic) => &topic.name,
        }
    }

    /// A member of the group that all readers of it are in.
    pub fn consumer(&self) -> Box<dyn Consumer> {
        match self {
            Self::Memory(broker) => Box::new(broker.consumer(NAME, "group")),
            Self::Kafka(topic) => Box::new(KafkaConsumer::new(&topic.spec()).unwrap()),
        }
    }

    pub fn producer(&self) -> Box<dyn Producer> {
        match self {
            Self::Memory(broker) => Box::new(broker.producer(NAME)),
            Self::Kafka(topic) => Box::new(KafkaProducer::new(&topic.spec()).unwrap()),
        }
    }

    /// Puts messages into a partition.
    pub async fn write(&self, partition: i32, payloads: &[&str]) {
        match self {
            Self::Memory(broker) => {
                for payload in payloads {
                    let message = Message { payload: payload.as_bytes().to_vec(), ..Message::default() };
                    broker.put(NAME, partition, &message).expect("the partition is there");
                }
            }
            Self::Kafka(topic) => topic.write(partition, payloads).await,
        }
    }
}

/// Holds every broker to a claim. A new adapter joins here.
pub async fn on_each<F: Future<Output = ()>>(partitions: usize, claim: impl Fn(Log) -> F) {
    let broker = MemoryBroker::default();
    broker.create(NAME, partitions);
    claim(Log::Memory(broker)).await;
    claim(Log::Kafka(Topic::create(partitions.try_into().unwrap()).await)).await;
}

/// The next message, or the test fails; passing errors and changes of the assignment are passed over.
pub async fn next(consumer: &mut dyn Consumer) -> Received {
    let taking = async {
        loop {
            if let Ok(Polled::Messages(batch)) = consumer.next_batch(1, PATIENCE).await
                && let Some(message) = batch.into_iter().next()
            {
                return message;
            }
        }
    };
    timeout(PATIENCE, taking).await.expect("a message")
}

/// Commits that a message and all before it are dealt with.
pub async fn done(consumer: &mut dyn Consumer, message: &Received) {
    consumer.commit(&TopicPosition::behind(std::slice::from_ref(message))).await.expect("it is committed");
}

/// The payloads of the next messages, each committed.
pub async fn take(consumer: &mut dyn Consumer, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..count {
        let message = next(consumer).await;
        done(consumer, &message).await;
        taken.push(text(&message));
    }
    taken
}

pub fn text(message: &Received) -> String {
    String::from_utf8_lossy(&message.payload).into_owned()
}
