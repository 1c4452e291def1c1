//! The settings of an address that are ours, apart from those that are the client library's.

use percent_encoding::percent_decode_str;
use std::path::PathBuf;

/// The settings that the client library does not know, or knows in part.
#[derive(Default)]
pub(super) struct ParsedAddress {
    pub(super) mode: Option<String>,
    pub(super) root_certificates: Option<PathBuf>,
    pub(super) connect: Option<String>,
    pub(super) query: Option<String>,
    pub(super) idle: Option<String>,
    pub(super) methods: Option<String>,
    pub(super) kerberos: Option<String>,
    pub(super) least_tls: Option<String>,
}

impl ParsedAddress {
    /// Takes a setting if it is one of these.
    fn take(&mut self, key: &str, value: &str) -> bool {
        match key {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.root_certificates = Some(PathBuf::from(value)),
            "connect_timeout" => self.connect = Some(value.to_owned()),
            "query_timeout" => self.query = Some(value.to_owned()),
            "idle_timeout" => self.idle = Some(value.to_owned()),
            "require_auth" => self.methods = Some(value.to_owned()),
            "gssencmode" => self.kerberos = Some(value.to_owned()),
            "ssl_min_protocol_version" => self.least_tls = Some(value.to_owned()),
            // TLS compresses nothing any more, and the host's name is always sent.
            "sslcompression" | "sslsni" => {}
            _ => return false,
        }
        true
    }
}

/// Parts these settings from the rest of an address.
pub(super) fn take_said(text: &str) -> (String, ParsedAddress) {
    let mut said = ParsedAddress::default();
    let rest = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let (head, query) = text.split_once('?').unwrap_or((text, ""));
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let kept = query.split('&').filter(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            !pair.is_empty() && !said.take(&decode(key), &decode(value))
        });
        let kept: Vec<&str> = kept.collect();
        if kept.is_empty() { head.to_owned() } else { format!("{head}?{}", kept.join("&")) }
    } else {
        let kept = pairs(text).into_iter().filter(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            !said.take(key.trim(), &unquoted(value.trim()))
        });
        kept.collect::<Vec<_>>().join(" ")
    };
    (rest, said)
}

/// The `key = 'value'` pairs of a keyword/value string, as they stand; what is no pair is left to the client library.
fn pairs(text: &str) -> Vec<&str> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let value = rest.find('=').map_or(rest.len(), |equals| {
            let behind = &rest[equals + 1..];
            equals + 1 + (behind.len() - behind.trim_start().len())
        });
        let quoted = rest[value..].starts_with('\'');
        let mut escaped = false;
        let end = rest[value..].char_indices().skip(usize::from(quoted)).find(|(_, c)| {
            let ends = !escaped && if quoted { *c == '\'' } else { c.is_whitespace() };
            escaped = !escaped && *c == '\\';
            ends
        });
        let end = end.map_or(rest.len(), |(at, _)| value + at + usize::from(quoted));
        pairs.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    pairs
}

fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).unwrap_or(value);
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}
