//! Asks another process's HTTP listener on this host: one question, one short answer, within a time limit. For health checks of
//! containers that hold neither a shell nor `curl`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

/// Asks `path` of the listener at `port`. A listener on all addresses is asked by this machine's own. Nothing is asked twice.
///
/// # Errors
/// When nobody answers within `limit`, or what answers speaks no HTTP.
pub async fn ask(address: Option<IpAddr>, port: u16, path: &str, limit: Duration) -> io::Result<Answered> {
    match tokio::time::timeout(limit, asked(address, port, path)).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", limit.as_secs()))),
    }
}

async fn asked(address: Option<IpAddr>, port: u16, path: &str) -> io::Result<Answered> {
    let own: [SocketAddr; 2] = match address {
        Some(address) if !address.is_unspecified() => [(address, port).into(); 2],
        _ => [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()],
    };
    let mut stream = TcpStream::connect(own.as_slice()).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "what answers there speaks no HTTP: another program has the port")
    })
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
