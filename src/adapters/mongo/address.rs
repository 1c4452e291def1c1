//! Where the servers are: the connection string of the worker file.

use super::{error, late};
use crate::core::model::peer::{MASK, host_shown, is_loopback, name_shown, without};
use crate::core::model::secret::Secret;
use crate::core::ports::store::StoreError;
use crate::files::{self, Foreign};
use mongodb::options::{ClientOptions, ConnectionString, HostInfo, ServerAddress, Tls};
use std::time::Duration;

/// The database where the address names none.
const DATABASE: &str = "filegen";

/// An address, ready to connect to.
pub(super) struct Address {
    /// For the driver.
    pub options: ClientOptions,
    /// The database's name.
    pub database: String,
    /// `mongodb://host1,host2/filegen`: without user, password and options.
    pub name: String,
}

impl Address {
    /// Reads `mongodb://…`, and asks DNS where `mongodb+srv://…` leads, for at most `limit`.
    ///
    /// # Errors
    /// Without any part of the address that may hold a secret.
    pub(super) async fn parse(url: &Secret, limit: Duration) -> Result<Self, StoreError> {
        let text = with_lower_scheme(url.reveal());
        let parsed = read(&text).map_err(|_| StoreError::Failed {
            store: scheme(&text).trim_end_matches("://").to_owned(),
            reason: format!("its address in `state.url` is not understood: {}", reason(&text)),
        })?;
        let database = parsed.default_database.clone().unwrap_or_else(|| DATABASE.to_owned());
        let name = name(&parsed, &text);
        let options = match tokio::time::timeout(limit, ClientOptions::parse(parsed)).await {
            Ok(options) => options.map_err(|error| error::failed(&name, &error))?,
            Err(_) => return Err(late(&name, limit)),
        };
        check_files(&options).map_err(|reason| StoreError::Denied { store: name.clone(), reason })?;
        Ok(Self { options, database, name })
    }
}

/// The driver opens certificates itself, and would wait for the other end of a pipe.
fn check_files(options: &ClientOptions) -> Result<(), String> {
    let Some(Tls::Enabled(tls)) = &options.tls else { return Ok(()) };
    for (option, file) in [("tlsCAFile", &tls.ca_file_path), ("tlsCertificateKeyFile", &tls.cert_key_file_path)] {
        if let Some(Err(error)) = file.as_deref().map(files::check_plain)
            && Foreign::of(&error).is_some()
        {
            return Err(format!("{option}: {error}, not a file"));
        }
    }
    Ok(())
}

/// Every host with its port, and the database.
fn name(parsed: &ConnectionString, text: &str) -> String {
    let database = parsed.default_database.as_deref().unwrap_or(DATABASE);
    format!("{}{}/{}", scheme(text), hosts(parsed).join(","), name_shown(database))
}

fn hosts(parsed: &ConnectionString) -> Vec<String> {
    match &parsed.host_info {
        HostInfo::HostIdentifiers(hosts) => hosts.iter().map(host).collect(),
        HostInfo::DnsRecord(name) => vec![host_shown(name).to_owned()],
        _ => vec![MASK.to_owned()],
    }
}

fn host(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Tcp { host, port: Some(port) } => format!("{}:{port}", host_shown(host)),
        ServerAddress::Tcp { host, port: None } => host_shown(host).to_owned(),
        ServerAddress::Unix { path } => host_shown(&path.display().to_string()).to_owned(),
        _ => MASK.to_owned(),
    }
}

/// Why an address cannot be read, without any part of it that may be secret.
pub fn refused(url: &Secret) -> Option<String> {
    let text = with_lower_scheme(url.reveal());
    read(&text).err().map(|_| reason(&text))
}

