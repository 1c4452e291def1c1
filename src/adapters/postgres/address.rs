//! Where a PostgreSQL server is and how it is reached: the URL or keyword/value string of the worker file.

use crate::adapters::tls::Check;
use crate::core::model::spec::Secret;
use crate::core::ports::source::SourceError;
use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Longest wait for a connection where the address does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A silent connection is asked for a sign of life after this long; the client library's default is two hours.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// The client library's default, which stands for "not given".
const LIBRARY_IDLE: Duration = Duration::from_hours(2);

/// An address, ready to connect to.
#[derive(Clone)]
pub(super) struct Address {
    /// For the client library.
    pub config: Config,
    /// How the certificate is checked, as `sslmode` has it.
    pub check: Check,
    /// The file with the certificates of authorities; none: those of the system.
    pub root_certificates: Option<PathBuf>,
    /// `postgres://host:5432/db`: without user and password.
    pub name: String,
}

impl Address {
    /// Reads `postgres://…`, `postgresql://…` or `host=… user=…`, with libpq's `sslmode` and `sslrootcert`.
    ///
    /// # Errors
    /// [`SourceError::Refused`], without the address: it may hold a password.
    pub(super) fn parse(text: &Secret) -> Result<Self, SourceError> {
        let (rest, tls) = take_tls(text.reveal());
        let mut config: Config = rest.parse().map_err(|error| refused(&reasons(&error)))?;
        let has_roots = tls.root_certificates.is_some();
        let (mode, check) = match tls.mode.as_deref() {
            Some("disable") => (SslMode::Disable, Check::Nothing),
            None | Some("allow" | "prefer") => (SslMode::Prefer, Check::Nothing),
            Some("require") if has_roots => (SslMode::Require, Check::Authority),
            Some("require") => (SslMode::Require, Check::Nothing),
            Some("verify-ca") => (SslMode::Require, Check::Authority),
            Some("verify-full") => (SslMode::Require, Check::Host),
            Some(other) => {
                let known = "disable, allow, prefer, require, verify-ca or verify-full";
                return Err(refused(&format!("sslmode `{other}` is not known; it is one of {known}")));
            }
        };
        config.ssl_mode(mode);
        fill_in(&mut config);
        let name = name(&config);
        let root_certificates = tls.root_certificates.filter(|path| path.as_os_str() != "system");
        Ok(Self { config, check, root_certificates, name })
    }
}

/// Sets what the address leaves open.
fn fill_in(config: &mut Config) {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host("localhost");
    }
    if config.get_application_name().is_none() {
        config.application_name("filegen");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_keepalives_idle() == LIBRARY_IDLE {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
}

/// Every host with its port, and the database.
fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    let mut hosts: Vec<String> = (config.get_hosts().iter().enumerate())
        .map(|(index, host)| match host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", port(index)),
            Host::Tcp(host) => format!("{host}:{}", port(index)),
            Host::Unix(path) => format!("{}:{}", path.display(), port(index)),
        })
        .collect();
    if hosts.is_empty() {
        let addresses = config.get_hostaddrs().iter().enumerate();
        hosts = addresses.map(|(index, ip)| std::net::SocketAddr::new(*ip, port(index)).to_string()).collect();
    }
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{}/{database}", hosts.join(","))
}

fn refused(reason: &str) -> SourceError {
    let form = "write postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters as %XX";
    SourceError::Refused { reason: format!("the PostgreSQL address cannot be used: {reason}; {form}") }
}

/// An error and what caused it.
fn reasons(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", reasons(cause)),
        None => error.to_string(),
    }
}

/// The settings that the client library does not know, or knows in part.
#[derive(Default)]
struct Tls {
    mode: Option<String>,
    root_certificates: Option<PathBuf>,
}

impl Tls {
    /// Takes a setting if it is about TLS.
    fn take(&mut self, key: &str, value: &str) -> bool {
        match key {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.root_certificates = Some(PathBuf::from(value)),
            _ => return false,
        }
        true
    }
}

/// Parts the settings about TLS from the rest of an address.
fn take_tls(text: &str) -> (String, Tls) {
    let mut tls = Tls::default();
    let rest = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let (head, query) = text.split_once('?').unwrap_or((text, ""));
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let kept = query.split('&').filter(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            !pair.is_empty() && !tls.take(&decode(key), &decode(value))
        });
        let kept: Vec<&str> = kept.collect();
        if kept.is_empty() { head.to_owned() } else { format!("{head}?{}", kept.join("&")) }
    } else {
        let kept = pairs(text).into_iter().filter(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            !tls.take(key.trim(), &unquoted(value.trim()))
        });
        kept.collect::<Vec<_>>().join(" ")
    };
    (rest, tls)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, String> {
        Address::parse(&Secret::new(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_of_address_is_named_without_secrets() {
        for (text, name) in [
            ("postgres://u:s3cret@db.bank:6432/loans", "postgres://db.bank:6432/loans"),
            ("postgresql://u:s3cret@db.bank/loans?connect_timeout=3", "postgres://db.bank:5432/loans"),
            ("postgres://u:s3cret@a:1,b:2/loans", "postgres://a:1,b:2/loans"),
            ("host=db.bank user=u password='s3 cret' dbname=loans", "postgres://db.bank:5432/loans"),
            ("user=u password=s3cret", "postgres://localhost:5432/u"),
            ("postgres://u:s3cret@%2Frun%2Fpg/loans", "postgres:///run/pg:5432/loans"),
        ] {
            assert_eq!(parse(text).unwrap().name, name);
        }
    }

    #[test]
    fn a_bad_address_is_refused_without_its_password() {
        for text in ["postgres://u:s3cret@h:port/db", "host=h password=s3cret nonsense=1", "postgres://u:s3cret@h/?x=1"]
        {
            let error = parse(text).err().unwrap();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn sslmode_says_how_the_certificate_is_checked() {
        let check = |text: &str| parse(text).map(|address| (address.config.get_ssl_mode(), address.check));
        assert_eq!(check("postgres://h/db"), Ok((SslMode::Prefer, Check::Nothing)));
        assert_eq!(check("postgres://h/db?sslmode=disable"), Ok((SslMode::Disable, Check::Nothing)));
        assert_eq!(check("host=h sslmode = 'require'"), Ok((SslMode::Require, Check::Nothing)));
        assert_eq!(check("postgres://h/db?sslmode=verify-full"), Ok((SslMode::Require, Check::Host)));
        let rooted = parse(r"host=h sslrootcert='/etc/my\'s ca.pem' sslmode=require user=u").unwrap();
        assert_eq!(rooted.check, Check::Authority);
        assert_eq!(rooted.root_certificates, Some(PathBuf::from("/etc/my's ca.pem")));
        assert_eq!(rooted.config.get_user(), Some("u"));
        let rooted = parse("postgres://h/db?sslmode=verify-ca&sslrootcert=%2Fca.pem&application_name=x").unwrap();
        assert_eq!(rooted.root_certificates, Some(PathBuf::from("/ca.pem")));
        assert_eq!(rooted.config.get_application_name(), Some("x"));
        assert!(check("postgres://h/db?sslmode=sometimes").is_err());
    }
}
