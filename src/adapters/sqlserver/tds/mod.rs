//! SQL Server's protocol, TDS 7.4 and 8.0, as far as reading needs it. The messages are [`tds_protocol`]'s; the connection
//! and the rows are ours: a row is found in the bytes as they came, and its values go from there straight into the
//! columns of a page. (\[MS-TDS\], Tabular Data Stream Protocol, is the specification.)

mod channel;
mod column;
mod login;
mod offer;
mod packet_buffer;
mod reply;
mod request;
mod row;
mod value;

pub(super) use channel::Connection;
pub(super) use column::{Column, Described};
pub(super) use login::{Encryption, Login};
pub(super) use offer::Offer;
pub(super) use reply::Step;
pub(super) use request::{binary, declared, text};
pub(super) use row::{Record, RowBytes};
pub(super) use value::{Value, number, utf8};

use std::io;
use tds_protocol::ProtocolError;

/// Why a connection cannot go on. After any of these it is to be dropped.
#[derive(Debug)]
pub(super) enum Error {
    /// What the server said.
    Server(ServerMessage),
    /// It was lost.
    Io(io::Error),
    /// The bytes make no sense.
    Protocol(String),
    /// The value of this column, from 0, is longer than asked for: so many bytes, as far as they are known.
    TooLong { column: usize, bytes: u64 },
    /// Fewer or more rows came than the server counts: another try would go on behind the gap.
    Miscounted { rows: u64, count: u64 },
    /// The two do not agree on encryption, or the certificate is not to be trusted.
    Tls(String),
    /// The two have no version or cipher suite of TLS in common, by the words of either.
    NoCommonTls(String),
    /// The server closed the connection during TLS's handshake, without a word. Some do so for the same reason.
    ClosedInHandshake,
    /// The login is to be tried there instead.
    Elsewhere { host: String, port: u16 },
}

/// A server's error.
#[derive(Debug)]
pub(super) struct ServerMessage {
    pub number: u32,
    /// Severity: 20 and above end the connection.
    pub class: u8,
    pub line: u32,
    pub text: String,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error.to_string())
    }
}

/// A complaint about the bytes.
fn senseless<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Protocol(what.into()))
}
