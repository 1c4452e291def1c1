//! A producer: idempotent, acknowledged by all in-sync replicas, and with a time limit on every wait.

use super::settings::{KafkaClientConfig, Told};
use crate::core::failpoints::crash::crash_point;
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::message::{EventId, Message};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::producer::Producer;
use async_trait::async_trait;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;
use tracing::debug;

/// Longest time from the call to the acknowledgement, with all of the client's own retries.
const DELIVERY_MS: &str = "10000";

/// Longest wait for the client's report on a message. The client gives one by then.
const PATIENCE: Duration = Duration::from_secs(15);

/// Time for brokers to come back when all are away, before a message fails. A name with two addresses needs this time: the client
/// tries the second address only when the first has failed.
const GRACE: Duration = Duration::from_millis(1500);

/// Defaults that a worker file may change. An unknown topic is reported before a message's time is over.
const USUAL: [(&str, &str); 4] = [
    // The client's own limit is below an event's: the broker's decides.
    ("message.max.bytes", "2000000"),
    ("topic.metadata.propagation.max.ms", "5000"),
    ("socket.connection.setup.timeout.ms", "5000"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// Settings that the port's promises depend on. A worker file cannot change them.
const FIXED: [(&str, &str); 3] = [("enable.idempotence", "true"), ("acks", "all"), ("message.timeout.ms", DELIVERY_MS)];

type Client = ThreadedProducer<Deliveries>;

/// A topic that takes messages. Connects when the first message is sent.
pub struct KafkaProducer {
    link: Arc<KafkaClientConfig>,
    config: ClientConfig,
    client: Mutex<Option<Arc<Client>>>,
    /// Notified when all brokers are away.
    down: Arc<Notify>,
}

impl KafkaProducer {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A property that librdkafka does not take.
    pub fn new(spec: &KafkaSpec) -> Result<Self, BrokerError> {
        let link = Arc::new(KafkaClientConfig::new(spec));
        let config = link.settings(&USUAL, &FIXED)?;
        Ok(Self { link, config, client: Mutex::new(None), down: Arc::new(Notify::new()) })
    }

    /// The client. Makes one at the first call, and after a fatal error.
    fn client(&self) -> KafkaResult<Arc<Client>> {
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = kept.as_ref().filter(|client| client.client().fatal_error().is_none()) {
            return Ok(Arc::clone(client));
        }
        let context = Deliveries { told: Told(Arc::clone(&self.link)), down: Arc::clone(&self.down) };
        let client: Arc<Client> = Arc::new(self.config.create_with_context(context)?);
        if let Some(old) = kept.replace(Arc::clone(&client)) {
            end(old);
        }
        Ok(client)
    }

    /// Purges messages that were not sent to a broker yet. The client then reports on them at once.
    fn give_up(&self) {
        let kept = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(client) = kept {
            client.purge(PurgeConfig::default().queue());
        }
    }

    /// Hands a message to the client. The receiver gets the client's report.
    fn hand_over(&self, message: &Message) -> KafkaResult<Word> {
        let (word, receiver) = oneshot::channel();
        let topic = message.topic.as_deref().unwrap_or(&self.link.spec.topic);
        let mut record = BaseRecord::with_opaque_to(topic, Box::new(word)).payload(message.payload.as_slice());
        if let Some(key) = &message.key {
            record = record.key(key.as_slice());
        }
        if !message.headers.is_empty() {
            let all = OwnedHeaders::new_with_capacity(message.headers.len());
            let put =
                |all: OwnedHeaders, (key, value): &(String, Vec<u8>)| all.insert(Header { key, value: Some(value) });
            record = record.headers(message.headers.iter().fold(all, put));
        }
        if let Some(at) = message.timestamp {
            record = record.timestamp(at.as_millisecond());
        }
        self.client()?.send(record).map_err(|(error, _)| error)?;
        Ok(receiver)
    }
}

/// Gets the client's report on a message.
type Word = oneshot::Receiver<KafkaResult<EventId>>;

#[async_trait]
impl Producer for KafkaProducer {
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<EventId, BrokerError>> {
        let down = self.down.notified();
        tokio::pin!(down);
        // From here on, so that nothing is missed that the client finds when it starts.
        down.as_mut().enable();
        let words: Vec<_> = messages.iter().map(|message| self.hand_over(message)).collect();
        crash_point!("outbox.handed");
        let give_up = async {
            let deserted = async {
                down.await;
                sleep(GRACE).await;
            };
            tokio::select! {
                () = deserted => {}
                () = sleep(PATIENCE) => {}
            }
            self.give_up();
            sleep(PATIENCE).await;
        };
        tokio::pin!(give_up);
        let mut given_up = false;
        let mut answers = Vec::with_capacity(words.len());
        for word in words {
            let mut word = match word {
                Ok(word) => word,
                Err(error) => {
                    answers.push(Err(self.link.error(&error)));
                    continue;
                }
            };
            let answer = if given_up {
                // The client has been given up: an answer that is not there now never comes.
                word.try_recv().ok()
            } else {
                tokio::select! {
                    biased;
                    answer = &mut word => answer.ok(),
                    () = &mut give_up => {
                        given_up = true;
                        None
                    }
                }
            };
            answers.push(match answer {
                Some(Ok(place)) => Ok(place),
                Some(Err(error)) => Err(self.link.error(&error)),
                // No word, or the client went before it gave one: unknown, so the message is sent again.
                None => Err(self.link.silent()),
            });
        }
        answers
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        if let Some(client) = self.client.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            end(client);
        }
    }
}

/// Ends a client on a thread of its own, because that waits for its last answers.
fn end(client: Arc<Client>) {
    // Where the system has no thread to give, the client is dropped here and now.
    let _ = std::thread::Builder::new().name("kafka-end".to_owned()).spawn(move || drop(client));
}

/// Passes the client's report on a message to whoever waits for it.
struct Deliveries {
    told: Told,
    down: Arc<Notify>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.told.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.down.notify_waiters();
        }
        self.told.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<oneshot::Sender<KafkaResult<EventId>>>;

    fn delivery(&self, result: &DeliveryResult<'_>, word: Self::DeliveryOpaque) {
        let outcome = match result {
            Ok(message) => {
                debug!(
                    topic = message.topic(),
                    partition = message.partition(),
                    offset = message.offset(),
                    "event acknowledged"
                );
                let (topic, partition) = (message.topic().to_owned(), message.partition());
                Ok(EventId { topic, partition, offset: message.offset() })
            }
            Err((error, _)) => Err(error.clone()),
        };
        // Nobody waits any more: the event is sent again.
        let _ = word.send(outcome);
    }
}
