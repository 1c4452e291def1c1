//! The numbers that rows of our tables in SQLite get. We give them ourselves: left to SQLite, one row that somebody wrote with the highest
//! number there is would refuse every row behind it for ever, also once it is gone, as if the disk were full.

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, OptionalExtension};
use std::path::Path;
use tracing::warn;

/// A table whose rows are numbered in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered(&'static str);

/// What we give stays below it. Rows above are other people's, and nothing is counted on from them.
const HIGHEST: i64 = 1 << 62;

/// Where somebody's row stands right below a limit, half of it is the next one, down to here.
const LOWEST: i64 = 1 << 40;

/// Numbers that are passed over when SQLite no longer knows which were given: who read a row before must not find another one under its
/// number later. Nobody had so many rows.
const JUMP: i64 = 1 << 32;

impl Numbered {
    /// `table.column`, of its `INTEGER PRIMARY KEY AUTOINCREMENT`.
    pub(super) const fn new(place: &'static str) -> Self {
        Self(place)
    }

    fn names(self) -> (&'static str, &'static str) {
        self.0.split_once('.').unwrap_or((self.0, "rowid"))
    }

    /// The number of the next row: above all that were ever given here. To be asked in the transaction that inserts the row, which holds the
    /// write lock.
    pub(super) fn next(self, connection: &Connection) -> rusqlite::Result<i64> {
        let given = self.given(connection)?;
        let mut limit = HIGHEST;
        while limit >= LOWEST {
            let highest = self.highest(connection, limit)?;
            let last = if given < limit { highest.max(given) } else { highest + JUMP };
            if last < limit - 1 {
                if given >= limit {
                    self.go_on_from(connection, given, last)?;
                }
                return Ok(last + 1);
            }
            limit >>= 1;
        }
        self.gap(connection)
    }

    /// The highest number that any row ever had, as SQLite remembers it. A table that others made may be without.
    fn given(self, connection: &Connection) -> rusqlite::Result<i64> {
        let sql = "SELECT max(CAST(seq AS INTEGER)) FROM sqlite_sequence WHERE name = ?1";
        match connection.prepare_cached(sql) {
            Ok(mut asked) => Ok(asked.query_row([self.names().0], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0)),
            Err(Error::SqlInputError { .. }) => Ok(0),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn highest(self, connection: &Connection, limit: i64) -> rusqlite::Result<i64> {
        let (table, column) = self.names();
        let sql = format!("SELECT max({column}) FROM {table} WHERE {column} < ?1");
        let highest = connection.prepare_cached(&sql)?.query_row([limit], |row| row.get::<_, Option<i64>>(0))?;
        Ok(highest.unwrap_or(0).max(0))
    }

    /// Takes back what SQLite remembers of other people's numbers, and says so.
    fn go_on_from(self, connection: &Connection, given: i64, last: i64) -> rusqlite::Result<()> {
        let table = self.names().0;
        warn!(
            table,
            number = given,
            next = last + 1,
            "a row had a number that filegen gives to none: somebody else wrote into this table; numbers go on below it"
        );
        connection.execute("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1", (table, last)).map(drop)
    }

    /// A number that no row has, where rows stand below every limit: their order is lost, and no row is refused.
    fn gap(self, connection: &Connection) -> rusqlite::Result<i64> {
        let (table, column) = self.names();
        let sql = format!(
            "SELECT min({column}) + 1 FROM {table} t WHERE {column} >= 0 AND {column} < {HIGHEST}
             AND NOT EXISTS (SELECT 1 FROM {table} n WHERE n.{column} = t.{column} + 1)"
        );
        connection.query_row(&sql, [], |row| row.get(0))
    }
}

/// What SQLite means when it calls the file at `path` full because the numbers of a table are used up: its name and what to do. `None`: room
/// is what is missing.
pub(super) fn used_up(path: &Path, error: &Error) -> Option<String> {
    if error.sqlite_error_code() != Some(ErrorCode::DiskFull) {
        return None;
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let sql = "SELECT name FROM sqlite_sequence WHERE CAST(seq AS INTEGER) = ?1 ORDER BY name LIMIT 1";
    let table: String = connection.query_row(sql, [i64::MAX], |row| row.get(0)).optional().ok()??;
    let table = crate::core::model::shown::name(&table);
    Some(format!(
        "table `{table}` takes no more rows: one of them had the highest number there is ({}). The disk is not full. Take that row \
         away, and set `seq` in `sqlite_sequence` to the highest number that is left",
        i64::MAX
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Numbered = Numbered::new("letters.number");

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE letters (number INTEGER PRIMARY KEY AUTOINCREMENT, text)").unwrap();
        connection
    }

    fn add(connection: &Connection) -> i64 {
        let number = ROWS.next(connection).unwrap();
        connection.execute("INSERT INTO letters (number) VALUES (?1)", [number]).unwrap();
        number
    }

    fn write(connection: &Connection, number: i64) {
        connection.execute("INSERT OR IGNORE INTO letters (number) VALUES (?1)", [number]).unwrap();
    }

    #[test]
    fn numbers_count_up_and_none_is_given_twice() {
        let connection = table();
        assert_eq!([add(&connection), add(&connection), add(&connection)], [1, 2, 3]);
        connection.execute("DELETE FROM letters", []).unwrap();
        assert_eq!(add(&connection), 4);
        write(&connection, -7);
        assert_eq!(add(&connection), 5);
    }

    #[test]
    fn whatever_number_somebody_writes_rows_go_in_behind_those_before() {
        for odd in [i64::MAX, i64::MAX - 1, HIGHEST + 1, HIGHEST, HIGHEST - 1, i64::MIN, 0] {
            for stays in [true, false] {
                let connection = table();
                let mut given = vec![add(&connection), add(&connection), add(&connection)];
                connection.execute("DELETE FROM letters WHERE number = 3", []).unwrap();
                write(&connection, odd);
                if !stays {
                    connection.execute("DELETE FROM letters WHERE number = ?1", [odd]).unwrap();
                }
                given.extend((0..3).map(|_| add(&connection)));
                assert!(given.is_sorted_by(|a, b| a < b), "{odd} {stays}: {given:?}");
            }
        }
    }

    #[test]
    fn rows_below_every_limit_refuse_none() {
        let connection = table();
        let first = add(&connection);
        (40..=62).for_each(|power| write(&connection, (1 << power) - 1));
        write(&connection, i64::MAX);
        assert!(add(&connection) > first && add(&connection) > first);
    }

    #[test]
    fn a_table_that_others_made_without_a_sequence_takes_rows() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE letters (number INTEGER PRIMARY KEY, text)").unwrap();
        write(&connection, i64::MAX);
        assert_eq!([add(&connection), add(&connection)], [1, 2]);
    }

    #[test]
    fn a_table_without_numbers_is_not_called_a_full_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE seen (id INTEGER PRIMARY KEY AUTOINCREMENT, text)").unwrap();
        let full = Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        assert_eq!(used_up(&path, &full), None);
        connection.execute("INSERT INTO seen (id) VALUES (?1)", [i64::MAX]).unwrap();
        let error = connection.execute("INSERT INTO seen (text) VALUES ('x')", []).unwrap_err();
        assert!(used_up(&path, &error).unwrap().contains("`seen`"));
        let busy = Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None);
        assert_eq!(used_up(&path, &busy), None);
    }
}
