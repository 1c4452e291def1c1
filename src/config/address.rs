//! Addresses of sources and state stores: which kinds there are, and paths in them made absolute.

use crate::core::model::database::Database;
use crate::core::model::peer::is_redis;
use std::path::{Path, absolute};

/// Why an address was refused: what is wrong, without the address itself, and what to do.
pub(super) type Refused = (String, &'static str);

const SOURCES: &str = "write `sqlite:PATH`, `postgres://user:password@host/database`, `sqlserver://user:password@host:1433/database` \
                       or an ADO string `Server=…;Database=…;…`";
const STATES: &str = "write `sqlite:PATH` or `mongodb://host/database`";

/// Makes an SQLite path absolute; lets the other kinds of source pass.
pub(super) fn source(url: &str, folder: &Path) -> Result<String, Refused> {
    match Database::of_address(url) {
        Some(Database::Sqlite) => sqlite(url, folder),
        Some(Database::Postgres | Database::SqlServer) => Ok(url.to_owned()),
        Some(Database::Mongo) | None => Err((unknown(url, "a source"), SOURCES)),
    }
}

/// Makes an SQLite path absolute; lets MongoDB's addresses pass.
pub(super) fn state(url: &str, folder: &Path) -> Result<String, Refused> {
    match Database::of_address(url) {
        Some(Database::Sqlite) => sqlite(url, folder),
        Some(Database::Mongo) => Ok(url.to_owned()),
        Some(Database::Postgres | Database::SqlServer) | None => Err((unknown(url, "a state store"), STATES)),
    }
}

/// A sink of events: makes an SQLite path absolute.
pub(super) fn sink(url: &str, folder: &Path) -> Result<String, Refused> {
    match Database::of_address(url) {
        Some(Database::Sqlite) => sqlite(url, folder),
        Some(Database::Postgres) => Ok(url.to_owned()),
        Some(Database::SqlServer) => Err(not_yet("SQL Server", "sink")),
        Some(Database::Mongo) | None => {
            Err((unknown(url, "a sink"), "write `sqlite:PATH` or `postgres://USER@HOST/DATABASE`"))
        }
    }
}

/// A queue of dead letters: makes an SQLite path absolute, and an address of Redis of `host:port,password=…`, as .NET's client has
/// it.
pub(super) fn queue(url: &str, folder: &Path) -> Result<String, Refused> {
    match Database::of_address(url) {
        Some(Database::Sqlite) => sqlite(url, folder),
        _ if is_redis(url) => Ok(url.to_owned()),
        None if !url.contains("://") => host_and_options(url),
        _ => Err((unknown(url, QUEUE), QUEUES)),
    }
}

const QUEUE: &str = "a queue of dead letters";
const QUEUES: &str = "write `redis://HOST:6379` or `sqlite:PATH`";

/// Settings of `host:6379,…` that only steer how .NET's client itself behaves, in small letters.
const STEERING: [&str; 24] = [
    "abortconnect",
    "allowadmin",
    "asynctimeout",
    "checkcertificaterevocation",
    "configchannel",
    "configcheckseconds",
    "connectretry",
    "connecttimeout",
    "heartbeatinterval",
    "heartbeatconsistencychecks",
    "highintegrity",
    "keepalive",
    "libname",
    "name",
    "preserveasyncorder",
    "protocol",
    "resolvedns",
    "responsetimeout",
    "setlib",
    "sslprotocols",
    "synctimeout",
    "tiebreaker",
    "version",
    "writebuffer",
];

const OPTIONS: &str =
    "write `HOST:6379`, and behind it what is needed of `,user=…`, `,password=…`, `,ssl=true` and `,defaultDatabase=…`";

/// `host:6379,password=…,ssl=true` as an address. What is not understood may be a mistyped password: nothing is left out silently.
fn host_and_options(text: &str) -> Result<String, Refused> {
    let refused = |what: &str| (what.to_owned(), OPTIONS);
    let mut parts = text.split(',').map(str::trim);
    let host = parts.next().filter(|host| are_brokers(host)).ok_or_else(|| (unknown(text, QUEUE), QUEUES))?;
    let (mut login, mut scheme, mut database) = ((String::new(), String::new()), "redis", String::new());
    for (name, value) in parts.filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, ""))) {
        match name.to_ascii_lowercase().as_str() {
            "password" => {
                login.1 = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
            }
            "user" => {
                login.0 = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
            }
            "ssl" if value.eq_ignore_ascii_case("true") => scheme = "rediss",
            "ssl" if value.eq_ignore_ascii_case("false") => {}
            "ssl" => return Err(refused("`ssl` is `true` or `false`")),
            "defaultdatabase" => {
                let number: u32 = value.parse().map_err(|_| refused("`defaultDatabase` is no number"))?;
                database = format!("/{number}");
            }
            known if STEERING.contains(&known) && !value.is_empty() => {}
            _ => return Err(refused("behind the host stands a setting that is not known here")),
        }
    }
    let login = match (login.0.as_str(), login.1.as_str()) {
        ("", "") => String::new(),
        (user, "") => format!("{user}@"),
        (user, password) => format!("{user}:{password}@"),
    };
    Ok(format!("{scheme}://{login}{host}{database}"))
}

