//! Asks another process's HTTP listener on this host: one question, one short answer, within a time limit. For health checks of
//! containers that hold neither a shell nor `curl`.

use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Longest answer that is read: an answer about health is a few lines.
const ANSWER_MAX: u64 = 256 * 1024;

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The status code: 200.
    pub code: u16,
    /// What stands below its head.
    pub body: String,
}

/// How a listener with TLS answers one who speaks without: a record of an alert.
const ALERT: &[u8] = &[0x15, 0x03];

/// Asks `path` of the listener at `port`. A listener on all addresses is asked by this machine's own. One that answers as only TLS does
/// is asked again, with `tls`.
///
/// # Errors
/// When nobody answers within `limit`, or what answers speaks no HTTP.
pub async fn ask(
    address: Option<IpAddr>,
    port: u16,
    path: &str,
    tls: &TlsConnector,
    limit: Duration,
) -> io::Result<Answered> {
    match tokio::time::timeout(limit, asked(address, port, path, tls)).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", limit.as_secs()))),
    }
}

async fn asked(address: Option<IpAddr>, port: u16, path: &str, tls: &TlsConnector) -> io::Result<Answered> {
    let own: [SocketAddr; 2] = match address {
        Some(address) if !address.is_unspecified() => [(address, port).into(); 2],
        _ => [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()],
    };
    let mut answer = exchanged(TcpStream::connect(own.as_slice()).await?, path).await?;
    if answer.starts_with(ALERT) {
        let stream = TcpStream::connect(own.as_slice()).await?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        answer = exchanged(tls.connect(name, stream).await?, path).await?;
    }
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "what answers there speaks no HTTP: another program has the port")
    })
}

/// The question, and all of the answer.
async fn exchanged<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, path: &str) -> io::Result<Vec<u8>> {
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn parse(answer: &str) -> Option<Answered> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut words = head.split(' ');
    let code = words.next()?.starts_with("HTTP/1.").then(|| words.next()?.split("\r\n").next()?.parse().ok())??;
    Some(Answered { code, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_code_and_a_body() {
        let answered = |code, body: &str| Some(Answered { code, body: body.to_owned() });
        assert_eq!(parse("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"), answered(200, "{}"));
        assert_eq!(parse("HTTP/1.0 503 Service Unavailable\r\n\r\n"), answered(503, ""));
        assert_eq!(parse("HTTP/1.0 503\r\n\r\n"), answered(503, ""));
        for other in ["", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 ok\r\n\r\n"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
