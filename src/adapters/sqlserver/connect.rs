//! Connections: each belongs to one read or one question, and is dropped with it.

use super::address::Address;
use crate::core::model::spec::Isolation;
use crate::core::ports::source::SourceError;
use futures_util::{FutureExt, TryStreamExt};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tiberius::{ColumnData, Query, QueryItem, QueryStream, Row};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

/// The client library's connection.
pub(super) type Client = tiberius::Client<Compat<TcpStream>>;

/// Times that a server may send a login on to another one.
const HOPS: usize = 4;

/// Rows of a statement that has few, at most: all of them are kept.
const FEW: usize = 100_000;

/// What every session is told first: no value is cut off, and views over indexed views or computed columns work.
const SESSION: &str = "SET TEXTSIZE 2147483647; SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; \
                       SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; SET QUOTED_IDENTIFIER ON; \
                       SET NUMERIC_ROUNDABORT OFF; SET NOCOUNT ON";

/// Waits no longer than said. What is there already, as most rows are, needs no clock.
pub(super) async fn within<T>(
    wait: Option<Duration>,
    work: impl Future<Output = T>,
    late: impl FnOnce(Duration) -> SourceError,
) -> Result<T, SourceError> {
    let mut work = pin!(work);
    if let Some(done) = work.as_mut().now_or_never() {
        return Ok(done);
    }
    match wait {
        None => Ok(work.await),
        Some(wait) => tokio::time::timeout(wait, work).await.map_err(|_| late(wait)),
    }
}

impl Address {
    /// Opens a session, where asked in a transaction that sees one point in time.
    pub(super) async fn connect(&self, isolation: Isolation) -> Result<Client, SourceError> {
        let late = |wait| self.late("no connection", "Connect Timeout", wait);
        let mut client = within(self.timeouts.connect, self.login(), late).await??;
        self.run(&mut client, SESSION).await?;
        if isolation == Isolation::Snapshot {
            self.run(&mut client, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT").await?;
            self.run(&mut client, "BEGIN TRANSACTION").await?;
        }
        Ok(client)
    }

    async fn login(&self) -> Result<Client, SourceError> {
        let (mut host, mut port) = (self.host.clone(), self.port);
        let mut config = self.config.clone();
        for _ in 0..HOPS {
            let place = format!("{host}:{port}");
            let tcp = TcpStream::connect((host.as_str(), port)).await;
            let tcp = tcp.map_err(|error| self.unreachable(format!("{place}: {error}")))?;
            // Small requests, each waited for.
            tcp.set_nodelay(true).map_err(|error| self.unreachable(format!("{place}: {error}")))?;
            // The library's handshake is a large future.
            match Box::pin(tiberius::Client::connect(config.clone(), tcp.compat_write())).await {
                Err(tiberius::error::Error::Routing { host: to, port: at }) => {
                    (host, port) = (to, at);
                    config.host(&host);
                    config.port(port);
                }
                other => return other.map_err(|error| self.error(&error)),
            }
        }
        Err(self.failed(format!("the login was sent on {HOPS} times, last to {host}:{port}")))
    }

    /// Runs statements that give no rows.
    async fn run(&self, client: &mut Client, sql: &str) -> Result<(), SourceError> {
        let late = |wait| self.late("no answer", "Query Timeout", wait);
        let work = async { client.simple_query(sql).await?.into_results().await };
        within(self.timeouts.query, work, late).await?.map(drop).map_err(|error| self.error(&error))
    }

    /// Sends a statement; its rows follow.
    pub(super) async fn query<'a>(
        &self,
        client: &'a mut Client,
        sql: &str,
        params: Vec<ColumnData<'static>>,
    ) -> Result<QueryStream<'a>, SourceError> {
        let mut query = Query::new(sql);
        query.bind_iter(params);
        let late = |wait| self.late("no answer", "Query Timeout", wait);
        within(self.timeouts.query, query.query(client), late).await?.map_err(|error| self.error(&error))
    }

    /// The next row; `first` waits as long as a statement may take, others as long as the server may be silent.
    pub(super) async fn next(&self, rows: &mut QueryStream<'_>, first: bool) -> Result<Option<Row>, SourceError> {
        loop {
            let item = if first {
                let late = |wait| self.late("no row", "Query Timeout", wait);
                within(self.timeouts.query, rows.try_next(), late).await?
            } else {
                let late = |wait| self.late("no further row", "Idle Timeout", wait);
                within(self.timeouts.idle, rows.try_next(), late).await?
            };
            match item.map_err(|error| self.error(&error))? {
                Some(QueryItem::Row(row)) => return Ok(Some(row)),
                Some(QueryItem::Metadata(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// All rows of a statement that has few.
    pub(super) async fn all(
        &self,
        client: &mut Client,
        sql: &str,
        params: Vec<ColumnData<'static>>,
    ) -> Result<Vec<Row>, SourceError> {
        let mut stream = self.query(client, sql, params).await?;
        let mut rows = Vec::new();
        while let Some(row) = self.next(&mut stream, rows.is_empty()).await? {
            if rows.len() == FEW {
                return Err(self.failed(format!("a question was answered with more than {FEW} rows")));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}
