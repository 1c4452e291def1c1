//! What the server says, and what befalls a connection, as the port's errors.

use super::address::Address;
use super::tds::{Error, Offer};
use crate::core::ports::source::SourceError;
use std::time::Duration;

/// Numbers of errors that pass: lock and deadlock victims, a database or an availability group that is starting or moving,
/// a server that goes down, a network that broke, resources that are short (memory, locks, Azure SQL's limits).
const PASSING: [u32; 46] = [
    64, 233, 596, 601, 701, 802, 921, 922, 952, 976, 978, 982, 983, 988, 1204, 1205, 1222, 4221, 6005, 8628, 8645,
    8651, 10053, 10054, 10060, 10928, 10929, 10936, 17142, 17197, 18401, 40143, 40197, 40501, 40540, 40544, 40549,
    40613, 41305, 41325, 42108, 42109, 49918, 49919, 49920, 49983,
];

/// Numbers of errors that refuse a login, a database or a right. Another try would not help, and may lock the account.
const DENIED: [u32; 26] = [
    229, 230, 297, 300, 911, 916, 4060, 4064, 18450, 18451, 18452, 18456, 18458, 18463, 18464, 18465, 18466, 18467,
    18468, 18470, 18486, 18487, 18488, 40532, 40615, 40914,
];

/// Numbers of errors that a statement's text brings about, which is to say a predicate or a view that does not compile:
/// syntax, unknown names, types that do not go together.
const OUR_STATEMENT: [u32; 16] = [102, 105, 137, 156, 170, 195, 206, 207, 208, 209, 402, 4104, 4121, 4145, 4413, 8116];

/// Errors of this class and above end the connection; the statement may be fine.
pub(super) const ENDS_CONNECTION: u8 = 20;

impl Address {
    /// Says why a connection did not go on.
    pub(super) fn error(&self, error: &Error) -> SourceError {
        match error {
            Error::Server(said) => {
                let text = format!("error {}, line {}: {}", said.number, said.line, said.text);
                if DENIED.contains(&said.number) {
                    let reason = format!("{text}{}", hint(said.number));
                    SourceError::Denied { source_name: self.name.clone(), reason }
                } else if PASSING.contains(&said.number) || said.class >= ENDS_CONNECTION {
                    self.unreachable(text)
                } else if OUR_STATEMENT.contains(&said.number) {
                    let reason =
                        format!("{} refused the statement: {text}; check the view, and each `where`", self.name);
                    SourceError::Refused { reason }
                } else {
                    self.failed(format!("{text}{}", hint(said.number)))
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

/// What to do about some errors.
fn hint(number: u32) -> &'static str {
    match number {
        229 | 230 => "; GRANT SELECT on the view to this login",
        297 | 300 | 916 => "; GRANT this login what it needs, at least CONNECT and SELECT on the view",
        306 => "; choose another key, or CAST the column in the view",
        911 | 4060 | 4064 => "; check Database in the address, and that this login may open it",
        3952 => "; or leave out `isolation: snapshot`",
        8115 => "; a control total or a value is wider than its type",
        18463..=18468 | 18487 | 18488 => "; give the login a new password",
        18470 | 18486 => "; have the login enabled or unlocked",
        18450..=18458 => "; check User Id and Password",
        40532 | 40615 | 40914 => "; check the server's name and its firewall",
        _ => "",
    }
}
