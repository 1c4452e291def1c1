//! A place in NATS JetStream as a file describes it.

use super::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// Two streams of NATS JetStream, and how to reach them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NatsSpec {
    /// `nats://[USER:PASSWORD@]HOST:4222` or `tls://…`, comma separated.
    pub url: Secret,
    /// What the names of its streams begin with.
    pub stream: String,
    /// What its subjects begin with.
    pub subject: String,
    /// Most bytes of the stream of chunks; the stream of messages takes a quarter of it. `None`: what the server has room for.
    pub max_bytes: Option<u64>,
    /// Servers that keep each message.
    pub replicas: u64,
    /// A message comes again when nothing is heard of its holder for so long.
    pub ack_wait: Duration,
    /// Chunks without an envelope are dropped after this.
    pub max_age: Duration,
    /// How this process says who it is.
    pub login: NatsLogin,
    /// A file of the authorities that the server's certificate may come from; the system's when `None`.
    pub ca: Option<PathBuf>,
}

/// What this process logs in with, beside what the address has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NatsLogin {
    /// A user.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A token.
    pub token: Option<Secret>,
    /// The seed of an NKey.
    pub nkey: Option<Secret>,
    /// A file of credentials: a JWT and the seed of its key.
    pub credentials: Option<PathBuf>,
}