/// An address as others may see it, and what is weak about a connection to it: what, and what to write instead. `None` when it
/// cannot be read. Asks no DNS.
pub fn look(url: &Secret) -> Option<(String, Option<(String, &'static str)>)> {
    let text = with_lower_scheme(url.reveal());
    let parsed = read(&text).ok()?;
    let takes_any = relaxed(&text).1;
    let name = name(&parsed, &text);
    let login = if parsed.credential.is_some() { format!("{MASK}@") } else { String::new() };
    let (scheme, place) = name.split_at(scheme(&text).len());
    let is_local = match &parsed.host_info {
        HostInfo::HostIdentifiers(hosts) => hosts.iter().all(|host| match host {
            ServerAddress::Tcp { host, .. } => is_loopback(host),
            _ => true,
        }),
        _ => false,
    };
    // With `mongodb+srv://`, encryption is the default.
    let is_srv = !matches!(parsed.host_info, HostInfo::HostIdentifiers(_));
    let weakness = match &parsed.tls {
        _ if is_local => None,
        Some(Tls::Enabled(options)) if options.allow_invalid_certificates == Some(true) => Some((
            format!("the certificate of {name} is not verified"),
            "remove `tlsInsecure` and `tlsAllowInvalidCertificates`, and name one's own authority with `tlsCAFile=/path/ca.pem`",
        )),
        Some(Tls::Enabled(_)) if takes_any => Some((
            format!("the address asks not to verify the host name of {name}, which is verified all the same"),
            "remove `tlsAllowInvalidHostnames`, and give the server a certificate with its name",
        )),
        Some(Tls::Enabled(_)) => None,
        None if is_srv => None,
        Some(Tls::Disabled) | None => {
            Some((format!("the connection to {name} is not encrypted"), "write `tls=true` in the address"))
        }
    };
    let tls = match &parsed.tls {
        Some(Tls::Enabled(_)) => "?tls=true",
        Some(Tls::Disabled) => "?tls=false",
        None => "",
    };
    Some((format!("{scheme}{login}{place}{tls}"), weakness))
}

/// The configuration takes a scheme in any case; the driver does not.
fn with_lower_scheme(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => format!("{}://{rest}", scheme.to_ascii_lowercase()),
        None => text.to_owned(),
    }
}

/// Reads an address as the driver does, or says why not. Percent signs are looked at first: the driver takes the two bytes behind
/// one for text of its own.
fn read(text: &str) -> Result<ConnectionString, String> {
    let is_escape =
        |behind: &str| behind.as_bytes().first_chunk::<2>().is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_escape) {
        return Err("two hexadecimal digits must stand behind each `%`".to_owned());
    }
    let text = relaxed(text).0;
    ConnectionString::parse(text).map_err(|error| error.kind.to_string())
}

/// Options of other drivers that ask for less than this one gives, in lower case: it checks the name of a host wherever it checks a
/// certificate, and asks nobody about revoked ones.
const RELAXED: [&str; 3] =
    ["tlsallowinvalidhostnames", "tlsdisablecertificaterevocationcheck", "tlsdisableocspendpointcheck"];

/// An address without the options that this driver does not have, and whether it asks to take any host name. Each of them means TLS.
fn relaxed(text: &str) -> (String, bool) {
    let Some((place, options)) = text.split_once('?') else { return (text.to_owned(), false) };
    let parted = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_ascii_lowercase(), value == "true"));
    // What is no boolean is left to the driver, which refuses it.
    let is_relaxed = |pair: &&str| {
        let known = parted(pair).is_some_and(|(key, _)| RELAXED.contains(&key.as_str()));
        known && (pair.ends_with("=true") || pair.ends_with("=false"))
    };
    let (taken, mut kept): (Vec<&str>, Vec<&str>) = options.split('&').partition(is_relaxed);
    if taken.is_empty() {
        return (text.to_owned(), false);
    }
    if !kept.iter().any(|pair| parted(pair).is_some_and(|(key, _)| matches!(key.as_str(), "tls" | "ssl"))) {
        kept.insert(0, "tls=true");
    }
    let takes_any = taken.iter().any(|pair| parted(pair).is_some_and(|(key, is_on)| is_on && key == RELAXED[0]));
    (format!("{place}?{}", kept.join("&")), takes_any)
}

fn scheme(text: &str) -> &str {
    text.find("://").and_then(|at| text.get(..at + 3)).unwrap_or("mongodb://")
}

/// What stands behind the user and the password, whatever unescaped signs they hold.
fn behind_user(text: &str) -> &str {
    let rest = text.strip_prefix(scheme(text)).unwrap_or(text);
    rest.rsplit_once('@').map_or(rest, |(_, rest)| rest)
}

