//! Where a PostgreSQL server is and how it is reached: the URL or keyword/value string of the worker file.

use super::auth::{MESSAGE_MAX, Methods};
use super::pairs::take_said;
use super::timeouts::{Limit, Timeouts};
use crate::adapters::tls::Check;
use crate::core::model::peer::{MASK, host_shown, is_loopback, name_shown, without};
use crate::core::model::secret::Secret;
use crate::core::ports::source::SourceError;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};

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
    /// For the client library. It leaves encryption to [`super::tls`], but for sockets of this host.
    pub config: Config,
    /// What is encrypted.
    pub demand: Demand,
    /// Whether the address says so itself.
    pub is_demand_said: bool,
    /// How the certificate is checked, as `sslmode` has it.
    pub check: Check,
    /// TLS begins without asking the server first.
    pub direct: bool,
    /// How the server may ask for the password.
    pub methods: Methods,
    /// The file with the certificates of authorities. `None` takes those of the system.
    pub root_certificates: Option<PathBuf>,
    /// `postgres://host:5432/db`: without user and password.
    pub name: String,
    /// Longest message behind the login.
    pub longest: usize,
    /// Longest waits on an open connection.
    pub timeouts: Timeouts,
    /// Longest wait for a connection to a host. `None` waits without end.
    connect: Option<Duration>,
}

/// What of a connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Demand {
    /// Nothing.
    Nothing,
    /// All, if the server offers it.
    IfOffered,
    /// All, or there is no connection.
    Always,
}

impl Address {
    /// Reads `postgres://…`, `postgresql://…` or `host=… user=…`, with libpq's `sslmode`, `sslrootcert`, `require_auth` and
    /// `connect_timeout`, and our own `query_timeout` and `idle_timeout`. Without `sslmode`, servers of other hosts are verified in
    /// full, which libpq does not do.
    ///
    /// # Errors
    /// [`SourceError::Refused`], without the address: it may hold a password.
    pub(super) fn parse(text: &Secret) -> Result<Self, SourceError> {
        check_marks(text.reveal()).map_err(refused)?;
        let (rest, said) = take_said(text.reveal());
        let mut config: Config = rest.parse().map_err(|error| refused(&reasons(&error, &rest)))?;
        fill_in(&mut config);
        let local = is_local(&config);
        let has_roots = said.root_certificates.is_some();
        let (demand, check) = match said.mode.as_deref() {
            Some("disable") => (Demand::Nothing, Check::Nothing),
            None if local => (Demand::IfOffered, Check::Nothing),
            Some("allow" | "prefer") => (Demand::IfOffered, Check::Nothing),
            Some("require") if has_roots => (Demand::Always, Check::Authority),
            Some("require") => (Demand::Always, Check::Nothing),
            Some("verify-ca") => (Demand::Always, Check::Authority),
            None | Some("verify-full") => (Demand::Always, Check::Host),
            Some(_) => {
                return Err(refused("sslmode is one of disable, allow, prefer, require, verify-ca and verify-full"));
            }
        };
        if said.kerberos.as_deref() == Some("require") {
            return Err(refused("gssencmode=require cannot be had: connections are encrypted by TLS; remove it"));
        }
        if said.least_tls.as_deref().is_some_and(|version| !LEAST_TLS.contains(&version)) {
            return Err(refused(
                "ssl_min_protocol_version is TLSv1, TLSv1.1 or TLSv1.2: nothing older than that is used",
            ));
        }
        let methods = Methods::parse(said.methods.as_deref()).map_err(refused)?;
        let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
            // The server offers no encryption there.
            config.ssl_mode(SslMode::Disable).ssl_negotiation(SslNegotiation::Postgres);
        } else {
            // The connector does what the library would: it is asked at once.
            config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        }
        let seconds = |key: &str, said: &Option<String>| said.as_deref().map(|text| seconds(key, text)).transpose();
        let timeouts = Timeouts::new(seconds("query_timeout", &said.query)?, seconds("idle_timeout", &said.idle)?);
        let connect = Some(seconds("connect_timeout", &said.connect)?.unwrap_or(CONNECT_TIMEOUT));
        let connect = connect.filter(|wait| !wait.is_zero());
        if let Some(wait) = connect {
            config.connect_timeout(wait);
        }
        let name = name(&config);
        let root_certificates = said.root_certificates.filter(|path| path.as_os_str() != "system");
        let is_demand_said = said.mode.is_some();
        Ok(Self {
            config,
            demand,
            is_demand_said,
            check,
            direct,
            methods,
            root_certificates,
            name,
            longest: MESSAGE_MAX,
            timeouts,
            connect,
        })
    }

    /// As others may see it: user, place, and how it is encrypted.
    pub(super) fn shown(&self) -> String {
        let has_password = self.config.get_password().is_some_and(|password| !password.is_empty());
        let password = if has_password { format!(":{MASK}") } else { String::new() };
        let login = match self.config.get_user() {
            Some(user) => format!("{}{password}@", name_shown(user)),
            // That there is a password is told also where there is no user.
            None if has_password => format!("{password}@"),
            None => String::new(),
        };
        let mode = match (self.demand, self.check) {
            _ if !self.is_demand_said => "",
            (Demand::Nothing, _) => "?sslmode=disable",
            (Demand::IfOffered, _) => "?sslmode=prefer",
            (Demand::Always, Check::Nothing) => "?sslmode=require",
            (Demand::Always, Check::Authority) => "?sslmode=verify-ca",
            (Demand::Always, Check::Host) => "?sslmode=verify-full",
        };
        format!("postgres://{login}{}{mode}", self.name.trim_start_matches("postgres://"))
    }

    /// What somebody on the way may do, and what to write against it. `None` when nobody can, or there is no way.
    pub(super) fn weakness(&self) -> Option<(String, &'static str)> {
        if is_local(&self.config) {
            return None;
        }
        let name = &self.name;
        Some(match (self.demand, self.check) {
            (Demand::Nothing, _) => (format!("the connection to {name} is not encrypted"), INSTEAD),
            (Demand::IfOffered, _) => {
                (format!("the connection to {name} is encrypted only if nobody on the way objects"), INSTEAD)
            }
            (Demand::Always, Check::Nothing) => (format!("the certificate of {name} is not verified"), INSTEAD),
            (Demand::Always, Check::Authority) => (format!("the host name of {name} is not verified"), INSTEAD),
            (Demand::Always, Check::Host) if self.methods.takes_password() => {
                (format!("{name} may ask for the password in clear"), "remove `require_auth=password`")
            }
            (Demand::Always, Check::Host) => return None,
        })
    }

    /// For a session that is logged in, whichever host it is on: the library's own limit holds for each socket only, not for
    /// a server that takes it and then is silent.
    pub(super) fn login_limit(&self) -> Limit {
        let hosts = u32::try_from(self.config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
        Limit::login(self.connect.map(|wait| wait.saturating_mul(hosts.saturating_add(1))))
    }
}

