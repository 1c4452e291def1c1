//! Where a SQL Server is and how it is reached: a `sqlserver://` URL or an ADO connection string.

use super::pairs::{ado_pairs, is_known, nearest, plain, url_pairs};
use super::tds::{Encryption, Login};
use crate::adapters::tls::{self, Check};
use crate::core::model::peer::{host_shown, name_shown};
use crate::core::model::secret::Secret;
use crate::core::ports::source::SourceError;
use rustls::ClientConfig;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a packet where the address does not say: the most that TDS allows.
const PACKET_SIZE: u32 = 32_767;
/// Longest wait for a connection where the address does not say, as ADO.NET has it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for a statement's first row where the address does not say: a view may have to be sorted first.
const QUERY_TIMEOUT: Duration = Duration::from_mins(10);
/// Longest silence between two rows where the address does not say.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// Keys that are accepted and ignored. They steer a pool or a driver that does not exist here, or a session that is set here.
const IGNORED: [&str; 26] = [
    "persistsecurityinfo",
    "pooling",
    "minpoolsize",
    "maxpoolsize",
    "loadbalancetimeout",
    "multipleactiveresultsets",
    "connectretrycount",
    "connectretryinterval",
    "enlist",
    "typesystemversion",
    "currentlanguage",
    "language",
    "connectionlifetime",
    "ipaddresspreference",
    "poolblockingperiod",
    "marsconnection",
    "asynchronousprocessing",
    "transactionbinding",
    "attestationprotocol",
    "enclaveattestationurl",
    "serverspn",
    "failoverpartnerspn",
    "transparentnetworkipresolution",
    "replication",
    "contextconnection",
    "userinstance",
];

/// An address, ready to connect to.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) user: String,
    pub(super) password: Secret,
    database: String,
    application: String,
    workstation: String,
    read_only: bool,
    /// Bytes of a packet.
    pub packet_size: u32,
    /// What of a connection is encrypted.
    pub encryption: Encryption,
    pub(super) check: Check,
    /// The file with the certificates of authorities. `None` takes those of the system.
    authority: Option<PathBuf>,
    /// The name that the certificate must have. `None` takes the host's.
    certificate_host: Option<String>,
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The server that takes over when this one goes (database mirroring).
    pub partner: Option<(String, u16)>,
    /// Whether all addresses of a host are tried at once: those of an availability group's subnets.
    pub all_at_once: bool,
    /// `sqlserver://host:1433/db`: without user and password.
    pub name: String,
    /// Longest waits.
    pub timeouts: Timeouts,
    /// Keys that it has and that change nothing here.
    pub ignored: Vec<&'static str>,
}

/// Longest waits. `None` waits without end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Timeouts {
    /// From the first packet to a session that is logged in.
    pub connect: Option<Duration>,
    /// From a statement to its first row.
    pub query: Option<Duration>,
    /// From one row to the next.
    pub idle: Option<Duration>,
}

/// The settings of an address, by key. Keys are without blanks and in lower case.
#[derive(Default)]
struct ParsedAddress {
    server: Option<String>,
    port: Option<u16>,
    partner: Option<String>,
    all_at_once: bool,
    database: Option<String>,
    user: Option<String>,
    password: Option<String>,
    encrypt: Option<String>,
    trust: bool,
    authority: Option<String>,
    certificate_host: Option<String>,
    read_only: bool,
    application: Option<String>,
    workstation: Option<String>,
    packet_size: Option<u32>,
    connect: Option<Duration>,
    query: Option<Duration>,
    idle: Option<Duration>,
    ignored: Vec<&'static str>,
}

