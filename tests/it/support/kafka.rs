//! A real Kafka: the one named in `FILEGEN_TEST_KAFKA`, else one in a container, else a server that this process starts
//! and that ends with it. Each test has a topic of its own.

use super::containers;
use super::ports::free_port;
use super::running::PATIENCE;
use super::toxiproxy::Line;
use filegen::core::model::kafka::{GroupProtocol, KafkaSpec};
use filegen::core::model::secret::Secret;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use testcontainers::{ContainerRequest, ImageExt};

/// The variable with the brokers of a server that lets topics be made.
const ADDRESS: &str = "FILEGEN_TEST_KAFKA";

/// The password of the local server's user `filegen`; tests look for it where no secret may be.
pub const PASSWORD: &str = "s3cret-of-the-tests";

/// A server that this process starts: stopped and started again at will.
pub struct Broker {
    child: Option<Child>,
    folder: tempfile::TempDir,
    ports: [u16; 6],
}

impl Broker {
    /// Starts a server and waits until it answers.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("filegen-kafka.").tempdir().expect("a folder for Kafka");
        let mut broker = Self { child: None, folder, ports: std::array::from_fn(|_| free_port()) };
        broker.again();
        broker
    }

    /// Starts it where it was, with what it had.
    pub fn again(&mut self) {
        let [port, sasl, tls, controller, far, known] = self.ports.map(|port| port.to_string());
        let mut command = Command::new("sh");
        command.arg(source("run.sh")).env("JARS", jars()).env("DIR", self.folder.path()).env("PASSWORD", PASSWORD);
        command.env("PORT", port).env("SASL_PORT", sasl).env("TLS_PORT", tls).env("CONTROLLER_PORT", controller);
        command.env("FAR_PORT", far).env("KNOWN_PORT", known);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C reaches the tests only; the server then ends with them.
        command.process_group(0).env("KEEP", "1");
        self.child = Some(command.spawn().expect("cannot start a shell for the Kafka server"));
        let until = Instant::now() + PATIENCE;
        while topics(&self.brokers()).is_none() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                panic!("Kafka did not start:\n{log}");
            }
        }
    }

    /// Ends it as a power cut does.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// `127.0.0.1:port`.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// Where users must say who they are.
    pub fn sasl(&self) -> String {
        format!("127.0.0.1:{}", self.ports[1])
    }

    /// Where server and client show certificates.
    pub fn tls(&self) -> String {
        format!("localhost:{}", self.ports[2])
    }

    /// Lets users do something with a topic or a group: type, name, user, operation. Nobody else may do anything with it
    /// any more.
    pub fn allow(&self, rules: &[[&str; 4]]) {
        let mut java = Command::new("java");
        java.args(["-XX:TieredStopAtLevel=1", "-cp"]).arg(jars().join("*")).arg(source("Allow.java"));
        let done = java.arg(self.brokers()).args(rules.as_flattened()).output().expect("cannot start java");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// A line to it: clients that begin there are told to come there.
    pub fn line(&self) -> Line {
        Line::from(self.ports[5], &format!("127.0.0.1:{}", self.ports[4]))
    }

    /// `ca.pem`, `client.pem`, `client.key`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The server that tests share: one whose brokers are all that is known of it, or one of this process.
enum Shared {
    Named(String),
    Started(Broker),
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let brokers = std::env::var(ADDRESS).ok().or_else(contained);
        brokers.map_or_else(|| Shared::Started(Broker::start()), Shared::Named)
    })
}

/// The brokers of a server in a container. It says that it is where its port is outside.
fn contained() -> Option<String> {
    let [port, controller] = [free_port(), free_port()];
    let brokers = format!("{}:{port}", containers::host());
    let properties = [
        ("NODE_ID", "1".to_owned()),
        ("PROCESS_ROLES", "broker,controller".to_owned()),
        ("CONTROLLER_QUORUM_VOTERS", format!("1@localhost:{controller}")),
        ("CONTROLLER_LISTENER_NAMES", "CONTROLLER".to_owned()),
        ("LISTENERS", format!("PLAINTEXT://:{port},CONTROLLER://localhost:{controller}")),
        ("ADVERTISED_LISTENERS", format!("PLAINTEXT://{brokers}")),
        ("LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned()),
        ("AUTO_CREATE_TOPICS_ENABLE", "false".to_owned()),
        ("OFFSETS_TOPIC_REPLICATION_FACTOR", "1".to_owned()),
        ("TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1".to_owned()),
        ("TRANSACTION_STATE_LOG_MIN_ISR", "1".to_owned()),
        ("GROUP_INITIAL_REBALANCE_DELAY_MS", "0".to_owned()),
        ("GROUP_MIN_SESSION_TIMEOUT_MS", "500".to_owned()),
    ];
    let set = |request: ContainerRequest<_>, (name, value)| request.with_env_var(format!("KAFKA_{name}"), value);
    containers::start(
        containers::KAFKA,
        (port, port),
        |request| properties.into_iter().fold(request, set),
        || topics(&brokers).is_some().then(|| brokers.clone()),
    )
}

/// The shared server's brokers.
pub fn brokers() -> String {
    match shared() {
        Shared::Named(brokers) => brokers.clone(),
        Shared::Started(broker) => broker.brokers(),
    }
}

/// The shared server, where this process has started it: its other listeners are known.
pub fn started() -> Option<&'static Broker> {
    match shared() {
        Shared::Named(_) => None,
        Shared::Started(broker) => Some(broker),
    }
}

