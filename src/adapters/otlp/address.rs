//! `https://HOST:PORT/PATH`: where a collector is.

use crate::adapters::http::Place;
use crate::core::model::peer::{Insecure, MASK, Peer, host_shown, is_loopback};
use crate::core::model::trace::TraceSpec;

/// A collector, and the path that it takes traces at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Address {
    pub(super) place: Place,
    pub(super) path: String,
}

impl Address {
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form = "this is no `https://HOST:PORT/PATH`";
        let (scheme, rest) = text.split_once("://").ok_or(form)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.contains('@') {
            return Err(format!("{form}: it has no login, {MASK}; write one into the headers"));
        }
        let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '?' | '@');
        if !path.chars().all(fits) {
            return Err(format!("{form}: its path has other signs than letters, digits and `/`"));
        }
        let place = Place::parse(&format!("{scheme}://{host}")).map_err(|_| form)?;
        Ok(Self { place, path: format!("/{path}") })
    }

    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.place.shown(), host_shown(&self.path))
    }
}

/// Why a collector's address cannot be read, without any part of it.
pub fn refused(spec: &TraceSpec) -> Option<String> {
    Address::parse(spec.endpoint.reveal()).err()
}

/// A collector's address as others may see it. `None` when it cannot be read.
pub fn shown(spec: &TraceSpec) -> Option<String> {
    Address::parse(spec.endpoint.reveal()).ok().map(|address| address.shown())
}

/// What is weak about a connection to it.
pub fn weakness(spec: &TraceSpec) -> Option<Insecure> {
    let place = Address::parse(spec.endpoint.reveal()).ok()?.place;
    (!place.is_tls && !is_loopback(&place.host)).then(|| Insecure {
        peer: Peer::Otlp,
        field: spec.variable.to_owned(),
        what: format!(
            "the connection to the collector of traces at {} is not encrypted: names of files and secret headers can be read on the way",
            place.shown()
        ),
        instead: "write `https://` into OTEL_EXPORTER_OTLP_ENDPOINT, and name an authority of your own in OTEL_EXPORTER_OTLP_CERTIFICATE",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_place_and_a_path_and_no_login() {
        for (text, shown) in [
            ("https://otel.bank/v1/traces", "https://otel.bank/v1/traces"),
            ("http://[::1]:4318/v1/traces", "http://[::1]:4318/v1/traces"),
            ("https://h:443", "https://h/"),
            ("https://h/a%20b", "https://h***"),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.shown()).as_deref(), Ok(shown), "{text}");
        }
        for text in
            ["", "otel:4318", "grpc://h", "https://u:xqzz@h/", "https://h/a?key=xqzz", "https://h/x y", "https:///p"]
        {
            assert!(Address::parse(text).is_err_and(|why| !why.contains("xq")), "{text}");
        }
    }
}