impl Address {
    /// Reads either form.
    ///
    /// # Errors
    /// [`SourceError::Refused`] names the key that does not fit, never a value that may be secret.
    pub(super) fn parse(text: &Secret) -> Result<Self, SourceError> {
        let text = text.reveal();
        let pairs = match text.strip_prefix("sqlserver://").or_else(|| text.strip_prefix("mssql://")) {
            Some(rest) => url_pairs(rest),
            // Its values in braces are no pairs to ADO.
            None if names_driver(text) => Err(ODBC.to_owned()),
            None => ado_pairs(text),
        };
        let mut said = ParsedAddress::default();
        let mut before = String::new();
        let mut take = |(key, value): (String, String)| {
            if !is_known(&key) {
                return Err(unknown(&key, &before));
            }
            said.take(&key, value)?;
            before = key;
            Ok(())
        };
        pairs.and_then(|pairs| pairs.into_iter().try_for_each(&mut take)).map_err(|why| refused(&why))?;
        said.resolve().map_err(|why| refused(&why))
    }

    /// TLS as the address asks for. `None` when nothing is to be encrypted.
    ///
    /// # Errors
    /// [`SourceError::Refused`] when the certificates of authorities cannot be read.
    pub(super) fn tls(&self) -> Result<Option<Arc<ClientConfig>>, SourceError> {
        // In TDS 7 the handshake travels in packets, and its end is the client's last word: TLS 1.3 has more to say then.
        let versions = match self.encryption {
            Encryption::Off => return Ok(None),
            Encryption::Login | Encryption::Full => &[&rustls::version::TLS12][..],
            Encryption::Strict => rustls::DEFAULT_VERSIONS,
        };
        let made = tls::client(self.check, self.authority.as_deref(), "TrustServerCertificateCA", versions);
        let mut config =
            made.map_err(|reason| SourceError::Refused { reason: format!("TLS to {}: {reason}", self.name) })?;
        if self.encryption == Encryption::Strict {
            config.alpn_protocols = vec![b"tds/8.0".to_vec()];
        }
        // A session is used once, and a ticket would come behind a login whose encryption ends with it.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Some(Arc::new(config)))
    }

    /// The login at a server, which is found at a host.
    pub(super) fn login<'a>(&'a self, server: &'a str, host: &'a str, tls: Option<Arc<ClientConfig>>) -> Login<'a> {
        Login {
            server,
            certificate: self.certificate_host.as_deref().unwrap_or(host),
            encryption: self.encryption,
            tls,
            user: &self.user,
            password: self.password.reveal(),
            database: &self.database,
            application: &self.application,
            workstation: &self.workstation,
            packet_size: self.packet_size,
            read_only: self.read_only,
        }
    }
}

const ODBC: &str = "this is an ODBC string, since it names a Driver, which is not needed here: leave Driver out, and write a value with `;` \
                    in double quotes, not in braces";

/// Whether one of the keys is `Driver`, which only ODBC has.
fn names_driver(text: &str) -> bool {
    let mut keys = text.split(';').filter_map(|pair| Some(pair.split_once('=')?.0));
    keys.any(|key| key.trim().eq_ignore_ascii_case("driver"))
}

/// A key that is not known is not repeated: it may be the end of a password.
fn unknown(key: &str, before: &str) -> String {
    let place = if before.is_empty() { "the first key".to_owned() } else { format!("the key behind `{before}`") };
    match nearest(key) {
        Some(near) => format!("{place} is not known; did you mean `{near}`?"),
        None => format!("{place} is not known; a value with `;` stands in quotes"),
    }
}

fn refused(reason: &str) -> SourceError {
    let form = "write sqlserver://USER:PASSWORD@HOST:1433/DATABASE, with special characters as %XX, or \
                Server=tcp:HOST,1433;Database=…;User Id=…;Password=…";
    SourceError::Refused { reason: format!("the SQL Server address cannot be used: {reason}; {form}") }
}

