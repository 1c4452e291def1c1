//! What carries files over NATS JetStream: a stream of messages and answers, and a stream of chunks.
//!
//! ```text
//! SUBJECT.m.ID       a message: the envelope, and the content where it is small; taken by one deliverer at a time
//! SUBJECT.done.ID    the receipt of a version     SUBJECT.error.ID   why it was refused
//! SUBJECT.c.ID.N     a chunk, counted from 0
//! ```
//! Each subject has one message at most: what is sent again is there already. Acknowledgements and the server's own look-out for
//! repeats are hints: what was done stands in the ledger.
//!
//! Chunks are read by number, each with a deadline of its own: no consumer has to be made for a file, and none can linger or fall
//! silent.

mod address;
mod fault;
mod link;
mod receiver;
mod sender;
mod streams;
mod wire;

pub use address::{look, refused};

use crate::adapters::tls::{self, Check};
use crate::core::model::nats::NatsSpec;
use crate::core::model::peer::without;
use crate::core::model::secret::Secret;
use crate::core::ports::broker::BrokerError;
use crate::files;
use address::Address;
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event};
use fault::Fault;
use link::{ANSWER, Link, Said};
use receiver::Inbound;
use sender::Outbound;
use std::error::Error;
use std::sync::{Arc, PoisonError};
use streams::Names;
use tokio::sync::Mutex;

/// Largest file of credentials, in bytes.
const CREDENTIALS_MAX: u64 = 64 * 1024;

/// Both ends of a transfer over NATS. Clones are the same.
#[derive(Clone)]
pub struct NatsBroker(Arc<Shared>);

struct Shared {
    spec: NatsSpec,
    address: Option<Address>,
    names: Names,
    /// For errors: subject and servers.
    topic: String,
    /// This process's own.
    nonce: String,
    /// The connection, once there is one. Held while somebody connects or looks at the streams, so that one does it for all.
    connection: Mutex<Option<Link>>,
    known: std::sync::Mutex<Known>,
    outbound: Outbound,
    inbound: Inbound,
}

/// What calls begin with, once it is known.
#[derive(Default)]
struct Known {
    /// A connection to a server that has both streams.
    link: Option<Link>,
    has_consumer: bool,
}

impl NatsBroker {
    /// The streams of a transfer. Nothing is connected yet. `nonce` is this process's own.
    pub fn new(spec: &NatsSpec, transfer: &str, nonce: &str) -> Self {
        let address = Address::parse(spec.url.reveal()).ok();
        let places = address.as_ref().map_or_else(|| "NATS".to_owned(), Address::places);
        Self(Arc::new(Shared {
            names: Names::new(spec, transfer),
            topic: format!("{} at {places}", spec.subject),
            spec: spec.clone(),
            address,
            nonce: nonce.to_owned(),
            connection: Mutex::default(),
            known: std::sync::Mutex::default(),
            outbound: Outbound::default(),
            inbound: Inbound::default(),
        }))
    }
}

impl Shared {
    /// A connection to a server that has both streams. They are looked at once, and again when one was missing.
    async fn link(&self) -> Result<Link, Fault> {
        if let Some(link) = self.ready() {
            return Ok(link);
        }
        let mut connection = self.connection.lock().await;
        // Another call may have done it meanwhile.
        if let Some(link) = self.ready() {
            return Ok(link);
        }
        let link = match connection.take() {
            Some(link) => link,
            None => self.connect().await?,
        };
        *connection = Some(link.clone());
        streams::ready(&link, &self.spec, &self.names).await?;
        self.known().link = Some(link.clone());
        Ok(link)
    }

    /// A connection to a server that is known to have both streams.
    fn ready(&self) -> Option<Link> {
        self.known().link.clone()
    }

    /// What needs no look and no wait.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Self::link`], with the consumer.
    async fn consuming(&self) -> Result<Link, Fault> {
        let link = self.link().await?;
        if self.known().has_consumer {
            return Ok(link);
        }
        let _one = self.connection.lock().await;
        if !self.known().has_consumer {
            streams::consumer_ready(&link, &self.spec, &self.names).await?;
            self.known().has_consumer = true;
        }
        Ok(link)
    }

