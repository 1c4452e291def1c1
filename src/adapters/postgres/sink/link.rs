//! One connection of the sink. Dropping it ends the connection, and with it a transaction that is not committed.

use super::states;
use crate::adapters::postgres::address::Address;
use crate::adapters::postgres::connect::Driven;
use crate::adapters::postgres::error::source_error;
use crate::adapters::postgres::settings;
use crate::adapters::postgres::timeouts::Limit;
use crate::core::ports::source::SourceError;
use crate::core::ports::sql_sink::SinkError;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

/// What each transaction waits for at most: a lock, and, while it is open, its client. A stopped process then holds no row for
/// longer. Commits are durable, whatever the role's default is; a stronger default stays.
const WAITS: &str = "SET LOCAL lock_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = '60s'; \
    SELECT pg_catalog.set_config('synchronous_commit', 'on', true) \
    WHERE pg_catalog.current_setting('synchronous_commit') IN ('off', 'local')";

/// A statement's value, with its type.
pub(super) type Bound<'a> = (&'a (dyn ToSql + Sync), Type);

/// Why a statement did not do it.
#[derive(Debug)]
pub(super) enum Fault {
    /// The client's or the server's word.
    Client(Error),
    /// In the port's words already.
    Sink(SinkError),
}

impl From<SinkError> for Fault {
    fn from(error: SinkError) -> Self {
        Self::Sink(error)
    }
}

/// A connection.
pub(super) struct Link {
    driven: Driven,
    name: String,
    limit: Limit,
    begin: String,
}

/// A fault of the connection in the sink's words.
pub(super) fn sink_error(error: SourceError, sink: &str) -> SinkError {
    let sink = sink.to_owned();
    match error {
        SourceError::Unreachable { reason, .. } => SinkError::Unreachable { sink, reason },
        SourceError::Denied { reason, .. } | SourceError::Refused { reason } => SinkError::Refused { sink, reason },
        SourceError::Failed { reason, .. } => SinkError::Failed { sink, reason },
        other => SinkError::Failed { sink, reason: other.to_string() },
    }
}

impl Link {
    /// Connects and logs in.
    pub(super) async fn open(address: &Address) -> Result<Self, SinkError> {
        let name = address.name.clone();
        let driven = Driven::open(address).await.map_err(|error| sink_error(error, &name))?;
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {}; {WAITS}", settings::statements());
        Ok(Self { driven, name, limit: address.timeouts.answer(), begin })
    }

    /// Where it leads, without secrets.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_closed(&self) -> bool {
        self.driven.client.is_closed()
    }

    /// Runs one statement with these values.
    pub(super) async fn query(&self, sql: &str, values: &[Bound<'_>]) -> Result<Vec<Row>, Fault> {
        self.held(self.driven.client.query_typed(sql, values)).await
    }

    /// Runs statements without values.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Fault> {
        self.held(self.driven.client.batch_execute(sql)).await
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<(), Fault> {
        self.run(&self.begin).await
    }

    async fn held<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        match self.limit.hold(&self.name, work).await {
            Ok(done) => done.map_err(Fault::Client),
            Err(late) => Err(Fault::Sink(sink_error(late, &self.name))),
        }
    }

    /// A fault in the port's words.
    pub(super) fn error(&self, fault: Fault) -> SinkError {
        let sink = self.name.clone();
        match fault {
            Fault::Sink(error) => error,
            Fault::Client(error) => match error.as_db_error() {
                Some(server) => states::sink_error(sink, server),
                None => sink_error(source_error(&self.name, &error), &self.name),
            },
        }
    }
}