impl ParsedAddress {
    fn take(&mut self, key: &str, value: String) -> Result<(), String> {
        match key {
            "server" | "datasource" | "address" | "addr" | "networkaddress" => self.server = Some(value),
            "failoverpartner" => self.partner = Some(value),
            "multisubnetfailover" => self.all_at_once = flag(key, &value)?,
            "port" => self.port = Some(number(key, &value)?),
            "database" | "initialcatalog" => self.database = Some(value),
            "userid" | "uid" | "user" | "username" => self.user = Some(value),
            "password" | "pwd" => self.password = Some(value),
            "encrypt" => self.encrypt = Some(value.to_lowercase()),
            "trustservercertificate" => self.trust = flag(key, &value)?,
            "trustservercertificateca" | "ca" => self.authority = Some(value),
            "hostnameincertificate" => self.certificate_host = Some(value),
            "applicationintent" => {
                self.read_only = match plain(&value).as_str() {
                    "readonly" => true,
                    "readwrite" => false,
                    _ => return Err("ApplicationIntent is ReadOnly or ReadWrite".to_owned()),
                }
            }
            "applicationname" | "app" => self.application = Some(value),
            "workstationid" | "wsid" => self.workstation = Some(value),
            "packetsize" => self.packet_size = Some(number(key, &value)?),
            "connecttimeout" | "connectiontimeout" | "timeout" => self.connect = Some(seconds(key, &value)?),
            "commandtimeout" | "querytimeout" => self.query = Some(seconds(key, &value)?),
            "idletimeout" => self.idle = Some(seconds(key, &value)?),
            "integratedsecurity" | "trustedconnection" if plain(&value) != "sspi" && !flag(key, &value)? => {}
            "integratedsecurity" | "trustedconnection" => {
                return Err("Windows logins are not supported; give User Id and Password".to_owned());
            }
            "authentication" if plain(&value) == "sqlpassword" => {}
            "authentication" => return Err("Authentication is SqlPassword: other logins are not supported".to_owned()),
            "columnencryptionsetting" if plain(&value) != "enabled" => {}
            "columnencryptionsetting" => {
                return Err(
                    "columns under Always Encrypted cannot be read: leave out Column Encryption Setting".to_owned()
                );
            }
            "networklibrary" | "network" | "net" if plain(&value) == "dbmssocn" => {}
            "networklibrary" | "network" | "net" => return Err("only TCP (dbmssocn) is supported".to_owned()),
            "servercertificate" => {
                return Err("Server Certificate is not supported; give the authority's certificate in \
                            TrustServerCertificateCA"
                    .to_owned());
            }
            "attachdbfilename" | "extendedproperties" | "initialfilename" => {
                return Err(
                    "no file is attached to a server here; leave out AttachDBFilename and give Database".to_owned()
                );
            }
            "dsn" | "filedsn" => {
                return Err(
                    "this is an ODBC string that names a data source (DSN) of another host's registry".to_owned()
                );
            }
            "driver" => return Err(ODBC.to_owned()),
            key => match IGNORED.iter().find(|ignored| **ignored == key) {
                Some(ignored) => self.ignored.push(*ignored),
                // What `is_known` lets through stands above.
                None => return Err("a key is not known".to_owned()),
            },
        }
        Ok(())
    }