    /// Does something over the connection. What was missing is looked for anew at the next call.
    async fn with<T>(&self, work: impl AsyncFnOnce(Link) -> Result<T, Fault>) -> Result<T, BrokerError> {
        let link = self.link().await.map_err(|fault| fault.told(&self.topic))?;
        self.told(work(link).await)
    }

    fn told<T>(&self, done: Result<T, Fault>) -> Result<T, BrokerError> {
        if let Err(Fault::Missing(_)) = &done {
            *self.known() = Known::default();
        }
        done.map_err(|fault| fault.told(&self.topic))
    }

    async fn connect(&self) -> Result<Link, Fault> {
        let said = Said::default();
        let address = self.address.as_ref().ok_or_else(|| {
            let form = "write `nats://USER:PASSWORD@HOST:4222`, or `tls://…`, special characters as %XX";
            Fault::Refused(format!("`broker.nats.url` cannot be read; {form}"))
        })?;
        let options = self.options(address, &said)?;
        let connecting = tokio::time::timeout(ANSWER * 2, options.connect(address.servers())).await;
        let connected = connecting.map_err(|_| Fault::Passing("no connection in time".to_owned()))?;
        let client: Client = connected.map_err(|error| self.unconnected(&error))?;
        Ok(Link { client, said, has_replicas: self.spec.replicas > 1 })
    }

    /// Why there is no connection.
    fn unconnected(&self, error: &ConnectError) -> Fault {
        let words = without(&error.to_string(), self.spec.url.reveal());
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => Fault::Refused(format!(
                "{words}; check user and password, token, `nkey` or `credentials` of `broker.nats`"
            )),
            kind if kind == ConnectErrorKind::Tls || is_unverified(error) => {
                Fault::Refused(format!("{words}; check the server's certificate, and `broker.nats.ca`"))
            }
            ConnectErrorKind::ServerParse => Fault::Refused(format!("{words}; check `broker.nats.url`")),
            _ => Fault::Passing(words),
        }
    }

    fn options(&self, address: &Address, said: &Said) -> Result<ConnectOptions, Fault> {
        let told = said.clone();
        let mut options = ConnectOptions::new()
            .name("filegen")
            .connection_timeout(ANSWER)
            .request_timeout(Some(ANSWER))
            .require_tls(address.is_encrypted())
            .event_callback(move |event| {
                let told = told.clone();
                async move {
                    if let Event::ServerError(error) = event {
                        told.put(error.to_string());
                    }
                }
            });
        match tls::client(Check::Host, self.spec.ca.as_deref(), "`broker.nats.ca`", rustls::DEFAULT_VERSIONS) {
            Ok(config) => options = options.tls_client_config(config),
            // A server without TLS needs none of it.
            Err(reason) if address.is_encrypted() || self.spec.ca.is_some() => return Err(Fault::Refused(reason)),
            Err(_) => {}
        }
        self.login(address, options)
    }

    fn login(&self, address: &Address, options: ConnectOptions) -> Result<ConnectOptions, Fault> {
        let login = &self.spec.login;
        if let Some(path) = &login.credentials {
            let refused = |why: &dyn std::fmt::Display| {
                Fault::Refused(format!("`broker.nats.credentials` `{}` cannot be used: {why}", path.display()))
            };
            let bytes = files::read(path, CREDENTIALS_MAX).map_err(|error| refused(&error))?;
            let text = String::from_utf8(bytes).map_err(|_| refused(&"it is no text"))?;
            // The client's words may repeat what they could not read.
            return options.credentials(&text).map_err(|_| refused(&"it holds no JWT with the seed of its key"));
        }
        if let Some(seed) = &login.nkey {
            return Ok(options.nkey(seed.reveal().to_owned()));
        }
        if let Some(token) = &login.token {
            return Ok(options.token(token.reveal().to_owned()));
        }
        let own = login.user.clone().map(|user| (user, login.password.clone()));
        Ok(match own.or_else(|| address.login.clone()) {
            Some((user, Some(password))) => options.user_and_password(user, password.reveal().to_owned()),
            Some((user, None)) => match &login.password {
                Some(password) => options.user_and_password(user, Secret::reveal(password).to_owned()),
                None => options.token(user),
            },
            None => options,
        })
    }
}

/// Whether a server's certificate was not taken: the client calls that a failure of the connection.
fn is_unverified(error: &ConnectError) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()).or_else(|| error.downcast_ref());
        if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        next = error.source();
    }
    false
}
