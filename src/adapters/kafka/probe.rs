//! Whether a topic exists, and what this user may do with it.

use super::rights::{may_read, may_write};
use super::settings::{KafkaClientConfig, Told};
use crate::core::model::kafka::KafkaSpec;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::probe::{TopicProbe, TopicUse};
use async_trait::async_trait;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use std::sync::Arc;
use std::time::Duration;

/// Longest time for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks brokers for a topic, with a new client each time. A client that is kept may still wait to connect again.
pub struct KafkaProbe {
    link: Arc<KafkaClientConfig>,
    config: ClientConfig,
}

impl KafkaProbe {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A property that librdkafka does not take.
    pub fn new(spec: &KafkaSpec) -> Result<Self, BrokerError> {
        let link = Arc::new(KafkaClientConfig::new(spec));
        let config = link.settings(&[("socket.connection.setup.timeout.ms", "4000")], &[])?;
        Ok(Self { link, config })
    }

    /// Asks on a thread that may block.
    async fn off_thread<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Arc<KafkaClientConfig>) -> Result<T, BrokerError> + Send + 'static,
    ) -> Result<T, BrokerError> {
        let link = Arc::clone(&self.link);
        match tokio::task::spawn_blocking(move || ask(&link)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.link.silent()),
        }
    }
}

#[async_trait]
impl TopicProbe for KafkaProbe {
    fn describe(&self) -> String {
        self.link.describe()
    }

    async fn check(&self) -> Result<usize, BrokerError> {
        let config = self.config.clone();
        self.off_thread(move |link| ask(link, &config)).await
    }

    async fn may(&self, wanted: TopicUse) -> Result<(), BrokerError> {
        self.off_thread(move |link| match wanted {
            TopicUse::Read => may_read(link),
            TopicUse::Write => may_write(link),
        })
        .await
    }
}

fn ask(link: &Arc<KafkaClientConfig>, config: &ClientConfig) -> Result<usize, BrokerError> {
    let told = Told(Arc::clone(link));
    let client: BaseConsumer<Told> = config.create_with_context(told).map_err(|error| link.error(&error))?;
    let answer = client.fetch_metadata(Some(&link.spec.topic), TIMEOUT);
    // What the client has to say stands in its queue.
    while let Some(Err(_)) = client.poll(Duration::from_millis(1)) {}
    let metadata = answer.map_err(|error| link.error(&error))?;
    let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == link.spec.topic) else {
        return Err(link.silent());
    };
    match topic.error() {
        Some(code) => Err(link.error(&KafkaError::MetadataFetch(code.into()))),
        None => Ok(topic.partitions().len()),
    }
}