    fn resolve(self) -> Result<Address, String> {
        let (host, port) = place(self.server.as_deref().unwrap_or_default(), self.port)?;
        let partner = self.partner.as_deref().filter(|partner| !partner.trim().is_empty());
        let partner = partner.map(|partner| place(partner, None)).transpose()?;
        let user = self.user.ok_or("there is no User Id")?;
        let packet_size = self.packet_size.unwrap_or(PACKET_SIZE);
        if !(512..=32_768).contains(&packet_size) {
            return Err("Packet Size lies between 512 and 32768".to_owned());
        }
        let encryption = encryption(self.encrypt.as_deref())?;
        if self.authority.is_some() && self.trust {
            return Err("TrustServerCertificate takes any certificate and TrustServerCertificateCA only some: \
                        give one of them"
                .to_owned());
        }
        // As ADO.NET does: where only the login is encrypted, the certificate is not looked at unless an authority is given.
        let trusting = self.authority.is_none() && (self.trust || encryption == Encryption::Login);
        let check = if trusting { Check::Nothing } else { Check::Host };
        let wait = |said: Option<Duration>, default| Some(said.unwrap_or(default)).filter(|wait| !wait.is_zero());
        let shown = if host.contains(':') { format!("[{}]", host_shown(&host)) } else { host_shown(&host).to_owned() };
        let database = self.database.unwrap_or_default();
        Ok(Address {
            name: format!("sqlserver://{shown}:{port}/{}", name_shown(&database)),
            timeouts: Timeouts {
                connect: wait(self.connect, CONNECT_TIMEOUT),
                query: wait(self.query, QUERY_TIMEOUT),
                idle: wait(self.idle, IDLE_TIMEOUT),
            },
            user,
            password: Secret::new(self.password.unwrap_or_default()),
            database,
            application: self.application.unwrap_or_else(|| "filegen".to_owned()),
            workstation: self.workstation.unwrap_or_else(crate::adapters::host::name),
            read_only: self.read_only,
            packet_size: packet_size.min(PACKET_SIZE),
            encryption,
            check,
            authority: self.authority.map(PathBuf::from),
            certificate_host: self.certificate_host,
            host,
            port,
            partner,
            all_at_once: self.all_at_once,
            ignored: self.ignored,
        })
    }
}

/// `tcp:host,port`, `host`, `(local)`, `.`.
fn place(server: &str, port: Option<u16>) -> Result<(String, u16), String> {
    let server = server.trim();
    let is_tcp = server.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("tcp:"));
    let server = if is_tcp { server.get(4..).unwrap_or_default().trim() } else { server };
    let (host, given) = match server.split_once(',') {
        Some((host, port)) => (host.trim(), Some(number("server", port.trim())?)),
        None => (server, port),
    };
    if let Some((name, port)) = host.split_once(':')
        && !name.is_empty()
        && port.chars().all(|c| c.is_ascii_digit())
    {
        return Err(format!("a port stands behind a comma there: write Server=tcp:{},{port}", host_shown(name)));
    }
    if host.starts_with("np:") || host.starts_with("lpc:") || host.starts_with("\\\\") {
        return Err("only TCP is supported".to_owned());
    }
    let (host, instance) = host.split_once('\\').map_or((host, false), |(host, _)| (host, true));
    if instance && given.is_none() {
        return Err("a named instance is found by its port: write HOST,PORT".to_owned());
    }
    match host {
        "" => Err("there is no server".to_owned()),
        "." | "(local)" => Ok(("localhost".to_owned(), given.unwrap_or(1433))),
        host => Ok((host.to_owned(), given.unwrap_or(1433))),
    }
}

/// What `Encrypt` asks for; without it everything is encrypted.
fn encryption(said: Option<&str>) -> Result<Encryption, String> {
    Ok(match said {
        None | Some("true" | "yes" | "mandatory" | "required" | "on") => Encryption::Full,
        Some("false" | "no" | "optional" | "login") => Encryption::Login,
        Some("off" | "none" | "disable" | "disabled") => Encryption::Off,
        Some("strict") => Encryption::Strict,
        Some(_) => {
            let known = "true (everything), false (the login only), off (nothing) or strict (TDS 8)";
            return Err(format!("Encrypt is {known}"));
        }
    })
}

fn flag(key: &str, value: &str) -> Result<bool, String> {
    match value.to_lowercase().as_str() {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(format!("`{key}` is true or false")),
    }
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{key}` is no fitting number"))
}

/// Whole seconds, as ADO has it; 0 waits without end.
fn seconds(key: &str, value: &str) -> Result<Duration, String> {
    let value = value.strip_suffix('s').unwrap_or(value);
    number(key, value).map(Duration::from_secs)
}
