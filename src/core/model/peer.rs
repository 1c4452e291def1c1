//! Servers that this program connects to: their kinds, what of an address may be shown, and connections that are weaker than they
//! should be.

use std::net::IpAddr;

/// What stands for what is not shown.
pub const MASK: &str = "***";

/// Longest part of an address that is shown, in characters.
const PART_MAX: usize = 255;

/// A kind of server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Peer {
    /// PostgreSQL.
    Postgres,
    /// SQL Server.
    SqlServer,
    /// MongoDB.
    Mongo,
    /// Kafka.
    Kafka,
    /// Redis.
    Redis,
    /// NATS.
    Nats,
    /// An SFTP server.
    Sftp,
    /// An object store.
    S3,
    /// A collector of traces.
    Otlp,
}

impl Peer {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Postgres,
        Self::SqlServer,
        Self::Mongo,
        Self::Kafka,
        Self::Redis,
        Self::Nats,
        Self::Sftp,
        Self::S3,
        Self::Otlp,
    ];

    /// As metrics and reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::SqlServer => "sqlserver",
            Self::Mongo => "mongodb",
            Self::Kafka => "kafka",
            Self::Redis => "redis",
            Self::Nats => "nats",
            Self::Sftp => "sftp",
            Self::S3 => "s3",
            Self::Otlp => "otlp",
        }
    }
}

/// Whether an address is of NATS.
pub fn is_nats(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    lower.starts_with("nats://") || lower.starts_with("tls://")
}

/// Whether an address is of an SFTP server.
pub fn is_sftp(url: &str) -> bool {
    url.to_ascii_lowercase().starts_with("sftp://")
}

/// Whether an address is of a bucket.
pub fn is_s3(url: &str) -> bool {
    url.to_ascii_lowercase().starts_with("s3://")
}

/// Whether an address is of a server that speaks HTTP.
pub fn is_http(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Whether an address is of Redis.
pub fn is_redis(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    lower.starts_with("redis://") || lower.starts_with("rediss://")
}

/// A connection that somebody on the way may read, or answer in the server's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insecure {
    /// The kind of server.
    pub peer: Peer,
    /// The field of the file that says where it is: `source.url`, `trigger.kafka`.
    pub field: String,
    /// What is missing: `the connection to db.bank:5432 is not encrypted`.
    pub what: String,
    /// What to write in its place.
    pub instead: &'static str,
}

/// An address that its client cannot read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// The field of the file: `source.url`.
    pub field: &'static str,
    /// Why, without any part of the address that may be secret.
    pub why: String,
    /// What to write.
    pub hint: &'static str,
}

/// Whether a host is this one, so that nobody stands on the way.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let local = |host: &str| host == "localhost" || host.ends_with(".localhost");
    host.parse::<IpAddr>().map_or_else(|_| local(&host.to_ascii_lowercase()), |ip| ip.to_canonical().is_loopback())
}

/// A host, a port or a path of an address: itself when it looks like one, [`MASK`] when it may be part of a secret that was read
/// wrongly.
pub fn host_shown(text: &str) -> &str {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '/' | ',' | '\\');
    if text.chars().all(fits) && text.len() <= PART_MAX { text } else { MASK }
}

/// The name of a database, a user or a setting's value, by the same rule.
pub fn name_shown(text: &str) -> &str {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '$' | '#' | ' ');
    if text.chars().all(fits) && text.len() <= PART_MAX { text } else { MASK }
}

/// A client's words about an address, without what they repeat of it: each piece of three characters and more that stands in
/// both is [`MASK`].
pub fn without(words: &str, address: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(c) = rest.chars().next() {
        let mut end = 0;
        for (at, c) in rest.char_indices() {
            if !address.contains(&rest[..at + c.len_utf8()]) {
                break;
            }
            end = at + c.len_utf8();
        }
        if rest[..end].chars().count() >= 3 {
            if !shown.ends_with(MASK) {
                shown.push_str(MASK);
            }
            rest = &rest[end..];
        } else {
            shown.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_many_names() {
        for host in ["localhost", "LOCALHOST", "localhost.", "db.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "db", "localhost.bank", "0.0.0.0", "10.0.0.1", "::", "notlocalhost"] {
            assert!(!is_loopback(host), "{host}");
        }
        assert!(is_loopback("::ffff:127.0.0.1"));
    }

    #[test]
    fn a_clients_words_do_not_repeat_an_address() {
        assert_eq!(without("invalid port `s3cret`", "postgres://u:s3cret@h"), "invalid port `***`");
        assert_eq!(without("no", "no"), "no");
        let long = "a".repeat(2001);
        assert_eq!(without(&long, "aaa"), MASK);
    }

    #[test]
    fn a_part_that_is_no_name_is_not_shown() {
        assert_eq!(host_shown("db-1.bank,10.0.0.1:5432"), "db-1.bank,10.0.0.1:5432");
        assert_eq!(name_shown("Kredit Übersicht"), "Kredit Übersicht");
        for text in ["a@b", "p w:x", "x;y", "\u{202e}"] {
            assert_eq!((host_shown(text), name_shown(text)), (MASK, MASK));
        }
    }
}
