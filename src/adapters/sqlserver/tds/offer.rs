//! What a server takes of TLS that is not offered here: old versions, and cipher suites with CBC or without ECDHE. Asked only behind
//! a handshake that failed, so that the error can say why. Nothing of this handshake is used.

use super::channel::{Connection, PRELOGIN, packets};
use super::{Error, senseless};
use std::fmt;
use tds_protocol::prelogin::{EncryptionLevel, PreLogin};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The suites that are asked about, by number, as the IANA registry "TLS Cipher Suites" names them.
const SUITES: [(u16, &str); 23] = [
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
];

/// Kinds of TLS records and of handshake messages.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Bytes before a record's content.
const RECORD_HEADER: usize = 5;

/// What a server chose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Offer {
    version: u16,
    suite: u16,
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SUITES.iter().find(|(number, _)| *number == self.suite) {
            Some((_, name)) => f.write_str(name)?,
            None => write!(f, "cipher suite {:#06x}", self.suite)?,
        }
        match self.version {
            0x0303 => f.write_str(" in TLS 1.2"),
            0x0302 => f.write_str(" in TLS 1.1"),
            0x0301 => f.write_str(" in TLS 1.0"),
            other => write!(f, " in version {other:#06x} of TLS"),
        }
    }
}

impl Connection {
    /// Asks a server which of the old suites it would take, on a connection that nothing was said on.
    ///
    /// # Errors
    /// When it takes none either.
    pub(in super::super) async fn offer(mut self, host: &str, strict: bool) -> Result<Offer, Error> {
        let hello = client_hello(host);
        if strict {
            self.tcp.write_all(&hello).await?;
            let mut head = [0; RECORD_HEADER];
            self.tcp.read_exact(&mut head).await?;
            let mut content = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            self.tcp.read_exact(&mut content).await?;
            return chosen(&[head.as_slice(), &content].concat());
        }
        self.send(PRELOGIN, &PreLogin::new().with_encryption(EncryptionLevel::On).encode()).await?;
        self.early_message().await?;
        self.tcp.write_all(&packets(PRELOGIN, &hello, super::channel::FIRST_PACKET)).await?;
        chosen(&self.early_message().await?)
    }
}

/// A length in so many bytes, and what is that long.
fn counted(bytes: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [length.get(length.len() - bytes..).unwrap_or_default(), content].concat()
}

/// A record with a ClientHello of TLS 1.2 that offers the old suites (RFC 5246, 7.4.1.2).
fn client_hello(host: &str) -> Vec<u8> {
    let numbers = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let extension = |kind: u16, content: &[u8]| [kind.to_be_bytes().as_slice(), &counted(2, content)].concat();
    let mut extensions = Vec::new();
    if host.parse::<std::net::IpAddr>().is_err() {
        let name = [&[0], counted(2, host.as_bytes()).as_slice()].concat();
        extensions.extend(extension(0, &counted(2, &name)));
    }
    // The curves P-256, P-384, P-521 and X25519; points as they are; SHA-2 and SHA-1 with RSA and ECDSA.
    extensions.extend(extension(10, &counted(2, &numbers(&[23, 24, 25, 29]))));
    extensions.extend(extension(11, &[1, 0]));
    let signatures = [0x0401, 0x0501, 0x0601, 0x0201, 0x0403, 0x0503, 0x0603, 0x0203];
    extensions.extend(extension(13, &counted(2, &numbers(&signatures))));
    let suites: Vec<u16> = SUITES.iter().map(|(number, _)| *number).collect();
    let mut body = vec![3, 3];
    // Nothing is kept secret by it.
    body.extend_from_slice(b"filegen asks what is on offer...");
    body.push(0);
    body.extend(counted(2, &numbers(&suites)));
    body.extend([1, 0]);
    body.extend(counted(2, &extensions));
    let message = [&[CLIENT_HELLO], counted(3, &body).as_slice()].concat();
    [&[HANDSHAKE, 3, 1], counted(2, &message).as_slice()].concat()
}

/// What a ServerHello at the start of the first record says.
fn chosen(records: &[u8]) -> Result<Offer, Error> {
    let Some([HANDSHAKE, _, _, _, _, SERVER_HELLO, _, _, _, major, minor, rest @ ..]) = records.get(..) else {
        return senseless("no ServerHello");
    };
    // A random number of 32 bytes, and a session's name with its length.
    let suite = rest.get(32).and_then(|name| rest.get(33 + usize::from(*name)..)).and_then(|rest| rest.first_chunk());
    let Some(suite) = suite else { return senseless("a ServerHello that ends early") };
    Ok(Offer { version: u16::from_be_bytes([*major, *minor]), suite: u16::from_be_bytes(*suite) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_hello_says_what_the_server_takes() {
        let mut hello = vec![22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3];
        hello.extend([7; 32]);
        hello.extend([2, 1, 1, 0xc0, 0x28, 0]);
        assert_eq!(chosen(&hello).unwrap().to_string(), "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 in TLS 1.2");
        for length in 0..hello.len() - 1 {
            assert!(chosen(&hello[..length]).is_err(), "{length}");
        }
        assert!(chosen(&[21, 3, 3, 0, 2, 2, 40]).is_err(), "an alert");
    }
}
