//! A topic's client settings, its client's log, and its errors in the port's words.

use super::codes::TABLE;
use crate::adapters::faults::{Known, Sort, find};
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::peer::{MASK, host_shown, is_loopback};
use crate::core::model::secret::is_secret_property;
use crate::core::model::shown;
use crate::core::ports::broker::BrokerError;
use crate::files::{self, Foreign};
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::{debug, error, info, warn};

/// Shorter values are words like `none`, which stand in many texts.
const SECRET_LENGTH: usize = 4;

/// A topic, how to reach it, and what its client said last.
pub(super) struct KafkaClientConfig {
    pub(super) spec: KafkaSpec,
    /// The client's own words about its last fault: better than the code that a call ends with.
    last: Mutex<Option<String>>,
}

impl KafkaClientConfig {
    pub(super) fn new(spec: &KafkaSpec) -> Self {
        Self { spec: spec.clone(), last: Mutex::new(None) }
    }

    /// `loan-data at localhost:9092`.
    pub(super) fn describe(&self) -> String {
        format!("{} at {}", self.spec.topic, self.spec.brokers)
    }

    /// Settings of a client: `usual` ones, over them the worker file's properties, over all the `fixed` ones.
    ///
    /// # Errors
    /// A property that librdkafka does not have, or a value that it does not take.
    pub(super) fn settings(&self, usual: &[(&str, &str)], fixed: &[(&str, &str)]) -> Result<ClientConfig, BrokerError> {
        let mut config = ClientConfig::new();
        config.set("client.id", "filegen");
        for (name, value) in usual {
            config.set(*name, *value);
        }
        for (name, value) in &self.spec.properties {
            config.set(name.as_str(), value.reveal());
        }
        config.set("bootstrap.servers", self.spec.brokers.as_str());
        for (name, value) in fixed {
            config.set(*name, *value);
        }
        config.set_log_level(RDKafkaLogLevel::Info);
        self.check_files()?;
        // Made once in vain, so that a wrong property is told before anything runs.
        drop(config.create_native_config().map_err(|error| self.error(&error))?);
        Ok(config)
    }

    /// librdkafka opens certificates and keys itself, and would wait for the other end of a pipe. A folder of certificates will do.
    fn check_files(&self) -> Result<(), BrokerError> {
        for (name, value) in self.spec.properties.iter().filter(|(name, _)| name.ends_with(".location")) {
            match files::check_plain(Path::new(value.reveal())) {
                Err(error) if Foreign::of(&error).is_some_and(|foreign| foreign.what != "a folder") => {
                    let reason = format!("property `{name}`: {error}, not a file");
                    return Err(BrokerError::Refused { topic: self.describe(), reason });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An error as the port tells it.
    pub(super) fn error(&self, error: &KafkaError) -> BrokerError {
        let topic = self.describe();
        let Some(code) = error.rdkafka_error_code() else {
            return BrokerError::Refused { topic, reason: self.masked(&unasked(error)) };
        };
        let said = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reason = self.masked(&said.map_or_else(|| code.to_string(), |said| format!("{code}: {said}")));
        match find(TABLE, &code) {
            Some(Known { sort: Sort::Passing, advice, .. }) => {
                BrokerError::Unreachable { topic, reason: format!("{reason}; {advice}") }
            }
            Some(Known { advice, .. }) if is_size(code) => {
                BrokerError::TooLarge { topic, reason: format!("{reason}; {advice}") }
            }
            Some(Known { advice, .. }) => BrokerError::Refused { topic, reason: format!("{reason}; {advice}") },
            None => BrokerError::Unreachable { topic, reason },
        }
    }

    /// No answer in time.
    pub(super) fn silent(&self) -> BrokerError {
        let said = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reason = said.map_or_else(|| "no answer in time".to_owned(), |said| format!("no answer in time: {said}"));
        BrokerError::Unreachable { topic: self.describe(), reason: self.masked(&reason) }
    }

    /// A text without the values of secret properties.
    fn masked(&self, text: &str) -> String {
        let secrets =
            self.spec.properties.iter().filter(|(name, _)| is_secret_property(name)).map(|(_, value)| value.reveal());
        let masked = secrets
            .filter(|secret| secret.len() >= SECRET_LENGTH)
            .fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
        shown::text(&masked)
    }

    /// Keeps what a client says about a fault for the error that comes of it.
    pub(super) fn note(&self, error: &KafkaError, reason: &str) {
        debug!(topic = self.spec.topic, %error, reason = self.masked(reason), "fault of a Kafka client");
        // That all brokers are away is known by the code; why the last of them is stands in the words before.
        if error.rdkafka_error_code() != Some(Code::AllBrokersDown) {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }

    /// Passes a line of librdkafka's log on.
    pub(super) fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        let (topic, line) = (&self.spec.topic, self.masked(line));
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                error!(topic, facility, "{line}");
            }
            // The caller whose call failed reports what a person should know.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => warn!(topic, facility, "{line}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!(topic, facility, "{line}"),
            RDKafkaLogLevel::Debug => debug!(topic, facility, "{line}"),
        }
    }
}

/// What a client of librdkafka's tells while it works.
pub(super) struct Told(pub(super) Arc<KafkaClientConfig>);

impl ClientContext for Told {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.0.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.note(&error, reason);
    }
}

impl ConsumerContext for Told {}

/// Whether a message is too large, for the client or for the broker.
fn is_size(code: Code) -> bool {
    matches!(code, Code::MessageSizeTooLarge | Code::MessageBatchTooLarge)
}

/// An error that no broker was asked for. Never with the value that was refused: it may be a secret.
fn unasked(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, description, name, value) => {
            let description = if value.is_empty() { description.clone() } else { description.replace(value, "***") };
            format!("property `{name}`: {description}")
        }
        KafkaError::ClientCreation(reason) => format!("the client cannot start: {reason}"),
        other => other.to_string(),
    }
}

