//! A topic as a source of events: a member of a consumer group that marks an event only when it is told to.

use super::fetch_buffer::{AssignmentEpoch, FetchBuffer, Member};
use super::settings::{KafkaClientConfig, Told};
use crate::core::model::kafka::KafkaSpec;
use crate::core::ports::events::{BrokerError, Delivery, EventId, EventSource};
use async_trait::async_trait;
use jiff::Timestamp;
use rdkafka::TopicPartitionList;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::Offset;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{debug, warn};

/// How long the thread waits for the next event before it looks whether it shall stop.
const POLL: Duration = Duration::from_millis(200);

/// Longest wait for a commit, and for leaving the group.
const PATIENCE: Duration = Duration::from_secs(10);

/// Events in the buffer at which fetching pauses, and at which it goes on.
const FULL: usize = 64;
const LOW: usize = 8;

/// What may be set otherwise: a dead member is missed soon, a new topic found soon, and little is fetched ahead.
const USUAL: [(&str, &str); 7] = [
    ("session.timeout.ms", "10000"),
    ("heartbeat.interval.ms", "3000"),
    ("topic.metadata.refresh.interval.ms", "30000"),
    ("queued.min.messages", "1000"),
    ("queued.max.messages.kbytes", "4096"),
    ("socket.connection.setup.timeout.ms", "5000"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// What the promises hang on.
const FIXED: [(&str, &str); 3] =
    [("auto.offset.reset", "earliest"), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false")];

/// A topic whose events are taken one by one. Joins its group at the first [`next`](EventSource::next).
pub struct KafkaEvents {
    link: Arc<KafkaClientConfig>,
    config: ClientConfig,
    buffer: Arc<FetchBuffer>,
    thread: Option<Thread>,
    /// The last event handed out of each partition.
    handed: HashMap<i32, AssignmentEpoch>,
}

/// The thread that keeps the client, and asks it.
struct Thread {
    stop: Arc<AtomicBool>,
    /// Closed when the thread has ended.
    ended: oneshot::Receiver<()>,
}

impl KafkaEvents {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A property that librdkafka does not take.
    pub fn new(spec: &KafkaSpec) -> Result<Self, BrokerError> {
        let link = Arc::new(KafkaClientConfig::new(spec));
        let mut config = link.settings(&USUAL, &FIXED)?;
        config.set("group.id", spec.group.as_deref().unwrap_or("filegen"));
        Ok(Self { link, config, buffer: Arc::new(FetchBuffer::new()), thread: None, handed: HashMap::new() })
    }

    /// Starts the thread, where none is at work: at the first call, and after a fault for good.
    fn started(&mut self) -> Result<(), BrokerError> {
        if let Some(thread) = &mut self.thread
            && thread.ended.try_recv() == Err(oneshot::error::TryRecvError::Empty)
        {
            return Ok(());
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (alive, ended) = oneshot::channel::<()>();
        let (link, buffer, config) = (Arc::clone(&self.link), Arc::clone(&self.buffer), self.config.clone());
        let must_stop = Arc::clone(&stop);
        let work = move || {
            if let Err(error) = take_all(&link, &buffer, &config, &must_stop) {
                buffer.fail(link.error(&error));
            }
            drop(alive);
            buffer.news.notify_one();
        };
        std::thread::Builder::new().name("kafka-events".to_owned()).spawn(work).map_err(|error| {
            BrokerError::Unreachable { topic: self.link.describe(), reason: format!("cannot start a thread: {error}") }
        })?;
        self.thread = Some(Thread { stop, ended });
        Ok(())
    }
}

#[async_trait]
impl EventSource for KafkaEvents {
    async fn next(&mut self) -> Result<Delivery, BrokerError> {
        loop {
            let taken = self.buffer.take();
            match taken {
                Some(Ok((delivery, tenure))) => {
                    self.handed.insert(delivery.id.partition, tenure);
                    return Ok(delivery);
                }
                Some(Err(error)) => return Err(error),
                None => {}
            }
            self.started()?;
            self.buffer.news.notified().await;
        }
    }

    async fn done(&mut self, id: &EventId) -> Result<(), BrokerError> {
        let client = {
            let state = self.buffer.state();
            let tenure = self.handed.get(&id.partition).copied();
            tenure.filter(|tenure| state.is_ours(id.partition, *tenure)).and_then(|_| state.client.upgrade())
        };
        let Some(client) = client else {
            debug!(event = %id, "its partition has gone to another member, where it comes again");
            return Ok(());
        };
        let marked = id.clone();
        let committing = tokio::task::spawn_blocking(move || commit(&client, &marked));
        match timeout(PATIENCE, committing).await {
            Ok(Ok(outcome)) => outcome.map_err(|error| self.link.error(&error)),
            Ok(Err(_)) | Err(_) => Err(self.link.silent()),
        }
    }

    async fn close(&mut self) {
        if let Some(mut thread) = self.thread.take() {
            thread.stop.store(true, Ordering::Relaxed);
            if timeout(PATIENCE, &mut thread.ended).await.is_err() {
                warn!(topic = self.link.spec.topic, "the group could not be left in time; it misses this member soon");
            }
        }
    }
}

impl Drop for KafkaEvents {
    fn drop(&mut self) {
        if let Some(thread) = &self.thread {
            thread.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn commit(client: &BaseConsumer<Member>, id: &EventId) -> KafkaResult<()> {
    let mut offsets = TopicPartitionList::with_capacity(1);
    // A group's offset is that of the next event.
    offsets.add_partition_offset(&id.topic, id.partition, Offset::Offset(id.offset.saturating_add(1)))?;
    client.commit(&offsets, CommitMode::Sync)
}

/// The thread: fetches into the buffer until it shall stop, then leaves the group.
fn take_all(
    link: &Arc<KafkaClientConfig>,
    buffer: &Arc<FetchBuffer>,
    config: &ClientConfig,
    stop: &AtomicBool,
) -> KafkaResult<()> {
    let member = Member { told: Told(Arc::clone(link)), link: Arc::clone(link), buffer: Arc::clone(buffer) };
    let client: Arc<BaseConsumer<Member>> = Arc::new(config.create_with_context(member)?);
    buffer.state().client = Arc::downgrade(&client);
    let outcome = client.subscribe(&[&link.spec.topic]).and_then(|()| fetch(link, buffer, &client, stop));
    buffer.clear();
    // Leaves the group, unless a commit still holds the client: then at its end.
    drop(client);
    outcome
}

fn fetch(
    link: &KafkaClientConfig,
    buffer: &FetchBuffer,
    client: &BaseConsumer<Member>,
    stop: &AtomicBool,
) -> KafkaResult<()> {
    let mut paused = false;
    while !stop.load(Ordering::Relaxed) {
        match client.poll(POLL) {
            None => {}
            Some(Ok(message)) => buffer.put(delivery(&message)),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
            Some(Err(error)) if is_passing(&error) => {}
            Some(Err(error)) => buffer.fail(link.error(&error)),
        }
        // A member that is slow goes on asking, or its group would miss it; it only fetches no more. While events are
        // taken at all, the thread waits for room: after a pause, the client takes a second to fetch again.
        let (waiting, fresh) = {
            let mut state = if paused { buffer.state() } else { buffer.room(FULL, POLL) };
            (state.waiting(), std::mem::take(&mut state.fresh))
        };
        if waiting >= FULL && (!paused || fresh) {
            client.pause(&client.assignment()?)?;
            paused = true;
        } else if waiting <= LOW && paused {
            client.resume(&client.assignment()?)?;
            paused = false;
        }
    }
    Ok(())
}

/// One broker of several may go; when all are gone, that is told by itself.
fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut | Code::PollExceeded)
    )
}

fn delivery(message: &BorrowedMessage<'_>) -> Delivery {
    Delivery {
        id: EventId { topic: message.topic().to_owned(), partition: message.partition(), offset: message.offset() },
        payload: message.payload().unwrap_or_default().to_vec(),
        at: message.timestamp().to_millis().and_then(|millis| Timestamp::from_millisecond(millis).ok()),
    }
}
