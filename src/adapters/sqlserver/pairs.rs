//! The keys and values of an address, in either form.

use percent_encoding::percent_decode_str;

/// All keys, as they are compared.
pub(super) const KEYS: &[&str] = &[
    "attachdbfilename",
    "contextconnection",
    "extendedproperties",
    "failoverpartnerspn",
    "initialfilename",
    "replication",
    "servercertificate",
    "transparentnetworkipresolution",
    "userinstance",
    "address",
    "addr",
    "app",
    "applicationintent",
    "applicationname",
    "asynchronousprocessing",
    "attestationprotocol",
    "authentication",
    "ca",
    "columnencryptionsetting",
    "commandtimeout",
    "connectionlifetime",
    "connectiontimeout",
    "connectretrycount",
    "connectretryinterval",
    "connecttimeout",
    "currentlanguage",
    "database",
    "datasource",
    "driver",
    "dsn",
    "enclaveattestationurl",
    "encrypt",
    "enlist",
    "failoverpartner",
    "filedsn",
    "hostnameincertificate",
    "idletimeout",
    "initialcatalog",
    "integratedsecurity",
    "ipaddresspreference",
    "language",
    "loadbalancetimeout",
    "marsconnection",
    "maxpoolsize",
    "minpoolsize",
    "multipleactiveresultsets",
    "multisubnetfailover",
    "net",
    "network",
    "networkaddress",
    "networklibrary",
    "packetsize",
    "password",
    "persistsecurityinfo",
    "poolblockingperiod",
    "pooling",
    "port",
    "pwd",
    "querytimeout",
    "server",
    "serverspn",
    "timeout",
    "transactionbinding",
    "trustedconnection",
    "trustservercertificate",
    "trustservercertificateca",
    "typesystemversion",
];

/// Keys that name the user.
const USER: [&str; 4] = ["userid", "uid", "user", "username"];

/// Keys that name this host.
const STATION: [&str; 2] = ["workstationid", "wsid"];

fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().chain(&USER).chain(&STATION).copied()
}

/// Whether a key has a meaning, or is accepted without one.
pub(super) fn is_known(key: &str) -> bool {
    keys().any(|known| known == key)
}

/// The key that was perhaps meant.
pub(super) fn nearest(key: &str) -> Option<&'static str> {
    let near = |known: &&str| strsim::damerau_levenshtein(known, key) <= if key.len() > 4 { 2 } else { 1 };
    keys().filter(near).min_by_key(|known| strsim::damerau_levenshtein(known, key))
}

/// A key for a message: one that is not known may be the end of a password.
fn key_shown(key: &str) -> String {
    if is_known(key) { format!("`{key}`") } else { "a key that is not known".to_owned() }
}

/// `user:password@host:port/database?key=value&…`, percent-decoded.
pub(super) fn url_pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let decode = |text: &str| {
        let text = percent_decode_str(text).decode_utf8();
        text.map(std::borrow::Cow::into_owned).map_err(|_| "a %XX is not UTF-8".to_owned())
    };
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    if query.contains('@') {
        // Where the login ends is not known then.
        return Err(
            "there is an `@` behind `?`; in a password, `?` is written %3F, elsewhere `@` is written %40".to_owned()
        );
    }
    // A password may hold a bare `/` or `@`: what stands before the last `@` is the login.
    let (login, place) = place.rsplit_once('@').unwrap_or(("", place));
    let (host, database) = place.split_once('/').unwrap_or((place, ""));
    let mut pairs = Vec::new();
    let mut add = |key: &str, value: &str| decode(value).map(|value| pairs.push((key.to_owned(), value)));
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (host, None),
    };
    add("server", host.trim_start_matches('[').trim_end_matches(']'))?;
    if let Some(port) = port {
        add("port", port)?;
    }
    if !database.is_empty() {
        add("database", database)?;
    }
    if !login.is_empty() {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        add("userid", user)?;
        add("password", password)?;
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or("a key behind `?` has no `=`; in a password, `?` is written %3F")?;
        add(&plain(&decode(key)?), value)?;
    }
    Ok(pairs)
}

/// `key=value;…`; a value may stand in single or double quotes, which are doubled inside, or in braces.
pub(super) fn ado_pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches([';', ' ']);
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or("there is no `=` behind the last key")?;
        let key = plain(key);
        let after = after.trim_start();
        let close = match after.chars().next() {
            Some(mark @ ('\'' | '"')) => Some(mark),
            Some('{') => Some('}'),
            _ => None,
        };
        let (value, after) = match close {
            None => {
                after.split_once(';').map_or((after.trim_end().to_owned(), ""), |(v, r)| (v.trim_end().to_owned(), r))
            }
            Some(close) => {
                let open = format!("the value of {} is not closed", key_shown(&key));
                let (value, after) = quoted(after.get(1..).unwrap_or_default(), close).ok_or(open)?;
                let after = after.trim_start();
                if !(after.is_empty() || after.starts_with(';')) {
                    return Err(format!("there is text behind the quoted value of {}", key_shown(&key)));
                }
                (value, after)
            }
        };
        pairs.push((key, value));
        rest = after.trim_start_matches([';', ' ']);
    }
    Ok(pairs)
}

/// The text up to the closing mark, and the rest behind it.
fn quoted(text: &str, close: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(close)?;
        value.push_str(before);
        match after.strip_prefix(close) {
            Some(more) => {
                value.push(close);
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

/// A key as it is compared: without blanks, dashes and underscores, and in lower case.
pub(super) fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}
