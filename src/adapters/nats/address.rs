//! Addresses of NATS's servers: read here, not by the client, which takes a login as it is written, `%40` and all.

use crate::adapters::url_parts;
use crate::core::model::peer::{MASK, host_shown, is_loopback};
use crate::core::model::secret::Secret;

/// The port where none is written.
const PORT: u16 = 4222;

const LOGIN: &str =
    "the login cannot be read: in user and password, each of `:/?#[]@%,` must be percent-encoded (`@` as `%40`)";

const SERVER: &str = "a server is not `HOST` or `HOST:PORT`; a login stands before an `@`";

/// One server of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Server {
    is_encrypted: bool,
    host: String,
    port: u16,
}

/// An address, read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    servers: Vec<Server>,
    /// User and password, or a token alone.
    pub(super) login: Option<(String, Option<Secret>)>,
}

impl Address {
    /// Reads `nats://[USER:PASSWORD@]HOST[:PORT]` or `tls://…`, several of them comma separated with the login at the first one.
    ///
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (mut servers, mut login) = (Vec::new(), None);
        for part in text.split(',').map(str::trim) {
            let (scheme, rest) = part.split_once("://").unwrap_or(("nats", part));
            let is_encrypted = match scheme.to_ascii_lowercase().as_str() {
                "nats" => false,
                "tls" => true,
                _ => return Err("this is no address of NATS"),
            };
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            let (user, place) = match rest.rsplit_once('@') {
                Some((user, place)) => (Some(user), place),
                None => (None, rest),
            };
            if let Some(user) = user {
                if !servers.is_empty() {
                    return Err("only the first server may have a login, which then counts for all");
                }
                login = Some(url_parts::login(user).ok_or(LOGIN)?);
            }
            servers.push(server(place, is_encrypted).ok_or(SERVER)?);
        }
        // A server without encryption would get what the others get encrypted.
        let is_one_kind =
            servers.iter().all(|server| Some(server.is_encrypted) == servers.first().map(|it| it.is_encrypted));
        if is_one_kind { Ok(Self { servers, login }) } else { Err("some servers are with `tls://`, and some without") }
    }

    /// As the client takes it: without login.
    pub(super) fn servers(&self) -> Vec<String> {
        let scheme = if self.is_encrypted() { "tls" } else { "nats" };
        self.servers.iter().map(|server| format!("{scheme}://{}:{}", server.host, server.port)).collect()
    }

    /// Whether the connection is encrypted in any case.
    pub(super) fn is_encrypted(&self) -> bool {
        self.servers.iter().all(|server| server.is_encrypted)
    }

    /// Hosts and ports.
    pub(super) fn places(&self) -> String {
        let places: Vec<String> =
            self.servers.iter().map(|server| format!("{}:{}", host_shown(&server.host), server.port)).collect();
        places.join(",")
    }

    fn is_local(&self) -> bool {
        self.servers.iter().all(|server| is_loopback(&server.host))
    }
}

fn server(text: &str, is_encrypted: bool) -> Option<Server> {
    let (host, port) = url_parts::host_and_port(text, PORT)?;
    Some(Server { is_encrypted, host, port })
}

/// An address as others may see it, and what is weak about a connection to it: what, and what to write instead. `None` when it
/// cannot be read.
pub fn look(url: &Secret) -> Option<(String, Option<(String, &'static str)>)> {
    let address = Address::parse(url.reveal()).ok()?;
    let places = address.places();
    // Also its user: a token that was pasted with a `:` in it reads as user and password.
    let login = if address.login.is_some() { format!("{MASK}@") } else { String::new() };
    let scheme = if address.is_encrypted() { "tls" } else { "nats" };
    let weakness = (!address.is_encrypted() && !address.is_local())
        .then(|| (format!("the connection to {places} is not encrypted"), "write `tls://…`"));
    Some((format!("{scheme}://{login}{places}"), weakness))
}

/// Why an address cannot be read, without any part of it.
pub fn refused(url: &Secret) -> Option<String> {
    Address::parse(url.reveal()).err().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secret() {
        for (url, shown, is_weak) in [
            ("nats://localhost", "nats://localhost:4222", false),
            ("localhost:4333", "nats://localhost:4333", false),
            ("nats://10.0.0.7", "nats://10.0.0.7:4222", true),
            ("nats://ann:s3%40cret@[::1]:1", "nats://***@[::1]:1", false),
            ("nats://s3crettoken@nats.bank", "nats://***@nats.bank:4222", true),
            ("s3cret:token@nats.bank", "nats://***@nats.bank:4222", true),
            ("tls://ann:s3cret@a.bank, tls://b.bank:9/", "tls://***@a.bank:4222,b.bank:9", false),
            ("nats://localhost,nats://b.bank", "nats://localhost:4222,b.bank:4222", true),
        ] {
            let looked = look(&Secret::new(url)).map(|(shown, weakness)| (shown, weakness.is_some()));
            assert_eq!(looked, Some((shown.to_owned(), is_weak)), "{url}");
        }
        for url in [
            "",
            "http://a",
            "ws://a",
            "nats://",
            "nats://a:0",
            "nats://a:port",
            "nats://ann:s3/cret@a",
            "nats://ann:s3@cret@a",
            "nats://ann:a,b@c",
            "nats://a,nats://u:p@b",
            "tls://a,nats://b",
            "nats://[zz]:1",
        ] {
            assert_eq!(look(&Secret::new(url)), None, "{url}");
        }
    }

    #[test]
    fn a_password_that_ends_something_early_is_not_shown() {
        for password in
            ["abc@def@ghi", "abc/def", "abc#def", "abc?def", "abc,def", "123,def", "123/7", "12%4x0y", "abc def"]
        {
            for url in [
                format!("nats://ann:{password}@nats.bank"),
                format!("tls://{password}@nats.bank"),
                format!("ann:{password}@nats.bank"),
            ] {
                let shown = look(&Secret::new(url.as_str())).map_or_else(String::new, |(shown, _)| shown);
                let pieces: Vec<&str> =
                    password.split(['@', '/', '#', '?', ',', ':', '%', ' ']).filter(|piece| piece.len() > 2).collect();
                assert!(pieces.iter().all(|piece| !shown.contains(piece)), "{url}: {shown}");
            }
        }
    }

    #[test]
    fn a_login_is_read_with_its_signs_escaped() {
        let (user, password) = Address::parse("nats://a%3An:p%40%2F%25@h").unwrap().login.unwrap();
        assert_eq!((user.as_str(), password.unwrap().reveal()), ("a:n", "p@/%"));
        assert_eq!(Address::parse("nats://t0k%20en@h").unwrap().login, Some(("t0k en".to_owned(), None)));
    }
}
