//! The connection to Redis: its bytes are counted. The client library keeps a reply until it is whole, however long it claims to be.

use crate::adapters::tls::{self, Check};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError};
use rustls::pki_types::ServerName;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A connection, and how much it may still bring.
#[derive(Clone)]
pub(super) struct Link {
    /// Asks.
    pub(super) connection: MultiplexedConnection,
    left: Arc<AtomicUsize>,
}

impl Link {
    /// Connects and logs in; `answer` bounds each wait, `most` what the server may say until then.
    pub(super) async fn open(info: &ConnectionInfo, answer: Duration, most: usize) -> Result<Self, RedisError> {
        match tokio::time::timeout(answer, Self::opened(info, answer, most)).await {
            Ok(opened) => opened,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    async fn opened(info: &ConnectionInfo, answer: Duration, most: usize) -> Result<Self, RedisError> {
        let (host, port, check) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (host, *port, None),
            ConnectionAddr::TcpTls { host, port, insecure, .. } => {
                (host, *port, Some(if *insecure { Check::Nothing } else { Check::Host }))
            }
            _ => return Err((ErrorKind::InvalidClientConfig, "only TCP is spoken").into()),
        };
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        stream.set_nodelay(true)?;
        let left = Arc::new(AtomicUsize::new(most));
        let Some(check) = check else { return Self::over(info, stream, answer, left).await };
        let settings = tls::client(check, None, "", rustls::DEFAULT_VERSIONS).map_err(io::Error::other)?;
        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::new(settings)).connect(name, stream).await?;
        Self::over(info, stream, answer, left).await
    }

    async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        info: &ConnectionInfo,
        stream: S,
        answer: Duration,
        left: Arc<AtomicUsize>,
    ) -> Result<Self, RedisError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(answer)).set_response_timeout(Some(answer));
        let counted = Counted { stream, left: Arc::clone(&left) };
        let opened = MultiplexedConnection::new_with_config(info.redis_settings(), counted, config).await;
        let (connection, driver) = opened?;
        // It ends when nobody holds the connection any more.
        tokio::spawn(driver);
        Ok(Self { connection, left })
    }

    /// A question follows, whose reply has so many bytes at most.
    pub(super) fn allow(&self, most: usize) {
        self.left.store(most, Ordering::Relaxed);
    }
}

/// A stream that ends when it brings more than was asked for.
struct Counted<S> {
    stream: S,
    left: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let read = buffer.filled().len() - before;
        let less = |left: usize| left.checked_sub(read);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err() {
            return Poll::Ready(Err(io::Error::other("the server sends more than was asked for")));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const ANSWER: Duration = Duration::from_secs(30);

    /// A server that greets, and then answers each question with these bytes, over and over.
    async fn liar(endless: &'static [u8]) -> ConnectionInfo {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 1024];
            while let Ok(1..) = stream.read(&mut asked).await {
                if asked.windows(4).any(|word| word.eq_ignore_ascii_case(b"PING")) {
                    while stream.write_all(endless).await.is_ok() {}
                    return;
                }
                // However many commands stand in the greeting.
                for _ in asked.iter().filter(|byte| **byte == b'*') {
                    stream.write_all(b"+OK\r\n").await.unwrap();
                }
                asked = [0; 1024];
            }
        });
        redis::IntoConnectionInfo::into_connection_info(format!("redis://127.0.0.1:{port}")).unwrap()
    }

    #[tokio::test]
    async fn a_reply_without_an_end_and_one_that_claims_to_be_long_end_the_connection() {
        for endless in
            [&b"+xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..], b"$500000000\r\nxxxxxxxxxxx", b"*2000000000\r\n:1\r\n"]
        {
            let info = liar(endless).await;
            let mut link = Link::open(&info, ANSWER, 64 << 10).await.unwrap();
            link.allow(1 << 20);
            let answer = redis::cmd("PING").query_async::<redis::Value>(&mut link.connection).await;
            let error = answer.expect_err("nothing that long is taken");
            assert!(!error.is_timeout(), "{error}");
        }
    }
}