/// What `ssl_min_protocol_version` may ask for: TLS begins at 1.2 here.
const LEAST_TLS: [&str; 4] = ["", "TLSv1", "TLSv1.1", "TLSv1.2"];

/// What is better than a weak connection.
const INSTEAD: &str = "write `sslmode=verify-full`, and `sslrootcert=/path/ca.pem` where the authority is one's own";

/// Whether nobody stands between this process and the server.
fn is_local(config: &Config) -> bool {
    if !config.get_hostaddrs().is_empty() {
        return config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(host) => is_loopback(host),
        Host::Unix(_) => true,
    })
}

/// Sets what the address leaves open.
fn fill_in(config: &mut Config) {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host("localhost");
    }
    if config.get_hosts().is_empty() {
        // The certificate has a name to be checked against.
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
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
    let hosts: Vec<String> = (config.get_hosts().iter().enumerate())
        .map(|(index, host)| match host {
            Host::Tcp(host) if host.contains(':') => format!("[{}]:{}", host_shown(host), port(index)),
            Host::Tcp(host) => format!("{}:{}", host_shown(host), port(index)),
            Host::Unix(path) => format!("{}:{}", host_shown(&path.display().to_string()), port(index)),
        })
        .collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{}/{}", hosts.join(","), name_shown(database))
}

fn refused(reason: &str) -> SourceError {
    let form = "write postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters as %XX";
    SourceError::Refused { reason: format!("the PostgreSQL address cannot be used: {reason}; {form}") }
}

