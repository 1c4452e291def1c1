//! Parts of addresses that our own parsers read: what a client's parser takes differently from what people write is read here.

use crate::core::model::secret::Secret;
use percent_encoding::percent_decode_str;

/// User and password, or what stands there alone, percent-decoded. `None` where a sign of a password ended something early.
pub(super) fn login(text: &str) -> Option<(String, Option<Secret>)> {
    if text.is_empty() || text.contains(['/', '?', '#', '@']) {
        return None;
    }
    match text.split_once(':') {
        Some((user, password)) => Some((decoded(user)?, Some(Secret::new(decoded(password)?)))),
        None => Some((decoded(text)?, None)),
    }
}

/// A text without its `%XX`. `None` where that is no UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`, an address of IPv6 with its brackets. `None` for anything else.
pub(super) fn host_and_port(text: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|port| *port > 0)?),
        _ => (text, default),
    };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
    };
    fits.then(|| (host.to_owned(), port))
}
