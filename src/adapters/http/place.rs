//! Where a server is that speaks HTTP.

use crate::adapters::url_parts;
use crate::core::model::peer::host_shown;

const ENDPOINT: &str = "this is no `https://HOST:PORT`";

/// A server that speaks HTTP.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(in crate::adapters) struct Place {
    pub(in crate::adapters) is_tls: bool,
    /// An address of IPv6 has its brackets.
    pub(in crate::adapters) host: String,
    pub(in crate::adapters) port: u16,
}

impl Place {
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub(in crate::adapters) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or(ENDPOINT)?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(ENDPOINT),
        };
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = url_parts::host_and_port(host, if is_tls { 443 } else { 80 }).ok_or(ENDPOINT)?;
        Ok(Self { is_tls, host, port })
    }

    /// As the header `host` has it.
    pub(in crate::adapters) fn header(&self) -> String {
        let usual = if self.is_tls { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    pub(in crate::adapters) fn shown(&self) -> String {
        format!("http{}://{}", if self.is_tls { "s" } else { "" }, host_shown(&self.header()))
    }
}
