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
        None if !url.contains("://") => host_and_options(url).ok_or_else(|| (unknown(url, QUEUE), QUEUES)),
        _ => Err((unknown(url, QUEUE), QUEUES)),
    }
}

const QUEUE: &str = "a queue of dead letters";
const QUEUES: &str = "write `redis://HOST:6379` or `sqlite:PATH`";

/// `host:6379,password=…,ssl=true` as an address. `None` for what is none.
fn host_and_options(text: &str) -> Option<String> {
    let mut parts = text.split(',').map(str::trim);
    let host = parts.next().filter(|host| are_brokers(host))?;
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
            "defaultdatabase" => database = format!("/{}", value.parse::<u32>().ok()?),
            // How that client itself behaves.
            _ => {}
        }
    }
    let login = if login.1.is_empty() { String::new() } else { format!("{}:{}@", login.0, login.1) };
    Some(format!("{scheme}://{login}{host}{database}"))
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
            ("http://h", None),
            ("", None),
        ] {
            assert_eq!(queue(text, Path::new("/")).ok().as_deref(), url, "{text}");
        }
        assert!(are_brokers("a:9092, b:9093,[::1]:9092"));
        assert!(!are_brokers("a:9092,"));
        assert!(!are_brokers("a:0"));
        assert!(!are_brokers("a:port"));
        assert!(!are_brokers("u:pw@a:9092"));
    }
}
