//! What the server says, and what befalls a connection, as the port's errors.

use super::address::Address;
use super::numbers::TABLE;
use super::tds::{Error, Offer};
use crate::adapters::faults::{Sort, find};
use crate::core::ports::source::SourceError;
use std::time::Duration;

/// Errors of this class and above end the connection; the statement may be fine.
pub(super) const ENDS_CONNECTION: u8 = 20;

impl Address {
    /// Says why a connection did not go on.
    pub(super) fn error(&self, error: &Error) -> SourceError {
        match error {
            Error::Server(said) => {
                let row = find(TABLE, &said.number);
                let ends = said.class >= ENDS_CONNECTION;
                let (sort, advice) = match row {
                    Some(row) => (row.sort, row.advice),
                    None if ends => (Sort::Passing, "the server ended the connection; a run tries again by itself"),
                    None => (Sort::Failed, "the server's log may say more"),
                };
                let text = format!("error {}, line {}: {}; {advice}", said.number, said.line, said.text);
                match sort {
                    Sort::Passing => self.unreachable(text),
                    Sort::Denied => SourceError::Denied { source_name: self.name.clone(), reason: text },
                    Sort::Statement => {
                        SourceError::Refused { reason: format!("{} refused the statement: {text}", self.name) }
                    }
                    Sort::Failed if ends => self.unreachable(text),
                    Sort::Failed => self.failed(text),
                }
            }
            Error::Io(error) => self.unreachable(format!("the connection was lost: {error}")),
            // Bytes that make no sense come from a broken connection; the next one will tell.
            Error::Protocol(text) => self.unreachable(format!("the answer makes no sense: {text}")),
            Error::Miscounted { rows, count } => {
                self.failed(format!("{rows} rows came where the server counts {count}; start the run anew"))
            }
            // Who reads the row knows its key and the column's name.
            Error::TooLong { column, bytes } => SourceError::Value {
                column: column.to_string(),
                key: String::new(),
                reason: format!("the value has at least {bytes} bytes"),
            },
            Error::Tls(text) | Error::NoCommonTls(text) => self.failed(format!("TLS: {text}")),
            Error::ClosedInHandshake => {
                self.unreachable("the server closed the connection during TLS's handshake".to_owned())
            }
            Error::Elsewhere { host, port } => {
                self.failed(format!("the server sent us on to {host}:{port} in mid-session"))
            }
        }
    }

    /// A handshake that came to nothing, and what the server would have taken.
    pub(super) fn no_common_tls(&self, error: &Error, offer: Option<Offer>) -> SourceError {
        let Some(offer) = offer else { return self.error(error) };
        self.failed(format!(
            "TLS: the server and filegen have nothing in common: the server takes {offer}, and filegen has TLS 1.2 (with \
             `Encrypt=strict` 1.3 too) with ECDHE and AES-GCM or ChaCha20. Turn on \
             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 on the server, which Windows Server has from 2016 on; on 2012 R2 give it an \
             ECDSA certificate, with which it has such suites. `Encrypt=off` sends all in the clear, the password too"
        ))
    }

    /// A wait that took too long.
    pub(super) fn late(&self, what: &str, key: &str, wait: Duration) -> SourceError {
        self.unreachable(format!("{what} within {} s; `{key}` in the address sets this time", wait.as_secs_f64()))
    }

    pub(super) fn unreachable(&self, reason: String) -> SourceError {
        SourceError::Unreachable { source_name: self.name.clone(), reason }
    }

    pub(super) fn failed(&self, reason: String) -> SourceError {
        SourceError::Failed { source_name: self.name.clone(), reason }
    }
}