/// Why the driver refuses an address, learned from the part without user and password.
fn reason(text: &str) -> String {
    match read(&format!("{}{}", scheme(text), behind_user(text))) {
        // The driver repeats options and their values.
        Err(why) => without(&why, behind_user(text)),
        Ok(_) => "in user and password, each of `:/?#[]@%` must be percent-encoded (`@` as `%40`)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parse(text: &str) -> Result<Address, StoreError> {
        Address::parse(&Secret::new(text), Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn an_address_names_hosts_and_a_database() {
        for (text, name, database) in [
            ("mongodb://h", "mongodb://h/filegen", "filegen"),
            ("MongoDB://h:27018/", "mongodb://h:27018/filegen", "filegen"),
            ("mongodb://u:p%40w@a:1,b:2/loans?replicaSet=rs0", "mongodb://a:1,b:2/loans", "loans"),
            ("mongodb://u:pw@h/?authSource=admin", "mongodb://h/filegen", "filegen"),
        ] {
            let address = parse(text).await.map_err(|error| error.to_string()).unwrap();
            assert_eq!((address.name.as_str(), address.database.as_str()), (name, database));
        }
    }

    #[test]
    fn an_address_is_shown_without_user_password_and_token() {
        for (text, shown, weak) in [
            ("mongodb://ann:pw@h/db", "mongodb://***@h/db", true),
            ("mongodb://h/db?tls=true", "mongodb://h/db?tls=true", false),
            ("mongodb://h/db?tls=true&tlsInsecure=true", "mongodb://h/db?tls=true", true),
            ("mongodb://localhost:27017,127.0.0.1/db", "mongodb://localhost:27017,127.0.0.1/db", false),
            ("mongodb+srv://ann:pw@cluster.bank/db", "mongodb+srv://***@cluster.bank/db?tls=true", false),
            ("mongodb://h/db?tls=true&tlsAllowInvalidHostnames=true", "mongodb://h/db?tls=true", true),
            ("mongodb://ann:pw@h/db?TLSALLOWINVALIDHOSTNAMES=true&w=1", "mongodb://***@h/db?tls=true", true),
            ("mongodb://h/db?tls=true&tlsAllowInvalidHostnames=false", "mongodb://h/db?tls=true", false),
            ("mongodb://h/db?tlsDisableOCSPEndpointCheck=true", "mongodb://h/db?tls=true", false),
            ("mongodb://h/db?ssl=true&tlsDisableCertificateRevocationCheck=true", "mongodb://h/db?tls=true", false),
            ("mongodb://h/db?tlsAllowInvalidCertificates=true", "mongodb://h/db?tls=true", true),
            ("mongodb://h/db?ssl=true&TLSINSECURE=true", "mongodb://h/db?tls=true", true),
            ("mongodb://h/db?ssl=false", "mongodb://h/db?tls=false", true),
            ("mongodb://h/db?tls=false&tlsAllowInvalidHostnames=true", "mongodb://h/db?tls=false", true),
            ("mongodb+srv://cluster.bank/?tls=false", "mongodb+srv://cluster.bank/filegen?tls=false", true),
        ] {
            let (told, weakness) = look(&Secret::new(text)).unwrap();
            assert_eq!((told.as_str(), weakness.is_some()), (shown, weak), "{text}");
        }
        assert_eq!(look(&Secret::new("mongodb://a@b@c")), None);
        // What the driver refuses, an address twice or no boolean, is not guessed.
        for text in ["mongodb://h/db?tls=true&TLS=true", "mongodb://h/db?tlsAllowInvalidHostnames=yes"] {
            assert_eq!(look(&Secret::new(text)), None, "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_not_understood_is_said_without_the_password() {
        for (text, words) in [
            ("mongodb://ann:s3cr@t@h/db", "percent-encoded"),
            ("mongodb://ann:s3cr/t@h/db", "percent-encoded"),
            ("mongodb://ann:s3cr?t@h/db", "percent-encoded"),
            ("mongodb://ann:s3cr%t@h/db", "percent-encoded"),
            ("mongodb://ann:s3cr%é@h/db", "percent-encoded"),
            ("mongodb://h/db?appName=%é", "hexadecimal"),
            ("mongodb://ann:s3crt@h:77777/db", "port"),
            ("mongodb://ann:s3crt@h/db?w", "key=value"),
        ] {
            let Err(error) = parse(text).await else { panic!("{text}") };
            let said = error.to_string();
            assert!(said.contains(words), "{said}");
            assert!(!said.contains("s3cr") && !said.contains("ann"), "{said}");
        }
    }
}
