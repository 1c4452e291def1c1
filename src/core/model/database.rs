//! The kinds of database that this program speaks to, told apart by their addresses.

/// A kind of database. A `match` over it names every place that a new kind has to fill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Database {
    /// `sqlite:PATH`.
    Sqlite,
    /// `postgres://…` or `postgresql://…`.
    Postgres,
    /// `sqlserver://…`, or an ADO string: `Server=…;Database=…;…`.
    SqlServer,
    /// `mongodb://…` or `mongodb+srv://…`.
    Mongo,
}

/// Schemes, in whichever case they are written.
const SCHEMES: [(&str, Database); 6] = [
    ("sqlite:", Database::Sqlite),
    ("postgres://", Database::Postgres),
    ("postgresql://", Database::Postgres),
    ("sqlserver://", Database::SqlServer),
    ("mongodb://", Database::Mongo),
    ("mongodb+srv://", Database::Mongo),
];

/// The setting without which an ADO string names no server.
const ADO_SERVERS: [&str; 2] = ["server", "data source"];

impl Database {
    /// The kind of database at an address. `None` for an address of no known kind.
    pub fn of_address(address: &str) -> Option<Self> {
        let scheme = SCHEMES.into_iter().find(|(scheme, _)| behind(address, scheme).is_some());
        scheme.map(|(_, database)| database).or_else(|| is_ado(address).then_some(Self::SqlServer))
    }

    /// The path in an SQLite address, as it is written there. `None` for another address.
    pub fn sqlite_path(address: &str) -> Option<&str> {
        behind(address, "sqlite:")
    }
}

fn behind<'a>(address: &'a str, scheme: &str) -> Option<&'a str> {
    let start = address.get(..scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| &address[scheme.len()..])
}

fn is_ado(address: &str) -> bool {
    let names = address.split(';').filter_map(|setting| Some(setting.split_once('=')?.0.trim()));
    names.into_iter().any(|name| ADO_SERVERS.iter().any(|server| name.eq_ignore_ascii_case(server)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_which_database_it_is_of() {
        for (address, database) in [
            ("sqlite:a.db", Some(Database::Sqlite)),
            ("SQLite:///a.db", Some(Database::Sqlite)),
            ("postgres://h/d", Some(Database::Postgres)),
            ("PostgreSQL://h/d", Some(Database::Postgres)),
            ("sqlserver://h:1433/d", Some(Database::SqlServer)),
            ("Database=x; SERVER = h", Some(Database::SqlServer)),
            ("data source=h;", Some(Database::SqlServer)),
            ("mongodb://h/d", Some(Database::Mongo)),
            ("mongodb+srv://h/d", Some(Database::Mongo)),
            ("postgresx://h/d", None),
            ("mysql://h/d", None),
            ("Database=x", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(Database::of_address(address), database, "{address}");
        }
        assert_eq!(Database::sqlite_path("SQLITE:a b.db"), Some("a b.db"));
        assert_eq!(Database::sqlite_path("postgres://h"), None);
    }
}
