//! Connections. Each belongs to one read or one question, and is dropped with it.

use super::address::Address;
use super::error::ENDS_CONNECTION;
use super::tds::{Connection, Encryption, Error, Offer, Record, ServerMessage, Step};
use crate::core::model::query::Isolation;
use crate::core::ports::source::SourceError;
use futures_util::FutureExt;
use socket2::{SockRef, TcpKeepalive};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tds_protocol::rpc::RpcParam;
use tokio::net::TcpStream;

/// Times that a server may send a login on to another one.
const HOPS: usize = 4;

/// Rows of a statement that has few, at most: all of them are kept.
const FEW: usize = 100_000;

/// The settings of every session, sent first and in one batch. They override those of the login, the database and the server:
/// - No value is cut off, and no row is left out.
/// - Dates and names of months have one form. The language comes first, because it sets the two settings behind it.
/// - Views over indexed views or computed columns work.
/// - Rows are counted, so that a lost row is noticed.
/// - In a deadlock this session is the victim.
const SESSION: &str = "SET LANGUAGE us_english; SET DATEFORMAT mdy; SET DATEFIRST 7; SET ROWCOUNT 0; \
                       SET TEXTSIZE 2147483647; SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; \
                       SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; SET QUOTED_IDENTIFIER ON; \
                       SET NUMERIC_ROUNDABORT OFF; SET IMPLICIT_TRANSACTIONS OFF; SET NOCOUNT OFF; \
                       SET DEADLOCK_PRIORITY LOW";

/// Follows [`SESSION`] when the read wants one point in time.
const SNAPSHOT: &str = "; SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION";

/// TCP keepalive: after this silence, this often, and then the connection is lost. PostgreSQL has the same values.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10)).with_retries(3);

/// A connection is lost when sent data is not confirmed for this long.
const UNCONFIRMED: Duration = Duration::from_mins(1);

/// Sends small requests at once, because each is waited for. Notices a server that disappears silently.
fn prepare(tcp: &TcpStream) -> std::io::Result<()> {
    tcp.set_nodelay(true)?;
    let socket = SockRef::from(tcp);
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNCONFIRMED))?;
    Ok(())
}

/// The lock timeout for an idle timeout, in milliseconds: the server takes no more than a 32-bit number.
fn lock_timeout(idle: Duration) -> u128 {
    (idle.as_millis() * 9 / 10).min(i32::MAX.unsigned_abs().into())
}

/// Longest wait for what a server offers, behind a handshake that failed.
const OFFER: Duration = Duration::from_secs(5);

