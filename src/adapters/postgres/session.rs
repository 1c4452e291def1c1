//! One connection for one task. It makes progress only while its owner waits on it, so that a slow reader holds the server back and
//! nothing is read ahead. Dropping it closes the connection.

use super::address::Address;
use super::connect::{Wire, connect};
use super::error::source_error;
use super::timeouts::Timeouts;
use super::{settings, tls, too_long};
use crate::adapters::sql;
use crate::core::model::param::Params;
use crate::core::model::query::Isolation;
use crate::core::ports::source::SourceError;
use futures_util::Stream;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, CopyOutStream, Error, SimpleQueryMessage, SimpleQueryRow, Statement};

/// Longest wait for a server to take a farewell or a request to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// A connection in a read-only transaction of its own.
pub(super) struct Session {
    client: Client,
    connection: Wire,
    stopper: Stopper,
    /// How a copy ended, behind rows which are to be used first: they may fill a page.
    ended: Option<Result<(), Error>>,
    /// The source's name, for errors.
    name: String,
    timeouts: Timeouts,
    /// Whether the copy at hand has brought a row.
    brought: bool,
    /// Bound to settings of each transaction.
    params: Params,
}

/// What a copy brought.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    /// Rows.
    Text,
    /// There are no more.
    End,
}

/// Dropped while the server is at work for us, asks it to stop: a sort may go on for long before it notices that nobody
/// waits any more.
struct Stopper {
    busy: bool,
    token: CancelToken,
    tls: tls::Connector,
}

impl Session {
    /// Connects and begins a read-only transaction, in which the parameters have their values.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when nobody answers; [`SourceError::Failed`] when the server says no.
    pub(super) async fn open(address: &Address, isolation: Isolation, params: Params) -> Result<Self, SourceError> {
        let tls = tls::connector(address)?;
        let (client, connection) = connect(address, tls.clone()).await?;
        let stopper = Stopper { busy: false, token: client.cancel_token(), tls };
        let (name, timeouts) = (address.name.clone(), address.timeouts);
        let mut session = Self { client, connection, stopper, ended: None, name, timeouts, brought: false, params };
        session.begin(isolation).await?;
        Ok(session)
    }

    /// Begins a read-only transaction with settings of its own, in one round trip.
    pub(super) async fn begin(&mut self, isolation: Isolation) -> Result<(), SourceError> {
        let level = match isolation {
            // Said, because a role may have another default, and a hot standby refuses `serializable`.
            Isolation::Default => "ISOLATION LEVEL READ COMMITTED, ",
            Isolation::Snapshot => "ISOLATION LEVEL REPEATABLE READ, ",
        };
        self.run(&format!("BEGIN TRANSACTION {level}READ ONLY; {}", settings::statements())).await?;
        if self.params.is_empty() { Ok(()) } else { self.bind().await }
    }

    /// Binds the parameters to settings that end with the transaction.
    async fn bind(&mut self) -> Result<(), SourceError> {
        let setting = |(index, name): (usize, &String)| {
            format!("pg_catalog.set_config('{}', ${}, true)", sql::setting_name(name), index + 1)
        };
        let settings: Vec<String> = self.params.keys().enumerate().map(setting).collect();
        let values: Vec<String> = self.params.values().map(ToString::to_string).collect();
        let bound: Vec<(&(dyn ToSql + Sync), Type)> = values.iter().map(|value| (value as _, Type::TEXT)).collect();
        let text = format!("SELECT {}", settings.join(", "));
        let work = drive(&mut self.connection, self.client.query_typed(&text, &bound));
        let result = self.timeouts.answer().hold(&self.name, work).await?;
        result.map(drop).map_err(|error| source_error(&self.name, &error))
    }