/// A topic of one test.
pub struct Topic {
    pub name: String,
    pub brokers: String,
}

impl Topic {
    /// Makes an empty topic on the shared server.
    pub async fn create(partitions: i32) -> Self {
        let brokers = tokio::task::spawn_blocking(brokers).await.expect("a server");
        Self::create_at(&brokers, partitions).await
    }

    /// Makes an empty topic.
    pub async fn create_at(brokers: &str, partitions: i32) -> Self {
        let topic = Self { name: fresh("topic"), brokers: brokers.to_owned() };
        let admin: AdminClient<DefaultClientContext> = config(brokers).create().expect("an admin client");
        let new = NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(1));
        let made = admin.create_topics([&new], &AdminOptions::new()).await.expect("the server answers");
        assert_eq!(made, [Ok(topic.name.clone())]);
        topic.known(partitions).await;
        topic
    }

    /// Deletes the topic and makes an empty one of its name.
    pub async fn make_anew(&self, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> = config(&self.brokers).create().expect("an admin client");
        let gone = admin.delete_topics(&[&self.name], &AdminOptions::new()).await.expect("the server answers");
        assert_eq!(gone, [Ok(self.name.clone())]);
        let new = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(1));
        // The old one is there for a moment behind the answer.
        let until = Instant::now() + PATIENCE;
        while admin.create_topics([&new], &AdminOptions::new()).await.expect("the server answers")
            != [Ok(self.name.clone())]
        {
            assert!(Instant::now() < until, "{} does not go", self.name);
        }
        self.known(partitions).await;
    }

    /// Waits until the broker leads all partitions: it says that a topic is made before it knows it itself.
    async fn known(&self, partitions: i32) {
        let work = move |consumer: &BaseConsumer, name: &str| {
            let until = Instant::now() + PATIENCE;
            loop {
                let seen = consumer.fetch_metadata(Some(name), PATIENCE).expect("the server answers");
                let led = |partition: &MetadataPartition| partition.error().is_none() && partition.leader() >= 0;
                let led = seen.topics().iter().flat_map(MetadataTopic::partitions).filter(|part| led(part)).count();
                if i32::try_from(led) == Ok(partitions) {
                    return;
                }
                assert!(Instant::now() < until, "{name}: {led} of {partitions} partitions are led");
            }
        };
        self.consume(&fresh("reader"), work).await;
    }

    /// As a worker file has it, with a group of its own and a member that is missed soon.
    pub fn spec(&self) -> KafkaSpec {
        let times = [("session.timeout.ms", "1500"), ("heartbeat.interval.ms", "300")];
        KafkaSpec {
            brokers: self.brokers.clone(),
            topic: self.name.clone(),
            group: Some(format!("{}-group", self.name)),
            protocol: GroupProtocol::default(),
            properties: properties(&times),
        }
    }

    /// Writes events, in order; an empty key is none.
    pub async fn write(&self, partition: i32, events: &[&str]) {
        let (name, config) = (self.name.clone(), config(&self.brokers));
        let events: Vec<String> = events.iter().map(|&event| event.to_owned()).collect();
        let work = move || {
            let producer: BaseProducer = config.create().expect("a producer");
            for event in &events {
                let record: BaseRecord<'_, [u8], String> = BaseRecord::to(&name).payload(event).partition(partition);
                producer.send(record).map_err(|(error, _)| error).expect("room in the queue");
            }
            producer.flush(PATIENCE).expect("the server takes the events");
        };
        tokio::task::spawn_blocking(work).await.expect("the events are written");
    }

    /// How the members of a group share partitions. Empty where they do not.
    pub async fn assignor(&self, group: &str) -> String {
        let (group, name) = (group.to_owned(), fresh("reader"));
        let work = move |consumer: &BaseConsumer, _: &str| {
            let found = consumer.fetch_group_list(Some(&group), PATIENCE).expect("the server answers");
            found.groups().first().map(|group| group.protocol().to_owned()).unwrap_or_default()
        };
        self.consume(&name, work).await
    }

    /// The same topic by another address.
    pub fn by(&self, brokers: String) -> Self {
        Self { name: self.name.clone(), brokers }
    }

    /// Has a consumer of a group do something with the topic of this name, off the async threads.
    async fn consume<T: Send + 'static>(
        &self,
        group: &str,
        work: impl FnOnce(&BaseConsumer, &str) -> T + Send + 'static,
    ) -> T {
        let (name, mut config) = (self.name.clone(), config(&self.brokers));
        config.set("group.id", group);
        let work = move || work(&config.create().expect("a consumer"), &name);
        tokio::task::spawn_blocking(work).await.expect("the server answers")
    }

    /// Reads so many messages of partition 0 from its start: keys and values.
    pub async fn read(&self, count: usize) -> Vec<(String, String)> {
        let work = move |consumer: &BaseConsumer, name: &str| {
            let mut from = TopicPartitionList::new();
            from.add_partition_offset(name, 0, Offset::Beginning).expect("an offset");
            consumer.assign(&from).expect("a partition");
            let until = Instant::now() + PATIENCE;
            let mut messages = Vec::new();
            while messages.len() < count {
                assert!(Instant::now() < until, "{name} has {} of {count} messages", messages.len());
                if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
                    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
                    messages.push((text(message.key()), text(message.payload())));
                }
            }
            messages
        };
        self.consume(&fresh("reader"), work).await
    }

    /// How many messages partition 0 has.
    pub async fn length(&self) -> i64 {
        let work = |consumer: &BaseConsumer, name: &str| {
            consumer.fetch_watermarks(name, 0, PATIENCE).expect("the server answers").1
        };
        self.consume(&fresh("reader"), work).await
    }

    /// How many messages of these partitions a group has not marked as done: once there are no more than `most`, or after
    /// a moment.
    pub async fn left(&self, group: &str, partitions: i32, most: i64) -> i64 {
        let work = move |consumer: &BaseConsumer, name: &str| {
            let started = Instant::now();
            loop {
                let left = places(consumer, name, partitions).into_iter().map(|(marked, end)| end - marked).sum();
                if left <= most || started.elapsed() > Duration::from_secs(1) {
                    return left;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        };
        self.consume(group, work).await
    }

    /// Sets a group back by so many messages in each of these partitions; false while it has members.
    pub async fn rewind(&self, group: &str, partitions: i32, messages: i64) -> bool {
        let work = move |consumer: &BaseConsumer, name: &str| {
            let mut marks = TopicPartitionList::new();
            for (partition, (marked, _)) in (0..).zip(places(consumer, name, partitions)) {
                let mark = Offset::Offset((marked - messages).max(0));
                marks.add_partition_offset(name, partition, mark).expect("an offset");
            }
            consumer.commit(&marks, CommitMode::Sync).is_ok()
        };
        self.consume(group, work).await
    }
}

/// The offset that a group has marked, and the end: partition by partition.
fn places(consumer: &BaseConsumer, topic: &str, partitions: i32) -> Vec<(i64, i64)> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(topic, 0, partitions - 1);
    let marked = consumer.committed_offsets(asked, PATIENCE).expect("the server answers");
    let place = |partition| {
        let end = consumer.fetch_watermarks(topic, partition, PATIENCE).expect("the server answers").1;
        let marked = marked.find_partition(topic, partition).and_then(|found| found.offset().to_raw());
        (marked.map_or(0, |offset| offset.max(0)), end)
    };
    (0..partitions).map(place).collect()
}

/// Properties of a client.
pub fn properties(given: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    given.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
}

fn fresh(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("filegen-test-{what}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

/// How many topics a server has; none when it does not answer within a moment.
fn topics(brokers: &str) -> Option<usize> {
    let consumer: BaseConsumer = config(brokers).create().expect("a client");
    consumer.fetch_metadata(None, Duration::from_millis(500)).ok().map(|metadata| metadata.topics().len())
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/kafka").join(name)
}

/// The folder of the server's jars, fetched when they are not there.
fn jars() -> PathBuf {
    static JARS: OnceLock<PathBuf> = OnceLock::new();
    let fetch = || {
        let mut child = Command::new("sh").arg(source("fetch.sh")).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = child.as_mut().unwrap_or_else(|error| panic!("cannot start a shell: {error}"));
        let mut text = String::new();
        child.stdout.take().expect("piped above").read_to_string(&mut text).expect("text");
        let done = child.wait().expect("it ends");
        assert!(done.success(), "Kafka cannot be fetched; Maven and Java 17 must be there, or {ADDRESS} set:\n{text}");
        PathBuf::from(text.trim_end())
    };
    JARS.get_or_init(fetch).clone()
}