/// Waits for `work` with a time limit. Data that is there already, as most rows are, needs no clock.
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
    pub(super) async fn connect(&self, isolation: Isolation) -> Result<Connection, SourceError> {
        let mut client = self.logged_in().await?;
        let snapshot = if isolation == Isolation::Snapshot { SNAPSHOT } else { "" };
        // Shortly before we should take the server for silent, it says that a lock is not to be had.
        let locks = self.timeouts.idle.map(|idle| format!("; SET LOCK_TIMEOUT {}", lock_timeout(idle)));
        self.run(&mut client, &format!("{SESSION}{}{snapshot}", locks.unwrap_or_default())).await?;
        Ok(client)
    }

    /// Ends a session's transaction, where it has one, and begins another, which sees the present.
    pub(super) async fn renew(&self, client: &mut Connection, isolation: Isolation) -> Result<(), SourceError> {
        match isolation {
            Isolation::Default => Ok(()),
            Isolation::Snapshot => self.run(client, "ROLLBACK TRANSACTION; BEGIN TRANSACTION").await,
        }
    }

    /// Logs in at the server. If it does not answer or does not have the database now, logs in at its partner.
    async fn logged_in(&self) -> Result<Connection, SourceError> {
        let late = |wait| self.late("no connection", "Connect Timeout", wait);
        let first = within(self.timeouts.connect, self.session(&self.host, self.port), late).await.flatten();
        let Some((host, port)) = &self.partner else { return first };
        match first {
            Err(error @ (SourceError::Unreachable { .. } | SourceError::Denied { .. })) => {
                let second = within(self.timeouts.connect, self.session(host, *port), late).await.flatten();
                // The first server's error says more than that of a partner that is away too.
                second.map_err(|other| if other.is_transient() { error } else { other })
            }
            first => first,
        }
    }

    /// A connection to a host. Where all addresses are tried at once, it is to the first that answers.
    async fn reach(&self, host: &str, port: u16) -> std::io::Result<TcpStream> {
        if !self.all_at_once {
            return TcpStream::connect((host, port)).await;
        }
        let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
        if addresses.is_empty() {
            return Err(std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address"));
        }
        let tries = addresses.into_iter().map(|address| Box::pin(TcpStream::connect(address)));
        futures_util::future::select_ok(tries).await.map(|(tcp, _)| tcp)
    }

    async fn session(&self, host: &str, port: u16) -> Result<Connection, SourceError> {
        let tls = self.tls()?;
        let (mut host, mut port) = (host.to_owned(), port);
        let mut server = host.clone();
        for _ in 0..HOPS {
            let place = format!("{host}:{port}");
            let tcp = self.reach(&host, port).await;
            let tcp = tcp.map_err(|error| self.unreachable(format!("{place}: {error}")))?;
            prepare(&tcp).map_err(|error| self.unreachable(format!("{place}: {error}")))?;
            let mut client = Connection::new(tcp);
            match client.login(&self.login(&server, &host, tls.clone())).await {
                Ok(()) => return Ok(client),
                Err(Error::Elsewhere { host: to, port: at }) => {
                    // The port finds it. The name of an instance behind the host's says which it is, to the server alone; the
                    // certificate names the host.
                    to.split('\\').next().unwrap_or_default().clone_into(&mut host);
                    (server, port) = (to, at);
                }
                Err(error @ (Error::NoCommonTls(_) | Error::ClosedInHandshake)) => {
                    let offer = self.offer(&host, port).await;
                    return Err(self.no_common_tls(&error, offer));
                }
                Err(error) => return Err(self.error(&error)),
            }
        }
        Err(self.failed(format!("the login was sent on {HOPS} times, last to {host}:{port}")))
    }

    /// What a server takes of the cipher suites that are not offered here. `None` where it does not say.
    async fn offer(&self, host: &str, port: u16) -> Option<Offer> {
        let strict = self.encryption == Encryption::Strict;
        let ask = async { Connection::new(self.reach(host, port).await.ok()?).offer(host, strict).await.ok() };
        tokio::time::timeout(OFFER, ask).await.ok()?
    }

    /// Runs statements that give no rows.
    pub(super) async fn run(&self, client: &mut Connection, sql: &str) -> Result<(), SourceError> {
        let late = |wait| self.late("no answer", "Query Timeout", wait);
        let work = client.batch(sql);
        within(self.timeouts.query, work, late).await?.map_err(|error| self.error(&error))?;
        while self.next(client, true).await? {}
        Ok(())
    }

    /// Sends a statement; its rows follow.
    pub(super) async fn query(
        &self,
        client: &mut Connection,
        sql: &str,
        params: Vec<RpcParam>,
    ) -> Result<(), SourceError> {
        let late = |wait| self.late("no answer", "Query Timeout", wait);
        let work = client.execute(sql, params);
        within(self.timeouts.query, work, late).await?.map_err(|error| self.error(&error))
    }

    /// Goes to the next row, if there is one. The `first` row may take as long as a statement, later ones as long as the server may be
    /// silent.
    #[inline]
    pub(super) async fn next(&self, client: &mut Connection, first: bool) -> Result<bool, SourceError> {
        loop {
            match client.step().map_err(|error| self.error(&error))? {
                Step::Row => return Ok(true),
                Step::End => return Ok(false),
                Step::More => self.more(client, first).await?,
            }
        }
    }

    async fn more(&self, client: &mut Connection, first: bool) -> Result<(), SourceError> {
        let (what, key, wait) = if first {
            ("no row", "Query Timeout", self.timeouts.query)
        } else {
            ("no further row", "Idle Timeout", self.timeouts.idle)
        };
        let late = |wait| self.late(what, key, wait);
        within(wait, client.fill(), late).await?.map_err(|error| self.error(&error))
    }

    /// All rows of a statement that has few.
    pub(super) async fn all(
        &self,
        client: &mut Connection,
        sql: &str,
        params: Vec<RpcParam>,
    ) -> Result<Vec<Record>, SourceError> {
        let rows = self.ask(client, sql, params).await?;
        rows.map_err(|said| self.error(&Error::Server(said)))
    }

    /// The first row of a statement that has few, asked on a connection of its own. `None` for whatever goes wrong.
    pub(super) async fn first(&self, isolation: Isolation, sql: &str, params: Vec<RpcParam>) -> Option<Record> {
        let mut client = self.connect(isolation).await.ok()?;
        let rows = self.all(&mut client, sql, params).await.ok()?;
        rows.into_iter().next()
    }

    /// All rows of a statement that has few, or the server's error. The connection can go on after either.
    pub(super) async fn ask(
        &self,
        client: &mut Connection,
        sql: &str,
        params: Vec<RpcParam>,
    ) -> Result<Result<Vec<Record>, ServerMessage>, SourceError> {
        self.query(client, sql, params).await?;
        let mut rows = Vec::new();
        loop {
            match client.step() {
                Ok(Step::Row) if rows.len() == FEW => {
                    return Err(self.failed(format!("a question was answered with more than {FEW} rows")));
                }
                Ok(Step::Row) => rows.push(client.row().keep()),
                Ok(Step::More) => self.more(client, rows.is_empty()).await?,
                Ok(Step::End) => return Ok(Ok(rows)),
                Err(Error::Server(said)) if said.class < ENDS_CONNECTION => {
                    client.pass_over();
                    while !client.has_heard() {
                        self.more(client, false).await?;
                        client.pass_over();
                    }
                    return Ok(Err(said));
                }
                Err(error) => return Err(self.error(&error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_timeout_is_a_number_that_the_server_takes() {
        assert_eq!(lock_timeout(Duration::from_mins(1)), 54_000);
        assert_eq!(lock_timeout(Duration::from_secs(2_386_092)), 2_147_482_800);
        assert_eq!(lock_timeout(Duration::from_secs(2_386_093)), 2_147_483_647);
        assert_eq!(lock_timeout(Duration::from_secs(u64::MAX)), 2_147_483_647);
    }
}