/// The words of `security.protocol`, which may also stand before a broker.
const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

/// A property's value as librdkafka compares it.
fn said(spec: &KafkaSpec, name: &str) -> Option<String> {
    spec.properties.get(name).map(|value| value.reveal().trim().to_ascii_lowercase())
}

fn protocol(spec: &KafkaSpec) -> String {
    said(spec, "security.protocol").unwrap_or_else(|| "plaintext".to_owned())
}

/// Why the client would drop a broker: a protocol stands before it that is not the one of all. `None` when it takes them.
pub fn refused(spec: &KafkaSpec) -> Option<String> {
    // A word that is none of them is refused by the client's own check, which does not show it.
    let protocol = Some(protocol(spec)).filter(|word| PROTOCOLS.contains(&word.as_str()))?;
    let before = spec.brokers.split(',').filter_map(|broker| broker.trim().split_once("://"));
    let other = before.map(|(word, _)| word.to_ascii_lowercase()).find(|word| *word != protocol)?;
    if !PROTOCOLS.contains(&other.as_str()) {
        return Some("what stands before `://` is no protocol of Kafka".to_owned());
    }
    let [other, protocol] = [other, protocol].map(|word| word.to_ascii_uppercase());
    Some(format!(
        "`{other}://` stands before a broker, and `security.protocol` is {protocol}: the client takes no such broker"
    ))
}

/// What somebody on the way to a topic's brokers, or to the server that gives their tokens, may do, and what to write against it. Nothing
/// of servers on this host.
pub fn weaknesses(spec: &KafkaSpec) -> Vec<(String, &'static str)> {
    [brokers_weakness(spec), ciphers_weakness(spec), login_weakness(spec), tokens_weakness(spec)]
        .into_iter()
        .flatten()
        .collect()
}

/// A host with its port, without what stands before and behind them in an address.
fn host_of(address: &str) -> &str {
    let place = address.trim().rsplit_once("://").map_or(address.trim(), |(_, place)| place);
    let place = place.split(['/', '?', '#']).next().unwrap_or_default();
    place.rsplit_once('@').map_or(place, |(_, place)| place)
}

fn is_here(address: &str) -> bool {
    let place = host_of(address);
    is_loopback(place.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(place, |(host, _)| host))
}

fn brokers_weakness(spec: &KafkaSpec) -> Option<(String, &'static str)> {
    if spec.brokers.split(',').all(is_here) {
        return None;
    }
    let brokers = spec.brokers.replace(' ', "");
    let brokers = host_shown(&brokers);
    if !matches!(protocol(spec).as_str(), "ssl" | "sasl_ssl") {
        let instead = "write `security.protocol: SSL` or `SASL_SSL` under `kafka.properties`";
        return Some((format!("the connection to {brokers} is not encrypted"), instead));
    }
    let is_off = |value: Option<String>| value.is_some_and(|value| matches!(value.as_str(), "false" | "0" | "f"));
    if is_off(said(spec, "enable.ssl.certificate.verification")) {
        let instead =
            "remove `enable.ssl.certificate.verification`, and name one's own authority with `ssl.ca.location`";
        return Some((format!("the certificate of {brokers} is not verified"), instead));
    }
    (said(spec, "ssl.endpoint.identification.algorithm").as_deref() == Some("none")).then(|| {
        (format!("the host name of {brokers} is not verified"), "remove `ssl.endpoint.identification.algorithm`")
    })
}

/// Suites of OpenSSL without encryption or without proof of the server, which it takes only where its security level is set to 0.
fn ciphers_weakness(spec: &KafkaSpec) -> Option<(String, &'static str)> {
    let suites = said(spec, "ssl.cipher.suites").filter(|_| !spec.brokers.split(',').all(is_here))?;
    let is_weak = |word: &str| {
        let takes = !word.starts_with(['!', '-']);
        takes
            && (word == "@seclevel=0"
                || ["null", "adh", "aecdh", "complementofall"].iter().any(|bad| word.contains(bad)))
    };
    suites.split([':', ',', ' ', '+']).any(is_weak).then(|| {
        let what = "`ssl.cipher.suites` allows suites without encryption, or without proof of the server".to_owned();
        (what, "remove `ssl.cipher.suites`, or name strong suites")
    })
}

/// A login that proves nothing.
fn login_weakness(spec: &KafkaSpec) -> Option<(String, &'static str)> {
    let is_on = |value: String| matches!(value.as_str(), "true" | "1" | "t");
    let is_unsigned = said(spec, "enable.sasl.oauthbearer.unsecure.jwt").is_some_and(is_on);
    (is_unsigned && !spec.brokers.split(',').all(is_here)).then(|| {
        let what = "`enable.sasl.oauthbearer.unsecure.jwt` logs in with a token that nobody signed".to_owned();
        (what, "remove it, and set `sasl.oauthbearer.method: oidc` with its properties")
    })
}

/// The client's secret goes to that server, and what it answers opens the brokers.
fn tokens_weakness(spec: &KafkaSpec) -> Option<(String, &'static str)> {
    let plain = spec.properties.iter().filter(|(name, _)| name.rsplit('.').next() == Some("url"));
    let plain = plain.map(|(name, value)| (name, value.reveal().trim()));
    let (name, url) =
        plain.into_iter().find(|(_, url)| url.to_ascii_lowercase().starts_with("http://") && !is_here(url))?;
    let what = format!("the connection to {}, which `{name}` names, is not encrypted", host_shown(host_of(url)));
    Some((what, "write the address as `https://…`: the client's login goes there, and tokens come back"))
}