    /// Runs statements without results.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), SourceError> {
        let work = drive(&mut self.connection, self.client.batch_execute(sql));
        let result = self.timeouts.answer().hold(&self.name, work).await?;
        result.map_err(|error| source_error(&self.name, &error))
    }

    /// Has a statement checked and its columns described; runs nothing. The client's error is kept: it knows the place.
    pub(super) async fn prepare(&mut self, sql: &str) -> Result<Result<Statement, Error>, SourceError> {
        let work = drive(&mut self.connection, self.client.prepare(sql));
        self.timeouts.answer().hold(&self.name, work).await
    }

    /// Runs a query with a small result, whose values come as text.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Vec<SimpleQueryRow>, SourceError> {
        self.stopper.busy = true;
        let work = drive(&mut self.connection, self.client.simple_query(sql));
        let result = self.timeouts.answer().hold(&self.name, work).await?;
        self.stopper.busy = false;
        let messages = result.map_err(|error| source_error(&self.name, &error))?;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }

    /// Starts a copy of a query's result as text.
    pub(super) async fn copy(&mut self, query: &str) -> Result<Pin<Box<CopyOutStream>>, SourceError> {
        let sql = format!("COPY ({query}) TO STDOUT");
        (self.stopper.busy, self.brought) = (true, false);
        let work = drive(&mut self.connection, self.client.copy_out(&sql));
        match self.timeouts.answer().hold(&self.name, work).await? {
            Ok(copy) => Ok(Box::pin(copy)),
            Err(error) => {
                self.stopper.busy = false;
                Err(self.fault(&error))
            }
        }
    }

    /// Adds what a copy brings next to `text`: waits for the first rows only, and stops when it has about `most` bytes.
    pub(super) async fn more(
        &mut self,
        copy: &mut Pin<Box<CopyOutStream>>,
        text: &mut Vec<u8>,
        most: usize,
    ) -> Result<More, SourceError> {
        let (connection, ended) = (&mut self.connection, &mut self.ended);
        let before = text.len();
        let work = poll_fn(|cx| {
            loop {
                let piece = match ended.take() {
                    Some(end) => Poll::Ready(end.map(|()| None)),
                    None => both(connection, cx, |cx| copy.as_mut().poll_next(cx).map(Option::transpose)),
                };
                let end = match piece {
                    Poll::Ready(Ok(Some(piece))) => {
                        text.extend_from_slice(&piece);
                        if text.len() < most {
                            continue;
                        }
                        return Poll::Ready(Ok(More::Text));
                    }
                    Poll::Pending if text.len() > before => return Poll::Ready(Ok(More::Text)),
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(None)) => Ok(()),
                    Poll::Ready(Err(error)) => Err(error),
                };
                if text.len() == before {
                    return Poll::Ready(end.map(|()| More::End));
                }
                *ended = Some(end);
                return Poll::Ready(Ok(More::Text));
            }
        });
        let more = self.timeouts.rows(!self.brought).hold(&self.name, work).await?;
        self.brought = true;
        if !matches!(more, Ok(More::Text)) {
            self.stopper.busy = false;
        }
        more.map_err(|error| self.fault(&error))
    }

    /// Why a copy ended.
    fn fault(&self, error: &Error) -> SourceError {
        too_long::told(error).unwrap_or_else(|| source_error(&self.name, error))
    }

    /// Ends the transaction and begins another, which sees the present.
    pub(super) async fn renew(&mut self, isolation: Isolation) -> Result<(), SourceError> {
        self.undo().await?;
        self.begin(isolation).await
    }

    /// Ends the transaction. A read-only transaction is not without effects: functions that a predicate or a view calls may
    /// write what the server does not count as writing, such as large objects.
    pub(super) async fn undo(&mut self) -> Result<(), SourceError> {
        self.run("ROLLBACK").await
    }

    /// Ends the transaction and takes leave, so that the server logs no lost connection. Faults are of no interest: all
    /// has been read.
    pub(super) async fn close(mut self) {
        let farewell = async {
            let undone = self.undo().await;
            let Self { client, connection, .. } = self;
            drop(client);
            if undone.is_ok() {
                let _ = connection.await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }

    /// Whether the parameters have these values.
    pub(super) fn has(&self, params: &Params) -> bool {
        self.params == *params
    }

    /// The source's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Stopper {
    fn drop(&mut self) {
        if !self.busy {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (token, tls) = (self.token.clone(), self.tls.clone());
            runtime.spawn(async move { tokio::time::timeout(FAREWELL, token.cancel_query(tls)).await });
        }
    }
}

/// Waits for `work` while moving the connection it depends on.
async fn drive<T>(connection: &mut Wire, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut work = pin!(work);
    poll_fn(|cx| both(connection, cx, |cx| work.as_mut().poll(cx))).await
}

/// Polls work, then the connection, then what the connection may have brought. The work's own error comes before the
/// connection's end: it is the server's last word.
fn both<T>(
    connection: &mut Wire,
    cx: &mut Context<'_>,
    mut work: impl FnMut(&mut Context<'_>) -> Poll<Result<T, Error>>,
) -> Poll<Result<T, Error>> {
    if let Poll::Ready(result) = work(cx) {
        return Poll::Ready(result);
    }
    let ended = Pin::new(connection).poll(cx);
    if let Poll::Ready(result) = work(cx) {
        return Poll::Ready(result);
    }
    match ended {
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        // The connection ends by itself only when its client is dropped, and that one is ours.
        Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
    }
}
