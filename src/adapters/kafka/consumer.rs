//! A consumer: one member of a consumer group. It delivers batches, and commits only when asked to.

use super::fetch_buffer::{AssignmentEpoch, FetchBuffer, Member, Membership, Seek};
use super::fetching::{Change, Fetching};
use super::settings::{KafkaClientConfig, Told};
use crate::core::model::kafka::{GroupProtocol, KafkaSpec};
use crate::core::model::message::{EventId, Partition, Received, TopicPosition};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::{Consumer, Polled, Watermarks};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rdkafka::TopicPartitionList;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::Offset;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{debug, warn};

/// Longest wait for a message before the thread checks whether to stop.
const POLL: Duration = Duration::from_millis(200);

/// Longest wait for a commit, a seek, a question, and for leaving the group.
const PATIENCE: Duration = Duration::from_secs(10);

/// A property of librdkafka's, and its value.
type Setting = (&'static str, &'static str);

/// Defaults that a worker file may change. A new topic is found soon, and little is fetched ahead.
const USUAL: [Setting; 5] = [
    ("topic.metadata.refresh.interval.ms", "30000"),
    ("queued.min.messages", "1000"),
    ("queued.max.messages.kbytes", "4096"),
    ("socket.connection.setup.timeout.ms", "5000"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// The same where the members share the partitions out: a dead one is noticed soon. Where the broker does, it also says when, and
/// librdkafka refuses these.
const AMONG_MEMBERS: [Setting; 2] = [("session.timeout.ms", "10000"), ("heartbeat.interval.ms", "3000")];

/// How often a member without a partition asks whether its topic is there, where the broker shares out: it then says nothing of a
/// topic that is not (librdkafka 2.12, Kafka 4.3).
const ASK_FOR_TOPIC_EVERY: Duration = Duration::from_secs(5);

/// Settings that the port's promises depend on. A worker file cannot change them.
const FIXED: [Setting; 3] =
    [("auto.offset.reset", "earliest"), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false")];

/// A topic, read in batches.
pub struct KafkaConsumer {
    link: Arc<KafkaClientConfig>,
    config: ClientConfig,
    buffer: Arc<FetchBuffer>,
    thread: Option<Thread>,
    /// The assignment under which the last message of each partition was delivered.
    handed: HashMap<i32, AssignmentEpoch>,
}

/// The thread that owns the client and polls it.
struct Thread {
    stop: Arc<AtomicBool>,
    /// Closed when the thread has ended.
    ended: oneshot::Receiver<()>,
}

impl KafkaConsumer {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A property that librdkafka does not take.
    pub fn new(spec: &KafkaSpec) -> Result<Self, BrokerError> {
        let link = Arc::new(KafkaClientConfig::new(spec));
        let (usual, fixed) = of_group(spec.protocol);
        let mut config = link.settings(&usual, &fixed)?;
        config.set("group.id", spec.group.as_deref().unwrap_or("filegen"));
        Ok(Self { link, config, buffer: Arc::new(FetchBuffer::new()), thread: None, handed: HashMap::new() })
    }

    /// Starts the thread if it does not run: at the first call, and after a fatal error.
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
        let membership = buffer.join();
        let work = move || {
            if let Err(error) = keep(&link, &buffer, membership, &config, &must_stop) {
                buffer.fail(membership, link.error(&error));
            }
            drop(alive);
            buffer.news.notify_one();
        };
        std::thread::Builder::new().name("kafka-consumer".to_owned()).spawn(work).map_err(|error| {
            BrokerError::Unreachable { topic: self.link.describe(), reason: format!("cannot start a thread: {error}") }
        })?;
        self.thread = Some(Thread { stop, ended });
        Ok(())
    }

    /// The client, while its thread runs.
    fn client(&self) -> Result<Arc<BaseConsumer<Member>>, BrokerError> {
        self.buffer.state().client.upgrade().ok_or_else(|| self.link.silent())
    }

    /// Asks the client on a thread that may block, with a time limit.
    async fn ask<T: Send + 'static>(
        &self,
        client: Arc<BaseConsumer<Member>>,
        ask: impl FnOnce(&BaseConsumer<Member>) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, BrokerError> {
        match timeout(PATIENCE, tokio::task::spawn_blocking(move || ask(&client))).await {
            Ok(Ok(outcome)) => outcome.map_err(|error| self.link.error(&error)),
            Ok(Err(_)) | Err(_) => Err(self.link.silent()),
        }
    }
}

#[async_trait]
impl Consumer for KafkaConsumer {
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Polled, BrokerError> {
        let until = tokio::time::Instant::now() + wait;
        loop {
            if let Some(polled) = self.buffer.take(max, &mut self.handed) {
                return polled;
            }
            self.started()?;
            if tokio::time::timeout_at(until, self.buffer.news.notified()).await.is_err() {
                return Ok(Polled::Messages(Vec::new()));
            }
        }
    }

    async fn commit(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError> {
        let (ours, client) = {
            let state = self.buffer.state();
            let is_ours = |position: &&TopicPosition| {
                let number = position.partition.number;
                self.handed.get(&number).is_some_and(|epoch| state.is_ours(number, *epoch))
            };
            (positions.iter().filter(is_ours).cloned().collect::<Vec<_>>(), state.client.upgrade())
        };
        for TopicPosition { partition, offset } in positions.iter().filter(|position| !ours.contains(position)) {
            let event = format!("{}/{}@{}", partition.topic, partition.number, offset.saturating_sub(1));
            debug!(event, "its partition has gone to another member, where it comes again");
        }
        let Some(client) = client.filter(|_| !ours.is_empty()) else { return Ok(()) };
        self.ask(client, move |client| {
            let mut offsets = TopicPartitionList::with_capacity(ours.len());
            for TopicPosition { partition, offset } in &ours {
                offsets.add_partition_offset(&partition.topic, partition.number, Offset::Offset(*offset))?;
            }
            client.commit(&offsets, CommitMode::Sync)
        })
        .await
    }

    async fn seek(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError> {
        if self.thread.is_none() {
            // It has not joined yet: no partition is this member's.
            return Ok(());
        }
        let (done, answer) = oneshot::channel();
        self.buffer.state().seeks.push(Seek { positions: positions.to_vec(), done });
        match timeout(PATIENCE, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(self.link.silent()),
        }
    }

    async fn pause(&mut self, partitions: &[Partition]) -> Result<(), BrokerError> {
        let mut state = self.buffer.state();
        let ours: Vec<i32> = partitions.iter().map(|part| part.number).filter(|number| state.has(*number)).collect();
        state.paused.extend(ours);
        Ok(())
    }

    async fn resume(&mut self, partitions: &[Partition]) -> Result<(), BrokerError> {
        let mut state = self.buffer.state();
        for partition in partitions {
            state.paused.remove(&partition.number);
        }
        Ok(())
    }

    async fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks, BrokerError> {
        let Partition { topic, number } = partition.clone();
        let (first, next) =
            self.ask(self.client()?, move |client| client.fetch_watermarks(&topic, number, PATIENCE)).await?;
        Ok(Watermarks { first, next })
    }

    async fn topic_id(&mut self) -> Result<String, BrokerError> {
        let topic = self.link.spec.topic.clone();
        let ask = move |client: &BaseConsumer<Member>| {
            kafka_topic_id::topic_id(client.client(), &topic, PATIENCE).map_err(KafkaError::MetadataFetch)
        };
        let id = self.ask(self.client()?, ask).await?;
        // As Kafka's own tools show it.
        Ok(if id == 0 { String::new() } else { URL_SAFE_NO_PAD.encode(id.to_be_bytes()) })
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

impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        if let Some(thread) = &self.thread {
            thread.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// The settings of a group: what a file may change, and what it may not.
fn of_group(protocol: GroupProtocol) -> (Vec<Setting>, Vec<Setting>) {
    let (mut usual, mut fixed) = (USUAL.to_vec(), FIXED.to_vec());
    match protocol {
        GroupProtocol::Eager => usual.extend(AMONG_MEMBERS),
        GroupProtocol::Cooperative => {
            usual.extend(AMONG_MEMBERS);
            usual.push(("partition.assignment.strategy", "cooperative-sticky"));
        }
        GroupProtocol::Broker => fixed.push(("group.protocol", "consumer")),
    }
    (usual, fixed)
}

/// The thread's work: fetches into the buffer until it is to stop, then leaves the group.
fn keep(
    link: &Arc<KafkaClientConfig>,
    buffer: &Arc<FetchBuffer>,
    membership: Membership,
    config: &ClientConfig,
    stop: &AtomicBool,
) -> KafkaResult<()> {
    let told = Told(Arc::clone(link));
    let member = Member { told, link: Arc::clone(link), buffer: Arc::clone(buffer), membership };
    let client: Arc<BaseConsumer<Member>> = Arc::new(config.create_with_context(member)?);
    if let Some(mut state) = buffer.of(membership) {
        state.client = Arc::downgrade(&client);
    }
    let outcome = client.subscribe(&[&link.spec.topic]).and_then(|()| fetch(link, buffer, membership, &client, stop));
    buffer.clear(membership);
    // Leaves the group, unless a commit still holds the client: then at its end.
    drop(client);
    outcome
}

fn fetch(
    link: &KafkaClientConfig,
    buffer: &FetchBuffer,
    membership: Membership,
    client: &BaseConsumer<Member>,
    stop: &AtomicBool,
) -> KafkaResult<()> {
    let mut fetching = Fetching::default();
    let mut asked: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        let is_told =
            link.spec.protocol != GroupProtocol::Broker || asked.is_some_and(|at| at.elapsed() < ASK_FOR_TOPIC_EVERY);
        if !is_told && !buffer.state().has_any() {
            asked = Some(Instant::now());
            if let Some(error) = missing(client, &link.spec.topic) {
                buffer.fail(membership, link.error(&error));
            }
        }
        match client.poll(POLL) {
            None => {}
            Some(Ok(message)) => buffer.put(membership, received(&message)),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
            Some(Err(error)) if is_passing(&error) => {}
            Some(Err(error)) => buffer.fail(membership, link.error(&error)),
        }
        let Some(mut state) = buffer.of(membership) else { return Ok(()) };
        let seeks = std::mem::take(&mut state.seeks);
        drop(state);
        for seek in seeks {
            let outcome = go_on_from(buffer, client, &seek.positions).map_err(|error| link.error(&error));
            // Whoever asked may have gone.
            let _ = seek.done.send(outcome);
        }
        // A member that is slow goes on asking, or its group would miss it; it only fetches no more. While messages are
        // taken at all, the thread waits for room: after a pause, the client takes a second to fetch again.
        if !fetching.full {
            drop(buffer.room(POLL));
        }
        let change = match buffer.of(membership) {
            Some(mut state) => fetching.next(&mut state),
            None => return Ok(()),
        };
        tell(link, client, change)?;
    }
    Ok(())
}

/// Why the broker does not have the topic. `None` where it has, or did not answer.
fn missing(client: &BaseConsumer<Member>, topic: &str) -> Option<KafkaError> {
    let metadata = client.fetch_metadata(Some(topic), PATIENCE).ok()?;
    let found = metadata.topics().iter().find(|found| found.name() == topic)?;
    found.error().map(|code| KafkaError::MetadataFetch(code.into()))
}

/// Tells the client what to fetch.
fn tell(link: &KafkaClientConfig, client: &BaseConsumer<Member>, change: Change) -> KafkaResult<()> {
    match change {
        Change::None => Ok(()),
        Change::PauseAll => client.pause(&client.assignment()?),
        Change::Set { pause, resume } => {
            let assigned = numbers(&client.assignment()?);
            let resume = resume.unwrap_or_else(|| assigned.difference(&pause).copied().collect());
            client.pause(&listed(link, &pause.intersection(&assigned).copied().collect()))?;
            client.resume(&listed(link, &resume.intersection(&assigned).copied().collect()))
        }
    }
}

/// Goes on from these positions in partitions that are ours. A partition that has just come may not be ready for it.
fn go_on_from(buffer: &FetchBuffer, client: &BaseConsumer<Member>, positions: &[TopicPosition]) -> KafkaResult<()> {
    let until = Instant::now() + PATIENCE;
    for TopicPosition { partition, offset } in positions {
        if !buffer.state().has(partition.number) {
            continue;
        }
        loop {
            match client.seek(&partition.topic, partition.number, Offset::Offset(*offset), PATIENCE) {
                Ok(()) => break,
                Err(error) if is_not_ready(&error) && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error),
            }
        }
        // Only this thread fetches: what comes from now on comes from there.
        buffer.state().forget(partition.number);
    }
    Ok(())
}

/// The client's error for a seek has no code.
fn is_not_ready(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Seek(reason) if reason.contains("Erroneous state"))
}

fn numbers(list: &TopicPartitionList) -> BTreeSet<i32> {
    list.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
}

fn listed(link: &KafkaClientConfig, numbers: &BTreeSet<i32>) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(numbers.len());
    for number in numbers {
        list.add_partition(&link.spec.topic, *number);
    }
    list
}

/// Whether an error may be ignored. One broker of several may go; librdkafka reports separately when all are gone.
fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut | Code::PollExceeded)
    )
}

fn received(message: &BorrowedMessage<'_>) -> Received {
    let header = |header: rdkafka::message::Header<'_, &[u8]>| {
        (header.key.to_owned(), header.value.unwrap_or_default().to_vec())
    };
    Received {
        id: EventId { topic: message.topic().to_owned(), partition: message.partition(), offset: message.offset() },
        key: message.key().map(<[u8]>::to_vec),
        headers: message.headers().map(|all| all.iter().map(header).collect()).unwrap_or_default(),
        payload: message.payload().unwrap_or_default().to_vec(),
        at: message.timestamp().to_millis().and_then(|millis| Timestamp::from_millisecond(millis).ok()),
    }
}
