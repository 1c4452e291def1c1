//! Where a PostgreSQL server is and how it is reached: the URL or keyword/value string of the worker file.

use super::timeouts::{Limit, Timeouts};
use crate::adapters::tls::Check;
use crate::core::model::secret::Secret;
use crate::core::ports::source::SourceError;
use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Longest wait for a connection to a host where the address does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence after which a connection is probed. The client library's default is two hours.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// A connection is lost when sent data is not confirmed for this long. Linux by itself tries for a quarter of an hour.
const UNCONFIRMED: Duration = Duration::from_mins(1);
/// The client library's default, which stands for "not given".
const LIBRARY_IDLE: Duration = Duration::from_hours(2);

/// An address, ready to connect to.
#[derive(Clone)]
pub(super) struct Address {
    /// For the client library.
    pub config: Config,
    /// How the certificate is checked, as `sslmode` has it.
    pub check: Check,
    /// The file with the certificates of authorities. `None` takes those of the system.
    pub root_certificates: Option<PathBuf>,
    /// `postgres://host:5432/db`: without user and password.
    pub name: String,
    /// Longest waits on an open connection.
    pub timeouts: Timeouts,
    /// Longest wait for a connection to a host. `None` waits without end.
    connect: Option<Duration>,
}

impl Address {
    /// Reads `postgres://…`, `postgresql://…` or `host=… user=…`, with libpq's `sslmode`, `sslrootcert` and `connect_timeout`,
    /// and our own `query_timeout` and `idle_timeout`.
    ///
    /// # Errors
    /// [`SourceError::Refused`], without the address: it may hold a password.
    pub(super) fn parse(text: &Secret) -> Result<Self, SourceError> {
        let (rest, said) = take_said(text.reveal());
        let mut config: Config = rest.parse().map_err(|error| refused(&reasons(&error)))?;
        let has_roots = said.root_certificates.is_some();
        let (mode, check) = match said.mode.as_deref() {
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
        let seconds = |key: &str, said: &Option<String>| said.as_deref().map(|text| seconds(key, text)).transpose();
        let timeouts = Timeouts::new(seconds("query_timeout", &said.query)?, seconds("idle_timeout", &said.idle)?);
        let connect = Some(seconds("connect_timeout", &said.connect)?.unwrap_or(CONNECT_TIMEOUT));
        let connect = connect.filter(|wait| !wait.is_zero());
        if let Some(wait) = connect {
            config.connect_timeout(wait);
        }
        let name = name(&config);
        let root_certificates = said.root_certificates.filter(|path| path.as_os_str() != "system");
        Ok(Self { config, check, root_certificates, name, timeouts, connect })
    }

    /// For a session that is logged in, whichever host it is on: the library's own limit holds for each socket only, not for
    /// a server that takes it and then is silent.
    pub(super) fn login_limit(&self) -> Limit {
        let hosts = u32::try_from(self.config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
        Limit::login(self.connect.map(|wait| wait.saturating_mul(hosts.saturating_add(1))))
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
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNCONFIRMED);
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

/// Whole seconds.
fn seconds(key: &str, text: &str) -> Result<Duration, SourceError> {
    let number = text.strip_suffix('s').unwrap_or(text).parse();
    number.map(Duration::from_secs).map_err(|_| refused(&format!("{key} is a number of seconds; 0 waits without end")))
}

/// The settings that the client library does not know, or knows in part.
#[derive(Default)]
struct ParsedAddress {
    mode: Option<String>,
    root_certificates: Option<PathBuf>,
    connect: Option<String>,
    query: Option<String>,
    idle: Option<String>,
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
            _ => return false,
        }
        true
    }
}

/// Parts these settings from the rest of an address.
fn take_said(text: &str) -> (String, ParsedAddress) {
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

    #[test]
    fn waits_are_given_in_seconds_and_zero_is_without_end() {
        let waits = |text: &str| {
            let address = parse(text)?;
            let waits = (address.connect, address.timeouts.query, address.timeouts.idle);
            let seconds = |wait: Option<Duration>| wait.map(|wait| wait.as_secs());
            Ok::<_, String>((seconds(waits.0), seconds(waits.1), seconds(waits.2)))
        };
        let defaults = (Some(10), Some(600), Some(60));
        assert_eq!(waits("postgres://h/db"), Ok(defaults));
        assert_eq!(
            waits("postgres://h/db?connect_timeout=3&query_timeout=7200&idle_timeout=5"),
            Ok((Some(3), Some(7200), Some(5)))
        );
        assert_eq!(waits("host=h connect_timeout = 0 query_timeout='0' idle_timeout=0"), Ok((None, None, None)));
        assert_eq!(waits("postgres://h/db?query_timeout=90s&application_name=x"), Ok((Some(10), Some(90), Some(60))));
        for bad in ["-1", "soon", "1.5", ""] {
            let error = waits(&format!("postgres://u:s3cret@h/db?idle_timeout={bad}")).unwrap_err();
            assert!(error.contains("idle_timeout is a number of seconds") && !error.contains("s3cret"), "{error}");
        }
        let config = parse("postgres://h/db?connect_timeout=0").unwrap().config;
        assert_eq!((config.get_connect_timeout(), config.get_tcp_user_timeout()), (None, Some(&UNCONFIRMED)));
    }
}