/// What a later version takes.
fn not_yet(what: &str, section: &str) -> Refused {
    (format!("{what} is not yet supported for `{section}`"), "write `sqlite:PATH`")
}

/// `host:port`, comma separated.
pub(super) fn are_brokers(text: &str) -> bool {
    text.split(',').all(|broker| {
        let broker = broker.trim();
        let (host, port) = broker.rsplit_once(':').unwrap_or((broker, "9092"));
        !host.is_empty()
            && !host.contains(char::is_whitespace)
            && !host.contains('@')
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// A path that starts in the worker file's folder, made absolute without looking at the disk's links.
pub(super) fn resolved(path: &str, folder: &Path) -> Result<std::path::PathBuf, Refused> {
    if path.contains('\0') {
        return Err(("a path cannot hold a NUL character".to_owned(), "remove it"));
    }
    if let Some(refused) = no_path(path) {
        return Err(refused);
    }
    absolute(folder.join(path))
        .map_err(|error| (format!("this path cannot be made absolute: {error}"), "write an absolute path"))
}

/// Why a text is no path although a file could have that name. A shell or an URL was meant; the text may hold a password.
fn no_path(root: &str) -> Option<(String, &'static str)> {
    if root.contains("://") {
        return Some((
            "this is an address, not a path on this host".to_owned(),
            "write the path of what is mounted on this host",
        ));
    }
    root.starts_with('~').then(|| {
        ("`~` is not expanded here".to_owned(), "write the whole path, or `${HOME}/…`; `./~` for a folder of that name")
    })
}

fn sqlite(url: &str, folder: &Path) -> Result<String, Refused> {
    let path = Database::sqlite_path(url).unwrap_or_default();
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() {
        return Err(("`sqlite:` names no file".to_owned(), "write the path behind it: `sqlite:loans.db`"));
    }
    if path.contains('?') {
        let what = "the address of a SQLite file takes no options, and no name with `?`".to_owned();
        return Err((what, "write the path alone: `sqlite:loans.db`"));
    }
    let path = resolved(path, folder)?;
    let path = path.to_str().ok_or(("the worker file's folder is not UTF-8".to_owned(), "write an absolute path"))?;
    Ok(format!("sqlite:{path}"))
}

/// Repeats at most the scheme: the rest may hold a password.
fn unknown(url: &str, what: &str) -> String {
    let scheme = url.split(':').next().filter(|scheme| scheme.len() < url.len() && scheme.len() <= 20);
    match scheme
        .filter(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+'))
    {
        Some(scheme) => format!("`{scheme}:` is no kind of address that {what} has"),
        None => format!("this is no address that {what} has"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_in_the_worker_files_folder() {
        let folder = Path::new("/etc/filegen");
        for (url, address) in [
            ("sqlite:loans.db", "sqlite:/etc/filegen/loans.db"),
            ("sqlite:./a/../loans.db", "sqlite:/etc/filegen/a/../loans.db"),
            ("SQLite:/data/loans.db", "sqlite:/data/loans.db"),
            ("sqlite:///data/loans.db", "sqlite:/data/loans.db"),
            ("postgres://u:p@h/db", "postgres://u:p@h/db"),
            ("PostgreSQL://h/db", "PostgreSQL://h/db"),
            ("sqlserver://h:1433/db", "sqlserver://h:1433/db"),
            ("Database=x; SERVER = h", "Database=x; SERVER = h"),
        ] {
            assert_eq!(source(url, folder).as_deref(), Ok(address));
        }
        assert_eq!(state("sqlite:s.db", folder).as_deref(), Ok("sqlite:/etc/filegen/s.db"));
        assert_eq!(state("mongodb://h/filegen", folder).as_deref(), Ok("mongodb://h/filegen"));
    }

    #[test]
    fn an_unknown_address_is_refused_without_repeating_it() {
        for url in ["mysql://u:pw@h/db", "loans.db", "sqlite:", "pw", "", "é:pw"] {
            let (message, _) = source(url, Path::new("/")).unwrap_err();
            assert!(!message.contains("pw"), "{message}");
        }
        assert!(state("postgres://h/db", Path::new("/")).is_err());
        for (text, url) in [
            ("redis://h", Some("redis://h")),
            ("h:6380", Some("redis://h:6380")),
            ("h:6380,password=p@ss,ssl=True,abortConnect=false", Some("rediss://:p%40ss@h:6380")),
            ("h,name=filegen,defaultDatabase=3,user=ann,password=p", Some("redis://ann:p@h/3")),
            ("h,user=ann", Some("redis://ann@h")),
            ("http://h", None),
            ("", None),
            ("h:6379,pass=s3cret", None),
            ("h:6379,s3cret", None),
            ("h:6379,g:6379", None),
            ("h:6379,ssl=yes", None),
            ("h:6379,serviceName=m", None),
            ("h:6379,defaultDatabase=x", None),
        ] {
            let read = queue(text, Path::new("/"));
            assert_eq!(read.as_deref().ok(), url, "{text}");
            assert!(read.err().is_none_or(|(message, _)| !message.contains("s3cret")), "{text}");
        }
        assert!(are_brokers("a:9092, b:9093,[::1]:9092"));
        assert!(!are_brokers("a:9092,"));
        assert!(!are_brokers("a:0"));
        assert!(!are_brokers("a:port"));
        assert!(!are_brokers("u:pw@a:9092"));
    }
}
