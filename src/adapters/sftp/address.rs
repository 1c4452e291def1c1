//! `sftp://USER[:PASSWORD]@HOST[:PORT]/PATH`.

use crate::adapters::url_parts;
use crate::core::model::peer::{MASK, host_shown, name_shown};
use crate::core::model::secret::Secret;

/// The port where none is written.
const PORT: u16 = 22;

const FORM: &str = "this is no `sftp://USER@HOST:22/PATH`";

const LOGIN: &str =
    "the login cannot be read: in user and password, each of `:/?#[]@%` must be percent-encoded (`@` as `%40`)";

/// An address, read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    /// An address of IPv6 has its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The folder: from the server's root, or from the folder that a login begins in.
    pub(super) path: String,
}

impl Address {
    /// Reads an address. `/~/in` is a folder below the one that a login begins in; any other path begins at the server's root.
    ///
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        if !scheme.eq_ignore_ascii_case("sftp") {
            return Err(FORM);
        }
        // A password with an `@` or `/` in it is refused, not taken for a host or a path.
        let (login, place) = rest.split_once('@').ok_or("the user is missing: write `sftp://USER@HOST/PATH`")?;
        let (user, password) = url_parts::login(login).filter(|(user, _)| !user.is_empty()).ok_or(LOGIN)?;
        let (host, path) = place.split_once('/').map_or((place, None), |(host, path)| (host, Some(path)));
        let (host, port) =
            url_parts::host_and_port(host, PORT).ok_or("behind the `@` stands neither `HOST` nor `HOST:PORT`")?;
        let path = folder(path.unwrap_or("~")).ok_or(
            "the path cannot be read: it has neither `..` nor control characters, and `?`, `#`, `@` as `%3F`, `%23`, `%40`",
        )?;
        Ok(Self { user, password, host, port, path })
    }

    /// The host as a resolver takes it.
    pub(super) fn name(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// As others may see it.
    pub(super) fn shown(&self) -> String {
        let (user, host) = (name_shown(&self.user), host_shown(&self.host));
        let path = self.path.strip_prefix('.').map_or_else(|| self.path.clone(), |below| format!("/~{below}"));
        format!("sftp://{user}@{host}:{}{path}", self.port)
    }
}

fn folder(path: &str) -> Option<String> {
    if path.contains(['?', '#', '@']) {
        return None;
    }
    let path = url_parts::decoded(path)?;
    let (root, below) = match path.strip_prefix('~') {
        Some(below) if below.is_empty() || below.starts_with('/') => (".", below),
        _ => ("", path.as_str()),
    };
    let mut folder = root.to_owned();
    for name in below.split('/').filter(|name| !name.is_empty() && *name != ".") {
        if name == ".." || name.chars().any(char::is_control) {
            return None;
        }
        folder.push('/');
        folder.push_str(name);
    }
    Some(if folder.is_empty() { "/".to_owned() } else { folder })
}

/// An address as others may see it; nothing is weak about a connection to it: it is encrypted, and the host's key is checked. `None`
/// when it cannot be read.
pub fn look(url: &Secret) -> Option<(String, Option<(String, &'static str)>)> {
    let address = Address::parse(url.reveal()).ok()?;
    let shown = address.shown();
    let login = format!("{}@", name_shown(&address.user));
    let masked = format!("{}:{MASK}@", name_shown(&address.user));
    Some((if address.password.is_some() { shown.replacen(&login, &masked, 1) } else { shown }, None))
}

/// Why an address cannot be read, without any part of it.
pub fn refused(url: &Secret) -> Option<String> {
    Address::parse(url.reveal()).err().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_without_its_secret() {
        for (url, path, shown) in [
            ("sftp://ann@partner.bank", ".", "sftp://ann@partner.bank:22/~"),
            ("sftp://ann@partner.bank/", "/", "sftp://ann@partner.bank:22/"),
            ("SFTP://ann@10.0.0.7:2222/in/", "/in", "sftp://ann@10.0.0.7:2222/in"),
            ("sftp://ann:s3%40cret@[::1]:1/~/a%20b//c", "./a b/c", "sftp://ann:***@[::1]:1/~/a b/c"),
            ("sftp://ann@h/~x/in", "/~x/in", "sftp://ann@h:22/~x/in"),
        ] {
            let secret = Secret::new(url);
            assert_eq!(Address::parse(url).map(|it| it.path), Ok(path.to_owned()), "{url}");
            assert_eq!(look(&secret), Some((shown.to_owned(), None)), "{url}");
        }
        for url in [
            "",
            "ssh://a@b",
            "sftp://host/in",
            "sftp://@host/in",
            "sftp://ann@/in",
            "sftp://ann@h:0/in",
            "sftp://ann@h/a/../b",
            "sftp://ann@h/a%0Ab",
            "sftp://ann:xq/zz@h/in",
            "sftp://ann:xq@zz@h/in",
            "sftp://ann:xqzz@h/in?x",
        ] {
            let secret = Secret::new(url);
            assert!(look(&secret).is_none() && refused(&secret).is_some_and(|why| !why.contains("xq")), "{url}");
        }
    }
}