/// An error and what caused it, without what it repeats of the address.
fn reasons(error: &dyn std::error::Error, address: &str) -> String {
    match error.source() {
        Some(cause) => format!("{}: {}", without(&error.to_string(), address), reasons(cause, address)),
        None => without(&error.to_string(), address),
    }
}

/// A URL has at most one `@`, behind the login: another one is part of a secret, and it is not known where that ends.
fn check_marks(text: &str) -> Result<(), &'static str> {
    let Some((_, rest)) = text.split_once("://") else { return Ok(()) };
    let query = rest.find('?').unwrap_or(rest.len());
    let mut marks = rest.match_indices('@').map(|(at, _)| at);
    match (marks.next(), marks.next()) {
        (None, _) => Ok(()),
        (Some(at), None) if at < query => Ok(()),
        _ => Err("only one `@` may stand there, behind user and password: write others as %40, and `?` as %3F"),
    }
}

/// Whole seconds.
fn seconds(key: &str, text: &str) -> Result<Duration, SourceError> {
    let number = text.strip_suffix('s').unwrap_or(text).parse();
    number.map(Duration::from_secs).map_err(|_| refused(&format!("{key} is a number of seconds; 0 waits without end")))
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
        let check = |text: &str| parse(text).map(|address| (address.demand, address.check));
        for local in ["postgres://localhost/db", "postgres://127.0.0.1/db", "host=::1", "host=/run/pg", "user=u"] {
            assert_eq!(check(local), Ok((Demand::IfOffered, Check::Nothing)), "{local}");
            assert_eq!(parse(local).unwrap().weakness(), None, "{local}");
        }
        for far in ["postgres://h/db", "postgres://localhost,h/db", "host=localhost hostaddr=10.0.0.1"] {
            assert_eq!(check(far), Ok((Demand::Always, Check::Host)), "{far}");
            assert_eq!(parse(far).unwrap().weakness(), None, "{far}");
        }
        for weak in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full&require_auth=password"] {
            let weakness = parse(&format!("postgres://h/db?sslmode={weak}")).unwrap().weakness();
            assert!(weakness.is_some_and(|(what, _)| what.contains("postgres://h:5432/db")), "{weak}");
        }
        assert_eq!(check("postgres://h/db?sslmode=disable"), Ok((Demand::Nothing, Check::Nothing)));
        assert_eq!(check("host=h sslmode = 'require'"), Ok((Demand::Always, Check::Nothing)));
        assert_eq!(check("postgres://h/db?sslmode=verify-full"), Ok((Demand::Always, Check::Host)));
        let rooted = parse(r"host=h sslrootcert='/etc/my\'s ca.pem' sslmode=require user=u").unwrap();
        assert_eq!(rooted.check, Check::Authority);
        assert_eq!(rooted.root_certificates, Some(PathBuf::from("/etc/my's ca.pem")));
        assert_eq!(rooted.config.get_user(), Some("u"));
        let rooted = parse("postgres://h/db?sslmode=verify-ca&sslrootcert=%2Fca.pem&application_name=x").unwrap();
        assert_eq!(rooted.root_certificates, Some(PathBuf::from("/ca.pem")));
        assert_eq!(rooted.config.get_application_name(), Some("x"));
        for bad in ["sslmode=sometimes", "gssencmode=require", "ssl_min_protocol_version=TLSv1.3"] {
            assert!(check(&format!("postgres://h/db?{bad}")).is_err(), "{bad}");
        }
        // What psql takes and what weakens nothing here.
        for harmless in
            ["gssencmode=prefer", "gssencmode=disable", "sslcompression=0&sslsni=1", "ssl_min_protocol_version=TLSv1.2"]
        {
            let address = parse(&format!("postgres://h/db?{harmless}")).unwrap();
            assert_eq!((address.shown().as_str(), address.weakness()), ("postgres://h:5432/db", None), "{harmless}");
        }
        let last = parse("postgres://h/db?sslmode=verify-full&sslmode=disable").unwrap();
        assert!(last.weakness().is_some() && last.shown().ends_with("?sslmode=disable"), "the last one counts");
        let direct = parse("postgres://h/db?sslmode=require&sslnegotiation=direct").unwrap();
        assert!(direct.direct && direct.weakness().is_some());
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
